// What the binary for training calls in those of inference, besides the kernels: linked to it, never called by JavaScript. See gradients/inference.ts.
import { tile6x2 } from './products/tile-6x2'
import { FUSED } from './simd'

export { activateRow } from './math/activate'
export { sigmoid, tanh } from './math/called'
export { exp64, log64 } from './math/power'
export { sinShifted } from './math/trigonometry'
export { multiply, multiplyRows, multiplyZeros, productBytes } from './products/product'
export { sixRows } from './products/tile'

/** Nothing where `sixRows` gives none. */
export function sixRowsTile(
  rows: i32, k: i32, wPtr: usize, aPtr: usize, aBytes: i32, termBytes: i32, tileBytes: i32, initPtr: usize, initBytes: i32, outPtr: usize, outBytes: i32,
  columns: i32,
): void {
  if (FUSED) tile6x2(rows, k, wPtr, aPtr, aBytes, termBytes, tileBytes, initPtr, initBytes, outPtr, outBytes, columns)
}
