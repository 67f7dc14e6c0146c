// Losses besides the usual ones.
import { atLeast, FLAG, readOptions, type OptionTable } from '../../options.ts'
import {
  COMMON, described, INTEGER, PROBABILITY, USUAL_LOSSES, type CtcLoss, type CtcOptions, type DistanceLoss, type EsrLoss, type EsrOptions, type HuberLoss,
  type HuberOptions, type Loss, type LossName, type LossOptions, type ProbabilityLoss, type ProbabilityOptions,
} from './losses.ts'

const HUBER: OptionTable<HuberOptions> = { ...COMMON, delta: atLeast(Number.MIN_VALUE) }
const CTC: OptionTable<CtcOptions> = { ...PROBABILITY, blank: INTEGER, perLabel: FLAG, zeroInfinity: FLAG }
const ESR: OptionTable<EsrOptions> = {
  ...COMMON, preEmphasis: { expected: 'a number', test: Number.isFinite }, esrWeight: atLeast(0), dcWeight: atLeast(0), epsilon: atLeast(Number.MIN_VALUE),
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

/** All. */
export const LOSSES: Readonly<Record<LossName, (options?: never) => Loss>> = {
  ...USUAL_LOSSES as Pick<typeof LOSSES, 'categoricalCrossentropy' | 'sparseCategoricalCrossentropy' | 'meanSquaredError' | 'mse'>, binaryCrossentropy,
  meanAbsoluteError, mae: meanAbsoluteError, huber, ctc, esr,
}
