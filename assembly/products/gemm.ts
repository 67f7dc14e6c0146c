import { matrixAt } from './layout'
import { multiplyRows } from './product'

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
  assert(rowsPerStep > 0 && rowBegin <= rowEnd)
  const w = matrixAt(packedPtr)
  assert(w.k == k && w.columns == columns)
  let row = rowBegin
  while (row < rowEnd) {
    const inStep = row % rowsPerStep
    const rows = min(rowsPerStep - inStep, rowEnd - row)
    multiplyRows(w, rows, aPtr + (row / rowsPerStep) * aStepBytes + inStep * aRowBytes, aRowBytes, outPtr + row * outRowBytes, outRowBytes, false)
    row += rows
  }
}
