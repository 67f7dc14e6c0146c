// Rules about timesteps that operators share. An operator's own rule stands beside it.
import type { SymbolicShape } from '../../values/shape.ts'
import { resolveAxis } from '../node/attributes.ts'
import type { GraphNode } from '../graph-data.ts'
import { along, timeAxis, type TimeContext, type TimeRule } from './timing.ts'

export const OTHER_AXIS = 'takes inputs whose timesteps lie on different axes'
export const WORKS_ALONG = 'works along the timesteps'

/**
 * Works along some axes of its first input; the others are rows that do not know of each other.
 * @param axesOf the axes, negative ones counted from the end; undefined where they are not known
 */
/* @__NO_SIDE_EFFECTS__ */
export function rowwise<Settings>(
  axesOf: (node: GraphNode, shape: SymbolicShape, settings: Settings, context: TimeContext) => readonly number[] | undefined,
): TimeRule<Settings> {
  return (node, context, settings) => {
    const axis = timeAxis(context)
    const shape = context.shape(0) as SymbolicShape
    if (axis === undefined || node.inputs.some((_, position) => position > 0 && context.timing(position) !== undefined)) return OTHER_AXIS
    const axes = axesOf(node, shape, settings, context)?.map((one) => resolveAxis(node, one, shape.length))
    return axes === undefined || axes.includes(axis) ? WORKS_ALONG : along(node, axis)
  }
}
