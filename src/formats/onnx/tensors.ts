// TensorProto -> arrays: its elements are raw little-endian bytes, in the field of their type, or in a file beside the model.
import { LstmError } from '../../errors.ts'
import { createData, type DataOf, type DType } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { lengthOf } from '../../values/shape.ts'
import { decodeElements, type ElementType } from '../elements.ts'
import type { OnnxTensor } from './messages.ts'
import { malformed, Wire } from '../protobuf/wire.ts'

/** An element type: what it becomes here. */
interface TypeFacts {
  readonly name: string
  readonly dtype: DType
  /** Of an element; two of half a byte share one, the first in its lower bits. */
  readonly bytes: number
  /** Where elements.ts knows it. */
  readonly element?: ElementType
}

/** By number of TensorProto.DataType. Booleans are uint8, integers int32, all floating-point numbers float32. */
const TYPES: ReadonlyMap<number, TypeFacts> = new Map([
  [1, { name: 'float', dtype: 'float32', bytes: 4, element: 'float32' }],
  [2, { name: 'uint8', dtype: 'uint8', bytes: 1, element: 'uint8' }],
  [3, { name: 'int8', dtype: 'int32', bytes: 1 }],
  [4, { name: 'uint16', dtype: 'int32', bytes: 2 }],
  [5, { name: 'int16', dtype: 'int32', bytes: 2 }],
  [6, { name: 'int32', dtype: 'int32', bytes: 4, element: 'int32' }],
  [7, { name: 'int64', dtype: 'int32', bytes: 8 }],
  [9, { name: 'bool', dtype: 'uint8', bytes: 1 }],
  [10, { name: 'float16', dtype: 'float32', bytes: 2, element: 'float16' }],
  [11, { name: 'double', dtype: 'float32', bytes: 8, element: 'float64' }],
  [16, { name: 'bfloat16', dtype: 'float32', bytes: 2, element: 'bfloat16' }],
  [21, { name: 'uint4', dtype: 'uint8', bytes: 0.5 }],
  [22, { name: 'int4', dtype: 'int32', bytes: 0.5 }],
])

const OTHERS: ReadonlyMap<number, string> = new Map([
  [8, 'string'], [12, 'uint32'], [13, 'uint64'], [14, 'complex64'], [15, 'complex128'], [17, 'float8e4m3fn'], [18, 'float8e4m3fnuz'],
  [19, 'float8e5m2'], [20, 'float8e5m2fnuz'], [23, 'float4e2m1'],
])

/** @throws LstmError `UNSUPPORTED`, or `FORMAT` for a number that is no type */
export function typeFacts(type: number | undefined, what: string): TypeFacts {
  const facts = TYPES.get(type ?? 0)
  if (facts !== undefined) return facts
  const name = OTHERS.get(type ?? 0)
  if (name === undefined) throw malformed(`expected an element type for ${what}, got the number ${type ?? 'none'}`)
  throw new LstmError('UNSUPPORTED', `${what} has elements of type ${name}`)
}

/** Bounds so far out that they stand for "no bound": any beyond these mean the largest and smallest int32. */
const NO_BOUND = 2 ** 62

/** An int64 as an int32. The largest ones are bounds ("up to the end") in every exporter; others must fit. */
export function toInt32(value: number, what: string): number {
  if (value >= NO_BOUND) return 2 ** 31 - 1
  if (value <= -NO_BOUND) return -(2 ** 31)
  if ((value | 0) !== value) throw new LstmError('UNSUPPORTED', `${what} holds the integer ${value}, which is not an int32`)
  return value
}

/** Elements of a file beside the model. */
export type ExternalData = ReadonlyMap<string, Uint8Array>

/**
 * The name of the file that holds a tensor's elements.
 * @throws LstmError `FORMAT` unless it is in or below the folder of the model
 */
export function locationOf(tensor: OnnxTensor): string | undefined {
  if (tensor.external === undefined) return undefined
  const location = tensor.external.get('location') ?? ''
  const parts = location.split('/')
  const isPlain = !/[\\:\0]/.test(location) && parts.every((part) => part !== '' && part !== '.' && part !== '..')
  if (!isPlain) {
    throw malformed(`expected tensor '${tensor.name}' in a file beside the model, got ${JSON.stringify(location.slice(0, 200))}`)
  }
  return location
}

/**
 * The elements of a tensor, as a view of the file where type and alignment allow.
 * @throws LstmError `FORMAT` or `UNSUPPORTED`
 */
export function decodeTensor(tensor: OnnxTensor, files: ExternalData, what: string): NdArray {
  const { dims } = tensor
  if (dims.some((size) => !Number.isSafeInteger(size) || size < 0)) throw malformed(`expected a shape for ${what}, got [${dims.join(', ')}]`)
  const length = lengthOf(dims)
  const facts = typeFacts(tensor.type, what)
  const expectLength = (got: number, unit: string, wanted: number): void => {
    if (got !== wanted) throw malformed(`${what} ${facts.name} [${dims.join(', ')}] needs ${wanted} ${unit}, got ${got}`)
  }
  const bytes = tensor.external === undefined ? rawBytes(tensor) : externalBytes(tensor, files, what)
  if (bytes !== undefined) {
    expectLength(bytes.length, 'bytes', Math.ceil(length * facts.bytes))
    return new NdArray(facts.bytes < 1 ? decodeHalves(bytes, facts, length) : decodeBytes(bytes, facts, what), dims)
  }
  // An element takes at least half a byte: nothing much larger than the file is allocated.
  if (length * Math.min(1, facts.bytes) > tensor.message.length) expectLength(tensor.message.length, 'elements', length)
  const data = createData(facts.dtype, length)
  expectLength(decodeFields(tensor, facts, data, what), 'elements', length)
  return new NdArray(data, dims)
}

