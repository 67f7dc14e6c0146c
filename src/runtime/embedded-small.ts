import { commonest, relaxedSimdText } from './binaries/relaxed-simd-small.ts'
import { simdFromRelaxedSimd } from './binaries/simd-small.ts'
import { bytesOfText } from './bytes-of-text.ts'
import type { Variant } from './kernels.ts'

/**
 * In the place of embedded.ts in `lstm-wasm/core`, for the smallest download: 2 kB less to download (gzip), for 2 to
 * 6 ms more at the start, since no engine decodes this text by itself.
 */
export function embeddedBytes(variant: Variant): Uint8Array<ArrayBuffer> {
  const base = bytesOfText(relaxedSimdText, commonest)
  if (variant === 'relaxed-simd') return base
  const parts: Uint8Array[] = []
  let at = 0
  for (const [, inserted = '', skip, length] of simdFromRelaxedSimd.matchAll(/(\S*) (-?\d+) (\d+) /g)) {
    parts.push(bytesOfText(inserted, commonest), base.subarray(at += Number(skip), at += Number(length)))
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  return bytes
}
