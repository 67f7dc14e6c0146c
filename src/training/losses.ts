// Losses, as plain descriptions. What they become in a graph is in loss-graph.ts.
import { LstmError } from '../errors.ts'
import { atLeast, FLAG, oneOf, readOptions, TEXT, type Kind, type OptionTable } from '../options.ts'
import { describeValue } from '../values/dtype.ts'

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

const INTEGER: Kind = { expected: 'a whole number', test: Number.isInteger }
const COMMON: OptionTable<LossOptions> = { reduction: oneOf(['mean', 'sumOverBatchSize', 'sum']), output: TEXT }
const PROBABILITY: OptionTable<ProbabilityOptions> = { ...COMMON, fromLogits: FLAG }
const SPARSE: OptionTable<SparseOptions> = { ...PROBABILITY, ignoreIndex: INTEGER }
const HUBER: OptionTable<HuberOptions> = { ...COMMON, delta: atLeast(Number.MIN_VALUE) }
const CTC: OptionTable<CtcOptions> = { ...PROBABILITY, blank: INTEGER, perLabel: FLAG, zeroInfinity: FLAG }
const ESR: OptionTable<EsrOptions> = {
  ...COMMON, preEmphasis: { expected: 'a number', test: Number.isFinite }, esrWeight: atLeast(0), dcWeight: atLeast(0), epsilon: atLeast(Number.MIN_VALUE),
}

/** Options that are given take the places of the others. */
function described<Description extends Loss>(others: Description, given: object): Description {
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
 * Cross-entropy of yes and no, averaged over the last axis. Keras's BinaryCrossentropy, PyTorch's BCEWithLogitsLoss and BCELoss. Targets: 0 to 1, like
 * the output of the model.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function binaryCrossentropy(options: ProbabilityOptions = {}): ProbabilityLoss {
  return described<ProbabilityLoss>({ loss: 'binaryCrossentropy', reduction: 'mean' }, readOptions(options, PROBABILITY, 'binaryCrossentropy'))
}

/**
 * (p - t)^2, averaged over the last axis. Keras's MeanSquaredError, PyTorch's MSELoss.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function meanSquaredError(options: LossOptions = {}): DistanceLoss {
  return described<DistanceLoss>({ loss: 'meanSquaredError', reduction: 'mean' }, readOptions(options, COMMON, 'meanSquaredError'))
}

/**
 * |p - t|, averaged over the last axis. Keras's MeanAbsoluteError, PyTorch's L1Loss.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function meanAbsoluteError(options: LossOptions = {}): DistanceLoss {
  return described<DistanceLoss>({ loss: 'meanAbsoluteError', reduction: 'mean' }, readOptions(options, COMMON, 'meanAbsoluteError'))
}

/**
 * Half the square near 0, a straight line beyond `delta`; averaged over the last axis. Keras's Huber, PyTorch's HuberLoss.
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function huber(options: HuberOptions = {}): HuberLoss {
  return described({ loss: 'huber', reduction: 'mean', delta: 1 }, readOptions(options, HUBER, 'huber'))
}

/**
 * Connectionist temporal classification: labels whose timesteps nobody knows. PyTorch's `ctc_loss` (of batches first). Targets: `{ labels, inputLengths,
 * targetLengths }`, int32 [batch, labels] and [batch].
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function ctc(options: CtcOptions = {}): CtcLoss {
  return described({ loss: 'ctc', reduction: 'mean', blank: 0, perLabel: true, zeroInfinity: false }, readOptions(options, CTC, 'ctc'))
}

/**
 * Error-to-signal ratio of sounds, after a pre-emphasis filter, with a term for the difference of the means: how models of amplifiers are trained (Wright,
 * Damskägg and Välimäki 2019; GuitarML). Each row is divided by its own energy, as NeuralAmpModeler does. The plain ratio is
 * `esr({ preEmphasis: 0, esrWeight: 1, dcWeight: 0 })`. Targets: like the output, [batch, timesteps] or [batch, timesteps, channels].
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function esr(options: EsrOptions = {}): EsrLoss {
  const others: EsrLoss = { loss: 'esr', reduction: 'mean', preEmphasis: 0.85, esrWeight: 0.75, dcWeight: 0.25, epsilon: 1e-5 }
  return described(others, readOptions(options, ESR, 'esr'))
}

const MAKERS: Readonly<Record<LossName, (options?: never) => Loss>> = {
  categoricalCrossentropy, sparseCategoricalCrossentropy, binaryCrossentropy, meanSquaredError, mse: meanSquaredError, meanAbsoluteError,
  mae: meanAbsoluteError, huber, ctc, esr,
}

/** The description of a name or of a description, every number of it checked. @throws LstmError `VALUE` */
export function lossOf(given: unknown): Loss {
  const name = typeof given === 'string' ? given : typeof given === 'object' && given !== null && 'loss' in given ? given.loss : undefined
  if (typeof name !== 'string' || !Object.hasOwn(MAKERS, name)) {
    const names = Object.keys(MAKERS).join(', ')
    throw new LstmError('VALUE', `loss: expected one of ${names}, or what a function of such a name gives, got ${describeValue(name ?? given)}`)
  }
  const make = MAKERS[name as LossName]
  if (typeof given === 'string') return make()
  return make(Object.fromEntries(Object.entries(given as Loss).filter(([option]) => option !== 'loss')) as never)
}
