// Pooling over windows of (height, width), for any number of planes and of channels inside.
import { storeLanes } from '../simd'

@unmanaged
export class PoolCall {
  /** 0: the largest element; 1: the mean; 2: the sum. */
  what: i32
  /** 1: elements outside count as zeros of a mean, as far as the padding goes. */
  countPad: i32
  planes: i32
  height: i32
  width: i32
  /** Channels inside. */
  inner: i32
  windowHeight: i32
  windowWidth: i32
  strideRows: i32
  strideColumns: i32
  padTop: i32
  padLeft: i32
  /** How many elements past the end the padding goes. */
  padBottom: i32
  padRight: i32
  dilationRows: i32
  dilationColumns: i32
  outHeight: i32
  outWidth: i32
}

/**
 * out (planes, outHeight, outWidth, inner) = largest element, mean or sum over windows of in (planes, height, width, inner). Elements
 * outside `in` do not count, but with `countPad`. Terms are added in ascending row, then column.
 *
 * Four channels are worked on at once; of a single one, four outputs side by side whose windows are whole.
 */
export function poolF32(call: PoolCall, inPtr: usize, outPtr: usize): void {
  const what = call.what
  const countPad = call.countPad
  const height = call.height
  const width = call.width
  const inner = call.inner
  const windowHeight = call.windowHeight
  const windowWidth = call.windowWidth
  const strideColumns = call.strideColumns
  const dilationRows = call.dilationRows
  const dilationColumns = call.dilationColumns
  const outWidth = call.outWidth
  const pixelBytes = inner * 4
  const rowBytes = width * pixelBytes
  const columnStepBytes = dilationColumns * pixelBytes
  const rowStepBytes = dilationRows * rowBytes
  // Where a window must begin for it and three more to be whole; none does where there are several channels.
  const lastOfFour = inner == 1 ? width - 3 * strideColumns - (windowWidth - 1) * dilationColumns - 1 : -1
  for (let plane = 0; plane < call.planes; plane++) {
    for (let r = 0; r < call.outHeight; r++) {
      const top = r * call.strideRows - call.padTop
      const rowFirst = firstInside(top, dilationRows)
      const rowEnd = endInside(top, windowHeight, dilationRows, height)
      const rowsCounted = countPad ? endInside(top, windowHeight, dilationRows, height + call.padBottom) : rowEnd - rowFirst
      const rowPtr = inPtr + (top + rowFirst * dilationRows) * rowBytes
      for (let c = 0; c < outWidth;) {
        const left = c * strideColumns - call.padLeft
        const columnFirst = firstInside(left, dilationColumns)
        const columnEnd = endInside(left, windowWidth, dilationColumns, width)
        const columnsCounted = countPad ? endInside(left, windowWidth, dilationColumns, width + call.padRight) : columnEnd - columnFirst
        const count = f32x4.splat(what == 2 ? 1 : (rowsCounted * columnsCounted) as f32)
        const fours = left >= 0 && left <= lastOfFour && c + 4 <= outWidth
        const lanes = fours ? 4 : inner
        const laneBytes = fours ? strideColumns * 4 : 4
        let windowPtr = rowPtr + (left + columnFirst * dilationColumns) * pixelBytes
        for (let lane = lanes; lane > 0; lane -= 4) {
          const result = what != 0
            ? f32x4.div(sumOf(windowPtr, rowEnd - rowFirst, rowStepBytes, columnEnd - columnFirst, columnStepBytes, laneBytes), count)
            : largestOf(windowPtr, rowEnd - rowFirst, rowStepBytes, columnEnd - columnFirst, columnStepBytes, laneBytes)
          storeLanes(outPtr, result, lane)
          windowPtr += 16
          outPtr += 16
        }
        // The last vector may have had fewer than four lanes.
        outPtr -= (-lanes & 3) * 4
        c += fours ? 4 : 1
      }
    }
    inPtr += height * rowBytes
  }
}

/** Four elements, `laneBytes` apart. */
// @ts-ignore: decorator
@inline
function loadLanes(ptr: usize, laneBytes: i32): v128 {
  if (laneBytes == 4) return v128.load(ptr)
  let x = v128.load32_zero(ptr)
  x = v128.load_lane<u32>(ptr + laneBytes, x, 1)
  x = v128.load_lane<u32>(ptr + 2 * laneBytes, x, 2)
  return v128.load_lane<u32>(ptr + 3 * laneBytes, x, 3)
}

/** The sums over a window, of four lanes. */
// @ts-ignore: decorator
@inline
function sumOf(ptr: usize, rows: i32, rowBytes: i32, columns: i32, columnBytes: i32, laneBytes: i32): v128 {
  let sum = f32x4.splat(0)
  for (; rows > 0; rows--) {
    let xPtr = ptr
    for (let j = columns; j > 0; j--) {
      sum = f32x4.add(sum, loadLanes(xPtr, laneBytes))
      xPtr += columnBytes
    }
    ptr += rowBytes
  }
  return sum
}

/**
 * The largest elements of a window, of four lanes; NaN where there is one, and 0 above -0: f32x4.max, which engines make of eight
 * instructions on x86-64. As whole numbers, the bits of floats that are not negative are in the order of the floats, those of negative
 * ones in the opposite order, and negative NaNs are the largest without a sign: three instructions, none of which waits for another.
 */
// @ts-ignore: decorator
@inline
function largestOf(ptr: usize, rows: i32, rowBytes: i32, columns: i32, columnBytes: i32, laneBytes: i32): v128 {
  const lowest = f32x4.splat(-Infinity)
  let most = lowest
  let least = lowest
  let mostUnsigned = lowest
  for (; rows > 0; rows--) {
    let xPtr = ptr
    for (let j = columns; j > 0; j--) {
      const x = loadLanes(xPtr, laneBytes)
      most = i32x4.max_s(most, x)
      least = i32x4.min_s(least, x)
      mostUnsigned = i32x4.max_u(mostUnsigned, x)
      xPtr += columnBytes
    }
    ptr += rowBytes
  }
  // Where all are negative, `most` is -Infinity or NaN.
  return v128.or(f32x4.pmax(most, least), f32x4.ne(mostUnsigned, mostUnsigned))
}

/** The first element of a window that is not before the beginning. */
// @ts-ignore: decorator
@inline
function firstInside(begin: i32, dilation: i32): i32 {
  return begin >= 0 ? 0 : (-begin + dilation - 1) / dilation
}

/** The end of the elements of a window that are before `length`. */
// @ts-ignore: decorator
@inline
function endInside(begin: i32, window: i32, dilation: i32, length: i32): i32 {
  if (begin + (window - 1) * dilation < length) return window
  return max(0, (length - begin + dilation - 1) / dilation)
}
