// Options of a trainer's functions.
import { checkKind, count, FLAG, FUNCTION, having, LIST, SIGNAL, type Kind, type OptionTable } from '../../options.ts'
import type { PlatformSignal } from '../../values/platform.ts'
import type { NamedData, Targets } from './arrays.ts'
import type { Callback } from './callbacks.ts'
import type { WeightOptions } from './dataset.ts'
import type { FitProgress } from './fit.ts'
import type { ClassWeight } from './weights.ts'

/** Data to validate with: inputs, targets and, if there are any, sample weights. */
export type ValidationData = readonly [x: NamedData, y: Targets, sampleWeight?: WeightOptions['sampleWeight']]

/** Options of `fitDataset`, and of `fit`. */
export interface FitDatasetOptions {
  /** The last epoch: from `initialEpoch` on, so many are trained. Default 1. */
  readonly epochs?: number | undefined
  /** The first epoch, from 0. Default 0. Orders and schedules go by all epochs that the trainer has done, whatever they are called here. */
  readonly initialEpoch?: number | undefined
  /** Data that are evaluated after each epoch: `valLoss` and so on. Default: none. */
  readonly validationData?: ValidationData | undefined
  /** What classes count, by their number. Default: all 1. */
  readonly classWeight?: ClassWeight | undefined
  /** What is called between epochs: `earlyStopping()` and the others, or objects with functions of one's own. Default: none. */
  readonly callbacks?: readonly Callback[] | undefined
  /** Stops it between two steps. Default: nothing does. */
  readonly signal?: PlatformSignal | undefined
  /** Is told how far it is, every 8 ms or so and at the end of each epoch. Default: nobody is. */
  readonly onProgress?: ((progress: FitProgress) => void) | undefined
}

/** Options of `fit`. */
export interface FitOptions extends FitDatasetOptions, WeightOptions {
  /** Rows of a step; the last step of an epoch may have less. Default 32. */
  readonly batchSize?: number | undefined
  /** Whether rows come in another order in each epoch, which follows from the seed. Default true. */
  readonly shuffle?: boolean | undefined
  /** How much of the data, from the end, is validated with instead: 0.1 is a tenth. Default: none. */
  readonly validationSplit?: number | undefined
}

/** Options of `evaluate`. */
export interface EvaluateOptions extends WeightOptions {
  /** Rows of a run. Default 32. */
  readonly batchSize?: number | undefined
  /** Stops it between two batches. Default: nothing does. */
  readonly signal?: PlatformSignal | undefined
}

/** Options of `predict`. */
export type PredictOptions = Pick<EvaluateOptions, 'batchSize' | 'signal'>

/** One batch of a data set. */
export interface DatasetBatch extends WeightOptions {
  /** Inputs. */
  readonly x: NamedData
  /** Targets. */
  readonly y: Targets
}

/** Batches, or a function that makes those of an epoch. */
export type BatchSource =
  | Iterable<DatasetBatch> | AsyncIterable<DatasetBatch> | ((epoch: number) => Iterable<DatasetBatch> | AsyncIterable<DatasetBatch>)

const SOURCE: Kind = {
  expected: 'batches { x, y } of an iterable, or a function that makes one for each epoch',
  test: (value) => typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value),
}

/** The batches of an epoch. @throws LstmError `VALUE` for what gives none */
export async function* batchesOf(source: BatchSource, epoch: number): AsyncGenerator<DatasetBatch, void, void> {
  const batches = typeof source === 'function' ? source(epoch) : source
  checkKind(batches, SOURCE, 'fitDataset')
  for await (const batch of batches) {
    checkKind(batch, having('a batch { x, y }', 'x', 'y'), 'fitDataset')
    yield batch
  }
}

/** Options of `trainOnBatch`. */
export interface TrainOnBatchOptions extends WeightOptions {
  /** What classes count, by their number. Default: all 1. */
  readonly classWeight?: ClassWeight | undefined
}

const ANY: Kind = { expected: 'an array', test: () => true } // looked at with the data
const SHARE: Kind = { expected: 'a number above 0 and below 1', test: (value) => typeof value === 'number' && value > 0 && value < 1 }
const PAIR: Kind = { expected: '[x, y] or [x, y, sampleWeight]', test: (value) => Array.isArray(value) && (value.length === 2 || value.length === 3) }
const WEIGHTS: OptionTable<WeightOptions> = { sampleWeight: ANY, mask: ANY }
export const DATASET_OPTIONS: OptionTable<FitDatasetOptions> = {
  epochs: count(0), initialEpoch: count(0), validationData: PAIR, classWeight: ANY, callbacks: LIST, signal: SIGNAL, onProgress: FUNCTION,
}
export const FIT_OPTIONS: OptionTable<FitOptions> = { ...DATASET_OPTIONS, ...WEIGHTS, batchSize: count(1), shuffle: FLAG, validationSplit: SHARE }
export const EVALUATE_OPTIONS: OptionTable<EvaluateOptions> = { ...WEIGHTS, batchSize: count(1), signal: SIGNAL }
export const PREDICT_OPTIONS: OptionTable<PredictOptions> = { batchSize: count(1), signal: SIGNAL }
export const ON_BATCH_OPTIONS: OptionTable<TrainOnBatchOptions> = { ...WEIGHTS, classWeight: ANY }
/** Rows of a step. */
export const BATCH_SIZE = 32
