import { commonest, simdText } from './binaries/simd-small.ts'
import { relaxedSimdFromSimd } from './binaries/relaxed-simd-small.ts'
import { textReader } from './bytes-of-text.ts'
import { compileBytes } from './compile-bytes.ts'
import { editedBytes } from './edited-bytes.ts'
import type { RuntimeOptions } from './create.ts'

/**
 * The faster binary, for `lstm-wasm/core`, which has the `simd` binary alone (`lstm-wasm` has both): 5 kB (gzip) more in one file.
 *
 *     const runtime = await createRuntime({ module: await relaxedSimd() })
 *
 * Resolves to undefined where this engine does not accept it; `createRuntime` then takes its own.
 * @throws LstmError `ENVIRONMENT` where there is no WebAssembly, or compiling it from bytes is forbidden
 */
export async function relaxedSimd(): Promise<RuntimeOptions['module']> {
  const bytesOf = textReader(commonest)
  return compileBytes(() => editedBytes(bytesOf(simdText), relaxedSimdFromSimd, bytesOf))
}
