import { cannotImport } from '../errors.ts'
import type { FormatReader } from './reader.ts'

/** The reader for these bytes. In `lstm-wasm/core`, late-readers-given.ts stands in its place. */
export async function loadReader(bytes: Uint8Array, name?: string): Promise<FormatReader> {
  try {
    return await (await import('./readers.ts')).findReader(bytes, name)
  } catch (cause) {
    return cannotImport(cause, 'the reader of this file', "import { safetensors } from 'lstm-wasm/safetensors' (or another reader), load(source, { readers: [safetensors] })")
  }
}
