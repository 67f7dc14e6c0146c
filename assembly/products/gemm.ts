import { Matrix } from './layout'
import { multiplyRows, rowsWorkspaceBytes } from './product'

/** How the rows of a product lie: `steps` times `rows` of them. */
@unmanaged
export class ProductCall {
  steps: i32
  rows: i32
  /** a[t, b] starts at aPtr + t aStepBytes + b aRowBytes. Distances may be negative. */
  aStepBytes: i32
  aRowBytes: i32
  /** out[t, b] starts at outPtr + (t rows + b) outRowBytes. */
  outRowBytes: i32
}

/**
 * out[t, b] = bias + a[t, b] @ w; w is packed as in layout.ts.
 *
 * Windows that overlap, or sequences [batch, timesteps, features], are read where they lie. Rows do not know of each other: a part of
 * them is a product of its own. workspacePtr: `gemmWorkspaceBytes` bytes, or 0 where that is 0.
 */
export function gemmF32(call: ProductCall, w: Matrix, aPtr: usize, outPtr: usize, workspacePtr: usize): void {
  const rows = call.rows
  assert(changetype<usize>(w) % 16 == 0 && call.steps >= 0 && rows >= 0)
  if (rows == 0) return
  const aStepBytes = call.aStepBytes
  const aRowBytes = call.aRowBytes
  const outRowBytes = call.outRowBytes
  for (let steps = call.steps; steps > 0; steps--) {
    multiplyRows(w, rows, aPtr, aRowBytes, outPtr, outRowBytes, false, workspacePtr)
    aPtr += aStepBytes
    outPtr += rows * outRowBytes
  }
}

/** Bytes of workspace that `gemmF32` needs for `rows` rows of a packed matrix: 0 for one of float32. */
export function gemmWorkspaceBytes(w: Matrix, rows: i32): f64 {
  return rowsWorkspaceBytes(w, rows)
}
