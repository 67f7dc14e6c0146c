// Register tiles: the inner loops of every matrix product here.
//
// Every output is summed in one order, whatever tile makes it: `init`, plus the sum over k < 128, plus
// the sum over 128 <= k < 256, and so on, each in ascending k. So a result has the same bits alone or
// in a batch, at once or in chunks. Long sums are cut because rounding errors grow with their length
// (over 257 terms the state was 1.3e-6 from the exact one, uncut; 128 costs no measurable time).
//
// Shapes. x86-64 engines have 16 vector registers and do not fold a broadcast into the arithmetic,
// so 2 rows x 4 vectors (8 accumulators, 4 weights, 2 broadcasts) is within 10 % of the best tile on
// every engine measured, fused or not; 6x2 is best fused but 2x slower unfused, 3x4 spills. One row
// needs 8 accumulators to hide the latency of the arithmetic, and four k a turn on older V8 (21
// against 50 GF/s on Node 20).
//
// A tile ends in one of two ways: with `cPtr` 0 its sums are stored; otherwise they are the gates
// i, f, g, o of four hidden units, and the cell update is done on them while they are in registers.
import { BLOCK_ROW_BYTES } from './layout'
import { sigmoid, tanh } from './math'
import { multiplyAdd, storeLanes } from './simd'

/** Terms that are summed before the sum is added to the total. */
const SUM_LENGTH: i32 = 128

/** Stores the first `columns` (1 to 16) of four vectors. */
// @ts-ignore: decorator
@inline
function storeBlock(outPtr: usize, v0: v128, v1: v128, v2: v128, v3: v128, columns: i32): void {
  if (columns >= 16) {
    v128.store(outPtr, v0)
    v128.store(outPtr, v1, 16)
    v128.store(outPtr, v2, 32)
    v128.store(outPtr, v3, 48)
    return
  }
  storeLanes(outPtr, v0, columns)
  if (columns > 4) storeLanes(outPtr + 16, v1, columns - 4)
  if (columns > 8) storeLanes(outPtr + 32, v2, columns - 8)
  if (columns > 12) storeLanes(outPtr + 48, v3, columns - 12)
}

/**
 * The cell update of `units` (1 to 4) hidden units from their gates before activation:
 *     c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
 *     h' = sigmoid(o) * tanh(c')
 */
// @ts-ignore: decorator
@inline
function updateCell(hPtr: usize, cPtr: usize, i: v128, f: v128, g: v128, o: v128, units: i32): void {
  const c = multiplyAdd(sigmoid(f), v128.load(cPtr), f32x4.mul(sigmoid(i), tanh(g)))
  storeLanes(cPtr, c, units)
  storeLanes(hPtr, f32x4.mul(sigmoid(o), tanh(c)), units)
}

// @ts-ignore: decorator
@inline
function finishBlock(outPtr: usize, cPtr: usize, v0: v128, v1: v128, v2: v128, v3: v128, count: i32): void {
  if (cPtr) updateCell(outPtr, cPtr, v0, v1, v2, v3, count)
  else storeBlock(outPtr, v0, v1, v2, v3, count)
}

/**
 * One row, one block: out (count) = init (16) + a (k) @ w (k, 16).
 * `count`: valid columns of the block, or valid units where `cPtr` is given.
 */
export function tile1x4(
  k: i32, wPtr: usize, aPtr: usize, initPtr: usize, outPtr: usize, cPtr: usize, count: i32,
): void {
  let totalR0 = v128.load(initPtr)
  let totalR1 = v128.load(initPtr, 16)
  let totalR2 = v128.load(initPtr, 32)
  let totalR3 = v128.load(initPtr, 48)
  while (k > 0) {
    let terms = min(k, SUM_LENGTH)
    k -= terms
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    let r2 = f32x4.splat(0)
    let r3 = f32x4.splat(0)
    while (terms > 0) {
      const a = v128.load32_splat(aPtr)
      r0 = multiplyAdd(a, v128.load(wPtr), r0)
      r1 = multiplyAdd(a, v128.load(wPtr, 16), r1)
      r2 = multiplyAdd(a, v128.load(wPtr, 32), r2)
      r3 = multiplyAdd(a, v128.load(wPtr, 48), r3)
      aPtr += 4
      wPtr += BLOCK_ROW_BYTES
      terms--
    }
    totalR0 = f32x4.add(totalR0, r0)
    totalR1 = f32x4.add(totalR1, r1)
    totalR2 = f32x4.add(totalR2, r2)
    totalR3 = f32x4.add(totalR3, r3)
  }
  finishBlock(outPtr, cPtr, totalR0, totalR1, totalR2, totalR3, count)
}

