import { LstmError } from '../errors.ts'
import type { FormatReader } from './reader.ts'
import { sniff } from './sniff.ts'

/**
 * In the place of late-readers.ts in `lstm-wasm/core`.
 * @throws LstmError `ENVIRONMENT` naming the reader that would read it, `FORMAT` for bytes that are no model file
 */
export async function loadReader(bytes: Uint8Array): Promise<FormatReader> {
  const name = sniff(bytes)
  if (name === undefined) throw new LstmError('FORMAT', `expected a model file, got ${bytes.length} bytes that are none`)
  throw new LstmError('ENVIRONMENT', `lstm-wasm/core has no readers of its own: import { ${name} } from 'lstm-wasm/${name}', and hand it over: load(source, { readers: [${name}] })`)
}
