import type { SymbolicShape } from '../../values/shape.ts'
import { OTHER_AXIS } from './rules.ts'
import { along, type TimeRule } from './timing.ts'

/** The rule of operators whose time is `'pointwise'`: element by element; inputs broadcast, aligned at the last axis. */
export const pointwise: TimeRule = (node, context) => {
  const rank = context.outputShape(0).length
  const positions = node.inputs.map((_, position) => position).filter((position) => context.shape(position) !== undefined)
  const axisAt = (position: number, timing: number): number => timing + rank - (context.shape(position) as SymbolicShape).length
  const axes = new Set(positions.flatMap((position) => {
    const timing = context.timing(position)
    return typeof timing === 'number' ? [axisAt(position, timing)] : []
  }))
  if (axes.size !== 1) return OTHER_AXIS
  const [axis] = axes as unknown as [number]
  for (const position of positions) {
    const shape = context.shape(position) as SymbolicShape
    if (context.timing(position) === undefined && (shape[axis - rank + shape.length] ?? 1) !== 1) return 'takes other numbers at each timestep'
  }
  return along(node, axis)
}
