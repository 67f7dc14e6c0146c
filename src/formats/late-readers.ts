import type { FormatReader } from './reader.ts'

/** The reader for these bytes. In `lstm-wasm/core`, late-readers-given.ts stands in its place. */
export async function loadReader(bytes: Uint8Array): Promise<FormatReader> {
  return (await import('./readers.ts')).findReader(bytes)
}
