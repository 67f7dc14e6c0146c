import { LstmError } from '../errors.ts'
import { tagOf } from './realm.ts'

/** Element types of tensors. Token ids and other indices are `int32`. */
export type DType = 'float32' | 'int32' | 'uint8'

/** The JavaScript array that holds elements of a dtype. */
export type DataOf<T extends DType = DType> =
  T extends 'float32' ? Float32Array : T extends 'int32' ? Int32Array : Uint8Array

interface DataConstructor {
  readonly name: string
  readonly BYTES_PER_ELEMENT: number
  new (length: number): DataOf
  new (buffer: ArrayBuffer, ptr: number, length: number): DataOf
}

/** What makes the array of a dtype. */
export const ARRAYS: Readonly<Record<DType, DataConstructor>> = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array }

export function isDType(value: unknown): value is DType {
  return Object.keys(ARRAYS).includes(value as DType)
}

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT
}

/** `Float32Array` for `float32`, and so on: for messages. */
export function arrayNameOf(dtype: DType): string {
  return ARRAYS[dtype].name
}

/** A new array of zeros. @throws LstmError `VALUE` for no dtype, `MEMORY` where the engine has no room for so many elements */
export function createData<T extends DType>(dtype: T, length: number): DataOf<T> {
  try {
    return new ARRAYS[dtype](length) as DataOf<T>
  } catch (cause) {
    throw isDType(dtype) ? noRoom(dtype, length, cause) : new LstmError('VALUE', `dtype: expected float32, int32 or uint8, got ${describeValue(dtype)}`)
  }
}

/** A copy of an array. @throws LstmError `MEMORY` where the engine has no room for it */
export function copyData<T extends DType>(data: DataOf<T>): DataOf<T> {
  try {
    return data.slice() as DataOf<T>
  } catch (cause) {
    throw noRoom(dtypeOfData(data) as DType, data.length, cause)
  }
}

function noRoom(dtype: DType, length: number, cause: unknown): LstmError {
  return new LstmError('MEMORY', `the JavaScript engine gives no ${arrayNameOf(dtype)} of ${length} elements`, { cause })
}

/** The dtype an array holds, or undefined when it is none of ours. */
export function dtypeOfData(data: unknown): DType | undefined {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Uint8Array) return 'uint8'
  return ArrayBuffer.isView(data) ? DTYPES_BY_TAG.get(tagOf(data)) : undefined
}

/** For arrays of other realms. */
const DTYPES_BY_TAG: ReadonlyMap<string, DType> = new Map([['Float32Array', 'float32'], ['Int32Array', 'int32'], ['Uint8Array', 'uint8']])

/**
 * Writes a number as an element of `dtype`.
 * @throws LstmError `VALUE` when it is not exactly representable (int32, uint8) or not a number.
 */
export function storeChecked(data: DataOf, index: number, dtype: DType, value: unknown, what: string): void {
  if (typeof value !== 'number') {
    throw new LstmError('VALUE', `${what}: expected numbers, got ${describeValue(value)} at element ${index}`)
  }
  data[index] = value
  if (dtype !== 'float32' && data[index] !== value) {
    throw new LstmError('VALUE', `${what}: expected ${dtype} elements, got ${value} at element ${index}`)
  }
}

/** A short description of any value, for messages. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'object') {
    // Untrusted JSON may have a field of that name.
    const given: unknown = value.constructor?.name
    const name = typeof given === 'string' ? given : 'object'
    return ArrayBuffer.isView(value) && 'length' in value ? `${name}(${(value as Uint8Array).length})` : name
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value
}
