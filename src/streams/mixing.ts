// Whether batch rows depend on each other: sessions of a pool are rows, and must be independent.
import { LstmError } from '../errors.ts'
import { typeGraph, type TypedGraph } from '../graph/infer.ts'
import { operatorOf } from '../graph/node.ts'
import { label } from '../ops/node/checks.ts'
import { JOINS_STEPS, LOOKS_FOR_STEPS, SUMS_STEPS } from '../ops/time/reasons.ts'
import { OTHER_AXIS, WORKS_ALONG } from '../ops/time/rules.ts'
import type { Timing } from '../ops/time/timing.ts'
import { askTime } from './ask-time.ts'
import type { Blueprint } from './blueprint.ts'

/** Reasons that time rules give where a node would mix rows, with the batch in the place of time. */
const MIXES_ROWS: readonly string[] = [WORKS_ALONG, SUMS_STEPS, LOOKS_FOR_STEPS, JOINS_STEPS]

/** The node that works along the batch axis, found by the time rules; undefined where there is none. */
function mixingNode(typed: TypedGraph, batch: string): string | undefined {
  const axisOf = (name: string): Timing => {
    const axis = typed.types.get(name)?.shape.indexOf(batch) ?? -1
    return axis < 0 ? undefined : axis
  }
  for (const node of typed.graph.nodes) {
    const { time, recurrent } = operatorOf(node)
    if (time === 'unknown' || recurrent !== undefined || node.inputs.every((name) => axisOf(name) === undefined)) continue
    const found = askTime(node, time, typed, axisOf)
    if (typeof found === 'string' && (MIXES_ROWS.includes(found) || (time === 'pointwise' && found === OTHER_AXIS))) return label(node)
  }
  return undefined
}

/** @throws LstmError `UNSUPPORTED` naming a node that makes sessions depend on each other */
export function checkRows({ prepared, batchName }: Blueprint): void {
  const mixing = batchName === undefined ? undefined : mixingNode(typeGraph(prepared.graph), batchName)
  if (mixing === undefined) return
  throw new LstmError('UNSUPPORTED', `streams: ${mixing} works along the batch, so that each session's outputs would depend on the others; give each a stream of its own: model.stream()`)
}
