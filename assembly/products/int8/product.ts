// Products by a packed matrix of 8 bits: rows are quantised, group by group, and multiplied exactly. Sums of integers have no order, so
// that neither the way nor the shape of a tile shows in a result.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, Matrix, blocksOfColumns } from '../layout'
import { HAS_DOT } from '../../simd'
import { quantiseRow } from './activations'
import { INT8_WIDE, activationBytes, int8BlockBytes, int8RowsAtOnce, wordsOf } from './layout'
import { int8Row1x4, int8Row1x8 } from './row'
import { int8Row1x12 } from './row-1x12'
import { int8Tile4x2 } from './tile-4x2'
import { int8Tile6x2 } from './tile-6x2'

/**
 * As `multiply`, for a matrix of 8 bits: out (rows, columns) = bias + a @ w, or out + a @ w. Row m of `a` starts at
 * aPtr + (m / rowsPerStep) aStepBytes + (m % rowsPerStep) aRowBytes. workspacePtr: `int8ProductBytes(rows, k)` bytes.
 */
export function int8Product(
  w: Matrix, rows: i32, aPtr: usize, aStepBytes: i32, aRowBytes: i32, rowsPerStep: i32, outPtr: usize, outBytes: i32, adds: bool, workspacePtr: usize,
): void {
  assert(workspacePtr != 0 && workspacePtr % 16 == 0)
  const k = w.k
  const bytes = activationBytes(k, w.kind)
  const group = int8RowsAtOnce(rows, k)
  const initBytes = adds ? outBytes : 0
  for (let begin = 0; begin < rows; begin += group) {
    const count = min(group, rows - begin)
    for (let m = 0; m < count; m++) {
      const row = begin + m
      quantiseRow(w.kind, k, aPtr + (row / rowsPerStep) * aStepBytes + (row % rowsPerStep) * aRowBytes, workspacePtr + m * bytes)
    }
    const tiled = count / rowsOfTile(w.kind) * rowsOfTile(w.kind)
    if (tiled) tileProduct(w, tiled, workspacePtr, bytes, adds, initBytes, outPtr, outBytes)
    for (let m = tiled; m < count; m++) rowProduct(w, workspacePtr + m * bytes, adds, outPtr + m * outBytes)
    outPtr += count * outBytes
  }
}

// @ts-ignore: decorator
@inline
function rowsOfTile(kind: i32): i32 {
  return kind == INT8_WIDE ? 4 : 6
}

/** Whole tiles of quantised rows by all blocks. */
function tileProduct(w: Matrix, rows: i32, aPtr: usize, aBytes: i32, adds: bool, initBytes: i32, outPtr: usize, outBytes: i32): void {
  const words = wordsOf(w.k, w.kind)
  const blockBytes = int8BlockBytes(w.k, w.kind)
  const isWide = w.kind == INT8_WIDE
  let blockPtr = w.biasPtr
  let initPtr = adds ? outPtr : blockPtr
  for (let left = w.columns; left > 0; left -= BLOCK_LENGTH) {
    const columns = min(BLOCK_LENGTH, left)
    if (isWide) int8Tile4x2(rows, words, blockPtr, aPtr, aBytes, initPtr, initBytes, outPtr, outBytes, columns)
    else if (HAS_DOT) int8Tile6x2(rows, words, blockPtr, aPtr, aBytes, initPtr, initBytes, outPtr, outBytes, columns)
    blockPtr += blockBytes
    initPtr += adds ? BLOCK_ROW_BYTES : blockBytes
    outPtr += BLOCK_ROW_BYTES
  }
}

/** One quantised row by all blocks. */
function rowProduct(w: Matrix, aPtr: usize, adds: bool, outPtr: usize): void {
  const words = wordsOf(w.k, w.kind)
  const blockBytes = int8BlockBytes(w.k, w.kind)
  const initBytes = adds ? BLOCK_ROW_BYTES : blockBytes
  const initPtr = adds ? outPtr : w.biasPtr
  const whole = w.columns / BLOCK_LENGTH
  let block = 0
  if (w.kind == INT8_WIDE) {
    int8Row1x8<i16>(whole >> 1, words, w.biasPtr, blockBytes, aPtr, initPtr, initBytes, outPtr)
    block = whole & ~1
  } else if (HAS_DOT) {
    // Two and two rather than three and one.
    const threes = whole % 3 == 1 && whole > 1 ? whole / 3 - 1 : whole / 3
    int8Row1x12(threes, words, w.biasPtr, blockBytes, aPtr, initPtr, initBytes, outPtr)
    block = 3 * threes
    const pairs = (whole - block) >> 1
    int8Row1x8<i8>(pairs, words, w.biasPtr + block * blockBytes, blockBytes, aPtr, initPtr + block * initBytes, initBytes, outPtr + block * BLOCK_ROW_BYTES)
    block += 2 * pairs
  }
  for (; block < blocksOfColumns(w.columns); block++) {
    const blockPtr = w.biasPtr + block * blockBytes
    const columns = min(BLOCK_LENGTH, w.columns - block * BLOCK_LENGTH)
    if (w.kind == INT8_WIDE) int8Row1x4<i16>(words, blockPtr, aPtr, initPtr + block * initBytes, outPtr + block * BLOCK_ROW_BYTES, columns)
    else if (HAS_DOT) int8Row1x4<i8>(words, blockPtr, aPtr, initPtr + block * initBytes, outPtr + block * BLOCK_ROW_BYTES, columns)
  }
}
