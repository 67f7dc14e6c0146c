// Runs that yield to the event loop: the sequence runs in chunks, bit-identical to one run.
import { LstmError } from '../errors.ts'
import { typeGraph } from '../graph/infer.ts'
import { switchOf } from '../ops/node/attributes.ts'
import { FUNCTION, readOptions, SIGNAL, type OptionTable } from '../options.ts'
import { places, shapesOfInputs, takeInputs, type RunInputs, type Taken } from '../plan/binding.ts'
import { makePlan, type PlannedValue } from '../plan/plan.ts'
import { byteLengthOf, StateMemory, type StateBlock } from '../plan/states.ts'
import { checkOverlaps, checkTarget, INTO, isGiven, takeTargets, type RunTargets } from '../plan/targets.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { copyData, createData, type DataOf, type DType } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import type { PlatformSignal } from '../values/platform.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { Blueprint, type StreamHost } from './blueprint.ts'
import { Machine, type MachinePlan, type PortLayout } from './machine.ts'
import { nextTurn, SLICE } from '../runtime/next-turn.ts'

/** Timesteps of a chunk. */
const CHUNK = 256

/** Options of runs that take a while. */
export interface LongRunOptions {
  /** Stops the run between chunks. Default: nothing does. */
  readonly signal?: PlatformSignal | undefined
  /** Called with the progress: timesteps, or layers of a model that needs the whole sequence at once. Default: nobody is told. */
  readonly onProgress?: ((progress: { readonly done: number, readonly total: number }) => void) | undefined
}

/** Options of `runAsync`. */
export interface RunAsyncOptions extends LongRunOptions {
  /** Arrays to write outputs to, by name, or one for the only output. Only these outputs are given back then. Default: all, in new arrays. */
  readonly into?: RunTargets | undefined
}

/** What each option may be. */
const RUN_ASYNC_OPTIONS: OptionTable<RunAsyncOptions> = { into: INTO, signal: SIGNAL, onProgress: FUNCTION }

/** Shapes of all inputs, and the elements of those that are given. */
interface LongRun {
  readonly shapes: ReadonlyMap<string, Shape>
  readonly inputs: ReadonlyMap<string, () => DataOf>
  /** States of stateful layers: read when the run begins, written when it has ended. */
  readonly states: StateMemory
}

/** @throws LstmError see `Model.runAsync` */
export async function runLong(
  host: StreamHost, states: StateMemory, values: RunInputs, given: RunAsyncOptions,
): Promise<Record<string, NdArray> | RunTargets> {
  const { runtime, graph: { inputs: ports, outputs: outputPorts } } = host
  const { into, ...options } = readOptions(given, RUN_ASYNC_OPTIONS, 'runAsync')
  const taken = places(ports.length)
  takeInputs(ports, values, [], taken)
  const targets = places(outputPorts.length)
  if (into !== undefined) takeTargets(outputPorts, into, [], targets)
  const turn = turns(host, options)
  const shapes = shapesOfInputs(ports, taken, runtime)
  checkTargets(host, shapes, targets, taken)
  const inputs = new Map(ports.flatMap(({ name }, n): [string, () => DataOf][] => {
    const place = taken[n] as Taken
    return isGiven(place) ? [[name, elementsOf(name, place)]] : []
  }))
  const run = { shapes, inputs, states }
  await turn.next(0, 1)
  turn.check()
  const machine = chunkMachine(host, run)
  const outputs = machine === undefined ? await runWhole(host, run, turn) : await runChunks(host, run, machine, turn)
  if (into === undefined) return outputs
  // Checked again, because the caller's code ran in between; nothing is written unless all can be.
  checkTargets(host, shapes, targets, [])
  outputPorts.forEach(({ name }, n) => {
    const { tensor, data } = targets[n] as Taken
    ;(tensor?.data ?? data)?.set((outputs[name] as NdArray).data)
  })
  return into
}

function checkTargets(
  { runtime, graph }: StreamHost, shapes: ReadonlyMap<string, Shape>, targets: readonly Taken[], taken: readonly Taken[],
): void {
  if (!targets.some(isGiven)) return
  const { types } = typeGraph(graph, shapes)
  graph.outputs.forEach(({ name, value }, n) => {
    const { dtype, shape } = types.get(value) as { dtype: DType, shape: Shape }
    if (isGiven(targets[n] as Taken)) checkTarget(targets[n] as Taken, runtime, name, dtype, shape, lengthOf(shape))
  })
  checkOverlaps(targets, graph.outputs, taken, graph.inputs)
}

