import { Matrix } from './layout'
import { multiplyRows, rowsWorkspaceBytes } from './product'

/**
 * out[t, b] = bias + a[t, b] @ w, for `steps` times `rows` rows; w is packed as in layout.ts.
 *
 * a[t, b] starts at aPtr + t aStepBytes + b aRowBytes: windows that overlap, or sequences [batch, timesteps, features], are read where
 * they lie. out[t, b] starts at outPtr + (t rows + b) outRowBytes. Strides may be negative. Rows do not know of each other: a part of
 * them is a product of its own. workspacePtr: `gemmWorkspaceBytes` bytes, or 0 where that is 0.
 */
export function gemmF32(
  w: Matrix, steps: i32, rows: i32, aPtr: usize, aStepBytes: i32, aRowBytes: i32, outPtr: usize, outRowBytes: i32,
  workspacePtr: usize,
): void {
  assert(changetype<usize>(w) % 16 == 0 && steps >= 0 && rows >= 0)
  if (rows == 0) return
  for (let step = 0; step < steps; step++) {
    multiplyRows(w, rows, aPtr + step * aStepBytes, aRowBytes, outPtr + step * rows * outRowBytes, outRowBytes, false, workspacePtr)
  }
}

/** Bytes of workspace that `gemmF32` needs for `rows` rows of a packed matrix: 0 for one of float32. */
export function gemmWorkspaceBytes(w: Matrix, rows: i32): f64 {
  return rowsWorkspaceBytes(w, rows)
}
