// One step of training: a batch forwards and back, in groups of rows.
import { LstmError } from '../errors.ts'
import { missingRules } from '../gradients/differentiate.ts'
import { lowerGraph } from '../gradients/lower-graph.ts'
import { trainedNames } from '../gradients/trained-constants.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import { checkNarrow } from './narrow.ts'
import type { PlannedValue } from '../plan/plan.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import type { DataOf, DType } from '../values/dtype.ts'
import { NdArray, type ArrayLike } from '../values/ndarray.ts'
import { lengthOf, type Shape } from '../values/shape.ts'
import { Arena, GradientSums, type PlacedParameter } from './arena.ts'
import { addLossTo, comparedOf, PlanCache, planBatch, type BatchPlan } from './batch-plan.ts'
import { batchAxesOf, lowerOnTrial, shapeOf } from './batch-sizes.ts'
import { CarriedStates } from './carried-states.ts'
import { feedInputs, feedLosses, takeLosses } from './feeding.ts'
import { targetShapeOf } from './loss-graph.ts'
import { addTrainingOperators, GRADIENT_RULES, LOWERINGS } from './operators.ts'
import { checkOutputs, type OutputLoss } from './output-losses.ts'
import { RunOutputs } from './run-outputs.ts'
import { never, runThrough, type BatchInputs, type BatchOptions, type BatchResult, type BatchShapes, type BatchTargets, type Trainable } from './trainable.ts'

/**
 * Rows that are taken at once: a fixed number, so that sums have one order whoever computes them. A batch of 128 in four groups is no slower, and takes a
 * quarter of the memory.
 */
const GROUP_ROWS = 32

/** What all batches have in common. */
export interface EngineOptions {
  readonly losses: readonly OutputLoss[]
  /** Of what draws. Default 0. */
  readonly seed?: number | undefined
  /** Constants that learn besides the weights, by name, or those of nodes. Default: none. */
  readonly trainable?: readonly string[] | undefined
}

/** A model that is trained: its parameters in linear memory, and plans of its steps. */
export class Engine implements Trainable {
  readonly runtime: TrainingRuntime
  /** As `typeGraph` gave it. */
  readonly graph: Graph
  readonly losses: readonly OutputLoss[]
  readonly #seed: number
  /** Names of constants. */
  readonly #trained: ReadonlySet<string>
  /** Names of the outputs that are compared with targets. */
  readonly #compared: readonly string[]
  readonly #arena: Arena
  readonly #plans: PlanCache = new PlanCache()
  /** States of stateful layers. */
  readonly states: CarriedStates
  /** Whether rows of a batch know nothing of each other, so that they can be taken in groups. */
  readonly #groups: boolean
  readonly #batchAxes: ReadonlyMap<string, number>
  readonly #sums: GradientSums
  readonly #outputs: RunOutputs
  /** Losses of the last run. */
  #losses: readonly Float32Array[] = []
  readonly #shapes: Map<string, readonly BatchShapes[]> = new Map()
  #disposed = false
  /** Whether a step is half done, and what is to be done after it. */
  #isRunning = false
  readonly #later: (() => void)[] = []