/** Gets the elements of an input anew each time: those of a tensor move when memory grows. */
function elementsOf(name: string, { tensor, data }: Taken): () => DataOf {
  if (tensor !== undefined) return () => tensor.data
  const { length } = data as DataOf
  return () => {
    if ((data as DataOf).length !== length) {
      throw new LstmError('SHAPE', `run: the input '${name}' had ${length} elements when the run began, and has ${(data as DataOf).length} now: inputs may not change until it is done`)
    }
    return data as DataOf
  }
}

/** Between parts of a run. */
interface Turn {
  /** Reports progress, and yields to the event loop when it is time to. Other code may run while it is awaited: `check` comes after it. */
  next(done: number, total: number): Promise<void> | undefined
  /** @throws LstmError `ABORTED`, or `DISPOSED` for a model whose memory may be another's by now */
  check(): void
}

function turns(host: StreamHost, { signal, onProgress }: LongRunOptions): Turn {
  let since = Date.now()
  const check = (): void => {
    if (signal?.aborted) throw new LstmError('ABORTED', 'the run was aborted', { cause: signal.reason })
    if (host.disposed) throw new LstmError('DISPOSED', 'the model was disposed while it ran')
  }
  return {
    check,
    next(done, total) {
      check()
      if (done > 0) onProgress?.({ done, total })
      if (Date.now() - since < SLICE || done === total) return undefined
      return nextTurn().then(() => {
        since = Date.now()
      })
    },
  }
}

/** The model for chunks of the sequence; undefined where it needs the whole sequence at once. */
function chunkMachine(host: StreamHost, { shapes, inputs }: LongRun): Machine | undefined {
  const { runtime, prepared } = host
  // States of stateful layers belong to the model.
  if (prepared.graph.nodes.some((node) => switchOf(node, 'stateful'))) return undefined
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
      await turn.next(done, total)
      turn.check()
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

/** Outputs without timesteps are those of the last chunk. */
function moveOut({ port, outer, inner }: PortLayout, { steps }: MachinePlan, begin: number, total: number, from: DataOf, to: DataOf): void {
  if (port.kind !== 'steps') to.set(from)
  else for (let o = 0; o < outer; o++) to.set(from.subarray(o * steps * inner, (o + 1) * steps * inner), (o * total + begin) * inner)
}

/** The plan of a run with states of its own; it yields to the event loop between kernel calls. */
async function runWhole({ runtime, prepared, graph }: StreamHost, run: LongRun, turn: Turn): Promise<Record<string, NdArray>> {
  const { linearMemory } = runtime
  const { shapes, inputs, states } = run
  const view = ({ type, slot, shape }: PlannedValue): DataOf => linearMemory.view(type.dtype, slot.ptr, lengthOf(shape))
  const own = new StateMemory(runtime)
  const plan = makePlan(runtime, prepared, shapes, own)
  try {
    for (const block of own.blocks) {
      const kept = states.find(block.name)
      if (kept !== undefined) copyState(runtime, kept, block)
    }
    graph.inputs.forEach(({ name }, n) => {
      const data = inputs.get(name)
      if (data === undefined) view(plan.inputs[n] as PlannedValue).fill(0)
      else view(plan.inputs[n] as PlannedValue).set(data())
    })
    for (let n = 0; n < plan.steps.length; n++) {
      (plan.steps[n] as () => void)()
      await turn.next(n + 1, plan.steps.length)
      turn.check()
    }
    const outputs = Object.fromEntries(graph.outputs.map(({ name }, n) => {
      const value = plan.outputs[n] as PlannedValue
      return [name, new NdArray(copyData(view(value)), value.shape)]
    }))
    const kept = states.attempt(() => own.blocks.map((block) => states.block(block.name, block, `state '${block.name}'`)))
    own.blocks.forEach((block, n) => copyState(runtime, block, kept[n] as StateBlock))
    return outputs
  } finally {
    plan.dispose()
    own.clear()
  }
}

function copyState({ kernels }: Runtime, from: StateBlock, to: StateBlock): void {
  kernels.copyRows(from.slot.ptr, 0, to.slot.ptr, 0, 1, byteLengthOf(from))
}
