import { LstmError } from '../../errors.ts'
import { FUNCTION_NAMES } from '../../ops/elementwise/function-table.ts'
import { noOption, readOptions } from '../../options.ts'
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

/** Options of the layer at `index` of `count`. @throws LstmError `VALUE` */
export function cellOptions(options: Tensorflow1Options, index: number, count: number): Tensorflow1CellOptions {
  if (options.cells !== undefined && options.cells.length !== count) {
    throw new LstmError('VALUE', `TensorFlow 1: expected options for ${count} cells, got ${options.cells.length}`)
  }
  const { forgetBias, activation = 'tanh', cellClip = 0, projClip = 0 } = options.cells?.[index] ?? options
  return { ...(forgetBias !== undefined && { forgetBias }), activation, cellClip, projClip }
}
