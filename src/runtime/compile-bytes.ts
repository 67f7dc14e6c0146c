import { LstmError } from '../errors.ts'

const NO_WEBASSEMBLY = 'this JavaScript engine has no WebAssembly, which lstm-wasm is made of'
const REACT_NATIVE = ': React Native runs Hermes, which has none. Run the model in a WebView, whose messages carry inputs and outputs, or on a server'
const FORBIDDEN = "this place forbids compiling WebAssembly from bytes. In a page, its Content-Security-Policy must allow it: script-src 'self' 'wasm-unsafe-eval'. "
  + "In Cloudflare Workers and edge functions, import the .wasm file as a module: import module from 'lstm-wasm/simd.wasm' ('lstm-wasm/simd.wasm?module' in Next.js), "
  + 'runtime = await createRuntime({ module }), load(source, { runtime })'

const isReactNative = (): boolean => typeof navigator === 'object' && navigator.product === 'ReactNative'

/**
 * A binary of ours, compiled; undefined where this engine does not accept it. The engine is asked about our own bytes:
 * feature-detection libraries look at single instructions, and there are engines that have some of a proposal and not the rest.
 *
 * @throws LstmError `ENVIRONMENT` where there is no WebAssembly, or compiling it from bytes is forbidden
 */
export async function compileBytes(bytes: () => Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module | undefined> {
  if (typeof WebAssembly !== 'object') {
    throw new LstmError('ENVIRONMENT', NO_WEBASSEMBLY + (isReactNative() ? REACT_NATIVE : ''))
  }
  const binary = bytes()
  try {
    return await WebAssembly.compile(binary)
  } catch (cause) {
    // Bytes that are accepted may not be compiled here: some places forbid it.
    if (WebAssembly.validate(binary)) throw new LstmError('ENVIRONMENT', `${FORBIDDEN} (${String(cause)})`, { cause })
    return undefined
  }
}
