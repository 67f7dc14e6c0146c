import { LstmError } from '../../errors.ts'
import type { DataOf } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import type { Budget } from '../budget.ts'
import { decodeElements, type ElementType } from '../elements.ts'
import { malformedFile } from '../malformed.ts'
import { gatherStrided } from '../strides.ts'
import { storageElementBytes, type TorchStorage, type TorchTensor } from './tensors.ts'

const malformed = malformedFile('torch')

const ELEMENT_TYPES: Readonly<Record<string, ElementType>> = {
  FloatStorage: 'float32', DoubleStorage: 'float64', HalfStorage: 'float16', BFloat16Storage: 'bfloat16',
  LongStorage: 'int64', IntStorage: 'int32', ByteStorage: 'uint8', BoolStorage: 'uint8', QUInt8Storage: 'uint8', QInt32Storage: 'int32',
}
/** Those whose bytes are elements of ours. */
const VIEWED: readonly string[] = ['FloatStorage', 'IntStorage', 'ByteStorage', 'BoolStorage', 'QUInt8Storage', 'QInt32Storage']
/** Smaller integers, which become int32. */
const SMALL_INTEGERS: Readonly<Record<string, (bytes: Uint8Array) => Int8Array | Int16Array>> = {
  CharStorage: (bytes) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
  QInt8Storage: (bytes) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
  ShortStorage: (bytes) => new Int16Array(new Uint8Array(bytes).buffer),
}

/** Makes arrays of tensors, each storage decoded once. */
export class TensorBuilder {
  readonly bytesOf: (storage: TorchStorage) => Uint8Array
  readonly #decoded: Map<string, DataOf> = new Map()
  readonly #budget: Budget

  /** @param bytesOf the bytes of a storage; asked once each */
  constructor(budget: Budget, bytesOf: (storage: TorchStorage) => Uint8Array) {
    this.bytesOf = bytesOf
    this.#budget = budget
  }

  /**
   * A tensor's elements in row-major order: float16, bfloat16 and float64 as float32, int64 as int32, bool as uint8.
   * @throws LstmError `FORMAT` for a tensor that does not lie within its storage, `UNSUPPORTED` for other element types
   */
  build(name: string, { storage, offset, shape, strides }: TorchTensor): NdArray {
    const length = lengthOf(shape)
    // The last element's index bounds all others: strides are not negative.
    const last = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] as number), storage.offset + offset)
    const data = this.#dataOf(name, storage)
    if (length > 0 && !(last < data.length)) {
      throw malformed(`tensor '${name}' ${formatShape(shape)} with strides ${formatShape(strides)} ends at element ${last}, beyond the ${data.length} of its storage`)
    }
    const begin = storage.offset + offset
    if (length === 0) return new NdArray(data.slice(0, 0), shape)
    // Tensors may share their storage, or repeat its elements: each is charged as it will be in the model.
    this.#budget.copy(length, length * data.BYTES_PER_ELEMENT, `torch: tensor '${name}' ${formatShape(shape)}`)
    if (isContiguous(shape, strides)) return new NdArray(data.subarray(begin, begin + length), shape)
    return new NdArray(gatherStrided(data, begin, shape, strides, length), shape)
  }

  #dataOf(name: string, storage: TorchStorage): DataOf {
    const { kind, key, length } = storage
    const elementBytes = storageElementBytes(kind)
    const decode = decoderOf(kind)
    if (decode === undefined || elementBytes === undefined) {
      const supported = [...Object.keys(ELEMENT_TYPES), ...Object.keys(SMALL_INTEGERS)].join(', ')
      throw new LstmError('UNSUPPORTED', `torch: tensor '${name}' has elements of torch.${kind} (${ONLY}); supported are ${supported}`)
    }
    const id = `${kind} ${key}`
    let data = this.#decoded.get(id)
    if (data === undefined) {
      const bytes = this.bytesOf(storage)
      // A part of an older file's storage is said to have its own length, not the whole one's.
      const expected = storage.offset === 0 ? length * elementBytes : bytes.length
      if (bytes.length !== expected || bytes.length % elementBytes !== 0) {
        throw malformed(`the storage '${key}' of tensor '${name}' has ${length} elements of ${elementBytes} bytes, got ${bytes.length} bytes`)
      }
      // Others are views of the file, or become 4 bytes an element.
      if (!VIEWED.includes(kind)) this.#budget.copy(bytes.length / elementBytes, 4 * bytes.length / elementBytes, `torch: the storage '${key}'`)
      data = decode(bytes, `torch: the storage of tensor '${name}' (${ONLY})`)
      this.#decoded.set(id, data)
    }
    return data
  }
}

/** Said of tensors that a model may do without. */
const ONLY = "if it is no weight, leave it out: readTorch(bytes, { only: (name) => name !== '...' })"

function decoderOf(kind: string): ((bytes: Uint8Array, what: string) => DataOf) | undefined {
  if (Object.hasOwn(SMALL_INTEGERS, kind)) return (bytes) => Int32Array.from((SMALL_INTEGERS[kind] as (bytes: Uint8Array) => Int8Array)(bytes))
  const type = Object.hasOwn(ELEMENT_TYPES, kind) ? ELEMENT_TYPES[kind] : undefined
  return type && ((bytes, what) => decodeElements(bytes, type, what))
}

/** Whether elements lie in row-major order without holes; strides of axes of one element do not matter. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis] as number
  }
  return true
}
