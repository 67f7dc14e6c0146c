// Moves elements of 1 or 4 bytes without looking at them.
import { Box } from './box'

/** Address of the first element of row `row`: `row` counts through all axes but the last. */
// @ts-ignore: decorator
@inline
function rowPtr(ptr: usize, box: Box, side: i32, row: u32): usize {
  for (let axis = box.rank - 2; axis >= 0; axis--) {
    const size = box.size(axis)
    ptr += (row % size) * box.stride(side, axis)
    row /= size
  }
  return ptr
}

// @ts-ignore: decorator
@inline
function moveElement(fromPtr: usize, toPtr: usize, elementBytes: i32): void {
  if (elementBytes == 4) i32.store(toPtr, i32.load(fromPtr))
  else i32.store8(toPtr, i32.load8_u(fromPtr))
}

/** Shorter rows are copied element by element: a bulk copy costs a call. */
const BULK_BYTES: u32 = 32

/**
 * to[index * toStrides] = from[index * fromStrides] for every index of the box, rows rowBegin to rowEnd.
 * The sides of the box are from and to.
 */
export function stridedCopy(box: Box, fromPtr: usize, toPtr: usize, rowBegin: i32, rowEnd: i32): void {
  const elementBytes = box.elementBytes
  const last = box.rank - 1
  assert(last >= 0 && (elementBytes == 1 || elementBytes == 4))
  const length = box.size(last)
  const fromStride = box.stride(0, last)
  const toStride = box.stride(1, last)
  const bytes = length * elementBytes
  const contiguous = fromStride == elementBytes && toStride == elementBytes && bytes >= BULK_BYTES
  for (let row: u32 = rowBegin; row < <u32>rowEnd; row++) {
    let from = rowPtr(fromPtr, box, 0, row)
    let to = rowPtr(toPtr, box, 1, row)
    if (contiguous) {
      memory.copy(to, from, bytes)
    } else if (elementBytes == 4) {
      for (let n: u32 = 0; n < length; n++) {
        i32.store(to, i32.load(from))
        from += fromStride
        to += toStride
      }
    } else {
      for (let n: u32 = 0; n < length; n++) {
        i32.store8(to, i32.load8_u(from))
        from += fromStride
        to += toStride
      }
    }
  }
}

/**
 * to[n] = condition[..] ? x[..] : y[..], where to lies contiguous and `n` counts through the box; rows
 * rowBegin to rowEnd. The sides of the box are condition (uint8), x and y.
 */
export function stridedSelect(box: Box, conditionPtr: usize, xPtr: usize, yPtr: usize, toPtr: usize, rowBegin: i32, rowEnd: i32): void {
  const elementBytes = box.elementBytes
  const last = box.rank - 1
  assert(last >= 0 && (elementBytes == 1 || elementBytes == 4))
  const length = box.size(last)
  const conditionStride = box.stride(0, last)
  const xStride = box.stride(1, last)
  const yStride = box.stride(2, last)
  let to = toPtr + <u32>rowBegin * length * elementBytes
  for (let row: u32 = rowBegin; row < <u32>rowEnd; row++) {
    let condition = rowPtr(conditionPtr, box, 0, row)
    let x = rowPtr(xPtr, box, 1, row)
    let y = rowPtr(yPtr, box, 2, row)
    for (let n: u32 = 0; n < length; n++) {
      moveElement(select<usize>(x, y, i32.load8_u(condition) != 0), to, elementBytes)
      condition += conditionStride
      x += xStride
      y += yStride
      to += elementBytes
    }
  }
}
