// One step of training: a batch forwards and back, in groups of rows.
import { LstmError } from '../errors.ts'
import { missingRules } from '../gradients/differentiate.ts'
import { trainedNames } from '../gradients/lower-graph.ts'
import type { Graph } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import { checkNarrow } from './narrow.ts'
import type { PlannedOutput, PlannedValue } from '../plan/plan.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import { createData } from '../values/dtype.ts'
import { NdArray, type ArrayLike } from '../values/ndarray.ts'
import type { PlatformDisposable } from '../values/platform.ts'
import { lengthOf, sameShape } from '../values/shape.ts'
import { Arena, type PlacedParameter } from './arena.ts'
import { planBatch, type BatchPlan } from './batch-plan.ts'
import { batchAxesOf, lowerOnTrial, shapeOf } from './batch-sizes.ts'
import { CarriedStates } from './carried-states.ts'
import { copyRows, writeShares, type EngineBatch } from './feeding.ts'
import type { Loss } from './losses.ts'
import { addTrainingOperators, GRADIENT_RULES, LOWERINGS } from './operators.ts'
import type { TrainedParameter } from './parameter.ts'

/**
 * Rows that are taken at once: a fixed number, so that sums have one order whoever computes them. A batch of 128 in four groups is no slower, and takes a
 * quarter of the memory.
 */
const GROUP_ROWS = 32
/** Plans that are kept: those of two batch sizes, of their last groups, with gradients and without. */
const KEPT_PLANS = 8

/** How a step is taken. */
export interface EngineMode {
  /** Whether gradients are made. */
  readonly backward: boolean
  /** Whether dropout drops, and batch normalisation takes the batch's own numbers. Default: as `backward`. */
  readonly training?: boolean | undefined
  /** Number of the step, for what draws. Default 0. */
  readonly step?: number | undefined
}

/** What all batches have in common. */
export interface EngineOptions {
  readonly loss: Loss
  /** Of what draws. Default 0. */
  readonly seed?: number | undefined
}

/** A model that is trained: its parameters in linear memory, and plans of its steps. */
export class Engine {
  readonly runtime: TrainingRuntime
  /** As `typeGraph` gave it. */
  readonly graph: Graph
  readonly loss: Loss
  readonly #seed: number
  readonly #arena: Arena
  readonly #plans: Map<string, BatchPlan> = new Map()
  /** States of stateful layers. */
  readonly states: CarriedStates
  /** Whether rows of a batch know nothing of each other, so that they can be taken in groups. */
  readonly #groups: boolean
  readonly #batchAxes: ReadonlyMap<string, number>
  /** Gradients of a group, before they are added to those of the batch. */
  #groupGradientsPtr = 0
  /** Outputs of the last run, by name. */
  readonly #outputs: Map<string, NdArray> = new Map()
  #disposed = false

  /**
   * @throws LstmError `UNSUPPORTED` listing all that has no gradient, `MEMORY`
   */
  constructor(runtime: TrainingRuntime, graph: Graph, { loss, seed = 0 }: EngineOptions) {
    addTrainingOperators()
    checkNarrow(graph)
    const typed = typeGraph(graph)
    const missing = missingRules(typed, [...trainedNames(typed.graph)], { ...GRADIENT_RULES, ...LOWERINGS })
    if (missing !== undefined) throw missing
    this.runtime = runtime
    this.graph = typed.graph
    this.loss = loss
    this.#seed = seed
    this.states = new CarriedStates(runtime)
    const trial = lowerOnTrial(typed.graph)
    this.#arena = new Arena(runtime, trial.parameters, typed.graph.constants, trial.fixed)
    this.#batchAxes = batchAxesOf(typed.graph.inputs)
    this.#groups = trial.fixed.size === 0 && [...this.#batchAxes.values()].every((axis) => axis === 0)
  }

  /** In the order of their offsets. */
  get parameters(): readonly TrainedParameter[] {
    return this.#arena.parameters
  }

  /** Floats of the arena. */
  get length(): number {
    return this.#arena.length
  }

  get valuesPtr(): number {
    return this.#arena.valuesPtr
  }

  get gradientsPtr(): number {
    return this.#arena.gradientsPtr
  }

