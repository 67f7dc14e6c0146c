// Entry point of `lstm-wasm/npy`.
import { readNpy as read } from '../formats/npy.ts'
import type { NdArray } from '../values/ndarray.ts'
import { fromAnySource, type SourceReader } from './any-source.ts'

export { readNpyHeader, writeNpy, writeNpyHeader, type NpyElement, type NpyHeader } from '../formats/npy.ts'
export type { SourceReader }

/**
 * Reads a .npy file. Bytes are read at once, without a promise. float64 and float16 become float32, int64 becomes int32, bool uint8; float32,
 * int32 and uint8 stay views of the bytes where order and alignment allow.
 *
 * @throws LstmError `FORMAT` for bytes that are not a well-formed file, `UNSUPPORTED` for other element types,
 *   `VALUE` for an int64 that does not fit int32, `ENVIRONMENT`
 */
export const readNpy: SourceReader<object, NdArray> = fromAnySource('readNpy', read)
