// Convolution as a matrix product: a row is the window of an output position, channels innermost.
import { PORTION_BYTES } from '../cache'
import { Matrix, VECTOR_BYTES } from '../products/layout'
import { int8ProductBytes } from '../products/int8/layout'
import { multiplyRows } from '../products/product'

/** Rows that are gathered at once. */
// @ts-ignore: decorator
@inline
function portionRows(k: i32): i32 {
  return max(2, PORTION_BYTES / 4 / max(1, k)) & ~1
}

/** Bytes of `rows` windows of k elements, and of the vector that is written past the last one, to a multiple of 16; in float64, which does not wrap. */
// @ts-ignore: decorator
@inline
function windowsBytes(rows: i32, k: i32): f64 {
  return ceil(f64(rows) * f64(k) / 4) * 16 + f64(VECTOR_BYTES)
}

/** Bytes of the workspace of `convolveF32`, for `rows` output positions and windows of `k` elements; `isInt8`: where w is of 8 bits. */
export function convolveWorkspaceBytes(rows: i32, k: i32, isInt8: i32): f64 {
  const count = min(rows, portionRows(k))
  return windowsBytes(count, k) + (isInt8 ? f64(int8ProductBytes(count, k)) : 0)
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
  const windowHeight = call.windowHeight
  const windowWidth = call.windowWidth
  const dilationColumns = call.dilationColumns
  const xPixelBytes = call.xPixelBytes
  const outWidth = call.outWidth
  const outPixelBytes = call.outPixelBytes
  assert(k == windowHeight * windowWidth * call.channels)
  const rows = call.outHeight * outWidth
  const portion = portionRows(k)
  const bytes = call.channels * 4
  // The columns of a window's row are one run of memory, or each is one.
  const isRun = dilationColumns == 1 && xPixelBytes == bytes
  const productPtr = workspacePtr + usize(windowsBytes(min(rows, portion), k))
  for (let begin = 0; begin < rows; begin += portion) {
    const count = min(portion, rows - begin)
    let toPtr = workspacePtr
    let outRow = begin / outWidth
    let outColumn = begin % outWidth
    for (let n = 0; n < count; n++) {
      const left = outColumn * call.strideColumns - call.padLeft
      // Columns of a window's row that are in front of x, and those to the end of x.
      const first = max(0, min(windowWidth, -left))
      const end = max(first, min(windowWidth, width - left))
      let row = outRow * call.strideRows - call.padTop
      for (let i = 0; i < windowHeight; i++) {
        const inside = row >= 0 && row < call.height
        const rowPtr = xPtr + (row * width + left) * xPixelBytes
        row += call.dilationRows
        if (isRun && inside) {
          if (first) toPtr = writeZeros(toPtr, first * bytes)
          toPtr = copyRun(toPtr, rowPtr + first * bytes, (end - first) * bytes)
          if (end < windowWidth) toPtr = writeZeros(toPtr, (windowWidth - end) * bytes)
          continue
        }
        for (let j = 0; j < windowWidth; j++) {
          const column = left + j * dilationColumns
          const isThere = inside && column >= 0 && column < width
          toPtr = isThere ? copyRun(toPtr, rowPtr + j * dilationColumns * xPixelBytes, bytes) : writeZeros(toPtr, bytes)
        }
      }
      if (++outColumn == outWidth) {
        outColumn = 0
        outRow++
      }
    }
    multiplyRows(w, count, workspacePtr, k * 4, outPtr + begin * outPixelBytes, outPixelBytes, false, productPtr)
  }
}

/** Copies whole vectors, the last of which may pass the end. Returns the end. */
// @ts-ignore: decorator
@inline
function copyRun(toPtr: usize, fromPtr: usize, bytes: i32): usize {
  for (let at = 0; at < bytes; at += VECTOR_BYTES) v128.store(toPtr + at, v128.load(fromPtr + at))
  return toPtr + bytes
}

/** As `copyRun`, of zeros. */
// @ts-ignore: decorator
@inline
function writeZeros(toPtr: usize, bytes: i32): usize {
  for (let at = 0; at < bytes; at += VECTOR_BYTES) v128.store(toPtr + at, f32x4.splat(0))
  return toPtr + bytes
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
