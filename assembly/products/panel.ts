// Rows on their way into tiles. A tile of six rows takes an element of each, then the next of each: six streams of a few
// lines, from rows that lie kilobytes apart. Packed as the tile takes them, they are one:
//
//     panels of six rows, (k, 6); then the rows that are left, (k) each
//
// Figures: docs/kernels.md, "Several rows".
import { Matrix } from './layout'
import { rowProduct } from './row'
import { SUM_LENGTH } from './sums'
import { mostGroupBytes, rowsAtOnce, rowsProduct, sixRows } from './tile'

/** With fewer columns, packing is too much of the work. */
const LEAST_COLUMNS: i32 = 256

/**
 * Bytes of memory `panelProduct` needs for that many rows and terms, or fewer; 0: rows are better read where they are, as
 * they are with so few terms that a tile goes through them once.
 */
export function panelBytes(rows: i32, k: i32, columns: i32): i32 {
  return rows < 2 || k <= SUM_LENGTH || columns < LEAST_COLUMNS ? 0 : mostGroupBytes(rows, k, columns)
}

/**
 * out (rows, columns) = bias + a (rows, k) @ w (k, columns), as `rowsProduct`; but row m of `a` starts at
 * aPtr + (m / rowsPerStep) * aStepBytes + (m % rowsPerStep) * aRowBytes. panelPtr: `panelBytes` bytes.
 */
export function panelProduct(
  w: Matrix, rows: i32, aPtr: usize, aRowBytes: i32, aStepBytes: i32, rowsPerStep: i32, panelPtr: usize, outPtr: usize, outBytes: i32, adds: bool,
): void {
  const group = rowsAtOnce(rows, w.k, w.columns)
  for (let begin = 0; begin < rows; begin += group) {
    const count = min(group, rows - begin)
    const even = count & ~1
    pack(begin, even, w.k, aPtr, aRowBytes, aStepBytes, rowsPerStep, panelPtr)
    rowsProduct(w, even, panelPtr, 0, true, outPtr, outBytes, adds)
    outPtr += even * outBytes
    if (even < count) rowProduct(w, rowPtr(begin + even, aPtr, aRowBytes, aStepBytes, rowsPerStep), outPtr, adds, false)
  }
}

/** Where row m is. */
// @ts-ignore: decorator
@inline
function rowPtr(m: i32, aPtr: usize, aRowBytes: i32, aStepBytes: i32, rowsPerStep: i32): usize {
  return aPtr + (m / rowsPerStep) * aStepBytes + (m % rowsPerStep) * aRowBytes
}

/** `rows` rows from `begin` on; see above. */
function pack(begin: i32, rows: i32, k: i32, aPtr: usize, aRowBytes: i32, aStepBytes: i32, rowsPerStep: i32, toPtr: usize): void {
  const sixesEnd = begin + sixRows(rows)
  let m = begin
  for (; m < sixesEnd; m += 6) {
    packSix(
      k, rowPtr(m, aPtr, aRowBytes, aStepBytes, rowsPerStep), rowPtr(m + 1, aPtr, aRowBytes, aStepBytes, rowsPerStep),
      rowPtr(m + 2, aPtr, aRowBytes, aStepBytes, rowsPerStep), rowPtr(m + 3, aPtr, aRowBytes, aStepBytes, rowsPerStep),
      rowPtr(m + 4, aPtr, aRowBytes, aStepBytes, rowsPerStep), rowPtr(m + 5, aPtr, aRowBytes, aStepBytes, rowsPerStep), toPtr,
    )
    toPtr += 24 * k
  }
  for (; m < begin + rows; m++) {
    memory.copy(toPtr, rowPtr(m, aPtr, aRowBytes, aStepBytes, rowsPerStep), 4 * k)
    toPtr += 4 * k
  }
}

function packSix(k: i32, a0Ptr: usize, a1Ptr: usize, a2Ptr: usize, a3Ptr: usize, a4Ptr: usize, a5Ptr: usize, toPtr: usize): void {
  for (; k >= 4; k -= 4) {
    const r0 = v128.load(a0Ptr)
    const r1 = v128.load(a1Ptr)
    const r2 = v128.load(a2Ptr)
    const r3 = v128.load(a3Ptr)
    const r4 = v128.load(a4Ptr)
    const r5 = v128.load(a5Ptr)
    const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
    const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
    const low45 = i32x4.shuffle(r4, r5, 0, 4, 1, 5)
    const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
    const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
    const high45 = i32x4.shuffle(r4, r5, 2, 6, 3, 7)
    v128.store(toPtr, i32x4.shuffle(low01, low23, 0, 1, 4, 5))
    v128.store(toPtr, i32x4.shuffle(low45, low01, 0, 1, 6, 7), 16)
    v128.store(toPtr, i32x4.shuffle(low23, low45, 2, 3, 6, 7), 32)
    v128.store(toPtr, i32x4.shuffle(high01, high23, 0, 1, 4, 5), 48)
    v128.store(toPtr, i32x4.shuffle(high45, high01, 0, 1, 6, 7), 64)
    v128.store(toPtr, i32x4.shuffle(high23, high45, 2, 3, 6, 7), 80)
    a0Ptr += 16
    a1Ptr += 16
    a2Ptr += 16
    a3Ptr += 16
    a4Ptr += 16
    a5Ptr += 16
    toPtr += 96
  }
  for (let n = 0; n < k; n++) {
    f32.store(toPtr, f32.load(a0Ptr + n * 4))
    f32.store(toPtr, f32.load(a1Ptr + n * 4), 4)
    f32.store(toPtr, f32.load(a2Ptr + n * 4), 8)
    f32.store(toPtr, f32.load(a3Ptr + n * 4), 12)
    f32.store(toPtr, f32.load(a4Ptr + n * 4), 16)
    f32.store(toPtr, f32.load(a5Ptr + n * 4), 20)
    toPtr += 24
  }
}
