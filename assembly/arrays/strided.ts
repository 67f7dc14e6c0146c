// Moves elements of 1 or 4 bytes without looking at them. An N-d box is described by i32s in memory,
// outermost axis first: its sizes, then for every side the distance in bytes from one element to the
// next along each axis. A distance may be 0 (repeat) or negative (backwards).

/** Address of the first element of row `row`: `row` counts through all axes but the last. */
// @ts-ignore: decorator
@inline
function rowPtr(ptr: usize, descriptorPtr: usize, rank: i32, side: i32, row: u32): usize {
  const stridesPtr = descriptorPtr + (1 + side) * rank * 4
  for (let axis = rank - 2; axis >= 0; axis--) {
    const size = load<u32>(descriptorPtr + axis * 4)
    ptr += (row % size) * i32.load(stridesPtr + axis * 4)
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
 * The descriptor holds sizes, from strides, to strides: (3, rank). `rank` is at least 1.
 */
export function stridedCopy(
  fromPtr: usize, toPtr: usize, descriptorPtr: usize, rank: i32, elementBytes: i32, rowBegin: i32, rowEnd: i32,
): void {
  assert(rank >= 1 && (elementBytes == 1 || elementBytes == 4))
  const length = load<u32>(descriptorPtr + (rank - 1) * 4)
  const fromStride = i32.load(descriptorPtr + (2 * rank - 1) * 4)
  const toStride = i32.load(descriptorPtr + (3 * rank - 1) * 4)
  const bytes = length * elementBytes
  const contiguous = fromStride == elementBytes && toStride == elementBytes && bytes >= BULK_BYTES
  for (let row: u32 = rowBegin; row < <u32>rowEnd; row++) {
    let from = rowPtr(fromPtr, descriptorPtr, rank, 0, row)
    let to = rowPtr(toPtr, descriptorPtr, rank, 1, row)
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
 * rowBegin to rowEnd. The descriptor holds sizes, strides of condition, x and y: (4, rank).
 */
export function stridedSelect(
  conditionPtr: usize, xPtr: usize, yPtr: usize, toPtr: usize, descriptorPtr: usize, rank: i32, elementBytes: i32,
  rowBegin: i32, rowEnd: i32,
): void {
  assert(rank >= 1 && (elementBytes == 1 || elementBytes == 4))
  const length = load<u32>(descriptorPtr + (rank - 1) * 4)
  const conditionStride = i32.load(descriptorPtr + (2 * rank - 1) * 4)
  const xStride = i32.load(descriptorPtr + (3 * rank - 1) * 4)
  const yStride = i32.load(descriptorPtr + (4 * rank - 1) * 4)
  let to = toPtr + <u32>rowBegin * length * elementBytes
  for (let row: u32 = rowBegin; row < <u32>rowEnd; row++) {
    let condition = rowPtr(conditionPtr, descriptorPtr, rank, 0, row)
    let x = rowPtr(xPtr, descriptorPtr, rank, 1, row)
    let y = rowPtr(yPtr, descriptorPtr, rank, 2, row)
    for (let n: u32 = 0; n < length; n++) {
      moveElement(select<usize>(x, y, i32.load8_u(condition) != 0), to, elementBytes)
      condition += conditionStride
      x += xStride
      y += yStride
      to += elementBytes
    }
  }
}
