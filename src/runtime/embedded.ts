import { relaxedSimdHex } from './binaries/relaxed-simd.ts'
import { simdFromRelaxedSimd } from './binaries/simd.ts'
import type { Variant } from './kernels.ts'

interface Decoder { readonly fromHex?: (text: string) => Uint8Array<ArrayBuffer> }
interface Engine { readonly Buffer?: { from(text: string, encoding: 'hex'): Uint8Array<ArrayBuffer> } }

/** Engines of 2025 and later decode at once, Node before 25 by its Buffer (0.1 ms); the loop takes 5 ms. */
function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  const decoded = (Uint8Array as Decoder).fromHex?.(text) ?? (globalThis as Engine).Buffer?.from(text, 'hex')
  if (decoded !== undefined) return decoded
  const bytes = new Uint8Array(text.length / 2)
  for (let n = 0; n < bytes.length; n++) bytes[n] = parseInt(text.slice(2 * n, 2 * n + 2), 16)
  return bytes
}

/** What is inside the JavaScript, the fastest first. */
export const EMBEDDED: readonly Variant[] = ['relaxed-simd', 'simd']

/** Said to who asked for it. */
export const NO_RELAXED_SIMD = "this engine does not accept the 'relaxed-simd' binary; 'auto' would choose 'simd' where it can"

/** A binary that is inside the JavaScript: the relaxed one, or what edits make of it (assembly/edits.mjs). */
export function embeddedBytes(variant: Variant): Uint8Array<ArrayBuffer> {
  if (variant === 'relaxed-simd') return bytesOfHex(relaxedSimdHex)
  let at = 0
  return bytesOfHex(simdFromRelaxedSimd.replace(/(\S*) (-?\d+) (\d+) /g, (_, inserted: string, skip: string, length: string) => (
    inserted + relaxedSimdHex.slice(2 * (at += Number(skip)), 2 * (at += Number(length)))
  )))
}
