import type { SymbolicShape } from '../../values/shape.ts'
import { quotientOf } from '../node/sizes.ts'
import { OTHER_AXIS } from './rules.ts'
import { along, timeAxis, type TimeRule } from './timing.ts'

export const MIXES = 'mixes timesteps with other axes'

/** The same elements in another shape: what stands before the timesteps, and what stands behind, must stay there. */
export const reshapingTime: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  if (axis === undefined) return OTHER_AXIS
  const from = context.shape(0) as SymbolicShape
  const to = context.outputShape(0)
  const isSame = (a: SymbolicShape, b: SymbolicShape): boolean => quotientOf(a, b) === 1
  const found = to.findIndex((size, n) => (
    size === from[axis] && isSame(from.slice(0, axis), to.slice(0, n)) && isSame(from.slice(axis + 1), to.slice(n + 1))
  ))
  return found < 0 ? MIXES : along(node, found)
}
