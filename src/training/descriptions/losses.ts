// Losses, as plain descriptions: those of most nets; the others are in more-losses.ts. What they become in a graph is in loss-graph.ts.
import { LstmError } from '../../errors.ts'
import { FLAG, oneOf, readOptions, TEXT, type Kind, type OptionTable } from '../../options.ts'
import { describeValue } from '../../values/dtype.ts'

/**
 * How the losses l of the rows of a batch become one number, with weights w:
 * - `'mean'`: sum(w l) / sum(w), as PyTorch weighs classes (and Keras with `mean_with_sample_weight`);
 * - `'sumOverBatchSize'`: sum(w l) / number of rows that count, which is Keras's default: rows of weight 0.5 pull half as much;
 * - `'sum'`: sum(w l).
 *
 * Without weights the first two are the same. Timesteps that are masked count nowhere.
 */
export type Reduction = 'mean' | 'sumOverBatchSize' | 'sum'

/** Options of every loss. */
export interface LossOptions {
  /** How rows become one number. Default `'mean'`. */
  readonly reduction?: Reduction | undefined
  /** The output of the model that is compared with the targets. Default: the first. */
  readonly output?: string | undefined
}

/** Options of losses whose prediction is a probability. */
export interface ProbabilityOptions extends LossOptions {
  /**
   * Whether the model gives logits, not probabilities. Default: a softmax (for binary cross-entropy a sigmoid) at the end of the model is taken off while
   * it trains, and its input are the logits; any other model gives logits. `false` says that it gives probabilities which are made in another way.
   */
  readonly fromLogits?: boolean | undefined
}

/** Options of `sparseCategoricalCrossentropy`. */
export interface SparseOptions extends ProbabilityOptions {
  /** A class that does not count: PyTorch's `ignore_index`. Default: none. */
  readonly ignoreIndex?: number | undefined
}

/** Options of `huber`. */
export interface HuberOptions extends LossOptions {
  /** Where the square goes over into a straight line. Default 1. */
  readonly delta?: number | undefined
}

/** Options of `ctc`. */
export interface CtcOptions extends ProbabilityOptions {
  /** The class that stands for no label. Default 0, as in PyTorch; -1 is the last class, as in older Keras. */
  readonly blank?: number | undefined
  /** Whether the loss of a row is divided by the number of its labels, as PyTorch's `mean` does. Keras does not. Default true. */
  readonly perLabel?: boolean | undefined
  /** Whether a row with too few timesteps for its labels has a loss of 0, not Infinity. Default false. */
  readonly zeroInfinity?: boolean | undefined
}

/** Options of `esr`. */
export interface EsrOptions extends LossOptions {
  /** a of the filter x[t] - a x[t - 1] that both sounds go through before they are compared. 0: none. Default 0.85. */
  readonly preEmphasis?: number | undefined
  /** What the error-to-signal ratio counts. Default 0.75. */
  readonly esrWeight?: number | undefined
  /** What the difference of the means (DC) counts. Default 0.25. */
  readonly dcWeight?: number | undefined
  /** Added to the energy of the target. Default 1e-5. */
  readonly epsilon?: number | undefined
}

/** What every description has. */
interface Described {
  readonly reduction: Reduction
  readonly output?: string | undefined
}

/** What `categoricalCrossentropy` and `binaryCrossentropy` describe. */
export interface ProbabilityLoss extends Described {
  readonly loss: 'categoricalCrossentropy' | 'binaryCrossentropy'
  readonly fromLogits?: boolean | undefined
}

/** What `sparseCategoricalCrossentropy` describes. */
export interface SparseLoss extends Described {
  readonly loss: 'sparseCategoricalCrossentropy'
  readonly fromLogits?: boolean | undefined
  readonly ignoreIndex?: number | undefined
}

/** What `meanSquaredError` and `meanAbsoluteError` describe. */
export interface DistanceLoss extends Described {
  readonly loss: 'meanSquaredError' | 'meanAbsoluteError'
}

