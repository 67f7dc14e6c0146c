// What happens between epochs: plain objects with functions, in the words of Keras.
import { LstmError } from '../../errors.ts'
import { atLeast, count, FLAG, FUNCTION, oneOf, readOptions, TEXT, type OptionTable } from '../../options.ts'

/** Numbers of an epoch by name: `loss`, `accuracy`, `valLoss`, `valAccuracy`, `learningRate`. */
export type Logs = Readonly<Record<string, number>>

/** What a callback can do with the trainer. */
export interface TrainingControl {
  /** Epochs that are done, in all. */
  readonly epoch: number
  /** Steps that are done, in all. */
  readonly steps: number
  /** The rate of the next step. */
  readonly learningRate: number
  /** Sets the rate in the place of the optimiser's schedule; undefined gives it back. */
  setLearningRate(rate: number | undefined): void
  /** Multiplies all rates to come. */
  scaleLearningRate(factor: number): void
  /** Ends the training after this epoch. */
  stop(): void
  /** A copy of all weights, which `setWeights` takes. */
  getWeights(): Map<string, Float32Array>
  /** Puts such a copy back. */
  setWeights(weights: ReadonlyMap<string, Float32Array>): void
  /** The checkpoint: what `trainer.save()` gives. */
  save(): Uint8Array
}

/** Functions that are called while a model trains; each may be left out, and may be a promise. */
export interface Callback {
  /** Before the first epoch. */
  onTrainBegin?(control: TrainingControl): void | Promise<void>
  /** Before each epoch. @param epoch from 0 */
  onEpochBegin?(epoch: number, control: TrainingControl): void | Promise<void>
  /** After each epoch. @param logs its numbers */
  onEpochEnd?(epoch: number, logs: Logs, control: TrainingControl): void | Promise<void>
  /** Also when training ends early, but not when it throws. */
  onTrainEnd?(control: TrainingControl): void | Promise<void>
}

/** Whether a number should grow or fall. */
export type Mode = 'auto' | 'min' | 'max'

interface Monitored {
  /** Which number of the epochs. Keras's spelling (`val_loss`) does too. Default `'valLoss'`. */
  readonly monitor?: string | undefined
  /** Whether it should fall (`'min'`) or grow (`'max'`). Default `'auto'`: accuracies grow. */
  readonly mode?: Mode | undefined
}

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions extends Monitored {
  /** Epochs without getting better before it stops. Default 0. */
  readonly patience?: number | undefined
  /** What counts as better. Default 0. */
  readonly minDelta?: number | undefined
  /** Whether the weights of the best epoch are put back at the end. Default false. */
  readonly restoreBestWeights?: boolean | undefined
}

/** Options of `modelCheckpoint`. */
export interface ModelCheckpointOptions extends Monitored {
  /** Whether it saves only what is better than all before. Default false. */
  readonly saveBestOnly?: boolean | undefined
}

/** Options of `reduceOnPlateau`. */
export interface ReduceOnPlateauOptions extends Monitored {
  /** What the rate is multiplied with. Default 0.1. */
  readonly factor?: number | undefined
  /** Epochs without getting better before it is. Default 10. */
  readonly patience?: number | undefined
  /** What counts as better. Default 1e-4. */
  readonly minDelta?: number | undefined
  /** Epochs to wait after that. Default 0. */
  readonly cooldown?: number | undefined
  /** The rate does not fall below it. Default 0. */
  readonly minRate?: number | undefined
}

const MONITORED: OptionTable<Monitored> = { monitor: TEXT, mode: oneOf(['auto', 'min', 'max']) }
const EARLY: OptionTable<EarlyStoppingOptions> = { ...MONITORED, patience: count(0), minDelta: atLeast(0), restoreBestWeights: FLAG }
const CHECKPOINT: OptionTable<ModelCheckpointOptions> = { ...MONITORED, saveBestOnly: FLAG }
const PLATEAU: OptionTable<ReduceOnPlateauOptions> = {
  ...MONITORED, factor: { expected: 'a number above 0 and below 1', test: (value) => typeof value === 'number' && value > 0 && value < 1 },
  patience: count(0), minDelta: atLeast(0), cooldown: count(0), minRate: atLeast(0),
}

/** `val_loss` -> `valLoss`; numbers of one of several outputs have Keras's names: `val_OUTPUT_loss`. */
const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Follows one number: whether an epoch is the best so far. */
class Best {
  readonly #monitor: string
  readonly #name: string
  readonly #sign: number
  readonly #minDelta: number
  readonly #what: string
  #best = Infinity