/**
 * One row, two neighbouring blocks, the second one at `wPtr + blockBytes`. The first block is whole;
 * `count` are the valid columns (or units) of the second.
 * `initStrideBytes`, `outStrideBytes`: from the first block to the second.
 */
export function tile1x8(
  k: i32, wPtr: usize, blockBytes: i32, aPtr: usize, initPtr: usize, initStrideBytes: i32,
  outPtr: usize, outStrideBytes: i32, cPtr: usize, count: i32,
): void {
  let uPtr = wPtr + blockBytes
  let totalR0 = v128.load(initPtr)
  let totalR1 = v128.load(initPtr, 16)
  let totalR2 = v128.load(initPtr, 32)
  let totalR3 = v128.load(initPtr, 48)
  initPtr += initStrideBytes
  let totalS0 = v128.load(initPtr)
  let totalS1 = v128.load(initPtr, 16)
  let totalS2 = v128.load(initPtr, 32)
  let totalS3 = v128.load(initPtr, 48)
  while (k > 0) {
    let terms = min(k, SUM_LENGTH)
    k -= terms
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    let r2 = f32x4.splat(0)
    let r3 = f32x4.splat(0)
    let s0 = f32x4.splat(0)
    let s1 = f32x4.splat(0)
    let s2 = f32x4.splat(0)
    let s3 = f32x4.splat(0)
    while (terms >= 4) {
      let a = v128.load32_splat(aPtr)
      r0 = multiplyAdd(a, v128.load(wPtr), r0)
      r1 = multiplyAdd(a, v128.load(wPtr, 16), r1)
      r2 = multiplyAdd(a, v128.load(wPtr, 32), r2)
      r3 = multiplyAdd(a, v128.load(wPtr, 48), r3)
      s0 = multiplyAdd(a, v128.load(uPtr), s0)
      s1 = multiplyAdd(a, v128.load(uPtr, 16), s1)
      s2 = multiplyAdd(a, v128.load(uPtr, 32), s2)
      s3 = multiplyAdd(a, v128.load(uPtr, 48), s3)
      a = v128.load32_splat(aPtr, 4)
      r0 = multiplyAdd(a, v128.load(wPtr, 64), r0)
      r1 = multiplyAdd(a, v128.load(wPtr, 80), r1)
      r2 = multiplyAdd(a, v128.load(wPtr, 96), r2)
      r3 = multiplyAdd(a, v128.load(wPtr, 112), r3)
      s0 = multiplyAdd(a, v128.load(uPtr, 64), s0)
      s1 = multiplyAdd(a, v128.load(uPtr, 80), s1)
      s2 = multiplyAdd(a, v128.load(uPtr, 96), s2)
      s3 = multiplyAdd(a, v128.load(uPtr, 112), s3)
      a = v128.load32_splat(aPtr, 8)
      r0 = multiplyAdd(a, v128.load(wPtr, 128), r0)
      r1 = multiplyAdd(a, v128.load(wPtr, 144), r1)
      r2 = multiplyAdd(a, v128.load(wPtr, 160), r2)
      r3 = multiplyAdd(a, v128.load(wPtr, 176), r3)
      s0 = multiplyAdd(a, v128.load(uPtr, 128), s0)
      s1 = multiplyAdd(a, v128.load(uPtr, 144), s1)
      s2 = multiplyAdd(a, v128.load(uPtr, 160), s2)
      s3 = multiplyAdd(a, v128.load(uPtr, 176), s3)
      a = v128.load32_splat(aPtr, 12)
      r0 = multiplyAdd(a, v128.load(wPtr, 192), r0)
      r1 = multiplyAdd(a, v128.load(wPtr, 208), r1)
      r2 = multiplyAdd(a, v128.load(wPtr, 224), r2)
      r3 = multiplyAdd(a, v128.load(wPtr, 240), r3)
      s0 = multiplyAdd(a, v128.load(uPtr, 192), s0)
      s1 = multiplyAdd(a, v128.load(uPtr, 208), s1)
      s2 = multiplyAdd(a, v128.load(uPtr, 224), s2)
      s3 = multiplyAdd(a, v128.load(uPtr, 240), s3)
      aPtr += 16
      wPtr += 4 * BLOCK_ROW_BYTES
      uPtr += 4 * BLOCK_ROW_BYTES
      terms -= 4
    }
    while (terms > 0) {
      const a = v128.load32_splat(aPtr)
      r0 = multiplyAdd(a, v128.load(wPtr), r0)
      r1 = multiplyAdd(a, v128.load(wPtr, 16), r1)
      r2 = multiplyAdd(a, v128.load(wPtr, 32), r2)
      r3 = multiplyAdd(a, v128.load(wPtr, 48), r3)
      s0 = multiplyAdd(a, v128.load(uPtr), s0)
      s1 = multiplyAdd(a, v128.load(uPtr, 16), s1)
      s2 = multiplyAdd(a, v128.load(uPtr, 32), s2)
      s3 = multiplyAdd(a, v128.load(uPtr, 48), s3)
      aPtr += 4
      wPtr += BLOCK_ROW_BYTES
      uPtr += BLOCK_ROW_BYTES
      terms--
    }
    totalR0 = f32x4.add(totalR0, r0)
    totalR1 = f32x4.add(totalR1, r1)
    totalR2 = f32x4.add(totalR2, r2)
    totalR3 = f32x4.add(totalR3, r3)
    totalS0 = f32x4.add(totalS0, s0)
    totalS1 = f32x4.add(totalS1, s1)
    totalS2 = f32x4.add(totalS2, s2)
    totalS3 = f32x4.add(totalS3, s3)
  }
  if (cPtr) {
    updateCell(outPtr, cPtr, totalR0, totalR1, totalR2, totalR3, 4)
    updateCell(outPtr + outStrideBytes, cPtr + outStrideBytes, totalS0, totalS1, totalS2, totalS3, count)
  } else {
    storeBlock(outPtr, totalR0, totalR1, totalR2, totalR3, 16)
    storeBlock(outPtr + outStrideBytes, totalS0, totalS1, totalS2, totalS3, count)
  }
}

