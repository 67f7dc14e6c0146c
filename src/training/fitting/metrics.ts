// Metrics: what a model is told by besides its loss. Losses that do not count (mask, ignored classes) do not count here either; sample weights do not weigh.
import { LstmError } from '../../errors.ts'
import { nearest } from '../../options.ts'
import { describeValue } from '../../values/dtype.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { OutputLoss } from '../descriptions/output-losses.ts'

/**
 * - `accuracy`: that of the loss: `sparseCategoricalAccuracy`, `categoricalAccuracy` or `binaryAccuracy`
 * - `meanAbsoluteError` (`mae`), `meanSquaredError` (`mse`)
 */
export type MetricName = 'accuracy' | 'sparseCategoricalAccuracy' | 'categoricalAccuracy' | 'binaryAccuracy' | 'meanAbsoluteError' | 'mae' | 'meanSquaredError' | 'mse'

/** Metrics of the one loss, or of several by the names of outputs. */
export type Metrics = readonly MetricName[] | Readonly<Record<string, readonly MetricName[]>>

/** What is right, or wrong, at one loss. */
type Measure = (prediction: Float32Array, target: ArrayLike['data'], n: number, columns: number, threshold: number) => number

function largest(data: ArrayLike['data'], begin: number, columns: number): number {
  let best = 0
  for (let c = 1; c < columns; c++) if ((data[begin + c] as number) > (data[begin + best] as number)) best = c
  return best
}

/** The mean of a function over the last axis. */
const averaged = (each: (p: number, t: number, threshold: number) => number): Measure => (prediction, target, n, columns, threshold) => {
  let sum = 0
  for (let c = 0; c < columns; c++) sum += each(prediction[n * columns + c] as number, target[n * columns + c] as number, threshold)
  return sum / columns
}

const absolute = averaged((p, t) => Math.abs(p - t))
const squared = averaged((p, t) => (p - t) ** 2)
const MEASURES: Readonly<Record<Exclude<MetricName, 'accuracy'>, Measure>> = {
  sparseCategoricalAccuracy: (prediction, target, n, columns) => Number(largest(prediction, n * columns, columns) === target[n]),
  categoricalAccuracy: (prediction, target, n, columns) => Number(largest(prediction, n * columns, columns) === largest(target, n * columns, columns)),
  binaryAccuracy: averaged((p, t, threshold) => Number((p > threshold) === (t > 0.5))),
  meanAbsoluteError: absolute, mae: absolute, meanSquaredError: squared, mse: squared,
}
const NAMES = ['accuracy', ...Object.keys(MEASURES)]

const ACCURACIES = {
  sparseCategoricalCrossentropy: 'sparseCategoricalAccuracy', categoricalCrossentropy: 'categoricalAccuracy', binaryCrossentropy: 'binaryAccuracy',
} as const

/** A metric that is summed up over batches. */
export class Metric {
  /** What its number is told by: with the output before it, where there are several losses. */
  readonly name: string
  /** The loss that it goes with. */
  readonly part: number
  readonly #measure: Measure
  #sum = 0
  #count = 0

  /** @throws LstmError `VALUE` for names that are none, and metrics that do not go with the loss */
  constructor(name: MetricName, { loss, name: output }: OutputLoss, part: number) {
    if (!NAMES.includes(name)) {
      const near = typeof name === 'string' ? nearest(name, NAMES) : undefined
      throw new LstmError('VALUE', `metrics: expected ${NAMES.join(', ')}, got ${describeValue(name)}${near === undefined ? '' : `; did you mean '${near}'?`}`)
    }
    const isSparse = loss.loss === 'sparseCategoricalCrossentropy'
    const own = name === 'accuracy' ? Object.entries(ACCURACIES).find(([kind]) => kind === loss.loss)?.[1] : name
    if (own === undefined || loss.loss === 'ctc' || (own === 'sparseCategoricalAccuracy') !== isSparse) {
      throw new LstmError('VALUE', `metrics: '${name}' does not go with the loss ${loss.loss}`)
    }
    this.name = output === undefined ? name : `${output}_${name}`
    this.part = part
    this.#measure = MEASURES[own]
  }

  /** The mean so far; NaN before there is any. */
  get result(): number {
    return this.#sum / this.#count
  }

  reset(): void {
    this.#sum = 0
    this.#count = 0
  }

  /**
   * @param weights of the losses: those of 0 do not count
   * @param isLogits whether the prediction is logits: 0 is then what a half is of probabilities
   */
  update(prediction: Float32Array, { data }: ArrayLike, weights: Float32Array, isLogits: boolean): void {
    const columns = prediction.length / weights.length
    for (let n = 0; n < weights.length; n++) {
      if (weights[n] === 0) continue
      this.#sum += this.#measure(prediction, data, n, columns, isLogits ? 0 : 0.5)
      this.#count++
    }
  }
}

/** @throws LstmError `VALUE` for metrics that are none, or of no loss */
export function metricsOf(given: Metrics, losses: readonly OutputLoss[]): Metric[] {
  if (Array.isArray(given)) {
    if (given.length > 0 && losses.length > 1) throw new LstmError('VALUE', `metrics: expected metrics by the names of outputs: { ${losses[0]?.name ?? ''}: ['accuracy'] }`)
    return (given as readonly MetricName[]).map((name) => new Metric(name, losses[0] as OutputLoss, 0))
  }
  return Object.entries(given).flatMap(([output, names]) => {
    const part = losses.findIndex(({ loss }) => loss.output === output)
    if (part < 0) throw new LstmError('VALUE', `metrics: no loss '${output}'; losses are ${losses.map(({ loss }) => `'${loss.output ?? ''}'`).join(', ')}`)
    if (!Array.isArray(names)) throw new LstmError('VALUE', `metrics: expected a list of names for '${output}', got ${describeValue(names)}`)
    return (names as readonly MetricName[]).map((name) => new Metric(name, losses[part] as OutputLoss, part))
  })
}
