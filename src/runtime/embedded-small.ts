import { commonest, simdText } from './binaries/simd-small.ts'
import { textReader } from './bytes-of-text.ts'
import type { Variant } from './kernels.ts'

/** As in embedded.ts. The other binary is handed over: relaxed-simd.ts. */
export const EMBEDDED: readonly Variant[] = ['simd']

export const NO_RELAXED_SIMD = "lstm-wasm/core has the 'simd' binary alone: import { relaxedSimd } from 'lstm-wasm/relaxed', createRuntime({ module: await relaxedSimd() })"

/**
 * In the place of embedded.ts in `lstm-wasm/core`, for the smallest download: 7 kB less to download (gzip), for 2 to
 * 6 ms more at the start, since no engine decodes this text by itself.
 */
export function embeddedBytes(): Uint8Array<ArrayBuffer> {
  return textReader(commonest)(simdText)
}