  /**
   * @throws LstmError `UNSUPPORTED` listing all that has no gradient, `VALUE` for a loss on an output that there is not, `MEMORY`
   */
  constructor(runtime: TrainingRuntime, graph: Graph, { losses, seed = 0, trainable = [] }: EngineOptions) {
    addTrainingOperators()
    checkNarrow(graph)
    checkOutputs(losses, graph.outputs)
    const typed = typeGraph(graph)
    this.#trained = trainedNames(typed.graph, trainable)
    const missing = missingRules(typed, [...this.#trained], { ...GRADIENT_RULES, ...LOWERINGS })
    if (missing !== undefined) throw missing
    this.runtime = runtime
    this.graph = typed.graph
    this.losses = losses
    this.#seed = seed
    this.#compared = losses.map((own) => comparedOf(own, graph))
    this.states = new CarriedStates(runtime)
    this.#outputs = new RunOutputs(runtime)
    this.#batchAxes = batchAxesOf(typed.graph.inputs)
    const trial = lowerOnTrial(typed.graph, this.#batchAxes, this.#trained)
    this.#arena = new Arena(runtime, trial.parameters, typed.graph.constants, trial.fixed)
    this.#sums = new GradientSums(runtime, this.#arena)
    this.#groups = trial.fixed.size === 0 && [...this.#batchAxes.values()].every((axis) => axis === 0)
  }

  /** In the order of their offsets. */
  get parameters(): readonly PlacedParameter[] {
    return this.#arena.parameters
  }

  /** Floats of the arena. */
  get length(): number {
    return this.#arena.length
  }

  /** Of the model. */
  get inputs(): readonly GraphInput[] {
    return this.graph.inputs
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
    const change = (): void => {
      for (const parameter of this.#arena.parameters) if (names.includes(parameter.name)) parameter.trainable = !frozen
      this.#plans.clear()
    }
    // The plan of a step that is half done is needed, and so are the gradients that it makes.
    if (this.#isRunning) this.#later.push(change)
    else change()
  }

  /** @throws LstmError see `Trainable` */
  shapesOf(inputs: Readonly<Record<string, Shape>>): readonly BatchShapes[] {
    this.#check()
    const key = JSON.stringify(inputs)
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    const shapes = this.#shapesOfInputs(inputs, undefined)
    const lowered = lowerGraph(this.graph, shapes, LOWERINGS, false, this.#trained)
    const { build, outputs } = lowered
    const made = this.losses.map(({ loss }, n): BatchShapes => {
      const prediction = build.shapeOf(outputs.get(this.#compared[n] as string) as string)
      const target = targetShapeOf(loss, prediction) ?? [prediction[0] as number, 1]
      const { losses, isLogits } = addLossTo(lowered, this.graph, this.losses, n, target)
      return { losses: build.shapeOf(losses), prediction, isLogits }
    })
    this.#shapes.set(key, made)
    return made
  }

  /** Gradients are undefined where it throws; everything else is as before then. @throws LstmError see `Trainable`, `MEMORY` */
  run(inputs: BatchInputs, targets: readonly BatchTargets[], options: BatchOptions): BatchResult {
    return runThrough(this.runInParts(inputs, targets, options, never))
  }

  /** Models with states are run at once: half of them would be those of this step. @throws LstmError see `run` */
  * runInParts(
    inputs: BatchInputs, targets: readonly BatchTargets[], options: BatchOptions, isDue: () => boolean,
  ): Generator<undefined, BatchResult> {
    this.#check()
    this.#isRunning = true
    try {
      return yield* this.#parts(inputs, targets, options, isDue)
    } finally {
      this.#isRunning = false
    }
  }

  * #parts(
    inputs: BatchInputs, targets: readonly BatchTargets[], { rows, weights, step, training }: BatchOptions, isDue: () => boolean,
  ): Generator<undefined, BatchResult> {
    const count = this.#groups ? GROUP_ROWS : rows
    if (weights.some(({ length }, n) => this.#losses[n]?.length !== length)) this.#losses = weights.map(({ length }) => new Float32Array(length))
    for (let begin = 0; begin < rows; begin += count) {
      const size = Math.min(count, rows - begin)
      const plan = this.#planOf(inputs, targets, size, training)
      this.#feed(plan, inputs, begin, size, rows, step)
      feedLosses(this.runtime.linearMemory, plan, this.losses, { targets, weights }, begin, size, rows)
      if (training) this.#sums.begin(plan, begin === 0)
      const { steps } = plan.plan
      for (let n = 0; n < steps.length; n++) {
        const run = steps[n] as () => void
        if (plan.states.size === 0 && isDue()) yield
        run()
      }
      if (training) this.#sums.end(plan, begin === 0)
      this.#takeOutputs(plan, begin, rows, size)
      takeLosses(this.runtime.linearMemory, plan, this.#losses, begin, size)
    }
    return { losses: this.#losses, predictions: this.#compared.map((name) => this.#outputs.get(name).data as Float32Array) }
  }

  /** A step is over, or was left: parameters that were frozen or unfrozen meanwhile are so from now on. */
  stepDone(): void {
    for (const change of this.#later.splice(0)) change()
  }

  /** @throws LstmError see `Trainable` */
  predict(inputs: BatchInputs): Record<string, ArrayLike> {
    this.#check()
    const [first] = this.graph.inputs
    const rows = inputs[(first as GraphInput).name]?.shape[0] ?? 0
    const count = this.#groups ? GROUP_ROWS : rows
    for (let begin = 0; begin < rows; begin += count) {
      const size = Math.min(count, rows - begin)
      const plan = this.#planOf(inputs, undefined, size, false)
      this.#feed(plan, inputs, begin, size, rows, 0)
      for (const run of plan.plan.steps) run()
      this.#takeOutputs(plan, begin, rows, size)
    }
    return this.#outputs.copies()
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
    this.#plans.clear()
    this.states.reset()
    this.#sums.dispose()
    this.#arena.dispose()
  }

  #check(): void {
    if (this.#disposed) throw new LstmError('DISPOSED', 'this trainer is disposed')
  }

  #view<T extends DType>(dtype: T, { slot }: PlannedValue, length: number): DataOf<T> {
    return this.runtime.linearMemory.view(dtype, slot.ptr, length)
  }

  /** Inputs, parameters and states of a group. */
  #feed(plan: BatchPlan, inputs: BatchInputs, begin: number, size: number, rows: number, step: number): void {
    feedInputs(this.runtime.linearMemory, plan, this.graph.inputs, this.#batchAxes, inputs, begin, size, rows)
    if (plan.seed !== undefined) {
      const view = this.#view('int32', plan.seed, 3)
      view[0] = this.#seed
      view[1] = step
      view[2] = begin
    }
    for (const parameter of this.#arena.parameters) {
      const value = plan.inputs.get(parameter.input)
      if (value !== undefined) value.slot.ptr = this.#arena.addressOf(parameter, this.#arena.valuesPtr)
    }
    for (const [name, { input, shape }] of plan.states) {
      const value = plan.inputs.get(input)
      if (value !== undefined) value.slot.ptr = this.states.addressOf(name, shape, begin, rows)
    }
  }

  /** Takes what came out of a group, but for gradients. */
  #takeOutputs(plan: BatchPlan, begin: number, rows: number, size: number): void {
    for (const [name, { slot, shape }] of plan.carried) {
      this.runtime.kernels.copyRows(slot.ptr, 0, this.states.addressOf(name, shape, begin, rows), 0, 1, 4 * lengthOf(shape))
    }
    for (const [name, output] of plan.outputs) this.#outputs.take(name, output, begin, size, this.#groups ? rows : size)
  }

  #shapesOfInputs(given: Readonly<Record<string, Shape>>, size: number | undefined): Map<string, Shape> {
    const { inputs } = this.graph
    return new Map(inputs.map((input) => [input.name, shapeOf(input, inputs, given, this.#batchAxes.get(input.name) ?? -1, size)]))
  }

  /** The plan for these sizes: one that is there, or a new one. */
  #planOf(given: BatchInputs, targets: readonly BatchTargets[] | undefined, size: number, training: boolean): BatchPlan {
    const ofGroup = this.#groups ? size : undefined
    const shapes = this.#shapesOfInputs(Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape])), ofGroup)
    const targetShapes = targets?.map(({ target, labels }): Shape => {
      const { shape } = (target ?? labels) as ArrayLike
      return [ofGroup ?? shape[0] ?? 0, ...shape.slice(1)]
    })
    const key = JSON.stringify([[...shapes.values()], targetShapes ?? null, training])
    return this.#plans.of(key, () => {
      const wanted = training ? this.#arena.parameters.filter(({ trainable }) => trainable).map(({ input }) => input) : []
      return planBatch(this.runtime, this.graph, this.#trained, this.losses, { inputs: shapes, targets: targetShapes, training, wanted })
    })
  }
}

makeDisposable(Engine)
