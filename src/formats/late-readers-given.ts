import { LstmError } from '../errors.ts'
import type { FormatReader } from './reader.ts'

/**
 * In the place of late-readers.ts in `lstm-wasm/core`.
 * @throws LstmError `ENVIRONMENT` with the lines that hand a reader over
 */
export async function loadReader(bytes: Uint8Array): Promise<FormatReader> {
  throw new LstmError('ENVIRONMENT', `lstm-wasm/core has no readers of its own, and no reader given reads these ${bytes.length} bytes: import { safetensors } from 'lstm-wasm/safetensors' (or onnx, keras, torch, ...), and hand it over: load(source, { readers: [safetensors] })`)
}
