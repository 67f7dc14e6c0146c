import { LstmError } from '../../errors.ts'
import { FUNCTION_NAMES } from '../../ops/elementwise/function-table.ts'
import { noOption, readOptions } from '../../options.ts'
import type { Cell } from './cell.ts'
import { CELL_OPTIONS, type Tensorflow1CellOptions, type Tensorflow1Options } from '../reader.ts'

/** Checks what the options say of each cell. @throws LstmError `VALUE` */
export function checkCells(options: Tensorflow1Options): Tensorflow1Options {
  const { activation, cells } = options
  checkActivation(activation)
  if (cells === undefined) return options
  const read = cells.map((cell, index) => readOptions(cell, CELL_OPTIONS, `TensorFlow 1: cells[${index}]`))
  for (const cell of read) checkActivation(cell.activation)
  return { ...options, cells: read }
}

function checkActivation(activation: string | undefined): void {
  if (activation !== undefined && !FUNCTION_NAMES.includes(activation)) {
    throw new LstmError('VALUE', `TensorFlow 1: activation: ${noOption([activation], FUNCTION_NAMES)}`)
  }
}

/** Options of the layer at `index` of `count`. @throws LstmError `VALUE`, also for options that its cell has no use for */
export function cellOptions(options: Tensorflow1Options, { op, scope }: Cell, index: number, count: number): Tensorflow1CellOptions {
  if (options.cells !== undefined && options.cells.length !== count) {
    throw new LstmError('VALUE', `TensorFlow 1: expected options for ${count} cells, got ${options.cells.length}`)
  }
  const own = options.cells?.[index]
  // The same for all is for those that have it.
  for (const name of ['forgetBias', 'cellClip', 'projClip'] as const) {
    const isAsked = own?.[name] !== undefined || (count === 1 && options[name] !== undefined)
    if (op !== 'lstm' && isAsked) throw new LstmError('VALUE', `TensorFlow 1: '${name}' is for LSTM cells, and '${scope}' is a ${op === 'gru' ? 'GRU' : 'plain RNN'}`)
  }
  const { forgetBias, activation = 'tanh', cellClip = 0, projClip = 0 } = own ?? options
  return { ...(forgetBias !== undefined && { forgetBias }), activation, cellClip, projClip }
}
