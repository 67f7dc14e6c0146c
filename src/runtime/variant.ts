import { LstmError } from '../errors.ts'
import { compileBytes } from './compile-bytes.ts'
import { EMBEDDED, embeddedBytes, NO_RELAXED_SIMD } from './embedded.ts'
import type { Variant } from './kernels.ts'

/**
 * Compiles the fastest binary this engine accepts, or the one asked for.
 *
 * @throws LstmError `ENVIRONMENT` where the engine has no WebAssembly or no SIMD, or rejects the binary asked for
 */
export async function compileBinary(wanted: Variant | 'auto'): Promise<{ variant: Variant, module: WebAssembly.Module }> {
  for (const variant of EMBEDDED) {
    const module = [variant, 'auto'].includes(wanted) ? await compileBytes(() => embeddedBytes(variant)) : undefined
    if (module !== undefined) return { variant, module }
  }
  throw new LstmError('ENVIRONMENT', wanted === 'relaxed-simd'
    ? NO_RELAXED_SIMD
    : 'this engine has no WebAssembly SIMD, which lstm-wasm needs (Chrome 91, Firefox 89, Safari 16.4, Node 16 or newer on a processor with SSE 4.1 or NEON)')
}
