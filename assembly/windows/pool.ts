// Pooling over windows of (height, width), for any number of planes and of channels inside.
import { storeLanes } from '../simd'

@unmanaged
export class PoolCall {
  /** 0: the largest element; 1: the mean. */
  average: i32
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
 * out (planes, outHeight, outWidth, inner) = largest element or mean over windows of in (planes, height, width, inner). Elements
 * outside `in` do not count, but with `countPad`.
 */
export function poolF32(call: PoolCall, inPtr: usize, outPtr: usize): void {
  const average = call.average
  const countPad = call.countPad
  const height = call.height
  const width = call.width
  const inner = call.inner
  const windowHeight = call.windowHeight
  const windowWidth = call.windowWidth
  const dilationRows = call.dilationRows
  const dilationColumns = call.dilationColumns
  const pixelBytes = inner * 4
  for (let plane = 0; plane < call.planes; plane++) {
    const planePtr = inPtr + plane * height * width * pixelBytes
    for (let r = 0; r < call.outHeight; r++) {
      const top = r * call.strideRows - call.padTop
      const rowFirst = firstInside(top, dilationRows)
      const rowEnd = endInside(top, windowHeight, dilationRows, height)
      const rowsCounted = countPad ? endInside(top, windowHeight, dilationRows, height + call.padBottom) : rowEnd - rowFirst
      for (let c = 0; c < call.outWidth; c++) {
        const left = c * call.strideColumns - call.padLeft
        const columnFirst = firstInside(left, dilationColumns)
        const columnEnd = endInside(left, windowWidth, dilationColumns, width)
        const columnsCounted = countPad ? endInside(left, windowWidth, dilationColumns, width + call.padRight) : columnEnd - columnFirst
        const count = f32x4.splat((rowsCounted * columnsCounted) as f32)
        for (let channel = 0; channel < inner; channel += 4) {
          let result = f32x4.splat(average ? 0 : -Infinity)
          for (let i = rowFirst; i < rowEnd; i++) {
            for (let j = columnFirst; j < columnEnd; j++) {
              const x = v128.load(planePtr + ((top + i * dilationRows) * width + left + j * dilationColumns) * pixelBytes + channel * 4)
              result = average ? f32x4.add(result, x) : f32x4.max(result, x)
            }
          }
          storeLanes(outPtr + channel * 4, average ? f32x4.div(result, count) : result, inner - channel)
        }
        outPtr += pixelBytes
      }
    }
  }
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
  return max(0, min(window, (length - begin + dilation - 1) / dilation))
}