  constructor({ monitor = 'valLoss', mode = 'auto' }: Monitored, minDelta: number, what: string) {
    this.#monitor = monitor
    this.#name = camelCase(monitor)
    this.#sign = mode === 'max' || (mode === 'auto' && /accuracy$/i.test(this.#name)) ? -1 : 1
    this.#minDelta = minDelta
    this.#what = what
  }

  /** @throws LstmError `VALUE` for a number that epochs do not have */
  isBetter(logs: Logs): boolean {
    const value = logs[this.#monitor] ?? logs[this.#name]
    if (value === undefined) {
      const hint = this.#name.startsWith('val') ? '; give fit validationData or a validationSplit' : ''
      throw new LstmError('VALUE', `${this.#what}: monitor: no number '${this.#name}'; there are ${Object.keys(logs).join(', ')}${hint}`)
    }
    if (!(this.#sign * value < this.#best - this.#minDelta)) return false
    this.#best = this.#sign * value
    return true
  }

  reset(): void {
    this.#best = Infinity
  }
}

/**
 * Stops when a number has not got better for a while: Keras's EarlyStopping.
 * @throws LstmError `VALUE` for options that are unknown or out of range; at the end of the first epoch, for a number that there is not
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { patience = 0, minDelta = 0, restoreBestWeights = false, ...monitored } = readOptions(options, EARLY, 'earlyStopping')
  const best = new Best(monitored, minDelta, 'earlyStopping')
  let wait = 0
  let weights: Map<string, Float32Array> | undefined
  return {
    onTrainBegin() {
      best.reset()
      wait = 0
      weights = undefined
    },
    onEpochEnd(epoch, logs, control) {
      if (best.isBetter(logs)) {
        wait = 0
        if (restoreBestWeights) weights = control.getWeights()
      } else if (++wait >= patience && epoch > 0) control.stop()
    },
    onTrainEnd(control) {
      if (weights !== undefined) control.setWeights(weights)
    },
  }
}

/**
 * Hands over a checkpoint after each epoch, or after each that is the best so far: Keras's ModelCheckpoint.
 * @param save is given the bytes of `trainer.save()`, and the numbers of the epoch; may be a promise, which is awaited
 * @throws LstmError `VALUE` for options that are unknown
 */
export function modelCheckpoint(
  save: (bytes: Uint8Array, about: { readonly epoch: number, readonly logs: Logs }) => void | Promise<void>, options: ModelCheckpointOptions = {},
): Callback {
  if (!FUNCTION.test(save)) throw new LstmError('VALUE', 'modelCheckpoint: expected a function that is given the bytes')
  const { saveBestOnly = false, ...monitored } = readOptions(options, CHECKPOINT, 'modelCheckpoint')
  const best = new Best(monitored, 0, 'modelCheckpoint')
  return {
    onTrainBegin: () => best.reset(),
    async onEpochEnd(epoch, logs, control) {
      if (!saveBestOnly || best.isBetter(logs)) await save(control.save(), { epoch, logs })
    },
  }
}

/**
 * Sets the rate of each epoch: Keras's LearningRateScheduler.
 * @param rateOf is given the epoch, from 0, and the rate so far
 * @throws LstmError `VALUE` for anything but a function
 */
export function learningRateScheduler(rateOf: (epoch: number, rate: number) => number): Callback {
  if (!FUNCTION.test(rateOf)) throw new LstmError('VALUE', 'learningRateScheduler: expected a function of the epoch and the rate')
  return {
    onEpochBegin(epoch, control) {
      const rate = rateOf(epoch, control.learningRate)
      if (!Number.isFinite(rate) || rate < 0) throw new LstmError('VALUE', `learningRateScheduler: expected a rate >= 0 for epoch ${epoch}, got ${String(rate)}`)
      control.setLearningRate(rate)
    },
  }
}

/**
 * Makes the rate smaller when a number has not got better for a while: Keras's ReduceLROnPlateau.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Callback {
  const { factor = 0.1, patience = 10, minDelta = 1e-4, cooldown = 0, minRate = 0, ...monitored } = readOptions(options, PLATEAU, 'reduceOnPlateau')
  const best = new Best(monitored, minDelta, 'reduceOnPlateau')
  let wait = 0
  let rest = 0
  return {
    onTrainBegin() {
      best.reset()
      wait = 0
      rest = 0
    },
    onEpochEnd(_epoch, logs, control) {
      if (rest > 0) {
        rest--
        wait = 0
      }
      if (best.isBetter(logs)) wait = 0
      else if (rest === 0 && ++wait >= patience) {
        const rate = control.learningRate
        if (rate > minRate) control.scaleLearningRate(Math.max(factor, minRate / rate))
        rest = cooldown
        wait = 0
      }
    },
  }
}
