// Which losses a model is trained by: one, or one for each of several outputs.
import { LstmError } from '../../errors.ts'
import type { Loss, LossMakers, LossName } from './losses.ts'
import type { OptimizerMakers } from './optimizers.ts'
import type { RateAt } from './rates.ts'

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

/** What makes descriptions of losses and optimisers. */
export interface Makers {
  readonly losses: LossMakers
  readonly optimizers: OptimizerMakers
  /** For losses by the names of outputs, which are no usual ones. */
  readonly named?: (given: Readonly<Record<string, unknown>>, weights: unknown, makers: LossMakers) => readonly OutputLoss[]
  /** For rates that change. */
  readonly rateAt?: RateAt
}

/** A loss alone. */
export function onlyLoss(loss: Loss): readonly [OutputLoss] {
  return [{ loss, name: undefined, weight: 1 }]
}

/** How messages call the targets of a loss. */
export function targetsNamed({ name }: OutputLoss): string {
  return name === undefined ? 'targets' : `targets of '${name}'`
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws LstmError `VALUE` for a loss on an output that there is not */
export function checkOutputs(losses: readonly OutputLoss[], outputs: readonly { readonly name: string }[]): void {
  for (const { loss: { output } } of losses) {
    if (output === undefined || outputs.some(({ name }) => name === output)) continue
    throw new LstmError('VALUE', `loss: no output '${output}'; outputs are ${outputs.map(({ name }) => `'${name}'`).join(', ')}`)
  }
}
