// The loop over epochs and batches.
import { LstmError } from '../../errors.ts'
import { nextTurn, SLICE } from '../../runtime/next-turn.ts'
import type { PlatformSignal } from '../../values/platform.ts'
import type { Callback, Logs, TrainingControl } from './callbacks.ts'
import { Batches, type Batch, type Dataset } from './dataset.ts'
import { Generator, STREAMS } from '../generator.ts'
import type { Metric } from './metrics.ts'
import { LossSums } from './loss-sums.ts'
import type { Stepper } from './stepper.ts'
import type { ClassWeight } from './weights.ts'

/** How far training is. */
export interface FitProgress {
  /** The epoch that runs, from 1. */
  readonly epoch: number
  /** The last one. */
  readonly epochs: number
  /** Batches that are done in this call. */
  readonly done: number
  /** Batches of all epochs; undefined where the first epoch of a data set does not tell yet. */
  readonly total: number | undefined
  /** Of the epoch so far. */
  readonly loss: number
  /** Of the epoch so far, by name; the losses of several outputs among them. */
  readonly metrics: Logs
  /** Of the next step. */
  readonly learningRate: number
  /** Seconds that are left, going by those that have passed; undefined before there are any. */
  readonly secondsLeft: number | undefined
}

/**
 * Numbers of all epochs, by name: `loss`, `accuracy`, `valLoss`, `valAccuracy`, `learningRate`; of several outputs also `OUTPUT_loss`, `OUTPUT_accuracy`,
 * `val_OUTPUT_loss`.
 */
export type History = Readonly<Record<string, readonly number[]>>

/** What a fit gives. */
export interface FitResult {
  /** Numbers of each epoch. */
  readonly history: History
  /** Epochs that are done, in all: `initialEpoch` of what goes on from here. */
  readonly epoch: number
}

/** Batches of one epoch after the other. */
export interface Source {
  /** Of an epoch, where it is known. */
  readonly batches: number | undefined
  /** @param epoch which one, of all that were ever trained: orders follow from it */
  epoch(epoch: number): Iterable<Batch> | AsyncIterable<Batch>
}

/** Batches of arrays, in a random order or in their own. */
export function sourceOf(data: Dataset, batchSize: number, seed: number | undefined): Source {
  const batches = new Batches(data, batchSize)
  const inOrder = Int32Array.from({ length: data.rows }, (_, n) => n)
  return {
    batches: batches.count,
    * epoch(epoch) {
      const order = seed === undefined ? inOrder : new Generator(seed, STREAMS.order, epoch).order(data.rows)
      for (let n = 0; n < batches.count; n++) yield batches.at(n, order)
    },
  }
}

/** Lets others have their turn, and stops where it is asked to. */
export class Pace {
  readonly #signal: PlatformSignal | undefined
  readonly #what: string
  #since = Date.now()
  /** Whether it is time to yield: a function of its own, which is handed over. */
  readonly isDue = (): boolean => Date.now() - this.#since >= SLICE

  constructor(signal: PlatformSignal | undefined, what: string) {
    this.#signal = signal
    this.#what = what
    this.check()
  }

