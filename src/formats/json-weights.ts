// Weights that stand in JSON as nested lists of numbers.
import { LstmError } from '../errors.ts'
import { describeValue } from '../values/dtype.ts'
import { dataOfNested, NdArray } from '../values/ndarray.ts'
import { formatShape, lengthOf, shapeOfNested } from '../values/shape.ts'
import { duplicateKey, isObject, type JsonObject } from './json.ts'

/** @throws LstmError `FORMAT` unless bytes are a JSON object in which no key stands twice */
export function parseJsonObject(bytes: Uint8Array, format: string): JsonObject {
  let text: string
  let json: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    json = JSON.parse(text)
  } catch (cause) {
    throw new LstmError('FORMAT', `${format}: the file is not JSON: ${String(cause).slice(0, 200)}`, { cause })
  }
  if (!isObject(json)) throw new LstmError('FORMAT', `${format}: expected an object, got ${describeValue(json)}`)
  const duplicate = duplicateKey(text)
  if (duplicate !== undefined) throw new LstmError('FORMAT', `${format}: the key ${describeValue(duplicate)} stands twice in one object`)
  return json
}

/** The number of axes beyond which nested lists are no weights. */
const MOST_AXES = 8

/**
 * Nested lists as an array.
 * @param shape what it must be; default: what the lists say
 * @throws LstmError `FORMAT` for lists that are ragged, of another shape, or of anything but numbers
 */
export function arrayOf(value: unknown, what: string, shape?: readonly number[]): NdArray<'float32'> {
  try {
    return readLists(value, what, shape)
  } catch (error) {
    if (!(error instanceof LstmError) || error.code === 'FORMAT') throw error
    throw new LstmError('FORMAT', error.message, { cause: error })
  }
}

function readLists(value: unknown, what: string, shape?: readonly number[]): NdArray<'float32'> {
  const found = Array.isArray(value) ? shapeOfNested(value, what) : undefined
  if (found === undefined || found.length > MOST_AXES || (shape !== undefined && formatShape(found) !== formatShape(shape))) {
    const expected = shape === undefined ? 'nested lists of numbers' : `nested lists of numbers ${formatShape(shape)}`
    const got = found === undefined ? describeValue(value) : found.length > MOST_AXES ? `${found.length} axes` : formatShape(found)
    throw new LstmError('FORMAT', `${what}: expected ${expected}, got ${got}`)
  }
  // Ragged lists may claim more elements than the file has; each takes two characters.
  if (lengthOf(found) > countNumbers(value)) throw new LstmError('FORMAT', `${what}: the lists are not all of the same length`)
  return new NdArray(dataOfNested(value, 'float32', found, what), found)
}

/** Numbers in nested lists of at most MOST_AXES levels. */
function countNumbers(value: unknown, level: number = 0): number {
  if (!Array.isArray(value)) return 1
  if (level === MOST_AXES) return 0
  let count = 0
  for (const inner of value) count += countNumbers(inner, level + 1)
  return count
}

/** [rows, columns] -> [columns, rows] */
export function transpose({ data, shape }: NdArray<'float32'>): NdArray<'float32'> {
  const [rows, columns] = shape as [number, number]
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column] as number
  }
  return new NdArray(result, [columns, rows])
}
