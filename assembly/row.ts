// One row times packed blocks: the inner loops of a single step.
//
//     out (blocks, 16) = init (blocks, 16) + a (k) @ w (k, blocks * 16)
//
// A weight is used once here, so a loop can be no faster than two vectors are loaded a cycle: what
// counts is that nothing else is loaded, and that eight sums or more are under way at once.
// - Four neighbouring elements of `a` are loaded as one vector and spread from there, where products
//   and sums are fused (FUSED); spreading takes a unit that unfused sums need, and those load each one.
// - Branches that are never taken stand between the terms. V8 moves instructions freely inside a
//   stretch without branches: unrolled, it made one chain of all terms of a sum, which then waited for
//   each other (35 instead of 50 GF/s), or loaded all weights first and spilled the sums (Node 20: 18
//   instead of 38 GF/s).
// - Three blocks at once where fused (50 GF/s at 58 peak; two blocks 47); two where not, since V8 spills
//   then (Node 20: 38 against 28).
// - The loop over groups of blocks is inside: 1 to 3 % faster than a call for each group.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, blocksOfColumns } from './layout'
import { FUSED, multiplyAdd, spread0, spread1, spread2, spread3 } from './simd'
import { SUM_LENGTH, storeBlock } from './sums'

/** One block; `count` of its columns are valid. */
function tile1x4(
  k: i32, wPtr: usize, aPtr: usize, initPtr: usize, outPtr: usize, count: i32,
): void {
  let left = k
  let termPtr = aPtr
  let w0Ptr = wPtr
  let fromPtr = initPtr
  do {
    let terms = min(left, SUM_LENGTH)
    let r0 = f32x4.splat(0)
    let r1 = f32x4.splat(0)
    let r2 = f32x4.splat(0)
    let r3 = f32x4.splat(0)
    for (; terms > 0; terms -= 4) {
      const a = v128.load(termPtr) // what lies past the end of the row is not used
      let x = spread0(a, termPtr)
      r0 = multiplyAdd(x, v128.load(w0Ptr), r0)
      r1 = multiplyAdd(x, v128.load(w0Ptr, 16), r1)
      r2 = multiplyAdd(x, v128.load(w0Ptr, 32), r2)
      r3 = multiplyAdd(x, v128.load(w0Ptr, 48), r3)
      if (terms == 1) break
      x = spread1(a, termPtr)
      r0 = multiplyAdd(x, v128.load(w0Ptr, 64), r0)
      r1 = multiplyAdd(x, v128.load(w0Ptr, 80), r1)
      r2 = multiplyAdd(x, v128.load(w0Ptr, 96), r2)
      r3 = multiplyAdd(x, v128.load(w0Ptr, 112), r3)
      if (terms == 2) break
      x = spread2(a, termPtr)
      r0 = multiplyAdd(x, v128.load(w0Ptr, 128), r0)
      r1 = multiplyAdd(x, v128.load(w0Ptr, 144), r1)
      r2 = multiplyAdd(x, v128.load(w0Ptr, 160), r2)
      r3 = multiplyAdd(x, v128.load(w0Ptr, 176), r3)
      if (terms == 3) break
      x = spread3(a, termPtr)
      r0 = multiplyAdd(x, v128.load(w0Ptr, 192), r0)
      r1 = multiplyAdd(x, v128.load(w0Ptr, 208), r1)
      r2 = multiplyAdd(x, v128.load(w0Ptr, 224), r2)
      r3 = multiplyAdd(x, v128.load(w0Ptr, 240), r3)
      termPtr += 16
      w0Ptr += 4 * BLOCK_ROW_BYTES
    }
    storeBlock(outPtr, fromPtr, r0, r1, r2, r3, count)
    fromPtr = outPtr
    left -= SUM_LENGTH
  } while (left > 0)
}

/**
 * `groups` times two blocks, which are `blockBytes` apart in `w` and `initBytes` in `init`; `step`: blocks from
 * group to group, negative to go backwards. All blocks are whole.
 */
