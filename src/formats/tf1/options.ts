import { LstmError } from '../../errors.ts'
import { FUNCTION_NAMES } from '../../ops/more-functions.ts'
import { describeValue } from '../../values/dtype.ts'
import type { FormatOptions } from '../reader.ts'

/** What the arguments of a cell were: files do not say. */
export interface Tensorflow1CellOptions {
  /** Added to the forget gate at run time. Default 1, as in TensorFlow (0 for CudnnCompatibleLSTMCell, which adds none). */
  readonly forgetBias?: number
  /** Of the candidate and of c on its way out: a function of one variable. Default `tanh`. */
  readonly activation?: string
  /** `cell_clip`: c is clamped to [-cellClip, cellClip]. Default: not. */
  readonly cellClip?: number
  /** `proj_clip`: h is clamped after the projection. Default: not. */
  readonly projClip?: number
}

/** What the code around the cells was: files do not say. */
export interface Tensorflow1Options extends FormatOptions, Tensorflow1CellOptions {
  /** Options of each layer, instead of the same for all; forward layers before backward ones. */
  readonly cells?: readonly Tensorflow1CellOptions[]
  /** Every cell is in a `ResidualWrapper`: its input is added to its output. Default false. */
  readonly residual?: boolean
  /** `time_major`: sequences are [timesteps, batch, features]. Default false. */
  readonly timeMajor?: boolean
  /** Whether there is an input `sequence_length` [batch] int32; outputs beyond it are zero. Default false. */
  readonly sequenceLength?: boolean
}

/** Options of the layer at `index` of `count`. @throws LstmError `VALUE` */
export function cellOptions(options: Tensorflow1Options, index: number, count: number): Tensorflow1CellOptions {
  if (options.cells !== undefined && options.cells.length !== count) {
    throw new LstmError('VALUE', `TensorFlow 1: expected options for ${count} cells, got ${options.cells.length}`)
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
