// Which losses a model is trained by: one, or one for each of several outputs.
import { LstmError } from '../errors.ts'
import { atLeast } from '../options.ts'
import { describeValue } from '../values/dtype.ts'
import { lossOf, type Loss, type LossName } from './losses.ts'

/** A loss, on the output that it names. */
export interface OutputLoss {
  /** Its name and numbers; `output` says on which output it is. */
  readonly loss: Loss
  /** What its numbers are told by: the output, where there are several losses. */
  readonly name: string | undefined
  /** What it counts in the sum that is made small. */
  readonly weight: number
}

/** Losses by the names of outputs. */
export type NamedLosses = Readonly<Record<string, Loss | LossName>>

/** A loss alone. */
export function onlyLoss(loss: Loss): readonly [OutputLoss] {
  return [{ loss, name: undefined, weight: 1 }]
}

/** How messages call the targets of a loss. */
export function targetsNamed({ name }: OutputLoss): string {
  return name === undefined ? 'targets' : `targets of '${name}'`
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isNamedLosses = (given: unknown): given is Readonly<Record<string, unknown>> => isRecord(given) && typeof given.loss !== 'string'
const WEIGHT = atLeast(0)

/**
 * The losses that a trainer was told: one, or some by the names of outputs.
 * @param weights by the same names. Default: each counts 1
 * @throws LstmError `VALUE`
 */
export function outputLossesOf(given: unknown, weights: unknown): readonly OutputLoss[] {
  if (!isNamedLosses(given)) {
    if (weights !== undefined) throw new LstmError('VALUE', 'createTrainer: lossWeights go with losses by name: loss: { output: loss, ... }')
    return onlyLoss(lossOf(given))
  }
  const names = Object.keys(given)
  if (names.length === 0) throw new LstmError('VALUE', 'loss: expected a loss, or losses by the names of outputs, got none')
  const counts = weightsOf(weights, names)
  return names.map((name) => {
    const loss = lossOf(given[name])
    if (loss.output !== undefined && loss.output !== name) throw new LstmError('VALUE', `loss: '${name}' is a loss on the output '${loss.output}': expected one name`)
    return { loss: { ...loss, output: name }, name: names.length === 1 ? undefined : name, weight: counts[name] ?? 1 }
  })
}

function weightsOf(given: unknown, names: readonly string[]): Readonly<Record<string, number>> {
  if (given === undefined) return {}
  if (!isRecord(given)) throw new LstmError('VALUE', `lossWeights: expected numbers by the names of outputs, got ${describeValue(given)}`)
  for (const [name, weight] of Object.entries(given)) {
    if (!names.includes(name)) throw new LstmError('VALUE', `lossWeights: no loss '${name}'; losses are ${names.map((own) => `'${own}'`).join(', ')}`)
    if (!WEIGHT.test(weight)) throw new LstmError('VALUE', `lossWeights: expected ${WEIGHT.expected} for '${name}', got ${describeValue(weight)}`)
  }
  return given as Readonly<Record<string, number>>
}

/** @throws LstmError `VALUE` for a loss on an output that there is not */
export function checkOutputs(losses: readonly OutputLoss[], outputs: readonly { readonly name: string }[]): void {
  for (const { loss: { output } } of losses) {
    if (output === undefined || outputs.some(({ name }) => name === output)) continue
    throw new LstmError('VALUE', `loss: no output '${output}'; outputs are ${outputs.map(({ name }) => `'${name}'`).join(', ')}`)
  }
}
