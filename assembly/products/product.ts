// The one entry to products by a packed matrix: which of row, tiles and panels does it is chosen here, by the kind of
// its elements too. Every output is summed in one order (tile.ts), so that the choice never shows in a result.
import { LEAST_OVERFLOWING_BYTES, MOST_OVERFLOWING_BYTES } from '../cache'
import { int8BlockBytes, int8ProductBytes } from './int8/layout'
import { int8Product } from './int8/product'
import { BLOCK_ROW_BYTES, FLOAT32, Matrix, blocksOfColumns } from './layout'
import { panelBytes, panelProduct } from './panel'
import { rowProduct } from './row'
import { rowsAtOnce, rowsProduct, sixRows } from './tile'

/**
 * out[t, b] = bias + a[t, b] @ w; or, with `adds`, out[t, b] + a[t, b] @ w. For `steps` times `rows` rows:
 * a[t, b] at aPtr + t aStepBytes + b aRowBytes (strides may be negative), out[t, b] at outPtr + (t rows + b) outBytes.
 *
 * Of float32:
 *
 * | steps x rows | k and columns | taken |
 * | --- | --- | --- |
 * | one | any | one row by two or three blocks (row.ts) |
 * | more; and steps <= rows, or the engine fuses | more than 128 terms, 256 columns or more | rows packed in panels, in tiles (panel.ts) |
 * | steps > rows | others | the steps of each batch row, where they lie, in tiles (tile.ts) |
 * | steps <= rows | others | the batch rows of each step, where they lie, in tiles (tile.ts) |
 *
 * Of 8 bits: int8/product.ts.
 *
 * panelPtr: `productBytes(steps * rows, k, columns, isInt8)` bytes. `turn`: how often the matrix has been used before; one that just does not
 * fit into the cache is walked backwards in every other turn.
 */
export function multiply(
  w: Matrix, steps: i32, rows: i32, aPtr: usize, aStepBytes: i32, aRowBytes: i32, outPtr: usize, outBytes: i32, adds: bool, panelPtr: usize,
  turn: i32,
): void {
  if (w.kind != FLOAT32) {
    int8Product(w, steps * rows, aPtr, aStepBytes, aRowBytes, rows, outPtr, outBytes, adds, panelPtr)
  } else if (steps * rows == 1) {
    rowProduct(w, aPtr, outPtr, adds, (turn & 1) != 0 && overflows(w))
  } else if ((steps <= rows || sixRows(steps * rows) > 0) && panelBytes(steps * rows, w.k, w.columns) > 0) {
    panelProduct(w, steps * rows, aPtr, aRowBytes, aStepBytes, rows, panelPtr, outPtr, outBytes, adds)
  } else if (steps > rows) {
    for (let row = 0; row < rows; row++) {
      multiplyRows(w, steps, aPtr + row * aRowBytes, aStepBytes, outPtr + row * outBytes, rows * outBytes, adds, 0)
    }
  } else {
    for (let step = 0; step < steps; step++) {
      multiplyRows(w, rows, aPtr + step * aStepBytes, aRowBytes, outPtr + step * rows * outBytes, outBytes, adds, 0)
    }
  }
}

/** Bytes of memory at panelPtr that `multiply` needs for that many rows, or fewer; `isInt8`: enough for matrices of both kinds. */
export function productBytes(rows: i32, k: i32, columns: i32, isInt8: bool): i32 {
  const bytes = panelBytes(rows, k, columns)
  return isInt8 ? max(bytes, int8ProductBytes(rows, k)) : bytes
}

/** Bytes of memory that `multiplyRows` needs for that many rows, or fewer. */
export function rowsWorkspaceBytes(w: Matrix, rows: i32): i32 {
  return w.kind == FLOAT32 ? 0 : int8ProductBytes(rows, w.k)
}

/**
 * out (rows, columns) = bias + a (rows, k) @ w, or out + a @ w: rows where they lie, `aBytes` and `outBytes` apart.
 * workspacePtr: `rowsWorkspaceBytes(w, rows)` bytes.
 */
export function multiplyRows(w: Matrix, rows: i32, aPtr: usize, aBytes: i32, outPtr: usize, outBytes: i32, adds: bool, workspacePtr: usize): void {
  if (w.kind != FLOAT32) {
    int8Product(w, rows, aPtr, 0, aBytes, rows, outPtr, outBytes, adds, workspacePtr)
    return
  }
  const group = rowsAtOnce(rows, w.k, w.columns)
  for (let row = 0; row < rows; row += group) {
    rowsProduct(w, min(group, rows - row), aPtr + row * aBytes, aBytes, false, outPtr + row * outBytes, outBytes, adds)
  }
}

/** out (rows, columns) = bias: what `multiply` makes of zeros. */
export function multiplyZeros(w: Matrix, rows: i32, outPtr: usize, outBytes: i32): void {
  assert(w.isFinite)
  const bytes = w.columns * 4
  const blockBytes = w.kind == FLOAT32 ? w.blockBytes : int8BlockBytes(w.k, w.kind)
  const blocks = blocksOfColumns(w.columns)
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const at = block * BLOCK_ROW_BYTES
      memory.copy(outPtr + row * outBytes + at, w.biasPtr + block * blockBytes, min(BLOCK_ROW_BYTES, bytes - at))
    }
  }
}

/** Whether the weights just do not fit into the cache. Smaller ones stay there anyway; of larger ones too little would, and going backwards costs. */
// @ts-ignore: decorator
@inline
function overflows(w: Matrix): bool {
  return w.blocksBytes > LEAST_OVERFLOWING_BYTES && w.blocksBytes <= MOST_OVERFLOWING_BYTES
}
