// Two rows by one block: see tile.ts.
import { BLOCK_ROW_BYTES } from './layout'
import { FUSED, multiplyAdd } from '../simd'
import { storeBlock } from './sums'

// r + a * w in two halves, so that two products stand before their two sums, each pair of weights loaded just before: where the engine
// does not fuse, that is faster than product, sum, product, sum, or all weights first. Fused, there is no first half.
// Figures: docs/kernels.md, "Several rows".

// @ts-ignore: decorator
@inline
function product(a: v128, w: v128): v128 {
  return FUSED ? w : f32x4.mul(a, w)
}

// @ts-ignore: decorator
@inline
function plus(half: v128, a: v128, r: v128): v128 {
  return FUSED ? multiplyAdd(a, half, r) : f32x4.add(half, r)
}

/** Pairs of rows, one block; `columns` of it are valid. The elements of a row lie side by side. */
export function tile2x4(
  rows: i32, k: i32, wPtr: usize, aPtr: usize, aBytes: i32, initPtr: usize, initBytes: i32, outPtr: usize, outBytes: i32, columns: i32,
): void {
  stridedTile2x4(rows, k, wPtr, aPtr, aBytes, 4, initPtr, initBytes, outPtr, outBytes, columns)
}

/**
 * The same with elements of a row `termBytes` apart. Eight terms a turn. The rows are walked by
 * their pointers: a broadcast at an offset costs V8 an instruction more, and JavaScriptCore a fifth of its speed.
 */
// @ts-ignore: decorator
@inline
export function stridedTile2x4(
  rows: i32, k: i32, wPtr: usize, aPtr: usize, aBytes: i32, termBytes: i32, initPtr: usize, initBytes: i32, outPtr: usize, outBytes: i32, columns: i32,
): void {
  for (; rows >= 2; rows -= 2) {
    let termPtr = wPtr
    let a0Ptr = aPtr
    let a1Ptr = a0Ptr + aBytes
    let r0v0 = f32x4.splat(0)
    let r0v1 = f32x4.splat(0)
    let r0v2 = f32x4.splat(0)
    let r0v3 = f32x4.splat(0)
    let r1v0 = f32x4.splat(0)
    let r1v1 = f32x4.splat(0)
    let r1v2 = f32x4.splat(0)
    let r1v3 = f32x4.splat(0)
    for (let terms = k; terms > 0; terms -= 8) {
      let a = v128.load32_splat(a0Ptr)
      let w0 = v128.load(termPtr)
      let w1 = v128.load(termPtr, 16)
      let p0 = product(a, w0)
      let p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      let w2 = v128.load(termPtr, 32)
      let w3 = v128.load(termPtr, 48)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      if (terms == 1) break
      a = v128.load32_splat(a0Ptr)
      w0 = v128.load(termPtr, 64)
      w1 = v128.load(termPtr, 80)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      w2 = v128.load(termPtr, 96)
      w3 = v128.load(termPtr, 112)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      if (terms == 2) break
      a = v128.load32_splat(a0Ptr)
      w0 = v128.load(termPtr, 128)
      w1 = v128.load(termPtr, 144)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      w2 = v128.load(termPtr, 160)
      w3 = v128.load(termPtr, 176)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      if (terms == 3) break
      a = v128.load32_splat(a0Ptr)
      w0 = v128.load(termPtr, 192)
      w1 = v128.load(termPtr, 208)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      w2 = v128.load(termPtr, 224)
      w3 = v128.load(termPtr, 240)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      if (terms == 4) break
      a = v128.load32_splat(a0Ptr)
      w0 = v128.load(termPtr, 256)
      w1 = v128.load(termPtr, 272)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      w2 = v128.load(termPtr, 288)
      w3 = v128.load(termPtr, 304)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      if (terms == 5) break
      a = v128.load32_splat(a0Ptr)
      w0 = v128.load(termPtr, 320)
      w1 = v128.load(termPtr, 336)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      w2 = v128.load(termPtr, 352)
      w3 = v128.load(termPtr, 368)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      if (terms == 6) break
      a = v128.load32_splat(a0Ptr)
      w0 = v128.load(termPtr, 384)
      w1 = v128.load(termPtr, 400)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      w2 = v128.load(termPtr, 416)
      w3 = v128.load(termPtr, 432)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      if (terms == 7) break
      a = v128.load32_splat(a0Ptr)
      w0 = v128.load(termPtr, 448)
      w1 = v128.load(termPtr, 464)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r0v0 = plus(p0, a, r0v0)
      r0v1 = plus(p1, a, r0v1)
      w2 = v128.load(termPtr, 480)
      w3 = v128.load(termPtr, 496)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r0v2 = plus(p0, a, r0v2)
      r0v3 = plus(p1, a, r0v3)
      a = v128.load32_splat(a1Ptr)
      p0 = product(a, w0)
      p1 = product(a, w1)
      r1v0 = plus(p0, a, r1v0)
      r1v1 = plus(p1, a, r1v1)
      p0 = product(a, w2)
      p1 = product(a, w3)
      r1v2 = plus(p0, a, r1v2)
      r1v3 = plus(p1, a, r1v3)
      a0Ptr += termBytes
      a1Ptr += termBytes
      termPtr += 8 * BLOCK_ROW_BYTES
    }
    storeBlock(outPtr, initPtr, r0v0, r0v1, r0v2, r0v3, columns)
    outPtr += outBytes
    initPtr += initBytes
    storeBlock(outPtr, initPtr, r1v0, r1v1, r1v2, r1v3, columns)
    outPtr += outBytes
    initPtr += initBytes
    aPtr += 2 * aBytes
  }
}
