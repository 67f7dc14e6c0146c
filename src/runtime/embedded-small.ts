import { commonest, relaxedSimdText } from './binaries/relaxed-simd-small.ts'
import { simdFromRelaxedSimd } from './binaries/simd-small.ts'
import { textReader } from './bytes-of-text.ts'
import { editedBytes } from './edited-bytes.ts'
import type { Variant } from './kernels.ts'

/**
 * In the place of embedded.ts in `lstm-wasm/core`, for the smallest download: 2 kB less to download (gzip), for 2 to
 * 6 ms more at the start, since no engine decodes this text by itself.
 */
export function embeddedBytes(variant: Variant): Uint8Array<ArrayBuffer> {
  const bytesOf = textReader(commonest)
  const base = bytesOf(relaxedSimdText)
  return variant === 'relaxed-simd' ? base : editedBytes(base, simdFromRelaxedSimd, bytesOf)
}
