import { LstmError } from '../../errors.ts'
import { readOptions } from '../../options.ts'
import { makeDisposable } from '../../runtime/dispose.ts'
import type { PlatformDisposable } from '../../values/platform.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { NdArray } from '../../values/ndarray.ts'
import { describeValue, dtypeOfData } from '../../values/dtype.ts'
import { tagOf } from '../../values/realm.ts'
import { joined, type NamedData, type Targets } from './arrays.ts'
import type { TrainingControl } from './callbacks.ts'
import { writeCheckpoint, type Checkpoint } from './checkpoint.ts'
import { Batches, datasetOf, inputsOf, splitEnd, type Batch, type Dataset, type WeightOptions } from './dataset.ts'
import { allResultsOf, evaluateSource, Pace, runFit, sourceOf, type FitResult, type Source } from './fit.ts'
import { LossSums } from './loss-sums.ts'
import { metricsOf, type Metric, type Metrics } from './metrics.ts'
import type { Optimizer } from '../descriptions/optimizers.ts'
import type { OutputLoss } from '../descriptions/output-losses.ts'
import type { RateAt } from '../descriptions/rates.ts'
import { Stepper } from './stepper.ts'
import type { Trainable } from '../trainable.ts'
import {
  BATCH_SIZE, batchesOf, DATASET_OPTIONS, EVALUATE_OPTIONS, FIT_OPTIONS, ON_BATCH_OPTIONS, PREDICT_OPTIONS, type BatchSource, type DatasetBatch,
  type EvaluateOptions, type FitDatasetOptions, type FitOptions, type PredictOptions, type TrainOnBatchOptions, type ValidationData,
} from './trainer-options.ts'
import { checkClassWeight } from './weights.ts'

/** What a trainer is made of. */
export interface TrainerSettings {
  /** What is made small. */
  readonly losses: readonly OutputLoss[]
  /** What moves the weights. */
  readonly optimizer: Optimizer
  /** What is told besides the loss. */
  readonly metrics: Metrics
  /** int32: orders of rows follow from it. */
  readonly seed: number
  /** Constants that learn besides the weights. Default: none. */
  readonly trainable?: readonly string[] | undefined
  /** The rate at a place, for one that changes. Default: it does not. */
  readonly rateAt?: RateAt | undefined
  /** The model as a file: a checkpoint has it. Default: that of the trainer. */
  readonly model?: (() => Uint8Array) | undefined
}

/** Trains a model: what `createTrainer` gives. It holds memory until `dispose()`. */
export class Trainer {
  /** Loss, optimiser, metrics and seed. */
  readonly settings: TrainerSettings
  /** What computes. Internal. */
  readonly engine: Trainable
  readonly #stepper: Stepper
  readonly #metrics: readonly Metric[]
  #epoch = 0
  #busy = false
  #disposed = false

  /** Use `createTrainer`. @param engine is disposed with the trainer */
  constructor(engine: Trainable, settings: TrainerSettings) {
    this.engine = engine
    this.settings = settings
    this.#metrics = metricsOf(settings.metrics, settings.losses)
    this.#stepper = new Stepper(engine, settings.losses, settings.optimizer, settings.rateAt)
  }

  /** Epochs that are done, in all. */
  get epoch(): number {
    return this.#epoch
  }

  /** Steps of the optimiser that are done, in all. */
  get steps(): number {
    return this.#stepper.steps
  }

  /** The rate of the next step. */
  get learningRate(): number {
    return this.#stepper.rate(this.#epoch)
  }

