// What functions that read and write files are given: for `checkKind`.
import { having, type Kind } from '../options.ts'
import { hasShape } from '../values/ndarray.ts'
import { bytesGiven, tagOf } from '../values/realm.ts'

const TYPED: Kind = having('', 'dtype')

export const BYTES: Kind = { expected: 'bytes, a Uint8Array', test: (value) => bytesGiven(value) !== undefined }
export const ARRAYS: Kind = { expected: 'a Map of arrays by name', test: (value) => tagOf(value) === 'Map' }
export const ARRAY: Kind = {
  expected: 'an array with dtype, shape and data',
  test: (value) => TYPED.test(value) && hasShape(value) && value.shape.every(Number.isInteger) && ArrayBuffer.isView(value.data),
}
