// One row times packed blocks: the inner loops of a single step.
//
//     out (blocks, 16) = init (blocks, 16) + a (k) @ w (k, blocks * 16)
//
// A weight is used once here, so a loop can be no faster than two vectors are loaded a cycle: what counts is that
// nothing else is loaded, that eight sums or more are under way at once, and that the processor sees the next weights
// coming. Three blocks at once where the engine fuses, two where not: Node 20 spills twelve sums.
//
// The streams of weights go on from group to group: two or three pieces, each read from end to end. Neighbouring blocks side by side
// would begin new streams with every group. Figures: docs/kernels.md, "One row".
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, Matrix, blocksOfColumns } from './layout'
import { tile1x12 } from './row-1x12'
import { tile1x8 } from './row-1x8'
import { FUSED, fusesHere, multiplyAdd } from '../simd'
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
      let x = v128.load32_splat(termPtr)
      r0 = multiplyAdd(x, v128.load(w0Ptr), r0)
      r1 = multiplyAdd(x, v128.load(w0Ptr, 16), r1)
      r2 = multiplyAdd(x, v128.load(w0Ptr, 32), r2)
      r3 = multiplyAdd(x, v128.load(w0Ptr, 48), r3)
      if (terms == 1) break
      x = v128.load32_splat(termPtr, 4)
      r0 = multiplyAdd(x, v128.load(w0Ptr, 64), r0)
      r1 = multiplyAdd(x, v128.load(w0Ptr, 80), r1)
      r2 = multiplyAdd(x, v128.load(w0Ptr, 96), r2)
      r3 = multiplyAdd(x, v128.load(w0Ptr, 112), r3)
      if (terms == 2) break
      x = v128.load32_splat(termPtr, 8)
      r0 = multiplyAdd(x, v128.load(w0Ptr, 128), r0)
      r1 = multiplyAdd(x, v128.load(w0Ptr, 144), r1)
      r2 = multiplyAdd(x, v128.load(w0Ptr, 160), r2)
      r3 = multiplyAdd(x, v128.load(w0Ptr, 176), r3)
      if (terms == 3) break
      x = v128.load32_splat(termPtr, 12)
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
 * out (columns) = bias + a (k) @ w (k, columns); or, with `adds`, out + a @ w.
 * `backwards`: groups of blocks from the last to the first. Whoever comes by turns from both sides finds in the cache what the last
 * turn left there.
 */
export function rowProduct(w: Matrix, aPtr: usize, outPtr: usize, adds: bool, backwards: bool): void {
  const k = w.k
  const columns = w.columns
  const wPtr = w.weightsPtr
  const blockBytes = w.blockBytes
  const initPtr = adds ? outPtr : w.biasPtr
  const initBytes = adds ? BLOCK_ROW_BYTES : blockBytes
  const blocks = blocksOfColumns(columns)
  const whole = columns / BLOCK_LENGTH
  let block = 0
  if (FUSED && fusesHere()) {
    // Two and two rather than three and one: a single block leaves the adders waiting.
    const groups = whole % 3 == 1 && whole > 1 ? whole / 3 - 1 : whole / 3
    tile1x12(groups, backwards, k, wPtr, blockBytes, aPtr, initPtr, initBytes, outPtr)
    block = 3 * groups
  }
  const pairs = (whole - block) >> 1
  tile1x8(
    pairs, backwards, k, wPtr + block * blockBytes, blockBytes, aPtr, initPtr + block * initBytes, initBytes, outPtr + block * BLOCK_ROW_BYTES,
  )
  for (block += 2 * pairs; block < blocks; block++) {
    tile1x4(
      k, wPtr + block * blockBytes, aPtr, initPtr + block * initBytes, outPtr + block * BLOCK_ROW_BYTES,
      min(BLOCK_LENGTH, columns - block * BLOCK_LENGTH),
    )
  }
}
