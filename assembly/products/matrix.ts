// Matrices on their way into and out of a product.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, blocksOfColumns, newMatrix } from './layout'

/**
 * How a matrix w (k, columns) lies in memory. k may be two axes, k = outer * inner + c: element (outer, c, column) is the one at
 * outer * outerStride + c * innerStride + column * columnStride.
 */
@unmanaged
export class MatrixLayout {
  outer: i32
  inner: i32
  columns: i32
  /** In elements. */
  outerStride: i32
  innerStride: i32
  columnStride: i32
}

/** Packs a matrix w (k, columns) with bias (columns) or 0, see layout.ts, from any order of its axes. */
export function packStridedF32(layout: MatrixLayout, packedPtr: usize, weightPtr: usize, biasPtr: usize): void {
  assert(weightPtr != 0)
  const outer = layout.outer
  const inner = layout.inner
  const columns = layout.columns
  const outerBytes = layout.outerStride * 4
  const innerBytes = layout.innerStride * 4
  const columnBytes = layout.columnStride * 4
  const matrix = newMatrix(packedPtr, outer * inner, columns)
  const blocks = blocksOfColumns(columns)
  for (let block = 0; block < blocks; block++) {
    const blockPtr = matrix.biasPtr + block * matrix.blockBytes
    const first = block * BLOCK_LENGTH
    const valid = min(BLOCK_LENGTH, columns - first)
    memory.fill(blockPtr, 0, BLOCK_ROW_BYTES)
    if (biasPtr) memory.copy(blockPtr, biasPtr + first * 4, valid * 4)
    let toPtr = blockPtr + BLOCK_ROW_BYTES
    for (let n = 0; n < outer; n++) {
      for (let c = 0; c < inner; c++) {
        const fromPtr = weightPtr + n * outerBytes + c * innerBytes + first * columnBytes
        if (columnBytes == 4 && valid == BLOCK_LENGTH) {
          memory.copy(toPtr, fromPtr, BLOCK_ROW_BYTES)
        } else {
          for (let lane = 0; lane < valid; lane++) f32.store(toPtr + lane * 4, f32.load(fromPtr + lane * columnBytes))
          for (let lane = valid; lane < BLOCK_LENGTH; lane++) f32.store(toPtr + lane * 4, 0)
        }
        toPtr += BLOCK_ROW_BYTES
      }
    }
  }
}

/**
 * out (columns, rows) = in (rows, columns) transposed, for `count` matrices that start
 * inStrideBytes and outStrideBytes apart.
 */
export function transposeF32(
  inPtr: usize, inStrideBytes: i32, outPtr: usize, outStrideBytes: i32, count: i32, rows: i32, columns: i32,
): void {
  for (let n = 0; n < count; n++) {
    transposeOne(inPtr + n * inStrideBytes, outPtr + n * outStrideBytes, rows, columns)
  }
}

function transposeOne(inPtr: usize, outPtr: usize, rows: i32, columns: i32): void {
  const inBytes = columns * 4
  const outBytes = rows * 4
  const wholeRows = rows & ~3
  const wholeColumns = columns & ~3
  for (let row = 0; row < wholeRows; row += 4) {
    for (let column = 0; column < wholeColumns; column += 4) {
      const fromPtr = inPtr + row * inBytes + column * 4
      const toPtr = outPtr + column * outBytes + row * 4
      const r0 = v128.load(fromPtr)
      const r1 = v128.load(fromPtr + inBytes)
      const r2 = v128.load(fromPtr + 2 * inBytes)
      const r3 = v128.load(fromPtr + 3 * inBytes)
      const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
      const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
      const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
      const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
      v128.store(toPtr, i32x4.shuffle(low01, low23, 0, 1, 4, 5))
      v128.store(toPtr + outBytes, i32x4.shuffle(low01, low23, 2, 3, 6, 7))
      v128.store(toPtr + 2 * outBytes, i32x4.shuffle(high01, high23, 0, 1, 4, 5))
      v128.store(toPtr + 3 * outBytes, i32x4.shuffle(high01, high23, 2, 3, 6, 7))
    }
    for (let column = wholeColumns; column < columns; column++) transposeColumn(inPtr, outPtr, row, row + 4, column, inBytes, outBytes)
  }
  for (let column = 0; column < columns; column++) transposeColumn(inPtr, outPtr, wholeRows, rows, column, inBytes, outBytes)
}

// @ts-ignore: decorator
@inline
function transposeColumn(inPtr: usize, outPtr: usize, rowBegin: i32, rowEnd: i32, column: i32, inBytes: i32, outBytes: i32): void {
  for (let row = rowBegin; row < rowEnd; row++) {
    f32.store(outPtr + column * outBytes + row * 4, f32.load(inPtr + row * inBytes + column * 4))
  }
}

/** x[n] = x[n] * factor, in place. */
export function scaleF32(ptr: usize, factor: f32, length: i32): void {
  for (let n = 0; n < length; n += 4) {
    v128.store(ptr + n * 4, f32x4.mul(v128.load(ptr + n * 4), f32x4.splat(factor)))
  }
}
