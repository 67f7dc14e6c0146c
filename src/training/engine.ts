// What is trained, and one step of it: a batch forwards and back.
import { LstmError } from '../errors.ts'
import { missingRules } from '../gradients/differentiate.ts'
import type { GradientFamily } from '../gradients/family.ts'
import { lowerGraph } from '../gradients/lower-graph.ts'
import { trainedNames } from '../gradients/trained-constants.ts'
import type { Graph, GraphInput } from '../graph/graph.ts'
import { typeGraph } from '../graph/infer.ts'
import { addCommonOperators } from '../ops/common-operators.ts'
import { addOperators } from '../ops/registry.ts'
import { checkNarrow } from './narrow.ts'
import { makeDisposable } from '../runtime/dispose.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import { NdArray, type ArrayLike } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'
import { Arena, type PlacedParameter } from './arena.ts'
import { addLossTo, comparedOf, type TrainedModel } from './batch-plan.ts'
import { batchAxesOf, lowerOnTrial, shapesOfInputs } from './batch-sizes.ts'
import { CarriedStates } from './carried-states.ts'
import { Groups } from './groups.ts'
import { targetShapeOf } from './loss-graph.ts'
import { checkOutputs, type OutputLoss } from './descriptions/output-losses.ts'
import { PlanViews } from './plan-views.ts'
import { RunOutputs } from './run-outputs.ts'
import { never, runThrough, type BatchInputs, type BatchOptions, type BatchResult, type BatchShapes, type BatchTargets, type Trainable } from './trainable.ts'

/** What all batches have in common. */
export interface EngineOptions {
  readonly losses: readonly OutputLoss[]
  /** What is known of the operators of the graph. */
  readonly gradients: GradientFamily
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
  readonly #model: TrainedModel
  /** Names of the outputs that are compared with targets. */
  readonly #compared: readonly string[]
  readonly #arena: Arena
  /** States of stateful layers. */
  readonly states: CarriedStates
  readonly #batchAxes: ReadonlyMap<string, number>
  readonly #groups: Groups
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
  constructor(runtime: TrainingRuntime, graph: Graph, { losses, gradients, seed = 0, trainable = [] }: EngineOptions) {
    addCommonOperators()
    addOperators(gradients.operators)
    checkNarrow(graph)
    checkOutputs(losses, graph.outputs)
    const typed = typeGraph(graph)
    const trained = trainedNames(typed.graph, gradients, trainable)
    const missing = missingRules(typed, [...trained], { ...gradients.rules, ...gradients.lowerings })
    if (missing !== undefined) throw missing
    this.runtime = runtime
    this.graph = typed.graph
    this.#model = { graph: typed.graph, trained, losses, gradients }
    this.#compared = losses.map((own) => comparedOf(own, graph))
    this.states = new CarriedStates(runtime)
    const views = new PlanViews(runtime.linearMemory)
    this.#outputs = new RunOutputs(views)
    this.#batchAxes = batchAxesOf(typed.graph.inputs)
    const trial = lowerOnTrial(this.#model, this.#batchAxes)
    this.#arena = new Arena(runtime, trial.parameters, typed.graph.constants, trial.fixed)
    this.#groups = new Groups({
      ...this.#model, runtime, seed, arena: this.#arena, states: this.states, outputs: this.#outputs, views,
      batchAxes: this.#batchAxes, isApart: trial.fixed.size === 0 && [...this.#batchAxes.values()].every((axis) => axis === 0),
    })
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
      this.#groups.clearPlans()
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
    const shapes = shapesOfInputs(this.graph.inputs, inputs, this.#batchAxes, undefined)
    const { losses, trained, gradients: { lowerings } } = this.#model
    const lowered = lowerGraph(this.graph, shapes, lowerings, false, trained)
    const { build, outputs } = lowered
    const made = losses.map(({ loss }, n): BatchShapes => {
      const prediction = build.shapeOf(outputs.get(this.#compared[n] as string) as string)
      const target = targetShapeOf(loss, prediction) ?? [prediction[0] as number, 1]
      const { losses: value, isLogits } = addLossTo(lowered, this.#model, n, target)
      return { losses: build.shapeOf(value), prediction, isLogits }
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
    const { weights } = options
    if (weights.some(({ length }, n) => this.#losses[n]?.length !== length)) this.#losses = weights.map(({ length }) => new Float32Array(length))
    try {
      yield* this.#groups.run({ ...options, inputs, targets, losses: this.#losses }, isDue)
    } finally {
      this.#isRunning = false
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
    runThrough(this.#groups.run({ inputs, targets: undefined, losses: [], rows, weights: [], step: 0, training: false }, never))
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
    this.#groups.dispose()
    this.states.reset()
    this.#arena.dispose()
  }

  #check(): void {
    if (this.#disposed) throw new LstmError('DISPOSED', 'this trainer is disposed')
  }
}

makeDisposable(Engine)