  /** Parameters of these names stay as they are, or learn again. @throws LstmError `VALUE` for names that are none */
  freeze(names: readonly string[], frozen: boolean = true): void {
    const unknown = names.find((name) => !this.#arena.parameters.some((parameter) => parameter.name === name))
    if (unknown !== undefined) {
      throw new LstmError('VALUE', `freeze: no parameter '${unknown}'; there are ${this.#arena.parameters.map((parameter) => parameter.name).join(', ')}`)
    }
    for (const parameter of this.#arena.parameters) if (names.includes(parameter.name)) parameter.trainable = !frozen
    this.#forgetPlans()
  }

  /**
   * Runs a batch. With gradients, those at `gradientsPtr` are set; outputs are those of `output` until the next run.
   * @returns the loss, reduced as it says; 0 for a batch without targets
   * @throws LstmError for arrays that do not fit, `MEMORY`; gradients are undefined then, everything else is as before
   */
  run(batch: EngineBatch, mode: EngineMode): number {
    const groups = this.begin(batch, mode)
    let loss = 0
    for (const part of groups) loss += part
    return loss
  }

  /** The same group by group: each turn runs one and gives its part of the loss. */
  * begin(batch: EngineBatch, { backward, training = backward, step = 0 }: EngineMode): Generator<number, void> {
    if (this.#disposed) throw new LstmError('DISPOSED', 'this trainer is disposed')
    const { rows } = batch
    const count = this.#groups ? GROUP_ROWS : rows
    for (let begin = 0; begin < rows; begin += count) {
      const size = Math.min(count, rows - begin)
      const plan = this.#planOf(batch, size, backward, training)
      yield this.#runGroup(plan, batch, begin, size, { step, backward, training })
    }
  }

  /** An output of the run before: of all rows. It is the same array after each run of as many rows. */
  output(name: string): NdArray {
    const output = this.#outputs.get(name)
    if (output === undefined) throw new LstmError('VALUE', `no output '${name}'; there are ${[...this.#outputs.keys()].join(', ') || 'none yet'}`)
    return output
  }

  /** The model with the parameters as they are now. */
  toGraph(): Graph {
    const constants = new Map(this.graph.constants)
    const made: Map<string, Float32Array> = new Map()
    for (const parameter of this.#arena.parameters) {
      const constant = constants.get(parameter.constant) as ArrayLike
      const data = made.get(parameter.constant) ?? new Float32Array(constant.data.length)
      made.set(parameter.constant, data)
      parameter.give(data)
      constants.set(parameter.constant, new NdArray(data, constant.shape))
    }
    return { ...this.graph, constants }
  }

  /** Frees all memory. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#forgetPlans()
    this.states.reset()
    if (this.#groupGradientsPtr !== 0) this.runtime.linearMemory.free(this.#groupGradientsPtr)
    this.#arena.dispose()
  }

  #runGroup(
    plan: BatchPlan, batch: EngineBatch, begin: number, size: number,
    { step, backward, training }: { readonly [Name in keyof EngineMode]-?: Exclude<EngineMode[Name], undefined> },
  ): number {
    for (const { name, dtype } of this.graph.inputs) {
      const given = batch.inputs[name]
      const value = plan.inputs.get(name) as PlannedValue
      const view = this.runtime.linearMemory.view(dtype, value.slot.ptr, lengthOf(value.shape))
      if (given === undefined) view.fill(0)
      else copyRows(given, this.#batchAxes.get(name) ?? -1, begin, size, batch.rows, view)
    }
    for (const { role, input } of plan.targets) {
      const value = plan.inputs.get(input.name) as PlannedValue
      const view = this.runtime.linearMemory.view(input.dtype, value.slot.ptr, lengthOf(value.shape))
      copyRows(batch.targets?.[role] as ArrayLike, 0, begin, size, batch.rows, view)
    }
    if (plan.weights !== undefined) {
      const { slot, shape } = plan.weights
      writeShares(this.loss.reduction, batch, begin, size, this.runtime.linearMemory.view('float32', slot.ptr, lengthOf(shape)))
    }
    if (plan.seed !== undefined) {
      const view = this.runtime.linearMemory.view('int32', plan.seed.slot.ptr, 3)
      view[0] = this.#seed
      view[1] = step
      view[2] = begin
    }
    for (const { input } of this.#arena.parameters) this.#bindParameter(plan, input)
    for (const [name, { input, shape }] of plan.states) {
      const value = plan.inputs.get(input)
      if (value !== undefined) value.slot.ptr = this.states.addressOf(name, shape, begin, batch.rows)
    }
    const targetPtr = begin === 0 ? this.#arena.gradientsPtr : this.#groupGradients()
    if (backward) for (const parameter of this.#arena.parameters) redirect(plan.gradients.get(parameter.input), this.#arena.addressOf(parameter, targetPtr))
    const { steps } = plan.plan
    for (let n = 0; n < steps.length; n++) (steps[n] as () => void)()
    const { kernels } = this.runtime
    if (backward) {
      for (const parameter of this.#arena.parameters) this.#settle(plan.gradients.get(parameter.input), this.#arena.addressOf(parameter, targetPtr))
      if (begin > 0) kernels.addF32(this.#arena.gradientsPtr, targetPtr, this.#arena.length)
    }
    if (training) {
      for (const [constant, { slot, shape }] of plan.updates) {
        const parameter = this.#arena.parameters.find((own) => own.constant === constant) as PlacedParameter
        kernels.copyRows(slot.ptr, 0, this.#arena.addressOf(parameter, this.#arena.valuesPtr), 0, 1, 4 * lengthOf(shape))
      }
    }
    for (const [name, { slot, shape }] of plan.carried) {
      kernels.copyRows(slot.ptr, 0, this.states.addressOf(name, shape, begin, batch.rows), 0, 1, 4 * lengthOf(shape))
    }
    for (const [name, output] of plan.outputs) this.#takeOutput(name, output, begin, size, batch.rows)
    return this.#lossOf(plan)
  }

  #bindParameter(plan: BatchPlan, input: string): void {
    const value = plan.inputs.get(input)
    const parameter = this.#arena.parameters.find((own) => own.input === input)
    if (value !== undefined && parameter !== undefined) value.slot.ptr = this.#arena.addressOf(parameter, this.#arena.valuesPtr)
  }

  /** A gradient whose buffer is not its own alone is copied. */
  #settle(gradient: PlannedOutput | undefined, ptr: number): void {
    if (gradient !== undefined && gradient.slot.ptr !== ptr) this.runtime.kernels.copyRows(gradient.slot.ptr, 0, ptr, 0, 1, 4 * lengthOf(gradient.shape))
  }

  #lossOf({ losses, weights }: BatchPlan): number {
    if (losses === undefined || weights === undefined) return 0
    const length = lengthOf(losses.shape)
    const { linearMemory } = this.runtime
    const [each, shares] = [linearMemory.view('float32', losses.slot.ptr, length), linearMemory.view('float32', weights.slot.ptr, length)]
    let sum = 0
    // A loss of weight 0 does not count, whatever it is.
    for (let n = 0; n < length; n++) if (shares[n] !== 0) sum += (each[n] as number) * (shares[n] as number)
    return sum
  }

  #takeOutput(name: string, { slot, shape, type }: PlannedOutput, begin: number, size: number, rows: number): void {
    const isWhole = !this.#groups || shape[0] !== size
    const whole = isWhole ? shape : [rows, ...shape.slice(1)]
    let output = this.#outputs.get(name)
    if (output === undefined || !sameShape(output.shape, whole)) {
      output = new NdArray(createData(type.dtype, lengthOf(whole)), whole)
      this.#outputs.set(name, output)
    }
    const length = lengthOf(shape)
    output.data.set(this.runtime.linearMemory.view(type.dtype, slot.ptr, length), isWhole ? 0 : begin * length / size)
  }

