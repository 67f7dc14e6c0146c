import { NdArray } from '../../values/ndarray.ts'
import type { Dimension, SymbolicShape } from '../../values/shape.ts'
import { freshSize, quotientOf } from '../node/sizes.ts'
import { OTHER_AXIS } from './rules.ts'
import { along, timeAxis, type TimeRule } from './timing.ts'

export const MIXES = 'mixes timesteps with other axes'

/** Where the axis `axis` of `from` is in `to`: what stands before it, and what stands behind, must stay there. */
function placeOf(from: SymbolicShape, axis: number, to: SymbolicShape): number {
  const isSame = (a: SymbolicShape, b: SymbolicShape): boolean => quotientOf(a, b) === 1
  return to.findIndex((size, n) => (
    // A number for a name is that of the file, where streams have any number of steps.
    (size === from[axis] || (typeof size === 'number' && typeof from[axis] === 'string'))
    && isSame(from.slice(0, axis), to.slice(0, n)) && isSame(from.slice(axis + 1), to.slice(n + 1))
  ))
}

/** The same elements in another shape. */
export const reshapingTime: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  if (axis === undefined) return OTHER_AXIS
  const found = placeOf(context.shape(0) as SymbolicShape, axis, context.outputShape(0))
  return found < 0 ? MIXES : along(node, found)
}

/** As above; where a file has a number for the timesteps, a stream has as many as there are. */
export const reshapingSteps: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  if (axis === undefined) return OTHER_AXIS
  const from = context.shape(0) as SymbolicShape
  const to = context.outputShape(0)
  const found = placeOf(from, axis, to)
  const target = context.numbers(1) ?? []
  const left = target.indexOf(-1)
  const isFixed = found >= 0 && typeof to[found] === 'number' && left !== found
  if (found >= 0 && !(isFixed && left >= 0)) {
    return { ...along(node, found), ...(isFixed && { instead: { ...node, attributes: { ...node.attributes, open: found } } }) }
  }
  // What is left over besides a fixed number of timesteps: the size of the same axis, or nothing is known of it.
  const place = left < 0 || from[left] === undefined ? -1 : placeOf(from, axis, target.map((size, n) => (n === left ? from[left] as Dimension : size)))
  if (place < 0) return MIXES
  const name = freshSize(node, 'sizes')
  return {
    ...along(node, place), instead: { ...node, inputs: [node.inputs[0] as string, name], attributes: {} },
    constant: [name, new NdArray(Int32Array.from(target, (size, n) => (n === place ? -1 : n === left ? 0 : size)), [target.length])],
  }
}
