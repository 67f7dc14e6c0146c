import { LstmError } from '../errors.ts'
import { typeGraph } from '../graph/infer.ts'
import { makePlan, type PlannedValue } from '../plan/plan.ts'
import { StateMemory } from '../plan/states.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { bytesOf, type DataOf } from '../values/dtype.ts'
import { lengthOf } from '../values/shape.ts'
import type { Blueprint } from './blueprint.ts'

/** Inputs that were given, by name. */
export type Given = ReadonlyMap<string, DataOf>

/**
 * Computes the initial states, by the name of their block. They may depend on constants, and on inputs without timesteps, which are
 * zeros unless given.
 * @throws LstmError `UNSUPPORTED` where they depend on timesteps, or on an input that each step is given
 */
export function initialStates(runtime: Runtime, blueprint: Blueprint, batch: number, given?: Given): Map<string, Uint8Array> {
  const found: Map<string, Uint8Array> = new Map()
  const { initial } = blueprint
  if (initial === undefined) return found
  const { graph } = initial
  const shapes = blueprint.shapes(batch, 1, graph.inputs)
  const { nodes, outputs } = typeGraph(graph, shapes).graph
  const used = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs.map(({ value }) => value)])
  for (const port of blueprint.inputs) {
    if (port === undefined || !used.has(port.name)) continue
    if (port.kind === 'steps') throw new LstmError('UNSUPPORTED', `stream: the first states of this model follow from the timesteps of '${port.name}'`)
    // This input is given with each step, after the initial states are needed.
    if (given?.has(port.name) !== true) {
      throw new LstmError('UNSUPPORTED', `stream: the first states of this model follow from '${port.name}', which its steps take as well; use run or runAsync, or give '${port.name}' when the model is loaded (option constants)`)
    }
  }
  const states = new StateMemory(runtime)
  const plan = makePlan(runtime, initial, shapes, states)
  const view = ({ shape, slot, type }: PlannedValue): Uint8Array => (
    runtime.linearMemory.view('uint8', slot.ptr, lengthOf(shape) * bytesOf(type.dtype))
  )
  try {
    plan.inputs.forEach((input, n) => {
      const data = given?.get(graph.inputs[n]?.name as string)
      const bytes = view(input)
      bytes.fill(0)
      if (data?.byteLength === bytes.length) bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    })
    for (const step of plan.steps) step()
    graph.outputs.forEach(({ name }, n) => found.set(name, view(plan.outputs[n] as PlannedValue).slice()))
    return found
  } finally {
    plan.dispose()
    states.clear()
  }
}
