import { typeGraph } from '../graph/infer.ts'
import { contextOf, operatorOf } from '../graph/node.ts'
import { label } from '../ops/node/checks.ts'
import type { TypedGraph, ValueType } from '../ops/graph-data.ts'
import type { InnerPlan, InnerPrepared, Planner, Slot } from '../ops/operator.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { encodeRecord } from '../values/record.ts'
import type { Shape } from '../values/shape.ts'
import { Layout, type Buffer } from './layout.ts'
import type { PreparedGraph } from './prepare.ts'
import type { StateMemory } from './states.ts'

/** A value of the graph while a plan runs. */
export interface PlannedValue {
  readonly type: ValueType
  readonly shape: Shape
  readonly slot: Slot
  /** Address in the plan's own memory: where the value is unless the caller gives a tensor for it. */
  readonly ptr: number
}

/** A model bound to sizes: kernel calls in order, over buffers that are laid out once. */
export interface Plan {
  readonly inputs: readonly PlannedValue[]
  readonly outputs: readonly PlannedOutput[]
  readonly steps: readonly (() => void)[]
  /** Frees the buffers. */
  dispose(): void
}

export interface PlannedOutput extends PlannedValue {
  /** Whether a caller's tensor can take the buffer's place: it belongs to this output alone. */
  readonly replaceable: boolean
}

/** A plan that is laid out, but has no memory yet. */
export interface PlanDraft {
  /** Bytes of all buffers. */
  readonly bytes: number
  /** For plans that run inside another plan. */
  readonly inner: InnerPlan
  /**
   * @param sharedPtr memory of the caller for the buffers: plans that never run at the same time may share it
   * @throws LstmError `MEMORY` when the limit is reached
   */
  place(sharedPtr?: number): Plan
}

/**
 * Lays out a plan for given input shapes. Buffers of values that are never needed at the same time share memory.
 * @throws LstmError `SHAPE` where operators do not accept the sizes, `MEMORY` when the limit is reached
 */
export function makePlan(
  runtime: Runtime, prepared: PreparedGraph, inputShapes: ReadonlyMap<string, Shape>, states: StateMemory,
): Plan {
  return states.attempt(() => draftPlan(runtime, prepared, inputShapes, states, false).place())
}

/**
 * The first half of `makePlan`.
 * @param streaming see `Planner.streaming`
 */
export function draftPlan(
  runtime: Runtime, prepared: PreparedGraph, inputShapes: ReadonlyMap<string, Shape>, states: StateMemory, streaming: boolean,
): PlanDraft {
  return draftTyped(runtime, typeGraph(prepared.graph, inputShapes), prepared, states, streaming)
}

/** The same for a graph that has numbers for sizes. */
function draftTyped(
  runtime: Runtime, { graph, types, settings }: TypedGraph, { prepared, constants }: InnerPrepared, states: StateMemory, streaming: boolean,
): PlanDraft {
  const { kernels, linearMemory } = runtime
  const layout = new Layout(graph, types, constants)
  const steps: (() => void)[] = []
  let stepCount = 0
  const step = (run: () => void, count: number = 1): void => {
    steps.push(run)
    stepCount += count
  }
  /** Graphs inside nodes, and where their buffers are. */
  const inside: { readonly draft: PlanDraft, readonly slot: Slot }[] = []
  for (const { name } of graph.inputs) layout.define(name)
  for (const node of graph.nodes) {
    const workspaces: Buffer[] = []
    const { value, parameter } = contextOf(node, graph.constants, types)
    const last: (() => void)[] = []
    const planner: Planner = {
      kernels,
      linearMemory,
      label: label(node),
      dtypeOf: (position) => (types.get(node.inputs[position] as string) as ValueType).dtype,
      shapeOf: (position) => layout.shape(node.inputs[position] as string),
      outputShape: (position) => layout.shape(node.outputs[position] as string),
      value,
      parameter,
      hasInput: (position) => (node.inputs[position] ?? '') !== '',
      hasOutput: (position) => (node.outputs[position] ?? '') !== '',
      input: (position) => layout.slot(node.inputs[position] as string),
      output: (position) => layout.define(node.outputs[position] as string),
      workspace(bytes) {
        const buffer = layout.allocate(bytes, 1, `${label(node)}: its workspace`)
        workspaces.push(buffer)
        return buffer.slot
      },
      constant: (data) => layout.constant(data),
      record: (fields, values, tail) => layout.constant(encodeRecord(fields, values, tail)),
      alias: (output, input) => layout.alias(node.outputs[output] as string, node.inputs[input] as string),
      state: (name, outer, rows, rowBytes) => states.slot(`${node.name}.${name}`, { outer, rows, rowBytes }, label(node)),
      streaming,
      sharing: runtime.sharing,
      step,
      inner(typed, weights) {
        const draft = draftTyped(runtime, typed, weights, states, false)
        inside.push({ draft, slot: planner.workspace(draft.bytes) })
        return draft.inner
      },
      finally: (run) => last.push(run),
    }
    operatorOf(node).plan(node, planner, settings.get(node), prepared.get(node))
    for (const run of last) step(run)
    for (const workspace of workspaces) layout.release(workspace)
    for (const name of node.inputs) layout.used(name)
    for (const name of node.outputs) layout.dropUnused(name)
  }
  for (const { value } of graph.outputs) layout.slot(value)
  const planned = (value: string): PlannedValue => {
    const slot = layout.slot(value)
    return { type: types.get(value) as ValueType, shape: layout.shape(value), slot, ptr: slot.ptr }
  }
  return {
    bytes: layout.bytes,
    inner: { slot: (name) => layout.slot(name), steps, stepCount },
    place(sharedPtr) {
      const placed = layout.place(linearMemory, sharedPtr).map((ptr) => () => linearMemory.free(ptr))
      const dispose = (): void => placed.forEach((free) => free())
      try {
        for (const { draft, slot } of inside) {
          const plan = draft.place(slot.ptr)
          placed.push(() => plan.dispose())
        }
      } catch (error) {
        dispose()
        throw error
      }
      const { replaceable } = layout
      return {
        inputs: graph.inputs.map(({ name }) => planned(name)),
        outputs: graph.outputs.map(({ value }, n) => ({ ...planned(value), replaceable: replaceable[n] as boolean })),
        steps,
        dispose,
      }
    },
  }
}
