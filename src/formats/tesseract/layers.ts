// The layers of a network as a file has them, in the order in which they run.
import { describeValue } from '../../values/dtype.ts'
import type { Budget } from '../budget.ts'
import { type Cursor, otherLayer, unsupported, within } from './cursor.ts'

/** A matrix [outputs, inputs and bias]: floats, or integers with a scale for each row. */
export interface Weights {
  readonly rows: number
  readonly columns: number
  readonly data: Int8Array | Float32Array
  readonly scales: Float32Array | undefined
}

/** A layer that is not made of others. */
export interface Layer {
  readonly type: string
  readonly name: string
  /** Its name and type, for messages. */
  readonly of: string
  /** Input: batch, height, width, colours, loss. Convolve: half the width, half the height. Maxpool: width, height. LSTMs: what a gate takes. */
  readonly sizes: readonly number[]
  /** LSTMs: the gates g, i, f, o. */
  readonly weights: readonly Weights[]
  /** Runs along y: it stands in an XYTranspose. */
  readonly isTall: boolean
  /** Runs from the end: it stands in an RTLReversed. */
  readonly isReverse: boolean
}

/** How many whole numbers and matrices a layer has, and the function after its only matrix; nothing of one that is made of others. */
export type Kind = readonly [sizes?: number, matrices?: number, operator?: string]

/** Types of layers. SummLSTM gives its last step alone. */
export const KINDS: ReadonlyMap<string, Kind> = new Map(Object.entries<Kind>({
  Input: [5, 0], Convolve: [2, 0], Maxpool: [2, 0], LSTM: [1, 4], SummLSTM: [1, 4],
  Tanh: [0, 1, 'tanh'], Logistic: [0, 1, 'sigmoid'], Relu: [0, 1, 'relu'], Linear: [0, 1], Softmax: [0, 1, 'softmax'], SoftmaxNoCTC: [0, 1, 'softmax'],
  Series: [], XYTranspose: [], RTLReversed: [],
}))

const DEEPEST = 16
const MOST_SIZE = 65536
/** Bits of a matrix's mode. */
const INT8 = 1
const NEW_FORMAT = 128
/** The flag of a layer whose inner layers have learning rates of their own. */
const LEARNING_RATES = 64

function readWeights(cursor: Cursor, of: string, budget: Budget): Weights {
  const mode = cursor.int8(of) & 0xff
  if (!(mode & NEW_FORMAT)) throw unsupported(`weights of mode ${mode} in ${of}: a format before Tesseract 4.0`)
  const [rows, columns] = [cursor.uint32(of), cursor.uint32(of)]
  const elements = rows * columns
  const isInt8 = mode & INT8
  // The element that is there for empty places.
  cursor.take(isInt8 ? 1 : 8, of)
  const data = isInt8 ? new Int8Array(cursor.take(elements, of)) : cursor.float64s(elements, of)
  budget.copy(elements, 4 * elements, of)
  // Of scales there may be more, for a whole number of registers.
  return { rows, columns, data, scales: isInt8 ? cursor.float64s(within(cursor.uint32(of), rows, Infinity, `the scales of ${of}`), of) : undefined }
}

/**
 * Adds the layers that begin here.
 * @throws LstmError `FORMAT`, `UNSUPPORTED` for layers that are not run here, and checkpoints
 */
export function readLayers(cursor: Cursor, budget: Budget, layers: Layer[] = [], isTall = false, isReverse = false, depth = 0): readonly Layer[] {
  within(depth, 0, DEEPEST, 'how deep layers are in each other')
  budget.build('a layer')
  const code = cursor.int8('the type of a layer')
  if (code !== 0) throw unsupported(`a layer of type ${code}, by number: a format before Tesseract 4.0`)
  const type = cursor.text('the type of a layer')
  if (cursor.int8(type) === 1) throw unsupported('a checkpoint of a training: write the model itself with lstmtraining --stop_training')
  cursor.int8(type)
  const [flags, inputs] = [cursor.int32(type), cursor.int32(type)]
  // Outputs, and how many weights.
  cursor.take(8, type)
  const name = cursor.text('the name of a layer')
  const of = `${describeValue(name)} (${type.slice(0, 40)})`
  const kind = KINDS.get(type)
  if (kind === undefined) throw otherLayer(`a layer of type ${describeValue(type)}`)
  const [sizes, matrices] = kind
  if (sizes === undefined) {
    const begin = layers.length
    for (let left = cursor.uint32(of); left > 0; left--) {
      readLayers(cursor, budget, layers, isTall !== (type === 'XYTranspose'), isReverse !== (type === 'RTLReversed'), depth + 1)
    }
    if (flags & LEARNING_RATES) cursor.take(4 * cursor.uint32(of), of)
    const [only, ...more] = layers.slice(begin)
    if (type !== 'Series' && (only?.weights.length !== 4 || more.length > 0)) {
      throw otherLayer(`${of} turns ${layers.slice(begin, begin + 8).map((one) => one.type).join(', ') || 'nothing'}, not one LSTM`)
    }
    return layers
  }
  const layer = {
    type, name, of, isTall, isReverse,
    sizes: Array.from({ length: sizes }, () => within(cursor.int32(of), 0, MOST_SIZE, `the sizes of ${of}`)),
    weights: Array.from({ length: matrices ?? 0 }, () => readWeights(cursor, of, budget)),
  }
  if (layer.weights.some(({ rows }) => layer.sizes[0] === inputs + 2 * rows)) throw otherLayer(`${of} is a 2-D LSTM, which reads rows and columns at once`)
  layers.push(layer)
  return layers
}
