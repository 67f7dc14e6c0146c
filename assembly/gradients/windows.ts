// Gradients of windows that slide over one or two axes; arrays have their channels last.
import { ConvolveCall } from '../windows/convolve'
import { PoolCall } from '../windows/pool'

/**
 * out (outHeight outWidth, windowHeight windowWidth channels) = the windows of x (height, width, xPixelBytes / 4), one image and one group of channels:
 * what `convolveF32` multiplies. Outside x there are zeros.
 */
export function unfoldF32(call: ConvolveCall, xPtr: usize, outPtr: usize): void {
  const bytes = call.channels * 4
  const height = call.height
  const width = call.width
  const xPixelBytes = call.xPixelBytes
  const windowWidth = call.windowWidth
  const dilationColumns = call.dilationColumns
  // The columns of a window's row are one run of memory, or each is one.
  const isRun = dilationColumns == 1 && xPixelBytes == bytes
  for (let r = 0; r < call.outHeight; r++) {
    for (let c = 0; c < call.outWidth; c++) {
      const left = c * call.strideColumns - call.padLeft
      for (let i = 0; i < call.windowHeight; i++) {
        const row = r * call.strideRows - call.padTop + i * call.dilationRows
        const inside = row >= 0 && row < height
        if (isRun && inside && left >= 0 && left + windowWidth <= width) {
          memory.copy(outPtr, xPtr + (row * width + left) * bytes, windowWidth * bytes)
          outPtr += windowWidth * bytes
          continue
        }
        for (let j = 0; j < windowWidth; j++) {
          const column = left + j * dilationColumns
          if (inside && column >= 0 && column < width) memory.copy(outPtr, xPtr + (row * width + column) * xPixelBytes, bytes)
          else memory.fill(outPtr, 0, bytes)
          outPtr += bytes
        }
      }
    }
  }
}

/**
 * The gradient of `poolF32` by its input: dx (planes, height, width, inner) from dy (planes, outHeight, outWidth, inner). A mean gives each of its
 * elements the same part, a sum all of it; a maximum all to the first of its largest elements, in ascending row, then column. Windows in ascending order.
 */
export function poolGradientF32(call: PoolCall, xPtr: usize, dyPtr: usize, dxPtr: usize): void {
  const height = call.height
  const width = call.width
  const inner = call.inner
  const planeBytes = height * width * inner * 4
  memory.fill(dxPtr, 0, call.planes * planeBytes)
  for (let plane = 0; plane < call.planes; plane++) {
    for (let r = 0; r < call.outHeight; r++) {
      const top = r * call.strideRows - call.padTop
      for (let c = 0; c < call.outWidth; c++) {
        const left = c * call.strideColumns - call.padLeft
        for (let lane = 0; lane < inner; lane++) {
          if (call.what) spread(call, top, left, f32.load(dyPtr), dxPtr + lane * 4)
          else give(call, top, left, f32.load(dyPtr), xPtr + lane * 4, dxPtr + lane * 4)
          dyPtr += 4
        }
      }
    }
    xPtr += planeBytes
    dxPtr += planeBytes
  }
}

/** Adds the gradient of a mean, or of a sum, to the elements of its window. */
function spread(call: PoolCall, top: i32, left: i32, gradient: f32, dxPtr: usize): void {
  const countPad = call.countPad
  const bottom = call.height + (countPad ? call.padBottom : 0)
  const right = call.width + (countPad ? call.padRight : 0)
  let count = 0
  for (let i = 0; i < call.windowHeight; i++) {
    for (let j = 0; j < call.windowWidth; j++) {
      const row = top + i * call.dilationRows
      const column = left + j * call.dilationColumns
      if (row < bottom && column < right && (countPad || (row >= 0 && column >= 0))) count++
    }
  }
  const part = call.what == 1 ? gradient / (count as f32) : gradient
  for (let i = 0; i < call.windowHeight; i++) {
    for (let j = 0; j < call.windowWidth; j++) {
      const at = placeOf(call, top + i * call.dilationRows, left + j * call.dilationColumns)
      if (at >= 0) f32.store(dxPtr + at, f32.load(dxPtr + at) + part)
    }
  }
}

/** Adds a maximum's gradient to its element. */
function give(call: PoolCall, top: i32, left: i32, gradient: f32, xPtr: usize, dxPtr: usize): void {
  let best = -1
  let most: f32 = 0
  for (let i = 0; i < call.windowHeight; i++) {
    for (let j = 0; j < call.windowWidth; j++) {
      const at = placeOf(call, top + i * call.dilationRows, left + j * call.dilationColumns)
      if (at < 0) continue
      const x = f32.load(xPtr + at)
      if (best < 0 || x > most || isNaN(x)) {
        best = at
        most = x
      }
    }
  }
  if (best >= 0) f32.store(dxPtr + best, f32.load(dxPtr + best) + gradient)
}

/** Where an element is in bytes, or -1 for one that is not inside. */
// @ts-ignore: decorator
@inline
function placeOf(call: PoolCall, row: i32, column: i32): i32 {
  return row >= 0 && row < call.height && column >= 0 && column < call.width ? (row * call.width + column) * call.inner * 4 : -1
}
