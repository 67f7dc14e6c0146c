// Several rows times packed blocks: the inner loops of every product of matrices.
//
//     out (rows, 16) = init (rows, 16) + a (rows, k) @ w (k, 16)
//
// Every output is summed in one order, whatever tile makes it (these, or those of row.ts): init, plus
// the sum over k < 128, plus the sum over 128 <= k < 256, and so on, each from 0 in ascending k. So a
// result has the same bits alone or in a batch, at once or in chunks. Long sums are cut because rounding
// errors grow with their length (over 257 terms the state was 1.3e-6 from the exact one, uncut).
//
// Shapes. x86-64 engines have 16 vector registers and load every weight into one. Fused, twelve sums beside two weights
// and a broadcast fill them: 6 rows x 2 vectors make 58 GF/s at a peak of 59, 2 x 4 make 55. Unfused, every product needs
// a register of its own: 6 x 2 spills (28 GF/s), 2 x 4 makes 53 (Node 24), 48 (Node 20, at a peak of 49), 50 (Bun), and no
// other shape tried is better on two of them. So the relaxed binary asks whether the engine fuses before it takes 6 x 2.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, NEAR_WEIGHT_BYTES, blocksOfColumns, packedBlockBytes } from './layout'
import { rowProduct } from './row'
import { FUSED, fusesHere } from '../simd'
import { SUM_LENGTH } from './sums'
import { tile2x4 } from './tile-2x4'
import { tile6x2 } from './tile-6x2'

/** Rows are taken in groups whose inputs stay in the second-level cache while all blocks pass; small, where the weights stay there too, */
const ROW_GROUP_BYTES: i32 = 65536
/** and large where each group fetches them from further away (100 rows of 1024 inputs, 4096 columns: 51 GF/s, in small groups 40). */
const FAR_ROW_GROUP_BYTES: i32 = 524288
/** A group is whole tiles of six rows, and enough of them to be worth a pass over the weights. */
const LEAST_ROW_GROUP: i32 = 24

/** Bytes of a group's inputs, about. */
function groupBytes(k: i32, columns: i32): i32 {
  const isFar = f64(blocksOfColumns(columns)) * f64(packedBlockBytes(k)) > f64(NEAR_WEIGHT_BYTES)
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
 * Rows x blocks: out (rows, columns) = init + a (rows, k) @ w (k, columns).
 * `w`: block rows at wPtr, blocks `blockBytes` apart; init (rows, blocks): `initBytes` from row to row (0: the
 * same for all), `initBlockBytes` from block to block; out may be where init is.
 * a: rows `aBytes` apart; or, with `isPanel`, an even number of rows as panel.ts packs them.
 */
export function rowsProduct(
  rows: i32, k: i32, wPtr: usize, blockBytes: i32, columns: i32, aPtr: usize, aBytes: i32, isPanel: bool,
  initPtr: usize, initBytes: i32, initBlockBytes: i32, outPtr: usize, outBytes: i32,
): void {
  const pairsEnd = rows & ~1
  const sixes = sixRows(pairsEnd)
  if (pairsEnd) {
    for (let column = 0; column < columns; column += BLOCK_LENGTH) {
      blockProduct(
        pairsEnd, sixes, k, wPtr, min(BLOCK_LENGTH, columns - column), aPtr, aBytes, isPanel, initPtr, initBytes, outPtr + column * 4, outBytes,
      )
      wPtr += blockBytes
      initPtr += initBlockBytes
    }
    const blocks = blocksOfColumns(columns)
    wPtr -= blocks * blockBytes
    initPtr -= blocks * initBlockBytes
  }
  if (pairsEnd < rows) {
    rowProduct(
      k, wPtr, blockBytes, columns, aPtr + pairsEnd * aBytes, initPtr + pairsEnd * initBytes, initBlockBytes, outPtr + pairsEnd * outBytes, false,
    )
  }
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