  /**
   * Trains with arrays. Yields to the event loop every 8 ms, also in the middle of a step.
   * @param x an array [rows, ...], or arrays by the names of the inputs
   * @param y targets as the loss takes them; of several losses by the names of their outputs
   * @throws LstmError `SHAPE` or `VALUE` for data or options that do not fit, NaN in data, classes out of range; `VALUE` where a loss or gradient is
   *   NaN or Infinity: says in which batch, and the weights are those of the last step whose loss was a number; `ABORTED`; `BUSY`; `DISPOSED`
   */
  async fit(x: NamedData, y: Targets, options: FitOptions = {}): Promise<FitResult> {
    const read = readOptions(options, FIT_OPTIONS, 'fit')
    const { batchSize = BATCH_SIZE, shuffle = true, validationSplit, validationData, sampleWeight, mask, epochs = 1, initialEpoch = 0 } = read
    if (validationSplit !== undefined && validationData !== undefined) throw new LstmError('VALUE', "fit: 'validationSplit' and 'validationData' say the same thing")
    return this.#whileBusy('fit', async () => {
      const whole = this.#dataset(x, y, { sampleWeight, mask }, 'fit')
      const [data, held] = validationSplit === undefined ? [whole, undefined] : splitEnd(whole, validationSplit)
      const validation = held ?? this.#validationOf(validationData)
      return this.#fit({ ...read, epochs, initialEpoch }, sourceOf(data, batchSize, shuffle ? this.settings.seed : undefined), validation && sourceOf(validation, batchSize, undefined), 'fit')
    })
  }

  /**
   * Trains with batches that come one after the other: `{ x, y, sampleWeight, mask }` each, of any number of rows.
   * @param source an iterable that can be gone through in each epoch, or a function that makes one; asynchronous ones too
   * @throws LstmError see `fit`
   */
  async fitDataset(source: BatchSource, options: FitDatasetOptions = {}): Promise<FitResult> {
    const read = readOptions(options, DATASET_OPTIONS, 'fitDataset')
    const { epochs = 1, initialEpoch = 0 } = read
    return this.#whileBusy('fitDataset', async () => {
      const validation = this.#validationOf(read.validationData)
      const dataset = (batch: DatasetBatch): Batch => {
        const { x, y, sampleWeight, mask } = batch
        return this.#dataset(x, y, { sampleWeight, mask }, 'fitDataset')
      }
      const batches: Source = {
        batches: undefined,
        async* epoch(epoch) {
          for await (const batch of batchesOf(source, epoch)) yield dataset(batch)
        },
      }
      return this.#fit({ ...read, epochs, initialEpoch }, batches, validation && sourceOf(validation, BATCH_SIZE, undefined), 'fitDataset')
    })
  }

  /**
   * One step of training with one batch.
   * @returns loss and metrics of the batch, before the step
   * @throws LstmError see `fit`
   */
  trainOnBatch(x: NamedData, y: Targets, options: TrainOnBatchOptions = {}): Record<string, number> {
    const { classWeight, ...weights } = readOptions(options, ON_BATCH_OPTIONS, 'trainOnBatch')
    return this.#once('trainOnBatch', () => {
      checkClassWeight(classWeight, this.settings.losses, 'trainOnBatch')
      const batch = this.#dataset(x, y, weights, 'trainOnBatch')
      const sums = new LossSums(this.settings.losses)
      for (const metric of this.#metrics) metric.reset()
      this.#stepper.train(batch, classWeight, this.#epoch, sums, this.#metrics, 'trainOnBatch')
      return allResultsOf(sums, this.#metrics)
    })
  }

  /** Loss and metrics of data, without dropout. @throws LstmError see `fit` */
  async evaluate(x: NamedData, y: Targets, options: EvaluateOptions = {}): Promise<Record<string, number>> {
    const { batchSize = BATCH_SIZE, signal, ...weights } = readOptions(options, EVALUATE_OPTIONS, 'evaluate')
    return this.#whileBusy('evaluate', async () => {
      const data = this.#dataset(x, y, weights, 'evaluate')
      return evaluateSource(this.#stepper, sourceOf(data, batchSize, undefined), undefined, this.#metrics, new Pace(signal, 'evaluate'))
    })
  }

  /** The outputs of the model for inputs, without dropout, by name. @throws LstmError see `fit` */
  async predict(x: NamedData, options: PredictOptions = {}): Promise<Record<string, NdArray>> {
    const { batchSize = BATCH_SIZE, signal } = readOptions(options, PREDICT_OPTIONS, 'predict')
    return this.#whileBusy('predict', async () => {
      const pace = new Pace(signal, 'predict')
      const inputs = inputsOf(this.engine, x, 'predict')
      const rows = Object.values(inputs)[0]?.shape[0] ?? 0
      const batches = new Batches({ rows, inputs, targets: [], sampleWeight: [], mask: [] }, batchSize)
      const order = Int32Array.from({ length: rows }, (_, n) => n)
      const parts: Record<string, ArrayLike>[] = []
      for (let n = 0; n < batches.count; n++) {
        parts.push(this.engine.predict(batches.at(n, order).inputs))
        if (pace.isDue()) await pace.yield()
        else pace.check()
      }
      return Object.fromEntries(Object.keys(parts[0] ?? {}).map((name) => [name, joined(parts.map((part) => part[name] as ArrayLike))]))
    })
  }

  /** A copy of all weights by name, row-major. */
  getWeights(): Map<string, Float32Array> {
    this.#check('getWeights')
    return new Map(this.engine.parameters.map((parameter) => [parameter.name, parameter.read()]))
  }

  /**
   * Sets all weights, by name.
   * @param weights a map or an object, as `getWeights` gives them
   * @throws LstmError `SHAPE` unless there is an array of the right length for each weight, `VALUE` for what is no Float32Array; nothing is changed then
   */
  setWeights(weights: ReadonlyMap<string, Float32Array> | Readonly<Record<string, Float32Array>>): void {
    this.#check('setWeights')
    if (typeof weights !== 'object' || weights === null) throw new LstmError('VALUE', `setWeights: expected arrays by name, got ${describeValue(weights)}`)
    const given: ReadonlyMap<string, Float32Array> = tagOf(weights) === 'Map' ? weights as ReadonlyMap<string, Float32Array> : new Map(Object.entries(weights))
    const data = this.engine.parameters.map((parameter) => {
      const { name } = parameter
      const { length } = parameter.read()
      const own = given.get(name)
      if (own !== undefined && dtypeOfData(own) !== 'float32') throw new LstmError('VALUE', `setWeights: expected a Float32Array for '${name}', got ${describeValue(own)}`)
      if (own?.length !== length) throw new LstmError('SHAPE', `setWeights: expected ${length} elements for '${name}', got ${own?.length ?? 'none'}`)
      return own
    })
    this.engine.parameters.forEach((parameter, n) => parameter.write(data[n] as Float32Array))
    this.#stepper.forget()
  }

  /** A checkpoint: weights, what the optimiser and stateful layers remember, epochs and steps. A trainer that is made of it goes on bit for bit. */
  save(): Uint8Array {
    this.#check('save')
    const { metrics, seed, trainable = [], model } = this.settings
    return writeCheckpoint(this.#stepper, { metrics, seed, trainable, epoch: this.#epoch }, model?.())
  }

  /** Goes on from a checkpoint of the same model and optimiser. @throws LstmError `SHAPE` for another one; the trainer is then as before */
  restore(checkpoint: Checkpoint): void {
    this.#once('restore', () => {
      checkpoint.restoreTo(this.#stepper)
      this.#epoch = checkpoint.state.epoch
    })
  }

  /** Frees all memory. Calling it again does nothing. */
  dispose(): void {
    if (this.#disposed) return
    if (this.#busy) throw new LstmError('BUSY', 'dispose: the trainer is at work: abort it first')
    this.#disposed = true
    this.#stepper.dispose()
    this.engine.dispose()
  }

  #fit(
    options: FitDatasetOptions & { readonly epochs: number, readonly initialEpoch: number }, source: Source, validation: Source | undefined, what: string,
  ): Promise<FitResult> {
    const { epochs, initialEpoch, classWeight, callbacks = [], signal, onProgress } = options
    checkClassWeight(classWeight, this.settings.losses, what)
    return runFit({
      stepper: this.#stepper, source, validation, metrics: this.#metrics, classWeight, initialEpoch, epochs, callbacks, control: this.#control(), onProgress,
      pace: new Pace(signal, what), epochDone: () => this.#epoch++,
    })
  }

  #control(): TrainingControl & { readonly isStopped: boolean } {
    const stepper = this.#stepper
    const rateNow = (): number => this.learningRate
    const [epochs, save, getWeights] = [() => this.#epoch, () => this.save(), () => this.getWeights()]
    let isStopped = false
    return {
      get isStopped() { return isStopped },
      get epoch() { return epochs() },
      get steps() { return stepper.steps },
      get learningRate() { return rateNow() },
      setLearningRate: (rate) => { stepper.fixedRate = rate },
      scaleLearningRate: (factor) => { stepper.rateFactor *= factor },
      stop: () => { isStopped = true },
      getWeights, save, setWeights: (weights) => this.setWeights(weights),
    }
  }

  #dataset(x: NamedData, y: Targets, weights: WeightOptions, what: string): Dataset {
    return datasetOf({ engine: this.engine, losses: this.settings.losses }, x, y, weights, what)
  }

  #validationOf(given: ValidationData | undefined): Dataset | undefined {
    return given && this.#dataset(given[0], given[1], { sampleWeight: given[2] }, 'fit: validationData')
  }

  #check(what: string): void {
    if (this.#disposed) throw new LstmError('DISPOSED', `${what}: the trainer is disposed`)
  }

  #begin(what: string): void {
    this.#check(what)
    if (this.#busy) throw new LstmError('BUSY', `${what}: the trainer is at work`)
    this.#busy = true
  }

  #once<T>(what: string, run: () => T): T {
    this.#begin(what)
    try {
      return run()
    } finally {
      this.#busy = false
    }
  }

  async #whileBusy<T>(what: string, run: () => Promise<T>): Promise<T> {
    this.#begin(what)
    try {
      return await run()
    } finally {
      this.#busy = false
    }
  }
}

/** With `using`, a trainer is disposed at the end of its block. */
export interface Trainer extends PlatformDisposable {
  /** Loss, optimiser, metrics and seed. */
  readonly settings: TrainerSettings
}
makeDisposable(Trainer)
