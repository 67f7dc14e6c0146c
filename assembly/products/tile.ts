// Several rows times packed blocks: the inner loops of every product of matrices.
//
//     out (rows, 16) = init (rows, 16) + a (rows, k) @ w (k, 16)
//
// Every output is summed in one order, whatever tile makes it (these, or those of row.ts): init, plus
// the sum over k < 128, plus the sum over 128 <= k < 256, and so on, each from 0 in ascending k. So a
// result has the same bits alone or in a batch, at once or in chunks. Long sums are cut because rounding
// errors grow with their length.
//
// Shapes. x86-64 engines have 16 vector registers and load every weight into one. Fused, twelve sums beside two weights
// and a broadcast fill them: 6 rows x 2 vectors. Unfused, every product needs a register of its own: 6 x 2 spills, and no shape
// tried is better than 2 x 4. So the relaxed binary asks whether the engine fuses before it takes 6 x 2.
// Figures: docs/kernels.md, "Several rows".
import { FAR_ROW_GROUP_BYTES, NEAR_WEIGHT_BYTES, ROW_GROUP_BYTES } from '../cache'
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, Matrix, blocksOfColumns } from './layout'
import { rowProduct } from './row'
import { FUSED, fusesHere } from '../simd'
import { SUM_LENGTH } from './sums'
import { tile2x4 } from './tile-2x4'
import { tile6x2 } from './tile-6x2'

/** A group is whole tiles of six rows, and enough of them to be worth a pass over the weights. */
const LEAST_ROW_GROUP: i32 = 24

/** Bytes of a group's inputs, about. */
function groupBytes(k: i32, columns: i32): i32 {
  const isFar = f64(blocksOfColumns(columns)) * f64((k + 1) * BLOCK_ROW_BYTES) > f64(NEAR_WEIGHT_BYTES)
  return isFar ? FAR_ROW_GROUP_BYTES : ROW_GROUP_BYTES
}

/** Rows of a group: all `rows`, or a multiple of six. */
export function rowsAtOnce(rows: i32, k: i32, columns: i32): i32 {
  const bytes = groupBytes(k, columns)
  const groups = i32((i64(rows) * k * 4 + bytes - 1) / bytes)
  return groups < 2 ? rows : max(LEAST_ROW_GROUP, (rows / groups + 5) / 6 * 6)
}

/** Bytes that the inputs of a group have at most: not fewer for more rows or terms. */
export function mostGroupBytes(rows: i32, k: i32, columns: i32): i32 {
  return i32(min(i64(rows) * k * 4, i64(max(LEAST_ROW_GROUP * k * 4, groupBytes(k, columns) + 6 * k * 4))))
}

/** How many of an even number of rows go in tiles of six, the others in pairs. */
export function sixRows(rows: i32): i32 {
  return FUSED && fusesHere() ? rows / 6 * 6 : 0
}

/**
 * out (rows, columns) = bias + a (rows, k) @ w (k, columns); or, with `adds`, out + a @ w.
 * a: rows `aBytes` apart; or, with `isPanel`, an even number of rows as panel.ts packs them.
 */
export function rowsProduct(w: Matrix, rows: i32, aPtr: usize, aBytes: i32, isPanel: bool, outPtr: usize, outBytes: i32, adds: bool): void {
  const pairsEnd = rows & ~1
  const sixes = sixRows(pairsEnd)
  if (pairsEnd) {
    const columns = w.columns
    const blockBytes = w.blockBytes
    const initBytes = adds ? outBytes : 0
    const initBlockBytes = adds ? BLOCK_ROW_BYTES : blockBytes
    let initPtr = adds ? outPtr : w.biasPtr
    let wPtr = w.weightsPtr
    for (let column = 0; column < columns; column += BLOCK_LENGTH) {
      blockProduct(
        pairsEnd, sixes, w.k, wPtr, min(BLOCK_LENGTH, columns - column), aPtr, aBytes, isPanel, initPtr, initBytes, outPtr + column * 4, outBytes,
      )
      wPtr += blockBytes
      initPtr += initBlockBytes
    }
  }
  if (pairsEnd < rows) rowProduct(w, aPtr + pairsEnd * aBytes, outPtr + pairsEnd * outBytes, adds, false)
}

/**
 * An even number of rows, the first `sixes` of them in tiles of six, and one block: its 128 rows of weights (8 kB)
 * stay in the first-level cache for all of them.
 */
function blockProduct(
  rows: i32, sixes: i32, k: i32, wPtr: usize, columns: i32, aPtr: usize, aBytes: i32, isPanel: bool, initPtr: usize, initBytes: i32,
  outPtr: usize, outBytes: i32,
): void {
  const sixRowBytes = isPanel ? 4 : aBytes
  const sixTermBytes = isPanel ? 24 : 4
  const sixBytes = isPanel ? 24 * k : 6 * aBytes
  const pairRowBytes = isPanel ? 4 * k : aBytes
  let sixPtr = aPtr
  let pairPtr = aPtr + sixes / 6 * sixBytes
  do {
    const terms = min(k, SUM_LENGTH)
    if (FUSED) tile6x2(sixes, terms, wPtr, sixPtr, sixRowBytes, sixTermBytes, sixBytes, initPtr, initBytes, outPtr, outBytes, columns)
    tile2x4(
      rows - sixes, terms, wPtr, pairPtr, pairRowBytes, initPtr + sixes * initBytes, initBytes, outPtr + sixes * outBytes,
      outBytes, columns,
    )
    initPtr = outPtr
    initBytes = outBytes
    sixPtr += SUM_LENGTH * sixTermBytes
    pairPtr += SUM_LENGTH * 4
    wPtr += SUM_LENGTH * BLOCK_ROW_BYTES
    k -= SUM_LENGTH
  } while (k > 0)
}
