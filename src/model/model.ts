import { LstmError } from '../errors.ts'
import { saveGraph } from '../formats/safetensors/save.ts'
import type { Graph } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import { formatSummary, summarise, type Summary } from '../graph/summary.ts'
import { checkKind, checkNames } from '../options.ts'
import { clear, places, shapesOfInputs, takeInputs, type RunInputs, type Taken } from '../plan/binding.ts'
import { makePlan } from '../plan/plan.ts'
import { prepareGraph } from '../plan/prepare.ts'
import { StateMemory } from '../plan/states.ts'
import { INTO, takeTargets, type RunTargets } from '../plan/targets.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { BlueprintOptions } from '../streams/blueprint.ts'
import type { StreamMaker } from '../streams/maker.ts'
import type { StreamOptions } from '../streams/open.ts'
import type { StreamPool } from '../streams/pool.ts'
import type { Stream } from '../streams/stream.ts'
import type { LongRunOptions, RunAsyncOptions } from '../streams/long-run.ts'
import type { DType } from '../values/dtype.ts'
import type { NdArray } from '../values/ndarray.ts'
import type { PlatformDisposable } from '../values/platform.ts'
import type { SymbolicShape } from '../values/shape.ts'
import { BoundPlan } from './bound-plan.ts'

/** An input or output of a model: what `model.inputs` and `model.outputs` list. */
export interface ModelPort {
  /** Its name in `run`. */
  readonly name: string
  /** Type of its elements. */
  readonly dtype: DType
  /** Sizes; a name stands for one that is known only at run time. */
  readonly shape: SymbolicShape
  /** An input that may be left out; it is zeros then. Default: false. */
  readonly optional?: boolean
}

/** Dtypes of outputs by their names, as a caller knows them: `{ probs: 'float32', best: 'int32' }`. */
export type OutputDTypes = Readonly<Record<string, DType>>

/** What `run` gives: arrays by the names of outputs. */
export type RunOutputs<Outputs extends OutputDTypes = Record<string, 'float32'>> = { [Name in keyof Outputs]: NdArray<Outputs[Name]> }

/** Options of `run`. */
export interface RunOptions<Into extends RunTargets> {
  /** Arrays to write outputs to, by name. Only these outputs are given back then. Default: all, in new arrays. */
  readonly into?: Into | undefined
}

const RUN_OPTIONS = { into: INTO }

/** Allocates nothing. @throws LstmError `VALUE` for options that `run` does not have */
function intoOf<Into extends RunTargets>(options: RunOptions<Into>): Into | undefined {
  if (typeof options === 'object' && options !== null && ('signal' in options || 'onProgress' in options)) {
    throw new LstmError('VALUE', 'run: signal and onProgress are for runAsync')
  }
  checkNames(options, RUN_OPTIONS, 'run')
  const { into } = options as RunOptions<Into>
  if (into !== undefined) checkKind(into, INTO, 'run', 'into')
  return into
}

/**
 * A compiled model: weights packed in the linear memory of a runtime, and a plan for the sizes it was
 * last run with. Made by `load` or `compile`. Holds its memory until `dispose()`.
 *
 * `Outputs` is what the caller knows of its outputs, for the types of what `run` gives; `model.outputs` has what they are.
 * `Model<OutputDTypes>` is any model.
 */
export class Model<Outputs extends OutputDTypes = Record<string, 'float32'>> {
  /** What `run` takes. */
  readonly inputs: readonly ModelPort[]
  /** What `run` gives. */
  readonly outputs: readonly ModelPort[]
  /** The runtime it lives in. */
  readonly runtime: Runtime
  /** What its streams see of it. */
  readonly #host: { readonly runtime: Runtime, readonly graph: Graph, readonly prepared: ReturnType<typeof prepareGraph>, disposed: boolean }
  readonly #states: StateMemory
  #bound: BoundPlan | undefined
  /** Whether a call is in progress: getters of the caller's arrays may call back. */
  #busy = false
  /** Inputs of this call, by position; the same objects are used by every call. */
  readonly #values: unknown[] = []
  readonly #given: readonly Taken[]
  readonly #targets: readonly Taken[]
  readonly #streams: StreamMaker | false

