// What every tile does with its sums.
import { storeLanes } from '../simd'

/** Terms that are summed before the sum is added to the total. */
export const SUM_LENGTH: i32 = 128

/** out = init + v, for the first `columns` (1 to 16) of four vectors. */
// @ts-ignore: decorator
@inline
export function storeBlock(outPtr: usize, initPtr: usize, v0: v128, v1: v128, v2: v128, v3: v128, columns: i32): void {
  storePair(outPtr, initPtr, v0, v1, columns)
  if (columns > 8) storePair(outPtr + 32, initPtr + 32, v2, v3, columns - 8)
}

// @ts-ignore: decorator
@inline
export function storePair(outPtr: usize, initPtr: usize, v0: v128, v1: v128, columns: i32): void {
  const first = f32x4.add(v128.load(initPtr), v0)
  const second = f32x4.add(v128.load(initPtr, 16), v1)
  if (columns >= 8) {
    v128.store(outPtr, first)
    v128.store(outPtr, second, 16)
  } else {
    storePartOfPair(outPtr, first, second, columns)
  }
}

// A call here, though it is rare, makes Firefox keep the sums of the loop before it in memory: docs/kernels.md.
// @ts-ignore: decorator
@inline
function storePartOfPair(outPtr: usize, first: v128, second: v128, columns: i32): void {
  storeLanes(outPtr, first, columns)
  if (columns > 4) storeLanes(outPtr + 16, second, columns - 4)
}
