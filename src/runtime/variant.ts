import { LstmError } from '../errors.ts'
import { embeddedBytes } from './embedded.ts'
import type { Variant } from './kernels.ts'

/** Fastest first. */
const VARIANTS: readonly Variant[] = ['relaxed-simd', 'simd']

const NO_WEBASSEMBLY = 'this JavaScript engine has no WebAssembly, which lstm-wasm is made of'
const REACT_NATIVE = ': React Native runs Hermes, which has none. Run the model in a WebView, whose messages carry inputs and outputs, or on a server'
const FORBIDDEN = "this place forbids compiling WebAssembly from bytes. In a page, its Content-Security-Policy must allow it: script-src 'self' 'wasm-unsafe-eval'. "
  + "In Cloudflare Workers and edge functions, import the .wasm file as a module: import module from 'lstm-wasm/simd.wasm' ('lstm-wasm/simd.wasm?module' in Next.js), "
  + 'runtime = await createRuntime({ module }), load(source, { runtime })'

const isReactNative = (): boolean => typeof navigator === 'object' && navigator.product === 'ReactNative'

/**
 * Compiles the fastest binary this engine accepts, or the one asked for. The engine is asked about our own
 * bytes: feature-detection libraries look at single instructions, and there are engines that have
 * some of a proposal and not the rest.
 *
 * @throws LstmError `ENVIRONMENT` where the engine has no WebAssembly or no SIMD, or rejects the binary asked for
 */
export async function compileBinary(wanted: Variant | 'auto'): Promise<{ variant: Variant, module: WebAssembly.Module }> {
  if (typeof WebAssembly !== 'object') {
    throw new LstmError('ENVIRONMENT', NO_WEBASSEMBLY + (isReactNative() ? REACT_NATIVE : ''))
  }
  for (const variant of VARIANTS) {
    if (![variant, 'auto'].includes(wanted)) continue
    const bytes = embeddedBytes(variant)
    try {
      return { variant, module: await WebAssembly.compile(bytes) }
    } catch (cause) {
      // Bytes that are accepted may not be compiled here: some places forbid it.
      if (WebAssembly.validate(bytes)) throw new LstmError('ENVIRONMENT', `${FORBIDDEN} (${String(cause)})`, { cause })
    }
  }
  throw new LstmError('ENVIRONMENT', wanted === 'relaxed-simd'
    ? "this engine does not accept the 'relaxed-simd' binary; 'auto' would choose 'simd' where it can"
    : 'this engine has no WebAssembly SIMD, which lstm-wasm needs (Chrome 91, Firefox 89, Safari 16.4, Node 16 or newer on a processor with SSE 4.1 or NEON)')
}