function rawBytes(tensor: OnnxTensor): Uint8Array | undefined {
  let bytes: Uint8Array | undefined
  const wire = new Wire(tensor.message)
  wire.fields((field) => {
    if (field === 9) bytes = wire.bytes()
  })
  return bytes
}

function externalBytes(tensor: OnnxTensor, files: ExternalData, what: string): Uint8Array {
  const location = locationOf(tensor) as string
  const file = files.get(location)
  if (file === undefined) throw new LstmError('ENVIRONMENT', `onnx: ${what} is in the file ${JSON.stringify(location)}, which was not given`)
  const number = (key: string, otherwise: number): number => {
    const text = tensor.external?.get(key)
    const value = text === undefined ? otherwise : /^\d{1,15}$/.test(text) ? Number(text) : NaN
    if (!(value <= file.length)) throw malformed(`${what}: expected an ${key} within the ${file.length} bytes of '${location}', got ${String(text)}`)
    return value
  }
  const offset = number('offset', 0)
  const length = number('length', file.length - offset)
  if (offset + length > file.length) {
    throw malformed(`${what} stands at bytes ${offset} to ${offset + length} of '${location}', which has ${file.length}`)
  }
  return file.subarray(offset, offset + length)
}

function decodeBytes(bytes: Uint8Array, { name, dtype, bytes: size, element }: TypeFacts, what: string): DataOf {
  if (element !== undefined) return decodeElements(bytes, element, what)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = createData(dtype, bytes.length / size)
  for (let n = 0; n < data.length; n++) {
    if (name === 'bool') data[n] = Number(view.getUint8(n) !== 0)
    else if (name === 'int8') data[n] = view.getInt8(n)
    else if (name === 'uint16') data[n] = view.getUint16(n * 2, true)
    else if (name === 'int16') data[n] = view.getInt16(n * 2, true)
    else data[n] = toInt32(view.getInt32(n * 8 + 4, true) * 2 ** 32 + view.getUint32(n * 8, true), what)
  }
  return data
}

/** Integers of 4 bits. */
function decodeHalves(bytes: ArrayLike<number>, { name, dtype }: TypeFacts, length: number): DataOf {
  const data = createData(dtype, length)
  for (let n = 0; n < length; n++) {
    const bits = ((bytes[n >> 1] as number) >> (4 * (n & 1))) & 15
    data[n] = name === 'int4' && bits > 7 ? bits - 16 : bits
  }
  return data
}

function checkWhole(bytes: Uint8Array, what: string): Uint8Array {
  if (bytes.length % 4 !== 0) throw malformed(`${what}: expected float32 elements of 4 bytes, got ${bytes.length} bytes`)
  return bytes
}

/** Elements of the fields float_data (4), int32_data (5), int64_data (7) and double_data (10); returns how many there are. */
function decodeFields(tensor: OnnxTensor, facts: TypeFacts, into: DataOf, what: string): number {
  const { name, element } = facts
  if (facts.bytes < 1) return decodeHalfFields(tensor, facts, into)
  const wire = new Wire(tensor.message)
  const isHalf = element === 'float16' || element === 'bfloat16'
  const halves = new Uint16Array(isHalf ? into.length : 0)
  let count = 0
  const take = (value: number): void => {
    if (isHalf) halves[count] = value
    else into[count] = name === 'bool' ? Number(value !== 0) : into instanceof Int32Array ? toInt32(value, what) : value
    count++
  }
  const field = element === 'float32' ? 4 : element === 'float64' ? 10 : name === 'int64' ? 7 : 5
  wire.fields((found) => {
    if (found !== field) return
    if (field === 4) {
      // Most weights of some files: element by element would take most of the time.
      const elements = decodeElements(checkWhole(wire.fixed32(), what), 'float32', what)
      if (count + elements.length <= into.length) into.set(elements, count)
      count += elements.length
    } else if (field === 10) wire.doubles(take)
    else wire.integers(take)
  })
  if (isHalf) into.set(decodeElements(new Uint8Array(halves.buffer), element, what))
  return count
}

/** Integers of 4 bits in the field int32_data (5), two in each of its elements. */
function decodeHalfFields(tensor: OnnxTensor, facts: TypeFacts, into: DataOf): number {
  const pairs = new Uint8Array(Math.ceil(into.length / 2))
  let count = 0
  const wire = new Wire(tensor.message)
  wire.fields((found) => {
    if (found === 5) wire.integers((value) => pairs[count++] = value)
  })
  into.set(decodeHalves(pairs, facts, into.length))
  return count === pairs.length ? into.length : 2 * count
}
