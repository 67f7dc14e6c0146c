// Optimisers besides Adam.
import { LstmError } from '../../errors.ts'
import { atLeast, FLAG, readOptions, type OptionTable } from '../../options.ts'
import { ABOVE_ZERO, adam, adamw, COMMON, SHARE, type Optimizer, type OptimizerName, type Rmsprop, type RmspropOptions, type Sgd, type SgdOptions } from './optimizers.ts'
import { scheduleOf } from './schedules.ts'

const SGD: OptionTable<SgdOptions> = { ...COMMON, momentum: atLeast(0), dampening: { expected: 'a number', test: Number.isFinite }, nesterov: FLAG }
const RMSPROP: OptionTable<RmspropOptions> = { ...COMMON, alpha: SHARE, epsilon: ABOVE_ZERO, momentum: atLeast(0), centered: FLAG }

/**
 * Stochastic gradient descent, as PyTorch defines it: g + decay p; b = momentum b + (1 - dampening) g, at first b = g; p - rate b.
 * @param options `learningRate`, default 0.01; `momentum`, `dampening`, `weightDecay`, all 0; `nesterov`, false
 * @throws LstmError `VALUE` for options that are unknown or out of range, and for Nesterov without momentum or with dampening
 */
export function sgd(options: SgdOptions = {}): Sgd {
  const { learningRate = 0.01, momentum = 0, dampening = 0, nesterov = false, weightDecay = 0, ...rest } = readOptions(options, SGD, 'sgd')
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new LstmError('VALUE', `sgd: nesterov needs a momentum above 0 and no dampening, got ${momentum} and ${dampening}`)
  }
  return { optimizer: 'sgd', learningRate: scheduleOf(learningRate, 'sgd: learningRate'), momentum, dampening, nesterov, weightDecay, ...rest }
}

/**
 * RMSprop (Hinton 2012), as PyTorch defines it.
 * @param options `learningRate`, default 0.01; `alpha` 0.99, `epsilon` 1e-8, `momentum` 0, `centered` false, `weightDecay` 0
 * @throws LstmError `VALUE` for options that are unknown or out of range
 */
export function rmsprop(options: RmspropOptions = {}): Rmsprop {
  const { learningRate = 0.01, alpha = 0.99, epsilon = 1e-8, momentum = 0, centered = false, weightDecay = 0, ...rest } = readOptions(options, RMSPROP, 'rmsprop')
  return { optimizer: 'rmsprop', learningRate: scheduleOf(learningRate, 'rmsprop: learningRate'), alpha, epsilon, momentum, centered, weightDecay, ...rest }
}

/** Every number of the schedule is looked at here. */
const checked = (make: (options?: never) => Optimizer) => (options?: never): Optimizer => {
  const made = make(options)
  return { ...made, learningRate: scheduleOf(made.learningRate, `${made.optimizer}: learningRate`) }
}

/** All. */
export const OPTIMIZERS: Readonly<Record<OptimizerName, (options?: never) => Optimizer>> = { sgd, adam: checked(adam), adamw: checked(adamw), rmsprop }
