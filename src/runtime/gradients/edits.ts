// What makes the binary for training of another engine, or of a runtime with threads, of the one that most engines take: a chunk that is loaded where
// that is asked for.
import { edits as relaxedThreadEdits } from '../binaries/gradients-relaxed-simd-threads.ts'
import { simdFromRelaxedSimd } from '../binaries/gradients-simd.ts'
import { edits as simdThreadEdits } from '../binaries/gradients-simd-threads.ts'
import { editedBytes } from '../edited-bytes.ts'
import type { Variant } from '../kernels.ts'

/** @param bytesOf reads the texts of binaries */
export function editGradients(
  relaxed: Uint8Array<ArrayBuffer>, variant: Variant, isThreaded: boolean, bytesOf: (text: string) => Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const isSimd = variant === 'simd'
  const bytes = isSimd ? editedBytes(relaxed, simdFromRelaxedSimd, bytesOf) : relaxed
  return isThreaded ? editedBytes(bytes, isSimd ? simdThreadEdits : relaxedThreadEdits, bytesOf) : bytes
}

export type EditGradients = typeof editGradients
