// From exact sums to outputs.
import { dot, storeLanes } from '../../simd'
import { SCALES_AT } from './layout'

/** sum + w a in every lane: of four bytes, or of two words. */
// @ts-ignore: decorator
@inline
export function plus<T>(w: v128, a: v128, sum: v128): v128 {
  if (sizeof<T>() == 1) return dot(w, a, sum)
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, a))
}

/** init + scale(row) scale(column) sum, for the four columns of a vector that stands `at` bytes in its block: never fused. */
// @ts-ignore: decorator
@inline
export function scaled(sum: v128, rowScale: v128, headPtr: usize, initPtr: usize): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(rowScale, v128.load(headPtr, SCALES_AT))), v128.load(initPtr))
}

/** Four vectors of a block, the first `columns` (1 to 16) of which are stored. */
// @ts-ignore: decorator
@inline
export function storeInt8Block(
  outPtr: usize, initPtr: usize, headPtr: usize, rowScale: v128, s0: v128, s1: v128, s2: v128, s3: v128, columns: i32,
): void {
  storeInt8Pair(outPtr, initPtr, headPtr, rowScale, s0, s1, columns)
  if (columns > 8) storeInt8Pair(outPtr + 32, initPtr + 32, headPtr + 32, rowScale, s2, s3, columns - 8)
}

/** Two of them, the first `columns` of which are stored. */
// @ts-ignore: decorator
@inline
export function storeInt8Pair(outPtr: usize, initPtr: usize, headPtr: usize, rowScale: v128, s0: v128, s1: v128, columns: i32): void {
  const first = scaled(s0, rowScale, headPtr, initPtr)
  const second = scaled(s1, rowScale, headPtr + 16, initPtr + 16)
  if (columns >= 8) {
    v128.store(outPtr, first)
    v128.store(outPtr, second, 16)
  } else {
    storeLanes(outPtr, first, columns)
    if (columns > 4) storeLanes(outPtr + 16, second, columns - 4)
  }
}
