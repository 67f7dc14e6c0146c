// Learning rates as plain descriptions, and those that do not change. What makes others is in schedules.ts.
import { LstmError } from '../../errors.ts'
import { atLeast, having, type Kind } from '../../options.ts'
import { describeValue } from '../../values/dtype.ts'

/** How long a rate takes to change, in steps of the optimiser or in epochs: one of the two. */
export interface Span {
  /** Steps of the optimiser (batches). Default: none; a schedule has either these or `epochs`. */
  readonly steps?: number | undefined
  /** Epochs; parts of one count too. Default: none; a schedule has either these or `steps`. */
  readonly epochs?: number | undefined
}

/** Always the same rate. */
export interface ConstantRate {
  readonly schedule: 'constant'
  readonly rate: number
}

/** rate factor^floor(t / span): PyTorch's StepLR. */
export interface StepDecay extends Span {
  readonly schedule: 'step'
  readonly rate: number
  readonly factor: number
}

/** rate factor^(t / span): Keras's ExponentialDecay. */
export interface ExponentialDecay extends Span {
  readonly schedule: 'exponential'
  readonly rate: number
  readonly factor: number
  /** Whether t / span is rounded down. */
  readonly staircase: boolean
}

/** minimum + (rate - minimum) (1 + cos(pi min(t / span, 1))) / 2: PyTorch's CosineAnnealingLR, Keras's CosineDecay. */
export interface CosineDecay extends Span {
  readonly schedule: 'cosine'
  readonly rate: number
  readonly minimum: number
}

/** From `from` straight to the first rate of `next`, which begins when the span is over. */
export interface WarmUp extends Span {
  readonly schedule: 'warmUp'
  readonly from: number
  readonly next: Schedule
}

/** A rate that changes. */
export type Schedule = ConstantRate | StepDecay | ExponentialDecay | CosineDecay | WarmUp

/** Where training is: steps that are done, and epochs with the part of the one that runs. */
export interface Progress {
  /** Steps. */
  readonly steps: number
  /** Epochs. */
  readonly epochs: number
}

/** What gives the rate for the next step. */
export type RateAt = (schedule: Schedule, at: Progress) => number

export const RATE: Kind = atLeast(0)
export const SCHEDULE: Kind = having('a schedule', 'schedule')

export function checkRate(rate: unknown, what: string): void {
  if (!RATE.test(rate)) throw new LstmError('VALUE', `${what}: expected a learning rate >= 0, got ${describeValue(rate)}`)
}

/** Always the same rate. @throws LstmError `VALUE` for a rate that is none */
export function constantRate(rate: number): ConstantRate {
  checkRate(rate, 'constantRate')
  return { schedule: 'constant', rate }
}

/** The schedule of a rate, or a description of one as it is: its numbers are looked at where it is used. @throws LstmError `VALUE` */
export function rateOf(given: unknown, what: string): Schedule {
  if (SCHEDULE.test(given)) return given as Schedule
  if (typeof given !== 'number') throw notARate(given, what)
  checkRate(given, what)
  return { schedule: 'constant', rate: given }
}

export function notARate(given: unknown, what: string): LstmError {
  return new LstmError('VALUE', `${what}: expected a learning rate, or a schedule of constantRate(), stepDecay(), exponentialDecay(), cosineDecay() or warmUp(), got ${describeValue(given)}`)
}