/** Two rows, one block: the rows are named by the suffixes A and B. */
export function tile2x4(
  k: i32, wPtr: usize, aPtrA: usize, aPtrB: usize, initPtrA: usize, initPtrB: usize,
  outPtrA: usize, outPtrB: usize, cPtrA: usize, cPtrB: usize, count: i32,
): void {
  let totalR0 = v128.load(initPtrA)
  let totalR1 = v128.load(initPtrA, 16)
  let totalR2 = v128.load(initPtrA, 32)
  let totalR3 = v128.load(initPtrA, 48)
  let totalS0 = v128.load(initPtrB)
  let totalS1 = v128.load(initPtrB, 16)
  let totalS2 = v128.load(initPtrB, 32)
  let totalS3 = v128.load(initPtrB, 48)
  while (k > 0) {
    let terms = min(k, SUM_LENGTH)
    k -= terms
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    let r2 = f32x4.splat(0)
    let r3 = f32x4.splat(0)
    let s0 = f32x4.splat(0)
    let s1 = f32x4.splat(0)
    let s2 = f32x4.splat(0)
    let s3 = f32x4.splat(0)
    while (terms > 0) {
      const w0 = v128.load(wPtr)
      const w1 = v128.load(wPtr, 16)
      const w2 = v128.load(wPtr, 32)
      const w3 = v128.load(wPtr, 48)
      const a = v128.load32_splat(aPtrA)
      r0 = multiplyAdd(a, w0, r0)
      r1 = multiplyAdd(a, w1, r1)
      r2 = multiplyAdd(a, w2, r2)
      r3 = multiplyAdd(a, w3, r3)
      const b = v128.load32_splat(aPtrB)
      s0 = multiplyAdd(b, w0, s0)
      s1 = multiplyAdd(b, w1, s1)
      s2 = multiplyAdd(b, w2, s2)
      s3 = multiplyAdd(b, w3, s3)
      aPtrA += 4
      aPtrB += 4
      wPtr += BLOCK_ROW_BYTES
      terms--
    }
    totalR0 = f32x4.add(totalR0, r0)
    totalR1 = f32x4.add(totalR1, r1)
    totalR2 = f32x4.add(totalR2, r2)
    totalR3 = f32x4.add(totalR3, r3)
    totalS0 = f32x4.add(totalS0, s0)
    totalS1 = f32x4.add(totalS1, s1)
    totalS2 = f32x4.add(totalS2, s2)
    totalS3 = f32x4.add(totalS3, s3)
  }
  finishBlock(outPtrA, cPtrA, totalR0, totalR1, totalR2, totalR3, count)
  finishBlock(outPtrB, cPtrB, totalS0, totalS1, totalS2, totalS3, count)
}