function tile1x8(
  groups: i32, step: i32, k: i32, wPtr: usize, blockBytes: i32, aPtr: usize, initPtr: usize, initBytes: i32, outPtr: usize,
): void {
  for (; groups > 0; groups--) {
    let left = k
    let termPtr = aPtr
    let w0Ptr = wPtr
    let fromPtr = initPtr
    let fromBytes = initBytes
    do {
      let terms = min(left, SUM_LENGTH)
      let w1Ptr = w0Ptr + blockBytes
      let r0 = f32x4.splat(0)
      let r1 = f32x4.splat(0)
      let r2 = f32x4.splat(0)
      let r3 = f32x4.splat(0)
      let s0 = f32x4.splat(0)
      let s1 = f32x4.splat(0)
      let s2 = f32x4.splat(0)
      let s3 = f32x4.splat(0)
      for (; terms > 0; terms -= 4) {
        const a = v128.load(termPtr) // what lies past the end of the row is not used
        let x = spread0(a, termPtr)
        r0 = multiplyAdd(x, v128.load(w0Ptr), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 16), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 32), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 48), r3)
        if (w1Ptr == 0) break
        s0 = multiplyAdd(x, v128.load(w1Ptr), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 16), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 32), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 48), s3)
        if (terms == 1) break
        x = spread1(a, termPtr)
        r0 = multiplyAdd(x, v128.load(w0Ptr, 64), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 80), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 96), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 112), r3)
        if (w1Ptr == 1) break
        s0 = multiplyAdd(x, v128.load(w1Ptr, 64), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 80), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 96), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 112), s3)
        if (terms == 2) break
        x = spread2(a, termPtr)
        r0 = multiplyAdd(x, v128.load(w0Ptr, 128), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 144), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 160), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 176), r3)
        if (w1Ptr == 2) break
        s0 = multiplyAdd(x, v128.load(w1Ptr, 128), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 144), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 160), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 176), s3)
        if (terms == 3) break
        x = spread3(a, termPtr)
        r0 = multiplyAdd(x, v128.load(w0Ptr, 192), r0)
        r1 = multiplyAdd(x, v128.load(w0Ptr, 208), r1)
        r2 = multiplyAdd(x, v128.load(w0Ptr, 224), r2)
        r3 = multiplyAdd(x, v128.load(w0Ptr, 240), r3)
        if (w1Ptr == 3) break
        s0 = multiplyAdd(x, v128.load(w1Ptr, 192), s0)
        s1 = multiplyAdd(x, v128.load(w1Ptr, 208), s1)
        s2 = multiplyAdd(x, v128.load(w1Ptr, 224), s2)
        s3 = multiplyAdd(x, v128.load(w1Ptr, 240), s3)
        termPtr += 16
        w0Ptr += 4 * BLOCK_ROW_BYTES
        w1Ptr += 4 * BLOCK_ROW_BYTES
      }
      storeBlock(outPtr, fromPtr, r0, r1, r2, r3, BLOCK_LENGTH)
      storeBlock(outPtr + 64, fromPtr + fromBytes, s0, s1, s2, s3, BLOCK_LENGTH)
      fromPtr = outPtr
      fromBytes = BLOCK_ROW_BYTES
      left -= SUM_LENGTH
    } while (left > 0)
    wPtr += step * blockBytes
    initPtr += step * initBytes
    outPtr += step * BLOCK_ROW_BYTES
  }
}

/**
 * `groups` times three blocks, which are `blockBytes` apart in `w` and `initBytes` in `init`; `step`: blocks from
 * group to group, negative to go backwards. All blocks are whole.
 */
function tile1x12(
  groups: i32, step: i32, k: i32, wPtr: usize, blockBytes: i32, aPtr: usize, initPtr: usize, initBytes: i32, outPtr: usize,
): void {
  for (; groups > 0; groups--) {
    let left = k
    let termPtr = aPtr
    let w0Ptr = wPtr
    let fromPtr = initPtr
    let fromBytes = initBytes
    do {
      let terms = min(left, SUM_LENGTH)
      let w1Ptr = w0Ptr + blockBytes
      let w2Ptr = w1Ptr + blockBytes
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
        let x = spread0(a, termPtr)
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
        x = spread1(a, termPtr)
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
        x = spread2(a, termPtr)
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
        x = spread3(a, termPtr)
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
      storeBlock(outPtr + 64, fromPtr + fromBytes, s0, s1, s2, s3, BLOCK_LENGTH)
      storeBlock(outPtr + 128, fromPtr + 2 * fromBytes, t0, t1, t2, t3, BLOCK_LENGTH)
      fromPtr = outPtr
      fromBytes = BLOCK_ROW_BYTES
      left -= SUM_LENGTH
    } while (left > 0)
    wPtr += step * blockBytes
    initPtr += step * initBytes
    outPtr += step * BLOCK_ROW_BYTES
  }
}

/**
 * All blocks of a row: out (columns) = init + a (k) @ w (k, columns), the rows of `w` at wPtr, its blocks
 * `blockBytes` apart; init in blocks `initBytes` apart; out in one piece, which may be where init is.
 * `backwards`: whole groups from the last to the first. Whoever comes by turns from both sides finds in
 * the cache what the last turn left there (weights of 1 MB: 46 instead of 41 GF/s).
 */
export function rowProduct(
  k: i32, wPtr: usize, blockBytes: i32, columns: i32, aPtr: usize, initPtr: usize, initBytes: i32, outPtr: usize, backwards: bool,
): void {
  const blocks = blocksOfColumns(columns)
  const whole = columns / BLOCK_LENGTH
  let block = 0
  if (FUSED) {
    // Two and two rather than three and one: a single block leaves the adders waiting.
    const groups = whole % 3 == 1 && whole > 1 ? whole / 3 - 1 : whole / 3
    const first = backwards ? max(0, 3 * groups - 3) : 0
    tile1x12(
      groups, backwards ? -3 : 3, k, wPtr + first * blockBytes, blockBytes, aPtr, initPtr + first * initBytes, initBytes,
      outPtr + first * BLOCK_ROW_BYTES,
    )
    block = 3 * groups
  }
  const pairs = (whole - block) >> 1
  const first = backwards ? block + max(0, 2 * pairs - 2) : block
  tile1x8(
    pairs, backwards ? -2 : 2, k, wPtr + first * blockBytes, blockBytes, aPtr, initPtr + first * initBytes, initBytes,
    outPtr + first * BLOCK_ROW_BYTES,
  )
  for (block += 2 * pairs; block < blocks; block++) {
    tile1x4(
      k, wPtr + block * blockBytes, aPtr, initPtr + block * initBytes, outPtr + block * BLOCK_ROW_BYTES,
      min(BLOCK_LENGTH, columns - block * BLOCK_LENGTH),
    )
  }
}
