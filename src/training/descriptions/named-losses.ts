import { LstmError } from '../../errors.ts'
import { atLeast } from '../../options.ts'
import { describeValue } from '../../values/dtype.ts'
import { lossOf, type LossMakers } from './losses.ts'
import { isRecord, type OutputLoss } from './output-losses.ts'

const WEIGHT = atLeast(0)

/** Losses by the names of outputs. @throws LstmError see `outputLossesOf` */
export function namedLosses(given: Readonly<Record<string, unknown>>, weights: unknown, makers: LossMakers): readonly OutputLoss[] {
  const names = Object.keys(given)
  if (names.length === 0) throw new LstmError('VALUE', 'loss: expected a loss, or losses by the names of outputs, got none')
  const counts = weightsOf(weights, names)
  return names.map((name) => {
    const loss = lossOf(given[name], makers)
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
