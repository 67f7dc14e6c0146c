// Six rows by half a block of 8 bits: see layout.ts and ../tile.ts.
import { BLOCK_ROW_BYTES } from '../layout'
import { dot } from '../../simd'
import { HEAD_BYTES, ROW_HEAD_BYTES, STARTS_AT } from './layout'
import { storeInt8Pair } from './sums'

/**
 * Six rows by six, by the dot of four bytes: twelve sums, two weights and a broadcast are in registers. `rows`: a multiple of six, `aBytes`
 * apart; `words` dots a column; `columns` of the block are valid.
 */
export function int8Tile6x2(
  rows: i32, words: i32, blockPtr: usize, aPtr: usize, aBytes: i32, initPtr: usize, initBytes: i32, outPtr: usize, outBytes: i32, columns: i32,
): void {
  for (; rows >= 6; rows -= 6) {
    let halfPtr = blockPtr
    let fromPtr = initPtr
    let toPtr = outPtr
    for (let left = columns; left > 0; left -= 8) {
      let termPtr = halfPtr + HEAD_BYTES
      let a0Ptr = aPtr + ROW_HEAD_BYTES
      let a1Ptr = a0Ptr + aBytes
      let a2Ptr = a1Ptr + aBytes
      let a3Ptr = a2Ptr + aBytes
      let a4Ptr = a3Ptr + aBytes
      let a5Ptr = a4Ptr + aBytes
      let r0v0 = v128.load(halfPtr, STARTS_AT)
      let r0v1 = v128.load(halfPtr, STARTS_AT + 16)
      let r1v0 = r0v0
      let r1v1 = r0v1
      let r2v0 = r0v0
      let r2v1 = r0v1
      let r3v0 = r0v0
      let r3v1 = r0v1
      let r4v0 = r0v0
      let r4v1 = r0v1
      let r5v0 = r0v0
      let r5v1 = r0v1
      for (let n = words; n > 0; n--) {
        const w0 = v128.load(termPtr)
        const w1 = v128.load(termPtr, 16)
        let a = v128.load32_splat(a0Ptr)
        r0v0 = dot(w0, a, r0v0)
        r0v1 = dot(w1, a, r0v1)
        a = v128.load32_splat(a1Ptr)
        r1v0 = dot(w0, a, r1v0)
        r1v1 = dot(w1, a, r1v1)
        a = v128.load32_splat(a2Ptr)
        r2v0 = dot(w0, a, r2v0)
        r2v1 = dot(w1, a, r2v1)
        a = v128.load32_splat(a3Ptr)
        r3v0 = dot(w0, a, r3v0)
        r3v1 = dot(w1, a, r3v1)
        a = v128.load32_splat(a4Ptr)
        r4v0 = dot(w0, a, r4v0)
        r4v1 = dot(w1, a, r4v1)
        a = v128.load32_splat(a5Ptr)
        r5v0 = dot(w0, a, r5v0)
        r5v1 = dot(w1, a, r5v1)
        a0Ptr += 4
        a1Ptr += 4
        a2Ptr += 4
        a3Ptr += 4
        a4Ptr += 4
        a5Ptr += 4
        termPtr += BLOCK_ROW_BYTES
      }
      let rowPtr = aPtr
      let inPtr = fromPtr
      let storePtr = toPtr
      storeInt8Pair(storePtr, inPtr, halfPtr, v128.load32_splat(rowPtr), r0v0, r0v1, left)
      rowPtr += aBytes
      inPtr += initBytes
      storePtr += outBytes
      storeInt8Pair(storePtr, inPtr, halfPtr, v128.load32_splat(rowPtr), r1v0, r1v1, left)
      rowPtr += aBytes
      inPtr += initBytes
      storePtr += outBytes
      storeInt8Pair(storePtr, inPtr, halfPtr, v128.load32_splat(rowPtr), r2v0, r2v1, left)
      rowPtr += aBytes
      inPtr += initBytes
      storePtr += outBytes
      storeInt8Pair(storePtr, inPtr, halfPtr, v128.load32_splat(rowPtr), r3v0, r3v1, left)
      rowPtr += aBytes
      inPtr += initBytes
      storePtr += outBytes
      storeInt8Pair(storePtr, inPtr, halfPtr, v128.load32_splat(rowPtr), r4v0, r4v1, left)
      rowPtr += aBytes
      inPtr += initBytes
      storePtr += outBytes
      storeInt8Pair(storePtr, inPtr, halfPtr, v128.load32_splat(rowPtr), r5v0, r5v1, left)
      halfPtr += 32
      fromPtr += 32
      toPtr += 32
    }
    initPtr += 6 * initBytes
    outPtr += 6 * outBytes
    aPtr += 6 * aBytes
  }
}
