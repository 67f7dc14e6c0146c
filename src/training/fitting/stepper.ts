// One step of training: forward, backward, and the optimiser; and what is kept so that a step that goes wrong is taken back.
import { LstmError } from '../../errors.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { lengthOf } from '../../values/shape.ts'
import type { Batch } from './dataset.ts'
import type { LossSums } from './loss-sums.ts'
import type { Metric } from './metrics.ts'
import { OptimizerState } from '../optimizer-state.ts'
import type { Optimizer } from '../descriptions/optimizers.ts'
import type { RateAt } from '../descriptions/rates.ts'
import type { OutputLoss } from '../descriptions/output-losses.ts'
import {
  never, runThrough, type BatchInputs, type BatchOptions, type BatchResult, type BatchShapes, type BatchTargets, type Trainable,
} from '../trainable.ts'
import { divisorOf, writeWeights, type BatchWeight, type ClassWeight } from './weights.ts'

/** Values and moments of the last step whose loss was a number. */
class Backup {
  readonly #engine: Trainable
  readonly #state: OptimizerState
  readonly #ptr: number
  readonly #steps: number[] = []
  #isThere = false

  constructor(engine: Trainable, state: OptimizerState) {
    this.#engine = engine
    this.#state = state
    this.#ptr = engine.runtime.linearMemory.allocate(4 * (engine.length + state.momentFloats), 'a copy of the parameters and moments')
  }

  keep(): void {
    this.#copy(true)
    this.#state.copySteps(this.#steps)
    this.#isThere = true
  }

  forget(): void {
    this.#isThere = false
  }

  /** Whether there was something to go back to. */
  restore(): boolean {
    if (!this.#isThere) return false
    this.#copy(false)
    this.#state.setSteps(this.#steps)
    this.#isThere = false
    return true
  }

  dispose(): void {
    this.#engine.runtime.linearMemory.free(this.#ptr)
  }

  #copy(keep: boolean): void {
    const { runtime: { kernels: { copyRows } }, valuesPtr, length } = this.#engine
    const { momentsPtr, momentFloats } = this.#state
    const own = this.#ptr + 4 * length
    copyRows(keep ? valuesPtr : this.#ptr, 0, keep ? this.#ptr : valuesPtr, 0, 1, 4 * length)
    if (momentFloats > 0) copyRows(keep ? momentsPtr : own, 0, keep ? own : momentsPtr, 0, 1, 4 * momentFloats)
  }
}

/** Runs batches through an engine, and moves its parameters. */
export class Stepper {
  readonly engine: Trainable
  readonly losses: readonly OutputLoss[]
  readonly state: OptimizerState
  /** Steps that were taken. */
  steps = 0
  /** What rates are multiplied with: `reduceOnPlateau` changes it. */
  rateFactor = 1
  /** Takes the place of the schedule: `learningRateScheduler` sets it. */
  fixedRate: number | undefined
  readonly #rateAt: RateAt | undefined
  readonly #backup: Backup
  /** Of each loss, by their number. */
  readonly #weightsOf: readonly Map<number, Float32Array>[]
  /** Of each loss in this batch: what its elements count, what the mean is divided by, and what it came to. */
  readonly #weights: Float32Array[] = []
  readonly #divisors: number[] = []
  readonly #totals: number[] = []
  readonly #count: BatchWeight = { sum: 0, count: 0 }
  /** What all losses of this batch count. */
  #counted = 0
  readonly #shapes: WeakMap<BatchInputs, readonly BatchShapes[]> = new WeakMap()
  /** Whether weights were set while a step was half done. */
  #isForgotten = false

  /** @param rateAt of a rate that changes @throws LstmError `MEMORY` */
  constructor(engine: Trainable, losses: readonly OutputLoss[], optimizer: Optimizer, rateAt?: RateAt) {
    this.engine = engine
    this.losses = losses
    this.#rateAt = rateAt
    this.#weightsOf = losses.map(() => new Map())
    this.state = new OptimizerState(engine.runtime, engine.parameters, engine.length, optimizer)
    try {
      this.#backup = new Backup(engine, this.state)
    } catch (error) {
      this.state.dispose()
      throw error
    }
  }

