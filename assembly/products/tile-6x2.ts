// Six rows by one block, for engines that fuse: see tile.ts.
import { BLOCK_ROW_BYTES } from './layout'
import { multiplyAdd } from '../simd'
import { storePair } from './sums'

/**
 * Six rows by six, one block, half by half: the six rows are in the first-level cache for the second. `columns` of the
 * block are valid. Rows are `aBytes` apart, their elements `termBytes`, the next six rows `tileBytes`. Four terms a turn.
 */
export function tile6x2(
  rows: i32, k: i32, wPtr: usize, aPtr: usize, aBytes: i32, termBytes: i32, tileBytes: i32, initPtr: usize, initBytes: i32, outPtr: usize,
  outBytes: i32, columns: i32,
): void {
  for (; rows >= 6; rows -= 6) {
    let halfPtr = wPtr
    let fromPtr = initPtr
    let toPtr = outPtr
    for (let left = columns; left > 0; left -= 8) {
      let termPtr = halfPtr
      let a0Ptr = aPtr
      let a1Ptr = a0Ptr + aBytes
      let a2Ptr = a1Ptr + aBytes
      let a3Ptr = a2Ptr + aBytes
      let a4Ptr = a3Ptr + aBytes
      let a5Ptr = a4Ptr + aBytes
      let r0v0 = f32x4.splat(0)
      let r0v1 = f32x4.splat(0)
      let r1v0 = f32x4.splat(0)
      let r1v1 = f32x4.splat(0)
      let r2v0 = f32x4.splat(0)
      let r2v1 = f32x4.splat(0)
      let r3v0 = f32x4.splat(0)
      let r3v1 = f32x4.splat(0)
      let r4v0 = f32x4.splat(0)
      let r4v1 = f32x4.splat(0)
      let r5v0 = f32x4.splat(0)
      let r5v1 = f32x4.splat(0)
      for (let terms = k; terms > 0; terms -= 4) {
        let w0 = v128.load(termPtr)
        let w1 = v128.load(termPtr, 16)
        let a = v128.load32_splat(a0Ptr)
        r0v0 = multiplyAdd(a, w0, r0v0)
        r0v1 = multiplyAdd(a, w1, r0v1)
        a = v128.load32_splat(a1Ptr)
        r1v0 = multiplyAdd(a, w0, r1v0)
        r1v1 = multiplyAdd(a, w1, r1v1)
        a = v128.load32_splat(a2Ptr)
        r2v0 = multiplyAdd(a, w0, r2v0)
        r2v1 = multiplyAdd(a, w1, r2v1)
        a = v128.load32_splat(a3Ptr)
        r3v0 = multiplyAdd(a, w0, r3v0)
        r3v1 = multiplyAdd(a, w1, r3v1)
        a = v128.load32_splat(a4Ptr)
        r4v0 = multiplyAdd(a, w0, r4v0)
        r4v1 = multiplyAdd(a, w1, r4v1)
        a = v128.load32_splat(a5Ptr)
        r5v0 = multiplyAdd(a, w0, r5v0)
        r5v1 = multiplyAdd(a, w1, r5v1)
        a0Ptr += termBytes
        a1Ptr += termBytes
        a2Ptr += termBytes
        a3Ptr += termBytes
        a4Ptr += termBytes
        a5Ptr += termBytes
        if (terms == 1) break
        w0 = v128.load(termPtr, 64)
        w1 = v128.load(termPtr, 80)
        a = v128.load32_splat(a0Ptr)
        r0v0 = multiplyAdd(a, w0, r0v0)
        r0v1 = multiplyAdd(a, w1, r0v1)
        a = v128.load32_splat(a1Ptr)
        r1v0 = multiplyAdd(a, w0, r1v0)
        r1v1 = multiplyAdd(a, w1, r1v1)
        a = v128.load32_splat(a2Ptr)
        r2v0 = multiplyAdd(a, w0, r2v0)
        r2v1 = multiplyAdd(a, w1, r2v1)
        a = v128.load32_splat(a3Ptr)
        r3v0 = multiplyAdd(a, w0, r3v0)
        r3v1 = multiplyAdd(a, w1, r3v1)
        a = v128.load32_splat(a4Ptr)
        r4v0 = multiplyAdd(a, w0, r4v0)
        r4v1 = multiplyAdd(a, w1, r4v1)
        a = v128.load32_splat(a5Ptr)
        r5v0 = multiplyAdd(a, w0, r5v0)
        r5v1 = multiplyAdd(a, w1, r5v1)
        a0Ptr += termBytes
        a1Ptr += termBytes
        a2Ptr += termBytes
        a3Ptr += termBytes
        a4Ptr += termBytes
        a5Ptr += termBytes
        if (terms == 2) break
        w0 = v128.load(termPtr, 128)
        w1 = v128.load(termPtr, 144)
        a = v128.load32_splat(a0Ptr)
        r0v0 = multiplyAdd(a, w0, r0v0)
        r0v1 = multiplyAdd(a, w1, r0v1)
        a = v128.load32_splat(a1Ptr)
        r1v0 = multiplyAdd(a, w0, r1v0)
        r1v1 = multiplyAdd(a, w1, r1v1)
        a = v128.load32_splat(a2Ptr)
        r2v0 = multiplyAdd(a, w0, r2v0)
        r2v1 = multiplyAdd(a, w1, r2v1)
        a = v128.load32_splat(a3Ptr)
        r3v0 = multiplyAdd(a, w0, r3v0)
        r3v1 = multiplyAdd(a, w1, r3v1)
        a = v128.load32_splat(a4Ptr)
        r4v0 = multiplyAdd(a, w0, r4v0)
        r4v1 = multiplyAdd(a, w1, r4v1)
        a = v128.load32_splat(a5Ptr)
        r5v0 = multiplyAdd(a, w0, r5v0)
        r5v1 = multiplyAdd(a, w1, r5v1)
        a0Ptr += termBytes
        a1Ptr += termBytes
        a2Ptr += termBytes
        a3Ptr += termBytes
        a4Ptr += termBytes
        a5Ptr += termBytes
        if (terms == 3) break
        w0 = v128.load(termPtr, 192)
        w1 = v128.load(termPtr, 208)
        a = v128.load32_splat(a0Ptr)
        r0v0 = multiplyAdd(a, w0, r0v0)
        r0v1 = multiplyAdd(a, w1, r0v1)
        a = v128.load32_splat(a1Ptr)
        r1v0 = multiplyAdd(a, w0, r1v0)
        r1v1 = multiplyAdd(a, w1, r1v1)
        a = v128.load32_splat(a2Ptr)
        r2v0 = multiplyAdd(a, w0, r2v0)
        r2v1 = multiplyAdd(a, w1, r2v1)
        a = v128.load32_splat(a3Ptr)
        r3v0 = multiplyAdd(a, w0, r3v0)
        r3v1 = multiplyAdd(a, w1, r3v1)
        a = v128.load32_splat(a4Ptr)
        r4v0 = multiplyAdd(a, w0, r4v0)
        r4v1 = multiplyAdd(a, w1, r4v1)
        a = v128.load32_splat(a5Ptr)
        r5v0 = multiplyAdd(a, w0, r5v0)
        r5v1 = multiplyAdd(a, w1, r5v1)
        a0Ptr += termBytes
        a1Ptr += termBytes
        a2Ptr += termBytes
        a3Ptr += termBytes
        a4Ptr += termBytes
        a5Ptr += termBytes
        termPtr += 4 * BLOCK_ROW_BYTES
      }
      storePair(toPtr, fromPtr, r0v0, r0v1, left)
      storePair(toPtr + outBytes, fromPtr + initBytes, r1v0, r1v1, left)
      storePair(toPtr + 2 * outBytes, fromPtr + 2 * initBytes, r2v0, r2v1, left)
      storePair(toPtr + 3 * outBytes, fromPtr + 3 * initBytes, r3v0, r3v1, left)
      storePair(toPtr + 4 * outBytes, fromPtr + 4 * initBytes, r4v0, r4v1, left)
      storePair(toPtr + 5 * outBytes, fromPtr + 5 * initBytes, r5v0, r5v1, left)
      halfPtr += 32
      fromPtr += 32
      toPtr += 32
    }
    initPtr += 6 * initBytes
    outPtr += 6 * outBytes
    aPtr += tileBytes
  }
}