  /** @throws LstmError `ABORTED` */
  check(): void {
    if (this.#signal?.aborted) throw new LstmError('ABORTED', `${this.#what} was aborted; the trainer is as after its last step`, { cause: this.#signal.reason })
  }

  /** Yields to the event loop. @throws LstmError `ABORTED` */
  async yield(): Promise<void> {
    await nextTurn()
    this.#since = Date.now()
    this.check()
  }
}

/** Runs all parts, and yields to the event loop between them; where that is aborted, the parts are told. */
async function paced(parts: ReturnType<Stepper['trainInParts']>, pace: Pace): Promise<void> {
  try {
    while (parts.next().done !== true) await pace.yield()
  } finally {
    parts.return()
  }
}

/** Names of numbers of the validation data: `valLoss`; as Keras has them where they are of one of several outputs: `val_OUTPUT_loss`. */
const validated = (name: string): string => (name.includes('_') ? `val_${name}` : `val${(name[0] as string).toUpperCase()}${name.slice(1)}`)

/** Loss and metrics of data. */
export async function evaluateSource(
  stepper: Stepper, source: Source, classWeight: ClassWeight | undefined, metrics: readonly Metric[], pace: Pace,
): Promise<Record<string, number>> {
  const sums = new LossSums(stepper.losses)
  for (const metric of metrics) metric.reset()
  for await (const batch of source.epoch(0)) {
    await paced(stepper.evaluateInParts(batch, classWeight, sums, metrics, pace.isDue), pace)
    if (pace.isDue()) await pace.yield()
    else pace.check()
  }
  return allResultsOf(sums, metrics)
}

/** Losses and metrics by name. */
export function allResultsOf(sums: LossSums, metrics: readonly Metric[]): Record<string, number> {
  return { loss: sums.total, ...sums.named(), ...resultsOf(metrics) }
}

function resultsOf(metrics: readonly Metric[]): Record<string, number> {
  return Object.fromEntries(metrics.map((metric) => [metric.name, metric.result]))
}

/** A fit, all of it checked. */
export interface FitPlan {
  readonly stepper: Stepper
  readonly source: Source
  /** Data to validate with. */
  readonly validation: Source | undefined
  readonly metrics: readonly Metric[]
  readonly classWeight: ClassWeight | undefined
  readonly initialEpoch: number
  readonly epochs: number
  readonly callbacks: readonly Callback[]
  readonly control: TrainingControl & { readonly isStopped: boolean }
  readonly pace: Pace
  readonly onProgress: ((progress: FitProgress) => void) | undefined
  /** Is told that an epoch is done. */
  readonly epochDone: () => void
}

/** Trains. @throws LstmError `ABORTED`; `VALUE` where a loss is no number */
export async function runFit(plan: FitPlan): Promise<FitResult> {
  const { callbacks, control, initialEpoch, epochs } = plan
  const history: Record<string, number[]> = {}
  const timer = { start: Date.now(), done: 0, perEpoch: plan.source.batches }
  for (const callback of callbacks) await callback.onTrainBegin?.(control)
  for (let epoch = initialEpoch; epoch < epochs && !control.isStopped; epoch++) {
    for (const callback of callbacks) await callback.onEpochBegin?.(epoch, control)
    const logs = await runEpoch(plan, epoch, timer)
    for (const [name, value] of Object.entries(logs)) (history[name] ??= []).push(value)
    plan.epochDone()
    for (const callback of callbacks) await callback.onEpochEnd?.(epoch, logs, control)
    plan.pace.check()
  }
  for (const callback of callbacks) await callback.onTrainEnd?.(control)
  return { history, epoch: control.epoch }
}

interface Timer {
  readonly start: number
  done: number
  perEpoch: number | undefined
}

async function runEpoch(plan: FitPlan, epoch: number, timer: Timer): Promise<Logs> {
  const { stepper, source, metrics, classWeight, control, pace } = plan
  const sums = new LossSums(stepper.losses)
  for (const metric of metrics) metric.reset()
  const before = control.epoch
  const count = plan.epochs - plan.initialEpoch
  const left = (): number => (timer.perEpoch ?? NaN) * count - timer.done
  const report = (): void => plan.onProgress?.({
    epoch: epoch + 1, epochs: plan.epochs, done: timer.done, total: timer.perEpoch === undefined ? undefined : timer.perEpoch * count,
    loss: sums.total, metrics: { ...sums.named(), ...resultsOf(metrics) }, learningRate: stepper.rate(before),
    secondsLeft: timer.done === 0 || timer.perEpoch === undefined ? undefined : (Date.now() - timer.start) / 1000 / timer.done * left(),
  })
  let batch = 0
  for await (const data of source.epoch(before)) {
    const epochs = before + batch / (timer.perEpoch ?? Infinity)
    const where = `fit: epoch ${epoch + 1}, batch ${batch + 1}`
    await paced(stepper.trainInParts(data, classWeight, epochs, sums, metrics, where, pace.isDue), pace)
    batch++
    timer.done++
    pace.check()
    if (pace.isDue()) {
      report()
      await pace.yield()
    }
  }
  if (batch === 0) throw new LstmError('VALUE', `fitDataset: epoch ${epoch + 1} has no batches: give a function that makes the data of an epoch, or data that can be gone through again`)
  timer.perEpoch ??= batch
  const learningRate = stepper.rate(before + 1 - 1 / batch)
  const trained = allResultsOf(sums, metrics)
  report()
  const validation = plan.validation === undefined ? {} : await evaluateSource(stepper, plan.validation, undefined, metrics, pace)
  return { ...trained, ...Object.fromEntries(Object.entries(validation).map(([name, value]) => [validated(name), value])), learningRate }
}