/** What `huber` describes. */
export interface HuberLoss extends Described {
  readonly loss: 'huber'
  readonly delta: number
}

/** What `ctc` describes. */
export interface CtcLoss extends Described {
  readonly loss: 'ctc'
  readonly fromLogits?: boolean | undefined
  readonly blank: number
  readonly perLabel: boolean
  readonly zeroInfinity: boolean
}

/** What `esr` describes. */
export interface EsrLoss extends Described {
  readonly loss: 'esr'
  readonly preEmphasis: number
  readonly esrWeight: number
  readonly dcWeight: number
  readonly epsilon: number
}

/** A loss, and its numbers. */
export type Loss = ProbabilityLoss | SparseLoss | DistanceLoss | HuberLoss | CtcLoss | EsrLoss

/** Names that do for a loss with its defaults. */
export type LossName = Loss['loss'] | 'mse' | 'mae'

export const INTEGER: Kind = { expected: 'a whole number', test: Number.isInteger }
export const COMMON: OptionTable<LossOptions> = { reduction: oneOf(['mean', 'sumOverBatchSize', 'sum']), output: TEXT }
export const PROBABILITY: OptionTable<ProbabilityOptions> = { ...COMMON, fromLogits: FLAG }
const SPARSE: OptionTable<SparseOptions> = { ...PROBABILITY, ignoreIndex: INTEGER }
/** Options that are given take the places of the others. */
export function described<Description extends Loss>(others: Description, given: object): Description {
  return { ...others, ...given }
}

/**
 * Cross-entropy with probabilities of all classes: one-hot rows, or softer ones. Keras's CategoricalCrossentropy, PyTorch's CrossEntropyLoss with
 * probabilities. Targets: float32, like the output of the model.
 * @throws LstmError `VALUE` for options that are unknown or out of range, as the others do
 */
export function categoricalCrossentropy(options: ProbabilityOptions = {}): ProbabilityLoss {
  return described<ProbabilityLoss>({ loss: 'categoricalCrossentropy', reduction: 'mean' }, readOptions(options, PROBABILITY, 'categoricalCrossentropy'))
}

/**
 * Cross-entropy with one class for each row or timestep. Keras's SparseCategoricalCrossentropy, PyTorch's CrossEntropyLoss. Targets: int32, like the output
 * of the model without its last axis.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function sparseCategoricalCrossentropy(options: SparseOptions = {}): SparseLoss {
  return described({ loss: 'sparseCategoricalCrossentropy', reduction: 'mean' }, readOptions(options, SPARSE, 'sparseCategoricalCrossentropy'))
}

/**
 * (p - t)^2, averaged over the last axis. Keras's MeanSquaredError, PyTorch's MSELoss.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function meanSquaredError(options: LossOptions = {}): DistanceLoss {
  return described<DistanceLoss>({ loss: 'meanSquaredError', reduction: 'mean' }, readOptions(options, COMMON, 'meanSquaredError'))
}

/** Functions that describe losses, by name. */
export type LossMakers = Readonly<Partial<Record<LossName, (options?: never) => Loss>>>

export const USUAL_LOSSES: LossMakers = { categoricalCrossentropy, sparseCategoricalCrossentropy, meanSquaredError, mse: meanSquaredError }

/** The description of a name or of a description, every number of it checked. @throws LstmError `VALUE` */
export function lossOf(given: unknown, makers: LossMakers): Loss {
  const name = typeof given === 'string' ? given : typeof given === 'object' && given !== null && 'loss' in given ? given.loss : undefined
  const make = typeof name === 'string' && Object.hasOwn(makers, name) ? makers[name as LossName] : undefined
  if (make === undefined) {
    const names = Object.keys(makers).join(', ')
    throw new LstmError('VALUE', `loss: expected one of ${names}, or what a function of such a name gives, got ${describeValue(name ?? given)}`)
  }
  if (typeof given === 'string') return make()
  return make(Object.fromEntries(Object.entries(given as Loss).filter(([option]) => option !== 'loss')) as never)
}
