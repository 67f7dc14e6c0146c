// One step of training: forward, backward, and the optimiser; and what is kept so that a step that goes wrong is taken back.
import { LstmError } from '../../errors.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import { lengthOf } from '../../values/shape.ts'
import type { Batch } from './dataset.ts'
import type { Loss } from '../losses.ts'
import type { Metric } from './metrics.ts'
import { OptimizerState } from '../optimizer-state.ts'
import type { Optimizer } from '../optimizers.ts'
import { rateAt } from '../schedules.ts'
import type { Trainable } from '../trainable.ts'
import { divisorOf, writeWeights, type BatchWeight, type ClassWeight } from './weights.ts'

/** What losses have come to over some batches. */
export class LossSum {
  #sum = 0
  #divisor = 0

  add(sum: number, divisor: number): void {
    this.#sum += sum
    this.#divisor += divisor
  }

  /** NaN before there is any. */
  get mean(): number {
    return this.#sum / this.#divisor
  }
}

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
  readonly loss: Loss
  readonly state: OptimizerState
  /** Steps that were taken. */
  steps = 0
  /** What rates are multiplied with: `reduceOnPlateau` changes it. */
  rateFactor = 1
  /** Takes the place of the schedule: `learningRateScheduler` sets it. */
  fixedRate: number | undefined
  readonly #backup: Backup
  readonly #weights: Map<number, Float32Array> = new Map()
  readonly #count: BatchWeight = { sum: 0, count: 0 }

  /** @throws LstmError `MEMORY` */
  constructor(engine: Trainable, loss: Loss, optimizer: Optimizer) {
    this.engine = engine
    this.loss = loss
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
    return (this.fixedRate ?? rateAt(this.state.optimizer.learningRate, { steps: this.steps, epochs })) * this.rateFactor
  }

  /**
   * A step of training.
   * @param where what the message calls the batch
   * @throws LstmError `VALUE` where the loss or a gradient is NaN or Infinity: parameters, moments and counts are then those of the last step
   *   whose loss was a number
   */
  train(batch: Batch, classWeight: ClassWeight | undefined, epochs: number, sum: LossSum, metrics: readonly Metric[], where: string): void {
    const rate = this.rate(epochs)
    const bad = this.#run(batch, classWeight, true, sum, metrics)
    const { engine: { valuesPtr, gradientsPtr } } = this
    const norm = bad === undefined ? this.state.norm(gradientsPtr) : NaN
    if (!Number.isFinite(norm)) {
      const what = bad ?? 'a gradient is NaN or Infinity'
      const step = this.steps
      const isBack = this.#backup.restore()
      if (isBack) this.steps--
      throw new LstmError('VALUE', `${where} (step ${step}): ${what}. ${isBack ? 'The weights are those before the last step, whose loss was a number' : 'The weights are as they were'}. A lower learning rate, globalClipNorm in the optimizer, or a look at the data may help`)
    }
    if (this.#count.sum === 0) return
    this.#backup.keep()
    this.state.step(valuesPtr, gradientsPtr, rate, norm)
    this.steps++
  }

  /** The same without a step: sums up only. A loss that is no number is what it is. */
  evaluate(batch: Batch, classWeight: ClassWeight | undefined, sum: LossSum, metrics: readonly Metric[]): void {
    this.#run(batch, classWeight, false, sum, metrics)
  }

  /** After the weights were set to others: there is nothing to go back to. */
  forget(): void {
    this.#backup.forget()
  }

  dispose(): void {
    this.#backup.dispose()
    this.state.dispose()
  }

  /** What is wrong with the loss; undefined where it is a number. */
  #run(batch: Batch, classWeight: ClassWeight | undefined, training: boolean, sum: LossSum, metrics: readonly Metric[]): string | undefined {
    const { engine, loss } = this
    const { rows, inputs, targets } = batch
    const shapes = engine.shapesOf(Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape])))
    const weights = this.#weightsFor(lengthOf(shapes.losses))
    writeWeights(loss, batch, classWeight, weights, this.#count)
    const divisor = divisorOf(loss, this.#count)
    if (divisor !== 0) for (let n = 0; n < weights.length; n++) weights[n] = (weights[n] as number) / divisor
    const { losses, prediction } = engine.run(inputs, targets, { rows, weights, step: this.steps, training })
    let total = 0
    for (let n = 0; n < losses.length; n++) {
      // What does not count may be anything.
      if (weights[n] !== 0) total += (losses[n] as number) * (weights[n] as number)
    }
    if (!Number.isFinite(total) && training) {
      const bad = losses.findIndex((value, n) => weights[n] !== 0 && !Number.isFinite(value))
      return `the loss is ${total}${bad < 0 ? '' : `, first in row ${Math.floor(bad / (losses.length / rows))} of the batch`}`
    }
    sum.add(total * divisor, divisor)
    for (const metric of metrics) metric.update(prediction, targets.target as ArrayLike, weights, shapes.isLogits)
    return undefined
  }

  #weightsFor(length: number): Float32Array {
    const known = this.#weights.get(length) ?? new Float32Array(length)
    this.#weights.set(length, known)
    return known
  }
}
