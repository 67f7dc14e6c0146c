import { BLOCK_ROW_BYTES, packedBlockBytes } from './layout'
import { rowsAtOnce, rowsProduct } from './tile'

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
  const group = rowsAtOnce(rows, k, columns)
  for (let row = 0; row < rows; row += group) {
    rowsProduct(
      min(group, rows - row), k, packedPtr + BLOCK_ROW_BYTES, blockBytes, columns, aPtr + row * aBytes, aBytes, false,
      packedPtr, 0, blockBytes, outPtr + row * outBytes, outBytes,
    )
  }
}
