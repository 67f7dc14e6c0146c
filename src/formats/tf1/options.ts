import { LstmError } from '../../errors.ts'
import { FUNCTION_NAMES } from '../../ops/more-functions.ts'
import { describeValue } from '../../values/dtype.ts'
import type { Tensorflow1CellOptions, Tensorflow1Options } from '../reader.ts'

const CELL_OPTIONS: readonly string[] = ['forgetBias', 'activation', 'cellClip', 'projClip']

/** Options of the layer at `index` of `count`. @throws LstmError `VALUE` */
export function cellOptions(options: Tensorflow1Options, index: number, count: number): Tensorflow1CellOptions {
  if (options.cells !== undefined && options.cells.length !== count) {
    throw new LstmError('VALUE', `TensorFlow 1: expected options for ${count} cells, got ${options.cells.length}`)
  }
  for (const cell of options.cells ?? []) {
    const unknown = Object.keys(cell).filter((name) => !CELL_OPTIONS.includes(name))
    if (unknown.length > 0) throw new LstmError('VALUE', `TensorFlow 1: no option '${unknown.join("', '")}' of a cell; there are ${CELL_OPTIONS.join(', ')}`)
  }
  const { forgetBias, activation = 'tanh', cellClip = 0, projClip = 0 } = options.cells?.[index] ?? options
  const least = { forgetBias: -Infinity, cellClip: 0, projClip: 0 }
  for (const [name, value] of Object.entries({ forgetBias: forgetBias ?? 0, cellClip, projClip })) {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < least[name as keyof typeof least]) {
      throw new LstmError('VALUE', `TensorFlow 1: expected a number for '${name}', got ${describeValue(value)}`)
    }
  }
  if (!FUNCTION_NAMES.includes(activation)) {
    throw new LstmError('UNSUPPORTED', `TensorFlow 1: no activation ${describeValue(activation)}; there are ${FUNCTION_NAMES.join(', ')}`)
  }
  return { ...(forgetBias !== undefined && { forgetBias }), activation, cellClip, projClip }
}
