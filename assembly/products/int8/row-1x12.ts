// One row by three blocks of 8 bits, by the dot of four bytes: see row.ts.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES } from '../layout'
import { dot } from '../../simd'
import { HEAD_BYTES, ROW_HEAD_BYTES, STARTS_AT } from './layout'
import { storeInt8Block } from './sums'

/**
 * `groups` times three whole blocks: n, n + groups, n + 2 groups for every n < groups. Twelve sums are under way at once: a dot takes four or
 * five cycles, and two begin in each.
 */
export function int8Row1x12(
  groups: i32, words: i32, blockPtr: usize, blockBytes: i32, aPtr: usize, initPtr: usize, initBytes: i32, outPtr: usize,
): void {
  const rowScale = v128.load32_splat(aPtr)
  const apartBytes = groups * blockBytes
  const apartInitBytes = groups * initBytes
  const apartOutBytes = groups * BLOCK_ROW_BYTES
  for (; groups > 0; groups--) {
    const secondPtr = blockPtr + apartBytes
    const thirdPtr = secondPtr + apartBytes
    let w0Ptr = blockPtr + HEAD_BYTES
    let w1Ptr = secondPtr + HEAD_BYTES
    let w2Ptr = thirdPtr + HEAD_BYTES
    let termPtr = aPtr + ROW_HEAD_BYTES
    let r0 = v128.load(blockPtr, STARTS_AT)
    let r1 = v128.load(blockPtr, STARTS_AT + 16)
    let r2 = v128.load(blockPtr, STARTS_AT + 32)
    let r3 = v128.load(blockPtr, STARTS_AT + 48)
    let s0 = v128.load(secondPtr, STARTS_AT)
    let s1 = v128.load(secondPtr, STARTS_AT + 16)
    let s2 = v128.load(secondPtr, STARTS_AT + 32)
    let s3 = v128.load(secondPtr, STARTS_AT + 48)
    let t0 = v128.load(thirdPtr, STARTS_AT)
    let t1 = v128.load(thirdPtr, STARTS_AT + 16)
    let t2 = v128.load(thirdPtr, STARTS_AT + 32)
    let t3 = v128.load(thirdPtr, STARTS_AT + 48)
    for (let left = words; left > 0; left -= 4) {
      const a = v128.load(termPtr)
      let x = v128.shuffle<i32>(a, a, 0, 0, 0, 0)
      r0 = dot(v128.load(w0Ptr), x, r0)
      r1 = dot(v128.load(w0Ptr, 16), x, r1)
      r2 = dot(v128.load(w0Ptr, 32), x, r2)
      r3 = dot(v128.load(w0Ptr, 48), x, r3)
      s0 = dot(v128.load(w1Ptr), x, s0)
      s1 = dot(v128.load(w1Ptr, 16), x, s1)
      s2 = dot(v128.load(w1Ptr, 32), x, s2)
      s3 = dot(v128.load(w1Ptr, 48), x, s3)
      t0 = dot(v128.load(w2Ptr), x, t0)
      t1 = dot(v128.load(w2Ptr, 16), x, t1)
      t2 = dot(v128.load(w2Ptr, 32), x, t2)
      t3 = dot(v128.load(w2Ptr, 48), x, t3)
      x = v128.shuffle<i32>(a, a, 1, 1, 1, 1)
      r0 = dot(v128.load(w0Ptr, 64), x, r0)
      r1 = dot(v128.load(w0Ptr, 80), x, r1)
      r2 = dot(v128.load(w0Ptr, 96), x, r2)
      r3 = dot(v128.load(w0Ptr, 112), x, r3)
      s0 = dot(v128.load(w1Ptr, 64), x, s0)
      s1 = dot(v128.load(w1Ptr, 80), x, s1)
      s2 = dot(v128.load(w1Ptr, 96), x, s2)
      s3 = dot(v128.load(w1Ptr, 112), x, s3)
      t0 = dot(v128.load(w2Ptr, 64), x, t0)
      t1 = dot(v128.load(w2Ptr, 80), x, t1)
      t2 = dot(v128.load(w2Ptr, 96), x, t2)
      t3 = dot(v128.load(w2Ptr, 112), x, t3)
      x = v128.shuffle<i32>(a, a, 2, 2, 2, 2)
      r0 = dot(v128.load(w0Ptr, 128), x, r0)
      r1 = dot(v128.load(w0Ptr, 144), x, r1)
      r2 = dot(v128.load(w0Ptr, 160), x, r2)
      r3 = dot(v128.load(w0Ptr, 176), x, r3)
      s0 = dot(v128.load(w1Ptr, 128), x, s0)
      s1 = dot(v128.load(w1Ptr, 144), x, s1)
      s2 = dot(v128.load(w1Ptr, 160), x, s2)
      s3 = dot(v128.load(w1Ptr, 176), x, s3)
      t0 = dot(v128.load(w2Ptr, 128), x, t0)
      t1 = dot(v128.load(w2Ptr, 144), x, t1)
      t2 = dot(v128.load(w2Ptr, 160), x, t2)
      t3 = dot(v128.load(w2Ptr, 176), x, t3)
      x = v128.shuffle<i32>(a, a, 3, 3, 3, 3)
      r0 = dot(v128.load(w0Ptr, 192), x, r0)
      r1 = dot(v128.load(w0Ptr, 208), x, r1)
      r2 = dot(v128.load(w0Ptr, 224), x, r2)
      r3 = dot(v128.load(w0Ptr, 240), x, r3)
      s0 = dot(v128.load(w1Ptr, 192), x, s0)
      s1 = dot(v128.load(w1Ptr, 208), x, s1)
      s2 = dot(v128.load(w1Ptr, 224), x, s2)
      s3 = dot(v128.load(w1Ptr, 240), x, s3)
      t0 = dot(v128.load(w2Ptr, 192), x, t0)
      t1 = dot(v128.load(w2Ptr, 208), x, t1)
      t2 = dot(v128.load(w2Ptr, 224), x, t2)
      t3 = dot(v128.load(w2Ptr, 240), x, t3)
      termPtr += 16
      w0Ptr += 4 * BLOCK_ROW_BYTES
      w1Ptr += 4 * BLOCK_ROW_BYTES
      w2Ptr += 4 * BLOCK_ROW_BYTES
    }
    storeInt8Block(outPtr, initPtr, blockPtr, rowScale, r0, r1, r2, r3, BLOCK_LENGTH)
    storeInt8Block(outPtr + apartOutBytes, initPtr + apartInitBytes, secondPtr, rowScale, s0, s1, s2, s3, BLOCK_LENGTH)
    storeInt8Block(outPtr + 2 * apartOutBytes, initPtr + 2 * apartInitBytes, thirdPtr, rowScale, t0, t1, t2, t3, BLOCK_LENGTH)
    blockPtr += blockBytes
    initPtr += initBytes
    outPtr += BLOCK_ROW_BYTES
  }
}
