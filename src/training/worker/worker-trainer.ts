import { LstmError } from '../../errors.ts'
import { compile, readGraph } from '../../model/load.ts'
import type { Model } from '../../model/model.ts'
import { readOptions, type OptionTable } from '../../options.ts'
import { makeDisposable } from '../../runtime/dispose.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { NdArray } from '../../values/ndarray.ts'
import type { PlatformDisposable } from '../../values/platform.ts'
import type { NamedData, Targets } from '../fitting/arrays.ts'
import type { FitResult } from '../fitting/fit.ts'
import type { TrainerSettings } from '../fitting/trainer.ts'
import {
  DATASET_OPTIONS, EVALUATE_OPTIONS, FIT_OPTIONS, ON_BATCH_OPTIONS, PREDICT_OPTIONS, type BatchSource, type EvaluateOptions, type FitDatasetOptions,
  type FitOptions, type PredictOptions, type TrainOnBatchOptions,
} from '../fitting/trainer-options.ts'
import type { CallerFunctions, Link } from './link.ts'

/**
 * Trains a model on a thread of its own: what `createTrainer` gives with `worker: true`. Functions are those of a `ModelTrainer`, and so are numbers and
 * errors; all give promises. Data are copied to the worker. Callbacks, `onProgress` and sources of batches are called here, on the caller's thread.
 */
export class WorkerTrainer {
  /** Loss, optimiser, metrics and seed. */
  readonly settings: TrainerSettings
  readonly #link: Link
  readonly #runtime: Runtime

  /** Use `createTrainer`. */
  constructor(link: Link, { losses, optimizer, metrics, seed, trainable }: TrainerSettings, runtime: Runtime) {
    this.settings = { losses, optimizer, metrics, seed, trainable }
    this.#link = link
    this.#runtime = runtime
  }

  /** Epochs that are done, in all, when the last call was over. */
  get epoch(): number {
    return this.#link.state.epoch
  }

  /** Steps of the optimiser that are done, in all, when the last call was over. */
  get steps(): number {
    return this.#link.state.steps
  }

  /** The rate of the next step, when the last call was over. */
  get learningRate(): number {
    return this.#link.state.learningRate
  }

  /** Names of the weights that learn, when the last call was over. */
  get trainableNames(): string[] {
    return [...this.#link.state.trainableNames]
  }

  /**
   * Trains with arrays: see `Trainer.fit`. In a callback, `control` shows the trainer as it was when the callback was called; what is changed there is
   * changed when the callback is over, and `save()` after such a change is refused.
   * @throws LstmError as `Trainer.fit`; `ENVIRONMENT` where the worker has ended; `VALUE` for data that cannot be sent to one
   */
  async fit(x: NamedData, y: Targets, options: FitOptions = {}): Promise<FitResult> {
    const [functions, rest] = split(options, FIT_OPTIONS, 'fit')
    return this.#link.call('fit', [x, y, rest], functions)
  }

  /** Trains with batches that come one after the other: see `Trainer.fitDataset`. @throws LstmError see `fit`; what the source throws */
  async fitDataset(source: BatchSource, options: FitDatasetOptions = {}): Promise<FitResult> {
    const [functions, rest] = split(options, DATASET_OPTIONS, 'fitDataset')
    return this.#link.call('fitDataset', [rest], { ...functions, source })
  }

  /** One step of training: see `Trainer.trainOnBatch`. Calls that come before it is done wait. @throws LstmError see `fit` */
  async trainOnBatch(x: NamedData, y: Targets, options: TrainOnBatchOptions = {}): Promise<Record<string, number>> {
    return this.#link.call('trainOnBatch', [x, y, readOptions(options, ON_BATCH_OPTIONS, 'trainOnBatch')])
  }

  /** Loss and metrics of data, without dropout. @throws LstmError see `fit` */
  async evaluate(x: NamedData, y: Targets, options: EvaluateOptions = {}): Promise<Record<string, number>> {
    const [functions, rest] = split(options, EVALUATE_OPTIONS, 'evaluate')
    return this.#link.call('evaluate', [x, y, rest], functions)
  }

  /** The outputs of the model for inputs, without dropout, by name. @throws LstmError see `fit` */
  async predict(x: NamedData, options: PredictOptions = {}): Promise<Record<string, NdArray>> {
    const [functions, rest] = split(options, PREDICT_OPTIONS, 'predict')
    const outputs = await this.#link.call('predict', [x, rest], functions)
    return Object.fromEntries(Object.entries(outputs).map(([name, { data, shape }]) => [name, new NdArray(data, shape)]))
  }

  /** A copy of all weights by name, row-major. @throws LstmError `DISPOSED`, `ENVIRONMENT` */
  async getWeights(): Promise<Map<string, Float32Array>> {
    return this.#link.call('getWeights', [])
  }

  /** Sets all weights, by name. @throws LstmError see `Trainer.setWeights` */
  async setWeights(weights: ReadonlyMap<string, Float32Array> | Readonly<Record<string, Float32Array>>): Promise<void> {
    return this.#link.call('setWeights', [weights])
  }

  /** Keeps weights as they are: of layers, or single ones. @throws LstmError `VALUE` for names that are none */
  async freeze(names: readonly string[]): Promise<void> {
    return this.#link.call('freeze', [names])
  }

  /** Lets frozen weights learn again. @throws LstmError `VALUE` for names that are none */
  async unfreeze(names: readonly string[]): Promise<void> {
    return this.#link.call('unfreeze', [names])
  }

  /** Makes the states of stateful layers zeros. */
  async resetStates(): Promise<void> {
    return this.#link.call('resetStates', [])
  }

  /** The checkpoint, which `resumeTrainer` goes on from, in a worker or not. @throws LstmError `DISPOSED`, `ENVIRONMENT` */
  async save(): Promise<Uint8Array> {
    return this.#link.call('save', [])
  }

  /** The model with the weights as they are now, for inference: on the caller's thread. @throws LstmError `DISPOSED`, `ENVIRONMENT`, `MEMORY` */
  async model(): Promise<Model> {
    return compile(await readGraph(await this.#link.call('modelFile', [])), { runtime: this.#runtime })
  }

  /** Ends the worker at once; calls that it is at work for end with an `LstmError` `DISPOSED`. Calling it again does nothing. */
  dispose(): void {
    this.#link.dispose()
  }
}

/** With `using`, a trainer is disposed at the end of its block. */
export interface WorkerTrainer extends PlatformDisposable {
  /** Loss, optimiser, metrics and seed. */
  readonly settings: TrainerSettings
}
makeDisposable(WorkerTrainer)

/** Functions, which stay, and options, which go. @throws LstmError `VALUE`; `ABORTED` */
function split<Options extends object>(given: Options, table: OptionTable<Options>, what: string): [CallerFunctions, Omit<Options, keyof Omit<CallerFunctions, 'source'>>] {
  const { callbacks, onProgress, signal, ...rest } = readOptions(given, table, what) as Options & CallerFunctions
  if (signal?.aborted) throw new LstmError('ABORTED', `${what} was aborted; the trainer is as after its last step`, { cause: signal.reason })
  return [{ callbacks, onProgress, signal }, rest]
}
