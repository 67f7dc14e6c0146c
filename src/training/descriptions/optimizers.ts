// Optimisers, as plain descriptions: which one, and its numbers. Here are Adam and AdamW; the others are in more-optimizers.ts. What steps with them is
// in optimizer-state.ts.
import { LstmError } from '../../errors.ts'
import { atLeast, readOptions, type Kind, type OptionTable } from '../../options.ts'
import { describeValue } from '../../values/dtype.ts'
import { rateOf, type Schedule } from './rates.ts'

/** What all optimisers have. Gradients are cut in this order: by value, by norm, by global norm. */
export interface OptimizerOptions {
  /** How far a step goes: a number, or a schedule of `cosineDecay()` and the others. Default 0.001; of `sgd` and `rmsprop` 0.01. */
  readonly learningRate?: number | Schedule | undefined
  /**
   * Pulls parameters towards 0: `adamw` takes rate x decay of each parameter off (decoupled), the others add decay x parameter to its gradient (L2).
   * Default 0; of `adamw` 0.01.
   */
  readonly weightDecay?: number | undefined
  /** Each element of a gradient is cut to [-clipValue, clipValue]: PyTorch's `clip_grad_value_`. Default: none. */
  readonly clipValue?: number | undefined
  /** The gradient of each parameter is scaled down to at most this norm: PyTorch's `clip_grad_norm_` of one tensor. Default: none. */
  readonly clipNorm?: number | undefined
  /** All gradients together are scaled down to at most this norm: PyTorch's `clip_grad_norm_`. Default: none. */
  readonly globalClipNorm?: number | undefined
}

/** Options of `sgd`. */
export interface SgdOptions extends OptimizerOptions {
  /** How much of the step before goes on. Default 0. */
  readonly momentum?: number | undefined
  /** How much of the gradient is left out of the momentum. Default 0. */
  readonly dampening?: number | undefined
  /** Nesterov's momentum: looks one step ahead. Default false. */
  readonly nesterov?: boolean | undefined
}

/** Options of `adam` and `adamw`. */
export interface AdamOptions extends OptimizerOptions {
  /** How long the mean of gradients remembers. Default 0.9. */
  readonly beta1?: number | undefined
  /** How long the mean of squares remembers. Default 0.999. */
  readonly beta2?: number | undefined
  /** Added to the root. Default 1e-8, as PyTorch has it; Keras has 1e-7. */
  readonly epsilon?: number | undefined
}

/** Options of `rmsprop`. */
export interface RmspropOptions extends OptimizerOptions {
  /** How long the mean of squares remembers. Default 0.99, as PyTorch has it; Keras calls it rho and has 0.9. */
  readonly alpha?: number | undefined
  /** Added to the root. Default 1e-8, as PyTorch has it; Keras has 1e-7, and adds it below the root. */
  readonly epsilon?: number | undefined
  /** How much of the step before goes on. Default 0. */
  readonly momentum?: number | undefined
  /** Whether the variance is divided by, not the mean of squares. Default false. */
  readonly centered?: boolean | undefined
}

/** What all descriptions have. */
interface Described {
  readonly learningRate: Schedule
  readonly weightDecay: number
  readonly clipValue?: number | undefined
  readonly clipNorm?: number | undefined
  readonly globalClipNorm?: number | undefined
}

/** What `sgd` describes. */
export interface Sgd extends Described {
  readonly optimizer: 'sgd'
  readonly momentum: number
  readonly dampening: number
  readonly nesterov: boolean
}

/** What `adam` and `adamw` describe. */
export interface Adam extends Described {
  readonly optimizer: 'adam' | 'adamw'
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

/** What `rmsprop` describes. */
export interface Rmsprop extends Described {
  readonly optimizer: 'rmsprop'
  readonly alpha: number
  readonly epsilon: number
  readonly momentum: number
  readonly centered: boolean
}

/** An optimiser, and its numbers. */
export type Optimizer = Sgd | Adam | Rmsprop

/** Names that do for an optimiser with its defaults. */
export type OptimizerName = Optimizer['optimizer']

const ANY: Kind = { expected: 'a learning rate or a schedule', test: () => true } // rateOf looks at it
// Padding has a gradient of 0 and a root of 0: without an epsilon in float32 it would be divided to NaN.
export const ABOVE_ZERO: Kind = { expected: 'a number above 0', test: (value) => Number.isFinite(value) && Math.fround(value as number) > 0 }
export const SHARE: Kind = { expected: 'a number from 0 to less than 1', test: (value) => typeof value === 'number' && value >= 0 && value < 1 }
export const COMMON: OptionTable<OptimizerOptions> = {
  learningRate: ANY, weightDecay: atLeast(0), clipValue: ABOVE_ZERO, clipNorm: ABOVE_ZERO, globalClipNorm: ABOVE_ZERO,
}
const ADAM: OptionTable<AdamOptions> = { ...COMMON, beta1: SHARE, beta2: SHARE, epsilon: ABOVE_ZERO }
function adamOf(optimizer: 'adam' | 'adamw', options: AdamOptions, decay: number): Adam {
  const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = decay, ...rest } = readOptions(options, ADAM, optimizer)
  return { optimizer, learningRate: rateOf(learningRate, `${optimizer}: learningRate`), beta1, beta2, epsilon, weightDecay, ...rest }
}

/**
 * Adam (Kingma and Ba 2015), as PyTorch defines it: epsilon is added after the correction of the root. Weight decay is L2.
 * @param options `learningRate`, default 0.001; `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-8, `weightDecay` 0
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function adam(options: AdamOptions = {}): Adam {
  return adamOf('adam', options, 0)
}

/**
 * AdamW (Loshchilov and Hutter 2019), as PyTorch defines it: Adam whose weight decay is no gradient, but rate x decay x parameter.
 * @param options `learningRate`, default 0.001; `beta1` 0.9, `beta2` 0.999, `epsilon` 1e-8, `weightDecay` 0.01
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function adamw(options: AdamOptions = {}): Adam {
  return adamOf('adamw', options, 0.01)
}

/** Functions that describe optimisers, by name. */
export type OptimizerMakers = Readonly<Partial<Record<OptimizerName, (options?: never) => Optimizer>>>

export const USUAL_OPTIMIZERS: OptimizerMakers = { adam, adamw }

/** The description of a name or of a description, every number of it checked. @throws LstmError `VALUE` */
export function optimizerOf(given: unknown, makers: OptimizerMakers): Optimizer {
  const name = typeof given === 'string' ? given : typeof given === 'object' && given !== null && 'optimizer' in given ? given.optimizer : undefined
  const make = typeof name === 'string' && Object.hasOwn(makers, name) ? makers[name as OptimizerName] : undefined
  if (make === undefined) {
    const got = describeValue(name ?? given)
    throw new LstmError('VALUE', `optimizer: expected 'sgd', 'adam', 'adamw' or 'rmsprop', or what sgd(), adam(), adamw() or rmsprop() gives, got ${got}`)
  }
  if (typeof given === 'string') return make()
  return make(Object.fromEntries(Object.entries(given as Optimizer).filter(([option]) => option !== 'optimizer')) as never)
}
