// Learning rates that change while a model trains: plain descriptions, which a checkpoint holds as they are, and the rate at a place. A chunk that is loaded
// where one is used.
import { LstmError } from '../../errors.ts'
import { FLAG, readOptions, type Kind, type OptionTable } from '../../options.ts'
import {
  checkRate, constantRate, notARate, RATE, rateOf, SCHEDULE, type ConstantRate, type CosineDecay, type ExponentialDecay, type Progress, type Schedule,
  type Span, type StepDecay, type WarmUp,
} from './rates.ts'

/** Options of `stepDecay`. */
export interface StepDecayOptions extends Span {
  /** What the rate is multiplied with. Default 0.1. */
  readonly factor?: number | undefined
}

/** Options of `exponentialDecay`. */
export interface ExponentialDecayOptions extends Span {
  /** What the rate is multiplied with over a span. Default 0.96. */
  readonly factor?: number | undefined
  /** Whether it changes at the end of each span, not smoothly. Default false. */
  readonly staircase?: boolean | undefined
}

/** Options of `cosineDecay`. */
export interface CosineDecayOptions extends Span {
  /** The last rate. Default 0. */
  readonly minimum?: number | undefined
}

/** Options of `warmUp`. */
export interface WarmUpOptions extends Span {
  /** The first rate. Default 0. */
  readonly from?: number | undefined
}

const LENGTH: Kind = { expected: 'a number above 0', test: (value) => Number.isFinite(value) && (value as number) > 0 }
const SPAN: OptionTable<Span> = { steps: LENGTH, epochs: LENGTH }
const STEP_OPTIONS: OptionTable<StepDecayOptions> = { ...SPAN, factor: RATE }
const EXPONENTIAL_OPTIONS: OptionTable<ExponentialDecayOptions> = { ...SPAN, factor: RATE, staircase: FLAG }
const COSINE_OPTIONS: OptionTable<CosineDecayOptions> = { ...SPAN, minimum: RATE }
const WARM_UP_OPTIONS: OptionTable<WarmUpOptions> = { ...SPAN, from: RATE }

function checkSpan({ steps, epochs }: Span, what: string): void {
  if ((steps === undefined) === (epochs === undefined)) throw new LstmError('VALUE', `${what}: expected either 'steps' or 'epochs', got ${steps === undefined ? 'neither' : 'both'}`)
}

/**
 * The rate times `factor` after every span: PyTorch's StepLR (`step_size`, `gamma`).
 * @throws LstmError `VALUE`
 */
export function stepDecay(rate: number, options: StepDecayOptions): StepDecay {
  checkRate(rate, 'stepDecay')
  const { factor = 0.1, ...span } = readOptions(options, STEP_OPTIONS, 'stepDecay')
  checkSpan(span, 'stepDecay')
  return { schedule: 'step', rate, factor, ...span }
}

/**
 * The rate times `factor` over every span, smoothly: Keras's ExponentialDecay (`decay_steps`, `decay_rate`, `staircase`); with a span of one epoch and
 * `staircase`, PyTorch's ExponentialLR.
 * @throws LstmError `VALUE`
 */
export function exponentialDecay(rate: number, options: ExponentialDecayOptions): ExponentialDecay {
  checkRate(rate, 'exponentialDecay')
  const { factor = 0.96, staircase = false, ...span } = readOptions(options, EXPONENTIAL_OPTIONS, 'exponentialDecay')
  checkSpan(span, 'exponentialDecay')
  return { schedule: 'exponential', rate, factor, staircase, ...span }
}

/**
 * Half a cosine from the rate down to `minimum`, where it stays: PyTorch's CosineAnnealingLR (`T_max`, `eta_min`), Keras's CosineDecay (whose
 * `alpha` is minimum / rate).
 * @throws LstmError `VALUE`
 */
export function cosineDecay(rate: number, options: CosineDecayOptions): CosineDecay {
  checkRate(rate, 'cosineDecay')
  const { minimum = 0, ...span } = readOptions(options, COSINE_OPTIONS, 'cosineDecay')
  checkSpan(span, 'cosineDecay')
  return { schedule: 'cosine', rate, minimum, ...span }
}

/**
 * A rate that grows straight from `from`, default 0, over the span to the first one of `next`, which goes on from there as if it began.
 * @param next a rate or a schedule, no other warm-up
 * @throws LstmError `VALUE`
 */
export function warmUp(next: number | Schedule, options: WarmUpOptions): WarmUp {
  if (SCHEDULE.test(next) && (next as Schedule).schedule === 'warmUp') throw new LstmError('VALUE', "warmUp: expected a rate or another schedule for 'next', got a warmUp()")
  const schedule = scheduleOf(next, 'warmUp')
  const { from = 0, ...span } = readOptions(options, WARM_UP_OPTIONS, 'warmUp')
  checkSpan(span, 'warmUp')
  return { schedule: 'warmUp', from, next: schedule, ...span }
}

/** What remains of a description without its kind and rate: options. */
function optionsOf<T extends Schedule>(given: T): Omit<T, 'schedule' | 'rate' | 'next'> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !['schedule', 'rate', 'next'].includes(name))) as Omit<T, 'schedule' | 'rate' | 'next'>
}

const MAKERS: Readonly<Record<Schedule['schedule'], (given: never) => Schedule>> = {
  constant: ({ rate }: ConstantRate) => constantRate(rate),
  step: (given: StepDecay) => stepDecay(given.rate, optionsOf(given)),
  exponential: (given: ExponentialDecay) => exponentialDecay(given.rate, optionsOf(given)),
  cosine: (given: CosineDecay) => cosineDecay(given.rate, optionsOf(given)),
  warmUp: (given: WarmUp) => warmUp(given.next, optionsOf(given)),
}

/** The schedule of a rate or of a description, every number of it checked. @throws LstmError `VALUE` */
export function scheduleOf(given: unknown, what: string): Schedule {
  const schedule = rateOf(given, what)
  if (!Object.hasOwn(MAKERS, schedule.schedule)) throw notARate(schedule.schedule, what)
  return MAKERS[schedule.schedule](schedule as never)
}

/** t / span. */
function partOf({ steps, epochs }: Span, at: Progress): number {
  return steps === undefined ? at.epochs / (epochs as number) : at.steps / steps
}

/** The rate for the next step. */
export function rateAt(schedule: Schedule, at: Progress): number {
  switch (schedule.schedule) {
    case 'constant': return schedule.rate
    case 'step': return schedule.rate * schedule.factor ** Math.floor(partOf(schedule, at))
    case 'exponential': {
      const part = partOf(schedule, at)
      return schedule.rate * schedule.factor ** (schedule.staircase ? Math.floor(part) : part)
    }
    case 'cosine': {
      const { rate, minimum } = schedule
      return minimum + (rate - minimum) * (1 + Math.cos(Math.PI * Math.min(partOf(schedule, at), 1))) / 2
    }
    case 'warmUp': {
      const { steps = 0, epochs = 0, from, next } = schedule
      const part = partOf(schedule, at)
      if (part < 1) return from + (rateAt(next, { steps: 0, epochs: 0 }) - from) * part
      return rateAt(next, { steps: at.steps - steps, epochs: at.epochs - epochs })
    }
  }
}
