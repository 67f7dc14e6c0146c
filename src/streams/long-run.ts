// A run that lets others have their turn: the sequence goes through in chunks, with the same bits.
import { LstmError } from '../errors.ts'
import type { GraphInput } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import { copyInput, shapesOfInputs, type ByName, type RunInput } from '../plan/binding.ts'
import { makePlan, type PlannedValue } from '../plan/plan.ts'
import { StateMemory } from '../plan/states.ts'
import { checkTarget, noOutput, type RunTarget } from '../plan/targets.ts'
import { createData, type DataOf, type DType } from '../values/dtype.ts'
import { hasShape, NdArray } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { Blueprint, type StreamHost } from './blueprint.ts'
import { Machine, type MachinePlan, type PortLayout } from './machine.ts'

/** Timesteps of a chunk. */
const CHUNK = 256
/** Milliseconds of work after which others have their turn. */
const SLICE = 8

export interface LongRunOptions {
  /** Stops the run between chunks. */
  readonly signal?: AbortSignal
  /** Told how far it is: timesteps, or layers of a model that needs the whole sequence at once. */
  readonly onProgress?: (progress: { readonly done: number, readonly total: number }) => void
}

export interface RunAsyncOptions extends LongRunOptions {
  /** Arrays to write outputs to, by name. Only these outputs are given back then. */
  readonly into?: ByName<RunTarget>
}

/** What is to be run: shapes of all inputs, and the elements of those that are given. */
interface LongRun {
  readonly shapes: ReadonlyMap<string, Shape>
  readonly inputs: ReadonlyMap<string, () => DataOf>
  /** States of stateful layers: what they are when the run begins, and set when it has ended. */
  readonly states: StateMemory
}

/** @throws LstmError see `Model.runAsync` */
export async function runLong(
  host: StreamHost, states: StateMemory, values: ByName<RunInput>, options: RunAsyncOptions,
): Promise<ByName<NdArray | RunTarget>> {
  const { runtime, prepared: { graph } } = host
  const { into } = options
  const shapes = shapesOfInputs(graph.inputs, values, runtime)
  if (into !== undefined) checkTargets(host, shapes, into)
  const inputs = new Map(graph.inputs.flatMap((input): [string, () => DataOf][] => {
    const value = values[input.name]
    return value === undefined ? [] : [[input.name, dataOfInput(input, value, shapes.get(input.name) as Shape)]]
  }))
  const run = { shapes, inputs, states }
  const turn = turns(host, options)
  await turn(0, 1)
  const machine = chunkMachine(host, run)
  const outputs = machine === undefined ? await runWhole(host, run, turn) : await runChunks(host, run, machine, turn)
  for (const [name, target] of Object.entries(into ?? {})) {
    const data = hasShape(target) ? target.data : target
    data.set((outputs[name] as NdArray).data)
  }
  return into ?? outputs
}

function checkTargets({ runtime, prepared: { graph } }: StreamHost, shapes: ReadonlyMap<string, Shape>, into: ByName<RunTarget>): void {
  const { types } = typeGraph(graph, shapes)
  for (const [name, target] of Object.entries(into)) {
    const value = graph.outputs.find((output) => output.name === name)?.value
    if (value === undefined) throw noOutput(name, graph.outputs)
    const { dtype, shape } = types.get(value) as { dtype: DType, shape: Shape }
    checkTarget(target, runtime, name, dtype, shape, lengthOf(shape))
  }
}

/** The elements of a value, whenever they are asked for: those of a tensor move when memory grows. */
function dataOfInput(input: GraphInput, value: RunInput, shape: Shape): () => DataOf {
  if (hasShape(value)) return () => value.data
  if (ArrayBuffer.isView(value)) return () => value
  const data = createData(input.dtype, lengthOf(shape))
  copyInput(input, value, shape, data)
  return () => data
}

/** Says how far it is, and waits when it is time to. */
type Turn = (done: number, total: number) => Promise<void> | undefined

function turns(host: StreamHost, { signal, onProgress }: LongRunOptions): Turn {
  let since = Date.now()
  const check = (): void => {
    if (signal?.aborted) throw new LstmError('ABORTED', 'the run was aborted', { cause: signal.reason })
    if (host.disposed) throw new LstmError('DISPOSED', 'the model was disposed while it ran')
  }
  return (done, total) => {
    check()
    if (done > 0) onProgress?.({ done, total })
    check() // the caller may have said so right there
    if (Date.now() - since < SLICE || done === total) return undefined
    return nextTurn().then(() => {
      since = Date.now()
      check()
    })
  }
}

