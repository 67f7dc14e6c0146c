// Functions that describe losses and optimisers, by name: the usual ones are at hand, all of them are a chunk that is loaded when another one is named.
import { LstmError } from '../../errors.ts'
import { late } from '../../runtime/gradients/late.ts'
import { lossOf, USUAL_LOSSES } from './losses.ts'
import { USUAL_OPTIMIZERS } from './optimizers.ts'
import { isRecord, onlyLoss, type Makers, type OutputLoss } from './output-losses.ts'

/** What stands for one: its name, or a description that has it. */
function nameIn(given: unknown, key: string): string {
  const name = isRecord(given) ? given[key] : given
  return typeof name === 'string' ? name : ''
}

/** Whether it is an optimiser whose rate does not change, as far as is seen from here. */
const isConstant = (optimizer: unknown): boolean => !isRecord(optimizer) || nameIn(optimizer.learningRate, 'schedule') === 'constant'

/** All of them. @throws LstmError `ENVIRONMENT` where dynamic imports are forbidden */
export async function allMakers(): Promise<Required<Makers>> {
  return (await late(() => import('./all-makers.ts'), 'losses and optimizers')).MAKERS
}

/** What makes descriptions of a loss, or of losses by the names of outputs, and of an optimiser. @throws LstmError see `allMakers` */
export async function makersOf(loss: unknown, optimizer: unknown): Promise<Makers> {
  const isUsual = Object.hasOwn(USUAL_LOSSES, nameIn(loss, 'loss')) && Object.hasOwn(USUAL_OPTIMIZERS, nameIn(optimizer, 'optimizer')) && isConstant(optimizer)
  return isUsual ? { losses: USUAL_LOSSES, optimizers: USUAL_OPTIMIZERS } : allMakers()
}

const isNamedLosses = (given: unknown): given is Readonly<Record<string, unknown>> => isRecord(given) && typeof given.loss !== 'string'

/**
 * The losses that a trainer was told: one, or some by the names of outputs.
 * @param weights by the same names. Default: each counts 1
 * @param makers of descriptions
 * @throws LstmError `VALUE`
 */
export function outputLossesOf(given: unknown, weights: unknown, makers: Makers): readonly OutputLoss[] {
  if (!isNamedLosses(given)) {
    if (weights !== undefined) throw new LstmError('VALUE', 'createTrainer: lossWeights go with losses by name: loss: { output: loss, ... }')
    return onlyLoss(lossOf(given, makers.losses))
  }
  return (makers as Required<Makers>).named(given, weights, makers.losses)
}