  #groupGradients(): number {
    if (this.#groupGradientsPtr === 0) {
      this.#groupGradientsPtr = this.runtime.linearMemory.allocate(4 * this.#arena.length, 'gradients of a group of rows')
      this.runtime.kernels.fillZero(this.#groupGradientsPtr, 4 * this.#arena.length)
    }
    return this.#groupGradientsPtr
  }

  /** The plan for these sizes: one that is there, or a new one. */
  #planOf(batch: EngineBatch, size: number, backward: boolean, training: boolean): BatchPlan {
    const ofGroup = this.#groups ? size : undefined
    const { inputs } = this.graph
    const shapes = new Map(inputs.map((input) => [input.name, shapeOf(input, inputs, batch, this.#batchAxes.get(input.name) ?? -1, ofGroup)]))
    const given = batch.targets?.target ?? batch.targets?.labels
    const target = given === undefined ? undefined : [this.#groups ? size : given.shape[0] as number, ...given.shape.slice(1)]
    const key = JSON.stringify([[...shapes.values()], target ?? null, backward, training])
    const known = this.#plans.get(key)
    this.#plans.delete(key)
    const plan = known ?? planBatch(this.runtime, this.graph, this.loss, {
      inputs: shapes, target, training,
      wanted: backward ? this.#arena.parameters.filter(({ trainable }) => trainable).map(({ input }) => input) : [],
    })
    this.#plans.set(key, plan)
    for (const [oldest, old] of this.#plans) {
      if (this.#plans.size <= KEPT_PLANS) break
      old.dispose()
      this.#plans.delete(oldest)
    }
    return plan
  }

  #forgetPlans(): void {
    for (const plan of this.#plans.values()) plan.dispose()
    this.#plans.clear()
  }
}

/** With `using`, its memory is freed at the end of its block. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merged with the class
export interface Engine extends PlatformDisposable {}
makeDisposable(Engine)

/** A gradient is written where it is wanted, if its buffer is its own. */
function redirect(gradient: PlannedOutput | undefined, ptr: number): void {
  if (gradient?.replaceable === true) gradient.slot.ptr = ptr
}