/** A turn of the event loop: events, timers and other work come in between. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof MessageChannel === 'undefined') {
      setTimeout(resolve, 0)
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })
}

/** The model for chunks of the sequence; undefined where it needs the whole one. */
function chunkMachine(host: StreamHost, { shapes, inputs }: LongRun): Machine | undefined {
  const { runtime, prepared } = host
  // What a stateful layer keeps is the model's own.
  if (prepared.graph.nodes.some(({ attributes }) => attributes.stateful === true)) return undefined
  try {
    const sizes = prepared.graph.inputs.flatMap(({ name, shape }) => shape.flatMap((size, axis): [string, number][] => (
      typeof size === 'string' ? [[size, shapes.get(name)?.[axis] as number]] : []
    )))
    const blueprint = new Blueprint(prepared, { carry: false, sizes: Object.fromEntries(sizes) }, new Set(inputs.keys()))
    const total = blueprint.stepsOf(shapes)
    if (!blueprint.hasSteps || total <= CHUNK) return undefined
    const steps = [CHUNK, total % CHUNK].filter((count) => count > 0)
    const given = new Map([...inputs].map(([name, data]) => [name, data()]))
    return new Machine(runtime, blueprint, blueprint.batchOf(shapes), steps, given)
  } catch (error) {
    if (error instanceof LstmError && error.code === 'UNSUPPORTED') return undefined
    throw error
  }
}

async function runChunks(host: StreamHost, { shapes, inputs }: LongRun, machine: Machine, turn: Turn): Promise<Record<string, NdArray>> {
  try {
    const total = machine.blueprint.stepsOf(shapes)
    const { types } = typeGraph(host.prepared.graph, shapes)
    const outputs = machine.outputs.map(({ position }) => {
      const { dtype, shape } = types.get(host.prepared.graph.outputs[position]?.value as string) as { dtype: NdArray['dtype'], shape: Shape }
      return new NdArray(createData(dtype, lengthOf(shape)), shape)
    })
    for (let done = 0; done < total;) {
      const plan = machine.plans.find(({ steps }) => steps <= total - done) as MachinePlan
      machine.refresh()
      machine.inputs.forEach((layout, n) => moveIn(layout, plan, done, total, (inputs.get(layout.port.name) as () => DataOf)(), plan.inputs[n] as DataOf))
      machine.run(plan)
      machine.outputs.forEach((layout, n) => moveOut(layout, plan, done, total, plan.outputs[n] as DataOf, (outputs[n] as NdArray).data))
      done += plan.steps
      await turn(done, total)
    }
    return Object.fromEntries(machine.outputs.map(({ port }, n) => [port.name, outputs[n] as NdArray]))
  } finally {
    machine.dispose()
  }
}

function moveIn({ held, outer, inner }: PortLayout, { steps }: MachinePlan, begin: number, total: number, from: DataOf, to: DataOf): void {
  if (held) to.set(from)
  else for (let o = 0; o < outer; o++) to.set(from.subarray((o * total + begin) * inner, (o * total + begin + steps) * inner), o * steps * inner)
}

/** An output without timesteps is what the last chunk leaves. */
function moveOut({ port, outer, inner }: PortLayout, { steps }: MachinePlan, begin: number, total: number, from: DataOf, to: DataOf): void {
  if (port.kind !== 'steps') to.set(from)
  else for (let o = 0; o < outer; o++) to.set(from.subarray(o * steps * inner, (o + 1) * steps * inner), (o * total + begin) * inner)
}

/** The plan of a run, with turns between its steps, over states of its own. */
async function runWhole(host: StreamHost, { shapes, inputs, states }: LongRun, turn: Turn): Promise<Record<string, NdArray>> {
  const { runtime: { linearMemory, kernels }, prepared } = host
  const own = new StateMemory(host.runtime)
  const view = ({ type, slot, shape }: PlannedValue): DataOf => linearMemory.view(type.dtype, slot.ptr, lengthOf(shape))
  const plan = makePlan(host.runtime, prepared, shapes, own)
  try {
    for (const { slot, name, outer, rows, rowBytes } of own.blocks) {
      const kept = states.find(name)
      if (kept !== undefined) kernels.copyRows(kept.slot.ptr, 0, slot.ptr, 0, 1, outer * rows * rowBytes)
    }
    prepared.graph.inputs.forEach(({ name }, n) => {
      const data = inputs.get(name)
      if (data === undefined) view(plan.inputs[n] as PlannedValue).fill(0)
      else view(plan.inputs[n] as PlannedValue).set(data())
    })
    for (let n = 0; n < plan.steps.length; n++) {
      (plan.steps[n] as () => void)()
      await turn(n + 1, plan.steps.length)
    }
    for (const { slot, name, ...shape } of own.blocks) {
      const kept = states.block(name, shape, `state '${name}'`)
      kernels.copyRows(slot.ptr, 0, kept.slot.ptr, 0, 1, shape.outer * shape.rows * shape.rowBytes)
    }
    return Object.fromEntries(prepared.graph.outputs.map(({ name }, n) => {
      const value = plan.outputs[n] as PlannedValue
      return [name, new NdArray(view(value).slice(), value.shape)]
    }))
  } finally {
    plan.dispose()
    own.clear()
  }
}
