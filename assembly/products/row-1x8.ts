// One row by two blocks: see row.ts.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES } from './layout'
import { multiplyAdd } from '../simd'
import { SUM_LENGTH, storeBlock } from './sums'

/**
 * `groups` times two whole blocks: n, n + groups for every n < groups. So each of the two streams of weights goes on
 * from group to group without a gap. Blocks are `blockBytes` apart in `w`, `initBytes` in `init`. Eight terms a turn.
 *
 * The branches between the blocks are never taken. Node 20 orders instructions freely within a stretch without branches:
 * it loads all weights of a term first and spills the sums. Newer engines do not mind them.
 */
export function tile1x8(
  groups: i32, backwards: bool, k: i32, wPtr: usize, blockBytes: i32, aPtr: usize, initPtr: usize, initBytes: i32, outPtr: usize,
): void {
  const apartBytes = groups * BLOCK_ROW_BYTES
  const apartInitBytes = groups * initBytes
  const apartWeightBytes = groups * blockBytes
  const step = backwards ? -1 : 1
  if (backwards) {
    wPtr += (groups - 1) * blockBytes
    initPtr += (groups - 1) * initBytes
    outPtr += (groups - 1) * BLOCK_ROW_BYTES
  }
  for (; groups > 0; groups--) {
    let left = k
    let termPtr = aPtr
    let w0Ptr = wPtr
    let fromPtr = initPtr
    let fromBytes = apartInitBytes
    do {
      let terms = min(left, SUM_LENGTH)
      let w1Ptr = w0Ptr + apartWeightBytes
      let r0 = f32x4.splat(0)
      let r1 = f32x4.splat(0)
      let r2 = f32x4.splat(0)
      let r3 = f32x4.splat(0)
      let s0 = f32x4.splat(0)
      let s1 = f32x4.splat(0)
      let s2 = f32x4.splat(0)
      let s3 = f32x4.splat(0)
      for (; terms > 0; terms -= 8) {
        let a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 16), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 32), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 48), r3)
        if (w1Ptr == 0) break
        s0 = multiplyAdd(a, v128.load(w1Ptr), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 16), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 32), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 48), s3)
        termPtr += 4
        if (terms == 1) break
        a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr, 64), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 80), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 96), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 112), r3)
        if (w1Ptr == 1) break
        s0 = multiplyAdd(a, v128.load(w1Ptr, 64), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 80), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 96), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 112), s3)
        termPtr += 4
        if (terms == 2) break
        a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr, 128), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 144), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 160), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 176), r3)
        if (w1Ptr == 2) break
        s0 = multiplyAdd(a, v128.load(w1Ptr, 128), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 144), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 160), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 176), s3)
        termPtr += 4
        if (terms == 3) break
        a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr, 192), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 208), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 224), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 240), r3)
        if (w1Ptr == 3) break
        s0 = multiplyAdd(a, v128.load(w1Ptr, 192), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 208), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 224), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 240), s3)
        termPtr += 4
        if (terms == 4) break
        a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr, 256), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 272), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 288), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 304), r3)
        if (w1Ptr == 4) break
        s0 = multiplyAdd(a, v128.load(w1Ptr, 256), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 272), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 288), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 304), s3)
        termPtr += 4
        if (terms == 5) break
        a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr, 320), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 336), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 352), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 368), r3)
        if (w1Ptr == 5) break
        s0 = multiplyAdd(a, v128.load(w1Ptr, 320), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 336), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 352), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 368), s3)
        termPtr += 4
        if (terms == 6) break
        a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr, 384), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 400), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 416), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 432), r3)
        if (w1Ptr == 6) break
        s0 = multiplyAdd(a, v128.load(w1Ptr, 384), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 400), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 416), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 432), s3)
        termPtr += 4
        if (terms == 7) break
        a = v128.load32_splat(termPtr)
        r0 = multiplyAdd(a, v128.load(w0Ptr, 448), r0)
        r1 = multiplyAdd(a, v128.load(w0Ptr, 464), r1)
        r2 = multiplyAdd(a, v128.load(w0Ptr, 480), r2)
        r3 = multiplyAdd(a, v128.load(w0Ptr, 496), r3)
        if (w1Ptr == 7) break
        s0 = multiplyAdd(a, v128.load(w1Ptr, 448), s0)
        s1 = multiplyAdd(a, v128.load(w1Ptr, 464), s1)
        s2 = multiplyAdd(a, v128.load(w1Ptr, 480), s2)
        s3 = multiplyAdd(a, v128.load(w1Ptr, 496), s3)
        termPtr += 4
        w0Ptr += 8 * BLOCK_ROW_BYTES
        w1Ptr += 8 * BLOCK_ROW_BYTES
      }
      storeBlock(outPtr, fromPtr, r0, r1, r2, r3, BLOCK_LENGTH)
      storeBlock(outPtr + apartBytes, fromPtr + fromBytes, s0, s1, s2, s3, BLOCK_LENGTH)
      fromPtr = outPtr
      fromBytes = apartBytes
      left -= SUM_LENGTH
    } while (left > 0)
    wPtr += step * blockBytes
    initPtr += step * initBytes
    outPtr += step * BLOCK_ROW_BYTES
  }
}
