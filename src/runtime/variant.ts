import { LstmError } from '../errors.ts'
import { base64 as relaxedSimd } from './binaries/relaxed-simd.ts'
import { base64 as simd } from './binaries/simd.ts'

/**
 * Which binary runs: `simd` gives the same bits on every engine; `relaxed-simd` is faster where the
 * processor fuses multiply and add, and may differ in the last bits from machine to machine.
 */
export type Variant = 'simd' | 'relaxed-simd'

/** Fastest first. */
const EMBEDDED: Readonly<Record<Variant, string>> = { 'relaxed-simd': relaxedSimd, simd }

/** Engines of 2025 and later decode at once (0.2 ms); a loop takes 2 ms, a callback for each byte 5 to 9. */
function bytesOf(variant: Variant): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, EMBEDDED[variant])
  const text = atob(EMBEDDED[variant])
  const bytes = new Uint8Array(text.length)
  for (let n = 0; n < text.length; n++) bytes[n] = text.charCodeAt(n)
  return bytes
}

/**
 * The fastest binary this engine accepts, or the one asked for. The engine is asked about our own
 * bytes: feature-detection libraries look at single instructions, and there are engines that have
 * some of a proposal and not the rest.
 *
 * @throws LstmError `ENVIRONMENT` where the engine has no WebAssembly or no SIMD, or rejects the binary asked for;
 *   `VALUE` for a variant that does not exist
 */
export function chooseBinary(wanted: Variant | 'auto'): { variant: Variant, bytes: Uint8Array<ArrayBuffer> } {
  if (typeof WebAssembly !== 'object') {
    throw new LstmError('ENVIRONMENT', 'this JavaScript engine has no WebAssembly')
  }
  if (wanted !== 'auto' && !Object.hasOwn(EMBEDDED, wanted)) {
    throw new LstmError('VALUE', `variant: expected 'auto', 'relaxed-simd' or 'simd', got ${JSON.stringify(wanted)}`)
  }
  const candidates: Variant[] = wanted === 'auto' ? ['relaxed-simd', 'simd'] : [wanted]
  for (const variant of candidates) {
    const bytes = bytesOf(variant)
    if (WebAssembly.validate(bytes)) return { variant, bytes }
  }
  throw new LstmError('ENVIRONMENT', wanted === 'relaxed-simd'
    ? "this engine does not accept the 'relaxed-simd' binary; 'auto' would choose 'simd' where it can"
    : 'this engine has no WebAssembly SIMD, which lstm-wasm needs (Chrome 91, Firefox 89, Safari 16.4, Node 16 or newer on a processor with SSE 4.1 or NEON)')
}
