// One axis made longer or shorter: every element of the result is a weighted sum of a few along it.
import { storeLanes } from '../simd'

@unmanaged
export class ResizeCall {
  outer: i32
  size: i32
  outSize: i32
  inner: i32
  /** How many elements are summed: 1, 2 or 4. */
  taps: i32
}

/**
 * out (outer, outSize, inner)[., n, .] = sum over t of weights[n, t] in (outer, size, inner)[., indices[n, t], .], in ascending t.
 * indices and weights (outSize, taps); indices from 0 to size - 1.
 */
export function resizeF32(call: ResizeCall, indicesPtr: usize, weightsPtr: usize, inPtr: usize, outPtr: usize): void {
  const inner = call.inner
  const outSize = call.outSize
  const taps = call.taps
  const rowBytes = inner * 4
  for (let outer = 0; outer < call.outer; outer++) {
    for (let n = 0; n < outSize; n++) {
      const at = n * taps * 4
      for (let k = 0; k < inner; k += 4) {
        let sum = term(inPtr, rowBytes, k, indicesPtr + at, weightsPtr + at)
        for (let t = 1; t < taps; t++) sum = f32x4.add(sum, term(inPtr, rowBytes, k, indicesPtr + at + t * 4, weightsPtr + at + t * 4))
        storeLanes(outPtr + k * 4, sum, inner - k)
      }
      outPtr += rowBytes
    }
    inPtr += call.size * rowBytes
  }
}

// @ts-ignore: decorator
@inline
function term(inPtr: usize, rowBytes: i32, k: i32, indexPtr: usize, weightPtr: usize): v128 {
  return f32x4.mul(v128.load(inPtr + i32.load(indexPtr) * rowBytes + k * 4), v128.load32_splat(weightPtr))
}
