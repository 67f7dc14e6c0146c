// Entry point of `lstm-wasm/safetensors`.
import { readSafetensors as read, type Safetensors } from '../formats/safetensors/safetensors.ts'
import { fromAnySource, type SourceReader } from './any-source.ts'

export { safetensors } from '../formats/safetensors/safetensors-model.ts'
export { writeSafetensors } from '../formats/safetensors/writer.ts'
export type { Safetensors, SourceReader }

/**
 * Reads a safetensors file: `const { tensors, metadata } = await readSafetensors('model.safetensors')`. Bytes are read at once, without a
 * promise. float16, bfloat16 and float64 become float32, int64 becomes int32, bool uint8; float32, int32 and uint8 stay views of the
 * bytes where alignment allows.
 *
 * @throws LstmError `FORMAT` for bytes that are not a well-formed file, `UNSUPPORTED` for other element types, `ENVIRONMENT` where
 *   there is no such file
 */
export const readSafetensors: SourceReader<object, Safetensors> = fromAnySource('readSafetensors', read)
