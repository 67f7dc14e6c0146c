// Whether the rows of a batch know of each other: sessions of a pool are rows, and must not.
import { LstmError } from '../errors.ts'
import { typeGraph, type TypedGraph } from '../graph/infer.ts'
import { operatorOf } from '../graph/node.ts'
import { label } from '../ops/node/checks.ts'
import { pointwise } from '../ops/time/pointwise.ts'
import { OTHER_AXIS, WORKS_ALONG } from '../ops/time/rules.ts'
import type { Timing } from '../ops/time/timing.ts'
import type { SymbolicShape } from '../values/shape.ts'
import type { Blueprint } from './blueprint.ts'

/** What rules about timesteps say of nodes that would mix rows, if the batch were time. */
const ALONG: readonly string[] = [WORKS_ALONG, 'sums up over the timesteps', 'looks for one of the timesteps', 'joins sequences one after the other']

/** The node that works along the batch, asked by the rules about timesteps; undefined where there is none. */
function mixingNode({ graph, types, settings }: TypedGraph, batch: string): string | undefined {
  const shapeOf = (name: string | undefined): SymbolicShape | undefined => types.get(name ?? '')?.shape
  const axisOf = (name: string | undefined): Timing => {
    const axis = shapeOf(name)?.indexOf(batch) ?? -1
    return axis < 0 ? undefined : axis
  }
  for (const node of graph.nodes) {
    const { time, recurrent } = operatorOf(node)
    if (time === 'unknown' || recurrent !== undefined || node.inputs.every((name) => axisOf(name) === undefined)) continue
    const found = (time === 'pointwise' ? pointwise : time)(node, {
      timing: (position) => axisOf(node.inputs[position]),
      shape: (position) => shapeOf(node.inputs[position]),
      outputShape: (position) => shapeOf(node.outputs[position]) as SymbolicShape,
      numbers: (position) => {
        const constant = graph.constants.get(node.inputs[position] ?? '')
        return constant === undefined ? undefined : Array.from(constant.data)
      },
      lead: 0,
    }, settings.get(node))
    if (typeof found === 'string' && (ALONG.includes(found) || (time === 'pointwise' && found === OTHER_AXIS))) return label(node)
  }
  return undefined
}

/** @throws LstmError `UNSUPPORTED` naming a node that makes sessions depend on each other */
export function checkRows({ prepared, batchName }: Blueprint): void {
  const mixing = batchName === undefined ? undefined : mixingNode(typeGraph(prepared.graph), batchName)
  if (mixing === undefined) return
  throw new LstmError('UNSUPPORTED', `streams: ${mixing} works along the batch, so that each session's outputs would depend on the others; give each a stream of its own: model.stream()`)
}
