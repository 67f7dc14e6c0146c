import { LstmError } from '../../errors.ts'
import type { Conversion } from './conversion.ts'

/**
 * The branch of an If whose condition is known takes its place.
 * @throws LstmError `UNSUPPORTED` when it is not, naming the inputs that would have to be fixed
 */
export function convertIf(c: Conversion): void {
  const condition = c.value(0)
  if (condition === undefined) {
    const inputs = c.importer.dependencies(c.input(0)).map((name) => JSON.stringify(name))
    const hint = inputs.length === 0
      ? 'it does not follow from constants'
      : `it depends on the inputs ${inputs.join(', ')}: fix what decides it with the option 'constants', as in { constants: { ${inputs.at(-1)}: value } }`
    throw new LstmError('UNSUPPORTED', `onnx: ${c.label}: which branch to take must be known beforehand; ${hint}`)
  }
  if (condition.data.length !== 1) throw c.unsupported(`a condition of ${condition.data.length} elements`)
  const values = c.inline(condition.data[0] === 0 ? 'else_branch' : 'then_branch')
  values.forEach((value, position) => c.alias(position, value))
}