  /**
   * Use `compile`.
   * @param prepare makes its weights ready; of a model that is shared, others have done it
   * @throws LstmError for a graph that does not hold together, `MEMORY` when its weights do not fit
   */
  constructor(runtime: Runtime, graph: Graph, streams: StreamMaker | false = false, prepare: typeof prepareGraph = prepareGraph) {
    const typed = typeGraph(graph)
    this.runtime = runtime
    this.#streams = streams
    this.#states = new StateMemory(runtime)
    this.inputs = graph.inputs
    this.outputs = graph.outputs.map(({ name, value }) => ({ name, ...typed.types.get(value) as { dtype: DType, shape: SymbolicShape } }))
    this.#given = places(this.inputs.length)
    this.#targets = places(this.outputs.length)
    this.#host = { runtime, graph, prepared: prepare(runtime, typed), disposed: false }
  }

  /**
   * Runs the model, synchronously.
   *
   * Sizes with a name (`batch`, `timesteps`) are whatever the inputs say; new sizes lay the buffers
   * out anew, the same sizes again allocate nothing. Outputs are copies, unless `into` says where to write.
   *
   * @param inputs by name, see `model.inputs`; optional ones may be left out. Where only one must be given, its array alone is enough
   * @param options `into`: where to write outputs, by name; where there is only one, its array alone is enough
   * @returns outputs by name; with `into`, what was given there
   * @throws LstmError `SHAPE` or `VALUE` for inputs or targets that do not fit, `MEMORY` when the limit is reached,
   *   `DISPOSED`, `BUSY` from within another call of this model; the model is then as before
   */
  run(inputs: RunInputs, options?: { readonly into?: undefined }): RunOutputs<Outputs>
  /** Runs the model, and writes the outputs to the arrays of `into`, which it returns. */
  run<Into extends RunTargets>(inputs: RunInputs, options: { readonly into: Into }): Into
  /** Runs the model; returns the arrays of `into` where it is given, otherwise new ones. */
  run<Into extends RunTargets>(inputs: RunInputs, options: RunOptions<Into>): RunOutputs<Outputs> | Into
  run<Into extends RunTargets>(inputs: RunInputs, options?: RunOptions<Into>): RunOutputs<Outputs> | Into {
    this.#check()
    this.#busy = true
    try {
      return this.#run(inputs, options === undefined ? undefined : intoOf(options))
    } finally {
      this.#busy = false
      clear(this.#given)
      clear(this.#targets)
    }
  }

  #run<Into extends RunTargets>(inputs: RunInputs, into: Into | undefined): RunOutputs<Outputs> | Into {
    takeInputs(this.inputs, inputs, this.#values, this.#given)
    if (into !== undefined) takeTargets(this.outputs, into, this.#values, this.#targets)
    // From here on no code of the caller runs.
    const bound = this.#bound?.fits(this.#given) === true ? this.#bound : this.#bind()
    if (into !== undefined) bound.checkTargets(this.#targets, this.#given)
    this.#states.backUp()
    try {
      bound.run(this.#given, into === undefined ? undefined : this.#targets)
      return into ?? bound.copyOutputs() as RunOutputs<Outputs>
    } catch (error) {
      this.#states.goBack() // stateful layers have gone on already: those in front of the node that refused, or all
      throw error
    }
  }

  /**
   * `run` for long sequences: bit-identical, in chunks of timesteps, and yields to the event loop in between (every 8 ms or so).
   * A model that needs the whole sequence at once yields to the event loop between its layers instead.
   *
   * @param inputs as `run` takes them; they may not change until it is done
   * @param options `signal` stops it between chunks; `onProgress` is told how many timesteps (or layers) are done
   * @throws LstmError `ABORTED`, and as `run`; targets and the model are as before then
   */
  runAsync(inputs: RunInputs, options?: LongRunOptions & { readonly into?: undefined }): Promise<RunOutputs<Outputs>>
  /** Runs the model in parts, and writes the outputs to the arrays of `into`, which it returns. */
  runAsync<Into extends RunTargets>(inputs: RunInputs, options: LongRunOptions & { readonly into: Into }): Promise<Into>
  /** Runs the model in parts; returns the arrays of `into` where it is given, otherwise new ones. */
  runAsync(inputs: RunInputs, options: RunAsyncOptions): Promise<RunOutputs<Outputs> | RunTargets>
  async runAsync(inputs: RunInputs, options: RunAsyncOptions = {}): Promise<RunOutputs<Outputs> | RunTargets> {
    return this.#maker('run')(this.#host, this.#states, inputs, options)
  }

  /**
   * A stream: the model with states of its own, run step by step or chunk by chunk, bit-identical to `run` over the whole sequence.
   * Needs a model in which each output step depends only on past steps, or that carries its states through its own inputs and
   * outputs.
   *
   * @throws LstmError `UNSUPPORTED` naming the node that needs steps to come, `VALUE` or `SHAPE` for options that do not fit,
   *   `MEMORY`, `DISPOSED`
   */
  stream(options: StreamOptions = {}): Stream {
    return this.#maker('stream')(this.#host, options)
  }

  /**
   * A pool of at most `capacity` sessions over one copy of the weights, of which any step together as one batch.
   * @throws LstmError see `stream`
   */
  streams(capacity: number, options: BlueprintOptions = {}): StreamPool {
    return this.#maker('streams')(this.#host, capacity, options)
  }

  /** Resets stateful layers: their states are zeros again, and the batch size may change. */
  resetStates(): void {
    if (this.#busy) throw busy()
    this.#unbind()
    this.#states.clear()
  }

  /** A table: layers, output shapes, parameters, multiply-adds and bytes, with the arithmetic of every LSTM. */
  summary(): string {
    return formatSummary(this.describe())
  }

  /** The figures of `summary()` as data. */
  describe(): Summary {
    return summarise(this.#host.graph, this.#streams === false ? undefined : this.#streams.carry)
  }

  /** The model as plain data: `compile(model, { runtime })` makes the same one in another runtime. */
  toGraph(): Graph {
    return this.#host.graph
  }

  /** The model as a self-describing safetensors file, which `load` reads; the tensors keep their names. */
  save(): Uint8Array<ArrayBuffer> {
    return saveGraph(this.#host.graph)
  }

  /** Frees all memory. Calling it again does nothing. */
  dispose(): void {
    if (this.#busy) throw busy()
    if (this.#host.disposed) return
    this.#host.disposed = true
    this.#unbind()
    this.#host.prepared.dispose()
    this.#states.clear()
  }

  #maker<Name extends keyof StreamMaker>(name: Name): NonNullable<StreamMaker[Name]> {
    this.#check()
    const make = this.#streams === false ? undefined : this.#streams[name]
    if (make === undefined) throw new LstmError('ENVIRONMENT', 'this model was made without streams (see the option streams)')
    return make
  }

  #check(): void {
    if (this.#host.disposed) throw new LstmError('DISPOSED', 'this model is disposed')
    if (this.#busy) throw busy()
  }

  /** The plan for these inputs: the one there is, or a new one when sizes differ. */
  #bind(): BoundPlan {
    const sizes = shapesOfInputs(this.inputs, this.#given, this.runtime)
    if (this.#bound?.has(sizes) === true) return this.#bound
    // The old plan is freed first, so that both need not fit at once; a missing plan is made again.
    this.#unbind()
    const plan = this.#states.attempt(() => {
      const made = makePlan(this.runtime, this.#host.prepared, sizes, this.#states)
      try {
        this.#states.makeRoomForCopies()
      } catch (error) {
        made.dispose()
        throw error
      }
      return made
    })
    this.#bound = new BoundPlan(this.runtime, plan, this.inputs, this.outputs)
    return this.#bound
  }

  #unbind(): void {
    this.#bound?.dispose()
    this.#bound = undefined
  }
}

function busy(): LstmError {
  return new LstmError('BUSY', 'this model is called from within its own call: a getter of its inputs or targets calls or disposes it')
}

/** With `using`, a model is disposed at the end of its block. */
// eslint-disable-next-line @typescript-eslint/no-unused-vars -- declarations that are merged have the same parameters
export interface Model<Outputs extends OutputDTypes = Record<string, 'float32'>> extends PlatformDisposable {
  /** The runtime that holds its weights. */
  readonly runtime: Runtime
}
makeDisposable(Model)
