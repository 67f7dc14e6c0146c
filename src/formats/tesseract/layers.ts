// The layers of a network as a file has them: each its type, sizes and weights, some with layers inside them.
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import type { Budget } from '../budget.ts'
import { type Cursor, malformed } from './cursor.ts'

/** A matrix [outputs, inputs and bias]: floats, or integers with a scale for each row. */
export interface Weights {
  readonly rows: number
  readonly columns: number
  readonly q: Int8Array | undefined
  /** A scale for each row of q. */
  readonly scales: Float32Array
  /** Where there is no q. */
  readonly floats: Float32Array
}

interface Named {
  readonly name: string
}

/** Widths come before heights. */
export type Layer = Named & (
  | { readonly type: 'Input', readonly height: number, readonly depth: number }
  | { readonly type: 'Series', readonly stack: readonly Layer[] }
  | { readonly type: 'XYTranspose', readonly stack: readonly Layer[] }
  | { readonly type: 'RTLReversed', readonly stack: readonly Layer[] }
  | { readonly type: 'Convolve', readonly half: readonly [number, number] }
  | { readonly type: 'Maxpool', readonly window: readonly [number, number] }
  /** Gates i, f, g, o; SummLSTM gives its last step alone. */
  | { readonly type: 'LSTM' | 'SummLSTM', readonly gates: readonly Weights[] }
  | { readonly type: Dense, readonly weights: Weights }
)

/** Layers of one matrix, and the function after it. */
export const DENSE = { Tanh: 'tanh', Logistic: 'sigmoid', Relu: 'relu', Linear: 'linear', Softmax: 'softmax', SoftmaxNoCTC: 'softmax' } as const
type Dense = keyof typeof DENSE

const DEEPEST = 16
const MOST_SIZE = 4096
/** Bits of a matrix's mode. */
const INT8 = 1
const NEW_FORMAT = 128
/** The flag of a layer whose inner layers have learning rates of their own. */
const LEARNING_RATES = 64

const isDense = (type: string): type is Dense => Object.hasOwn(DENSE, type)

/** A size that a layer says. */
function sizeOf(cursor: Cursor, of: string, least = 1): number {
  const size = cursor.int32(of)
  if (size < least || size > MOST_SIZE) throw malformed(`lstm: expected ${least} to ${MOST_SIZE} for ${of}, got ${size}`)
  return size
}

function readWeights(cursor: Cursor, of: string, budget: Budget): Weights {
  const mode = cursor.int8(of) & 0xff
  if (!(mode & NEW_FORMAT)) throw new LstmError('UNSUPPORTED', `traineddata: the weights of ${of} are in a format before Tesseract 4.0 (mode ${mode})`)
  const [rows, columns] = [cursor.uint32(of), cursor.uint32(of)]
  const isInt8 = (mode & INT8) !== 0
  if (rows === 0 || columns < 2) throw malformed(`lstm: expected a matrix of inputs and a bias for ${of}, got ${rows} x ${columns}`)
  // The element that is there for empty places.
  cursor.take(isInt8 ? 1 : 8, of)
  const elements = rows * columns
  if (!isInt8) {
    budget.copy(elements, 4 * elements, of)
    return { rows, columns, q: undefined, scales: new Float32Array(0), floats: cursor.float64s(elements, of) }
  }
  const integers = cursor.take(elements, of)
  // Their number may be rounded up beyond the rows.
  const scales = cursor.uint32(of)
  if (scales < rows) throw malformed(`lstm: expected a scale for each of ${rows} rows of ${of}, got ${scales}`)
  return {
    rows, columns, q: new Int8Array(integers.buffer, integers.byteOffset, integers.length),
    scales: cursor.float64s(scales, `the scales of ${of}`).subarray(0, rows), floats: new Float32Array(0),
  }
}

function readGates(cursor: Cursor, of: string, inputs: number, budget: Budget): Weights[] {
  const all = cursor.int32(of)
  const candidate = readWeights(cursor, `the gate CI of ${of}`, budget)
  const units = candidate.rows
  if (all === inputs + 2 * units) throw new LstmError('UNSUPPORTED', `traineddata: ${of} is a 2-D LSTM, which reads rows and columns at once; supported are those along one axis`)
  const [input, forget, output] = ['GI', 'GF1', 'GO'].map((gate) => readWeights(cursor, `the gate ${gate} of ${of}`, budget)) as [Weights, Weights, Weights]
  const gates = [input, forget, candidate, output]
  if (all !== inputs + units || gates.some(({ rows, columns }) => rows !== units || columns !== all + 1)) {
    throw malformed(`lstm: expected gates ${units} x ${inputs + units + 1} of ${of}, got ${gates.map(({ rows, columns }) => `${rows} x ${columns}`).join(', ')} and ${all} inputs`)
  }
  return gates
}

/**
 * The layer that begins here, and all inside it.
 * @throws LstmError `FORMAT`, `UNSUPPORTED` for layers that are not run here, and checkpoints
 */
export function readLayer(cursor: Cursor, budget: Budget, depth = 0): Layer {
  if (depth > DEEPEST) throw malformed(`lstm: expected layers at most ${DEEPEST} deep in each other, got more`)
  budget.build('a layer')
  const code = cursor.int8('the type of a layer')
  if (code !== 0) throw new LstmError('UNSUPPORTED', `traineddata: expected layers with the names of their types, got the number ${code}: a format before Tesseract 4.0`)
  const type = cursor.text('the type of a layer')
  const training = cursor.int8(type)
  cursor.int8(type)
  const [flags, inputs] = [cursor.int32(type), cursor.int32(type)]
  cursor.take(8, 'its outputs and weights')
  const name = cursor.text('the name of a layer')
  const of = `${describeValue(name)} (${type.slice(0, 40)})`
  if (training === 1) throw new LstmError('UNSUPPORTED', 'traineddata: a checkpoint of a training: write the model itself with lstmtraining --stop_training')
  switch (type) {
    case 'Input': {
      cursor.take(4, of)
      const [height] = [sizeOf(cursor, `the height of ${of}`, 0), cursor.int32(of)]
      const depthOfPixels = sizeOf(cursor, `the depth of ${of}`)
      cursor.take(4, of)
      return { type, name, height, depth: depthOfPixels }
    }
    case 'Series': case 'XYTranspose': case 'RTLReversed': {
      const count = cursor.uint32(of)
      const stack: Layer[] = []
      // Not made at once: the count may lie.
      while (stack.length < count) stack.push(readLayer(cursor, budget, depth + 1))
      if (flags & LEARNING_RATES) cursor.take(4 * cursor.uint32(of), of)
      return { type, name, stack }
    }
    case 'Convolve': return { type, name, half: [sizeOf(cursor, `half the width of ${of}`, 0), sizeOf(cursor, `half the height of ${of}`, 0)] }
    case 'Maxpool': return { type, name, window: [sizeOf(cursor, `the width of ${of}`), sizeOf(cursor, `the height of ${of}`)] }
    case 'LSTM': case 'SummLSTM': return { type, name, gates: readGates(cursor, of, inputs, budget) }
  }
  if (isDense(type)) return { type, name, weights: readWeights(cursor, of, budget) }
  throw new LstmError('UNSUPPORTED', `traineddata: a layer of type ${describeValue(type)}; supported are Input, Convolve, Maxpool, LSTM, SummLSTM, Series, XYTranspose, RTLReversed, ${Object.keys(DENSE).join(', ')}`)
}
