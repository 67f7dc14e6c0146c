import type { TypedGraph } from '../graph/infer.ts'
import type { GraphNode } from '../ops/graph-data.ts'
import type { Operator } from '../ops/operator.ts'
import { pointwise } from '../ops/time/pointwise.ts'
import type { TimedNode, Timing } from '../ops/time/timing.ts'
import type { SymbolicShape } from '../values/shape.ts'

/**
 * What a node does to time, by its operator's rule, or why it cannot be run step by step.
 * @param timingOf where the timesteps of a value lie, by name
 * @param lead zeros that a pad put in front of the first input's timesteps
 */
export function askTime(
  node: GraphNode, time: Exclude<Operator['time'], 'unknown'>, { graph, types, settings }: Pick<TypedGraph, 'graph' | 'types' | 'settings'>,
  timingOf: (name: string) => Timing, lead: number = 0,
): TimedNode | string {
  const shapeOf = (name: string = ''): SymbolicShape | undefined => types.get(name)?.shape
  return (time === 'pointwise' ? pointwise : time)(node, {
    timing: (position) => timingOf(node.inputs[position] ?? ''),
    shape: (position) => shapeOf(node.inputs[position]),
    outputShape: (position) => shapeOf(node.outputs[position]) as SymbolicShape,
    numbers: (position) => {
      const constant = graph.constants.get(node.inputs[position] ?? '')
      return constant === undefined ? undefined : Array.from(constant.data)
    },
    lead,
  }, settings.get(node))
}
