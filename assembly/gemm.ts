import { BLOCK_ROW_BYTES, NEAR_WEIGHT_BYTES, blocksOfColumns, packedBlockBytes } from './layout'
import { rowsProduct } from './tile'

/** Rows are taken in groups whose inputs stay in the second-level cache while all blocks pass; small, where the weights stay there too, */
const ROW_GROUP_BYTES: i32 = 65536
/** and large where each group fetches them from further away (100 rows of 1024 inputs, 4096 columns: 51 GF/s, in small groups 40). */
const FAR_ROW_GROUP_BYTES: i32 = 524288
/** A group is whole tiles of six rows, and enough of them to be worth a pass over the weights. */
const LEAST_ROW_GROUP: i32 = 24

/**
 * out (rows, columns) = bias (columns) + a (rows, k) @ w (k, columns), with w packed as in layout.ts.
 *
 * Row m of `a` starts at  aPtr + (m / rowsPerStep) * aStepBytes + (m % rowsPerStep) * aRowBytes:
 * a sequence [batch, timesteps, features] is read time-major without being transposed. Row m of
 * `out` starts at outPtr + m * outRowBytes. Strides may be negative. Works on rows
 * rowBegin <= m < rowEnd.
 */
export function gemmF32(
  aPtr: usize, aRowBytes: i32, aStepBytes: i32, rowsPerStep: i32, rowBegin: i32, rowEnd: i32, k: i32,
  packedPtr: usize, columns: i32, outPtr: usize, outRowBytes: i32,
): void {
  assert(rowsPerStep > 0 && rowBegin <= rowEnd && k >= 0 && columns > 0)
  assert(packedPtr % 16 == 0)
  let row = rowBegin
  while (row < rowEnd) {
    const inStep = row % rowsPerStep
    const rows = min(rowsPerStep - inStep, rowEnd - row)
    denseRows(rows, k, packedPtr, columns, aPtr + (row / rowsPerStep) * aStepBytes + inStep * aRowBytes, aRowBytes, outPtr + row * outRowBytes, outRowBytes)
    row += rows
  }
}

/** out (rows, columns) = bias + a (rows, k) @ w, rows `aBytes` and `outBytes` apart. */
export function denseRows(
  rows: i32, k: i32, packedPtr: usize, columns: i32, aPtr: usize, aBytes: i32, outPtr: usize, outBytes: i32,
): void {
  const blockBytes = packedBlockBytes(k)
  const isFar = f64(blocksOfColumns(columns)) * f64(blockBytes) > f64(NEAR_WEIGHT_BYTES)
  const groupBytes = isFar ? FAR_ROW_GROUP_BYTES : ROW_GROUP_BYTES
  const groups = (rows * k * 4 + groupBytes - 1) / groupBytes
  const group = groups < 2 ? rows : max(LEAST_ROW_GROUP, (rows / groups + 5) / 6 * 6)
  for (let row = 0; row < rows; row += group) {
    rowsProduct(
      min(group, rows - row), k, packedPtr + BLOCK_ROW_BYTES, blockBytes, columns, aPtr + row * aBytes, aBytes,
      packedPtr, 0, blockBytes, outPtr + row * outBytes, outBytes,
    )
  }
}
