// One row by three blocks, for engines that fuse: see row.ts.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES } from './layout'
import { multiplyAdd } from '../simd'
import { SUM_LENGTH, storeBlock } from './sums'

/**
 * `groups` times three whole blocks: n, n + groups, n + 2 groups for every n < groups. So each of the three streams of
 * weights goes on from group to group without a gap. Blocks are `blockBytes` apart in `w`, `initBytes` in `init`. Four
 * neighbouring elements of `a` are loaded as one vector and spread from there, which is faster than one by one.
 */
export function tile1x12(
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
      let w2Ptr = w1Ptr + apartWeightBytes
      let r0 = f32x4.splat(0)
      let r1 = f32x4.splat(0)
      let r2 = f32x4.splat(0)
      let r3 = f32x4.splat(0)
      let s0 = f32x4.splat(0)
      let s1 = f32x4.splat(0)
      let s2 = f32x4.splat(0)
      let s3 = f32x4.splat(0)
      let t0 = f32x4.splat(0)
      let t1 = f32x4.splat(0)
      let t2 = f32x4.splat(0)
      let t3 = f32x4.splat(0)
      for (; terms > 0; terms -= 4) {
        const a = v128.load(termPtr) // what lies past the end of the row is not used
        let x = v128.shuffle<f32>(a, a, 0, 0, 0, 0)
        r0 = multiplyAdd(x, v128.load(w0Ptr), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 16), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 32), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 48), r3)
        s0 = multiplyAdd(x, v128.load(w1Ptr), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 16), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 32), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 48), s3)
        t0 = multiplyAdd(x, v128.load(w2Ptr), t0)
        t1 = multiplyAdd(x, v128.load(w2Ptr, 16), t1)
        t2 = multiplyAdd(x, v128.load(w2Ptr, 32), t2)
        t3 = multiplyAdd(x, v128.load(w2Ptr, 48), t3)
        if (terms == 1) break
        x = v128.shuffle<f32>(a, a, 1, 1, 1, 1)
        r0 = multiplyAdd(x, v128.load(w0Ptr, 64), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 80), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 96), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 112), r3)
        s0 = multiplyAdd(x, v128.load(w1Ptr, 64), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 80), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 96), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 112), s3)
        t0 = multiplyAdd(x, v128.load(w2Ptr, 64), t0)
        t1 = multiplyAdd(x, v128.load(w2Ptr, 80), t1)
        t2 = multiplyAdd(x, v128.load(w2Ptr, 96), t2)
        t3 = multiplyAdd(x, v128.load(w2Ptr, 112), t3)
        if (terms == 2) break
        x = v128.shuffle<f32>(a, a, 2, 2, 2, 2)
        r0 = multiplyAdd(x, v128.load(w0Ptr, 128), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 144), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 160), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 176), r3)
        s0 = multiplyAdd(x, v128.load(w1Ptr, 128), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 144), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 160), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 176), s3)
        t0 = multiplyAdd(x, v128.load(w2Ptr, 128), t0)
        t1 = multiplyAdd(x, v128.load(w2Ptr, 144), t1)
        t2 = multiplyAdd(x, v128.load(w2Ptr, 160), t2)
        t3 = multiplyAdd(x, v128.load(w2Ptr, 176), t3)
        if (terms == 3) break
        x = v128.shuffle<f32>(a, a, 3, 3, 3, 3)
        r0 = multiplyAdd(x, v128.load(w0Ptr, 192), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 208), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 224), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 240), r3)
        s0 = multiplyAdd(x, v128.load(w1Ptr, 192), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 208), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 224), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 240), s3)
        t0 = multiplyAdd(x, v128.load(w2Ptr, 192), t0)
        t1 = multiplyAdd(x, v128.load(w2Ptr, 208), t1)
        t2 = multiplyAdd(x, v128.load(w2Ptr, 224), t2)
        t3 = multiplyAdd(x, v128.load(w2Ptr, 240), t3)
        termPtr += 16
        w0Ptr += 4 * BLOCK_ROW_BYTES
        w1Ptr += 4 * BLOCK_ROW_BYTES
        w2Ptr += 4 * BLOCK_ROW_BYTES
      }
      storeBlock(outPtr, fromPtr, r0, r1, r2, r3, BLOCK_LENGTH)
      storeBlock(outPtr + apartBytes, fromPtr + fromBytes, s0, s1, s2, s3, BLOCK_LENGTH)
      storeBlock(outPtr + 2 * apartBytes, fromPtr + 2 * fromBytes, t0, t1, t2, t3, BLOCK_LENGTH)
      fromPtr = outPtr
      fromBytes = apartBytes
      left -= SUM_LENGTH
    } while (left > 0)
    wPtr += step * blockBytes
    initPtr += step * initBytes
    outPtr += step * BLOCK_ROW_BYTES
  }
}
