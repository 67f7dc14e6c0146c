// Convolution as a matrix product: a row is the window of an output position, channels innermost.
import { PORTION_BYTES } from '../cache'
import { Matrix } from '../products/layout'
import { int8ProductBytes } from '../products/int8/layout'
import { multiplyRows } from '../products/product'

/** Rows that are gathered at once. */
// @ts-ignore: decorator
@inline
function portionRows(k: i32): i32 {
  return max(2, PORTION_BYTES / 4 / max(1, k)) & ~1
}

/** Bytes of `rows` windows of k elements, to a multiple of 16. */
// @ts-ignore: decorator
@inline
function windowsBytes(rows: i32, k: i32): i32 {
  return (rows * k * 4 + 15) & -16
}

/** Bytes of the workspace of `convolveF32`, for `rows` output positions and windows of `k` elements; `isInt8`: where w is of 8 bits. */
export function convolveWorkspaceBytes(rows: i32, k: i32, isInt8: i32): f64 {
  const count = min(rows, portionRows(k))
  return isInt8 ? f64(windowsBytes(count, k)) + f64(int8ProductBytes(count, k)) : f64(count) * f64(k) * 4
}

/** A convolution, the same for all images and groups of channels. */
@unmanaged
export class ConvolveCall {
  height: i32
  width: i32
  /** Of one group. */
  channels: i32
  /** From one position of x to the next: more than the group's channels where there are several groups. */
  xPixelBytes: i32
  windowHeight: i32
  windowWidth: i32
  strideRows: i32
  strideColumns: i32
  padTop: i32
  padLeft: i32
  dilationRows: i32
  dilationColumns: i32
  outHeight: i32
  outWidth: i32
  /** From one position of out to the next. */
  outPixelBytes: i32
}

/**
 * One group of channels: out (outHeight, outWidth, columns) = bias + windows of x (height, width, channels) @ w.
 *
 * w is packed, k in the order (window row, window column, channel). The window of output (r, c) starts at
 * x (r strideRows - padTop, c strideColumns - padLeft), and outside x there are zeros.
 */
export function convolveF32(call: ConvolveCall, w: Matrix, xPtr: usize, outPtr: usize, workspacePtr: usize): void {
  const k = w.k
  const width = call.width
  const channels = call.channels
  const windowWidth = call.windowWidth
  const outWidth = call.outWidth
  const outPixelBytes = call.outPixelBytes
  assert(k == call.windowHeight * windowWidth * channels)
  const rows = call.outHeight * outWidth
  const portion = portionRows(k)
  const bytes = channels * 4
  const productPtr = workspacePtr + windowsBytes(min(rows, portion), k)
  for (let begin = 0; begin < rows; begin += portion) {
    const count = min(portion, rows - begin)
    let toPtr = workspacePtr
    for (let position = begin; position < begin + count; position++) {
      const top = (position / outWidth) * call.strideRows - call.padTop
      const left = (position % outWidth) * call.strideColumns - call.padLeft
      for (let i = 0; i < call.windowHeight; i++) {
        const row = top + i * call.dilationRows
        const inside = row >= 0 && row < call.height
        for (let j = 0; j < windowWidth; j++) {
          const column = left + j * call.dilationColumns
          if (inside && column >= 0 && column < width) copyChannels(toPtr, xPtr + (row * width + column) * call.xPixelBytes, channels)
          else memory.fill(toPtr, 0, bytes)
          toPtr += bytes
        }
      }
    }
    multiplyRows(w, count, workspacePtr, k * 4, outPtr + begin * outPixelBytes, outPixelBytes, false, productPtr)
  }
}

/** Few channels are not worth the call of memory.copy. */
// @ts-ignore: decorator
@inline
function copyChannels(toPtr: usize, fromPtr: usize, channels: i32): void {
  if (channels >= 8) {
    memory.copy(toPtr, fromPtr, channels * 4)
    return
  }
  for (let c = 0; c < channels; c++) f32.store(toPtr + c * 4, f32.load(fromPtr + c * 4))
}

/** The second half of a transposed convolution, the same for all images and groups of channels. */
@unmanaged
export class ScatterWindowsCall {
  /** Positions in a row of x. */
  width: i32
  windowHeight: i32
  windowWidth: i32
  /** Of one group. */
  channels: i32
  strideRows: i32
  strideColumns: i32
  dilationRows: i32
  dilationColumns: i32
  padTop: i32
  padLeft: i32
  outHeight: i32
  outWidth: i32
  /** From one position of out to the next: more than the group's channels where there are several groups. */
  outPixelBytes: i32
}

/**
 * The transposed convolution's second half, for one row of x after the other: out (outHeight, outWidth, channels) = bias + sum of products
 * (width, channels, window rows, window columns), where product (n, c, i, j) of row r goes to row r strideRows + i dilationRows - padTop,
 * column n strideColumns + j dilationColumns - padLeft. The first row begins with the bias. Products of an output are added in ascending
 * r, then i, then n.
 */
export function scatterF32(call: ScatterWindowsCall, row: i32, productsPtr: usize, biasPtr: usize, outPtr: usize): void {
  const windowWidth = call.windowWidth
  const window = call.windowHeight * windowWidth
  const channels = call.channels
  const outWidth = call.outWidth
  const outPixelBytes = call.outPixelBytes
  const bytes = channels * 4
  if (row == 0) {
    for (let position = 0; position < call.outHeight * outWidth; position++) {
      const toPtr = outPtr + position * outPixelBytes
      if (biasPtr) memory.copy(toPtr, biasPtr, bytes)
      else memory.fill(toPtr, 0, bytes)
    }
  }
  for (let i = 0; i < call.windowHeight; i++) {
    const outRow = row * call.strideRows + i * call.dilationRows - call.padTop
    if (outRow < 0 || outRow >= call.outHeight) continue
    for (let n = 0; n < call.width; n++) {
      for (let j = 0; j < windowWidth; j++) {
        const column = n * call.strideColumns + j * call.dilationColumns - call.padLeft
        if (column < 0 || column >= outWidth) continue
        const toPtr = outPtr + (outRow * outWidth + column) * outPixelBytes
        const fromPtr = productsPtr + n * window * bytes + (i * windowWidth + j) * 4
        for (let c = 0; c < channels; c++) f32.store(toPtr + c * 4, f32.load(toPtr + c * 4) + f32.load(fromPtr + c * window * 4))
      }
    }
  }
}