  /** The rate of the next step. @param epochs that are done, with the part of the one that runs */
  rate(epochs: number): number {
    const { learningRate } = this.state.optimizer
    const { steps, fixedRate = learningRate.schedule === 'constant' ? learningRate.rate : (this.#rateAt as RateAt)(learningRate, { steps, epochs }) } = this
    return fixedRate * this.rateFactor
  }

  /**
   * A step of training.
   * @param where what the message calls the batch
   * @throws LstmError `VALUE` where the loss or a gradient is NaN or Infinity: parameters, moments and counts are then those of the last step
   *   whose loss was a number
   */
  train(batch: Batch, classWeight: ClassWeight | undefined, epochs: number, sums: LossSums, metrics: readonly Metric[], where: string): void {
    runThrough(this.trainInParts(batch, classWeight, epochs, sums, metrics, where, never))
  }

  /** The same, giving way in mid-step where it is due. @throws LstmError see `train` */
  * trainInParts(
    batch: Batch, classWeight: ClassWeight | undefined, epochs: number, sums: LossSums, metrics: readonly Metric[], where: string,
    isDue: () => boolean,
  ): Generator<undefined, void> {
    try {
      const rate = this.rate(epochs)
      const bad = yield* this.#run(batch, classWeight, true, sums, metrics, isDue)
      const { engine: { valuesPtr, gradientsPtr } } = this
      const norm = bad === undefined ? this.state.norm(gradientsPtr) : NaN
      if (!Number.isFinite(norm)) {
        const what = bad ?? 'a gradient is NaN or Infinity'
        const step = this.steps
        const isBack = this.#backup.restore()
        if (isBack) this.steps--
        throw new LstmError('VALUE', `${where} (step ${step}): ${what}. ${isBack ? 'The weights are those before the last step, whose loss was a number' : 'The weights are as they were'}. A lower learning rate, globalClipNorm in the optimizer, or a look at the data may help`)
      }
      if (this.#counted === 0) return
      this.#backup.keep()
      this.state.step(valuesPtr, gradientsPtr, rate, norm)
      this.steps++
    } finally {
      this.engine.stepDone?.()
    }
  }

  /** The same without a step: sums up only. A loss that is no number is what it is. */
  * evaluateInParts(
    batch: Batch, classWeight: ClassWeight | undefined, sums: LossSums, metrics: readonly Metric[], isDue: () => boolean,
  ): Generator<undefined, void> {
    yield* this.#run(batch, classWeight, false, sums, metrics, isDue)
  }

  /** After the weights were set to others: there is nothing to go back to. */
  forget(): void {
    this.#backup.forget()
    this.#isForgotten = true
  }

  dispose(): void {
    this.#backup.dispose()
    this.state.dispose()
  }

  /** What is wrong with the loss; undefined where it is a number. */
  * #run(
    batch: Batch, classWeight: ClassWeight | undefined, training: boolean, sums: LossSums, metrics: readonly Metric[], isDue: () => boolean,
  ): Generator<undefined, string | undefined> {
    const { rows, targets } = batch
    const shapes = this.#shapesOf(batch.inputs)
    this.#weigh(batch, classWeight, shapes)
    const weights = this.#weights
    const { losses, predictions } = yield* this.#results(batch, { rows, weights, step: this.steps, training }, isDue)
    for (let n = 0; n < losses.length; n++) this.#totals[n] = weighted(losses[n] as Float32Array, weights[n] as Float32Array)
    const bad = training ? this.#totals.findIndex((total) => !Number.isFinite(total)) : -1
    if (bad >= 0) return this.#badLoss(bad, losses[bad] as Float32Array, rows)
    for (let n = 0; n < losses.length; n++) {
      const divisor = this.#divisors[n] as number
      sums.parts[n]?.add((this.#totals[n] as number) * divisor, divisor)
    }
    for (const metric of metrics) {
      const { part } = metric
      const { target } = targets[part] as BatchTargets
      metric.update(predictions[part] as Float32Array, target as ArrayLike, weights[part] as Float32Array, (shapes[part] as BatchShapes).isLogits)
    }
    return undefined
  }

  /** Runs the batch: from its beginning again where weights were set meanwhile. */
  * #results({ inputs, targets }: Batch, options: BatchOptions, isDue: () => boolean): Generator<undefined, BatchResult> {
    const { engine } = this
    try {
      for (;;) {
        this.#isForgotten = false
        const result = engine.runInParts === undefined ? engine.run(inputs, targets, options) : yield* engine.runInParts(inputs, targets, options, isDue)
        if (!this.#isForgotten) return result
      }
    } finally {
      if (!options.training) engine.stepDone?.()
    }
  }

  /** Batches that are made of the same arrays again have the shapes that they had. */
  #shapesOf(inputs: BatchInputs): readonly BatchShapes[] {
    const known = this.#shapes.get(inputs)
    if (known !== undefined) return known
    const shapes = this.engine.shapesOf(Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape])))
    this.#shapes.set(inputs, shapes)
    return shapes
  }

  #badLoss(n: number, losses: Float32Array, rows: number): string {
    const { name } = this.losses[n] as OutputLoss
    const weights = this.#weights[n] as Float32Array
    const first = losses.findIndex((value, at) => weights[at] !== 0 && !Number.isFinite(value))
    const where = first < 0 ? '' : `, first in row ${Math.floor(first / (losses.length / rows))} of the batch`
    return `the loss${name === undefined ? '' : ` of '${name}'`} is ${this.#totals[n] as number}${where}`
  }

  /** What each element of each loss counts, divided by what the mean of that loss is divided by. */
  #weigh(batch: Batch, classWeight: ClassWeight | undefined, shapes: readonly BatchShapes[]): void {
    this.#counted = 0
    for (let part = 0; part < shapes.length; part++) {
      const length = lengthOf((shapes[part] as BatchShapes).losses)
      const known = this.#weightsOf[part] as Map<number, Float32Array>
      const weights = known.get(length) ?? new Float32Array(length)
      known.set(length, weights)
      const { loss } = this.losses[part] as OutputLoss
      writeWeights(loss, batch, part, classWeight, weights, this.#count)
      const divisor = divisorOf(loss, this.#count)
      if (divisor !== 0) for (let n = 0; n < weights.length; n++) weights[n] = (weights[n] as number) / divisor
      this.#weights[part] = weights
      this.#divisors[part] = divisor
      this.#counted += this.#count.sum
    }
  }
}

/** The sum of losses by their weights: what does not count may be anything. */
function weighted(losses: Float32Array, weights: Float32Array): number {
  let total = 0
  for (let n = 0; n < losses.length; n++) if (weights[n] !== 0) total += (losses[n] as number) * (weights[n] as number)
  return total
}
