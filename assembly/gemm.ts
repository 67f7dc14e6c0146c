import { BLOCK_LENGTH, BLOCK_ROW_BYTES, biasedBlockBytes, blocksOfColumns } from './layout'
import { tile1x4, tile1x8, tile2x4 } from './tile'

/** Rows are taken in groups whose input fits half of a 32 kB first-level cache beside a block. */
const ROW_GROUP_BYTES: i32 = 16384

/**
 * out (rows, columns) = bias (columns) + a (rows, k) @ w (k, columns), with w packed as in layout.ts.
 *
 * Row m of `a` starts at  aPtr + (m / rowsPerStep) * aStepBytes + (m % rowsPerStep) * aRowBytes:
 * a sequence [batch, timesteps, features] is read time-major without being transposed. Row m of
 * `out` starts at outPtr + m * outRowBytes. Strides may be negative. Works on rows
 * rowBegin <= m < rowEnd.
 */
export function gemmF32(
  aPtr: usize, aRowBytes: i32, aStepBytes: i32, rowsPerStep: i32, rowBegin: i32, rowEnd: i32, k: i32,
  packedPtr: usize, columns: i32, outPtr: usize, outRowBytes: i32,
): void {
  assert(rowsPerStep > 0 && rowBegin <= rowEnd && k >= 0 && columns > 0)
  assert(packedPtr % 16 == 0)
  const group = max(2, ROW_GROUP_BYTES / max(4, k * 4)) & ~1
  for (let row = rowBegin; row < rowEnd; row += group) {
    gemmRowGroup(
      aPtr, aRowBytes, aStepBytes, rowsPerStep, row, min(row + group, rowEnd), k,
      packedPtr, columns, outPtr, outRowBytes,
    )
  }
}

function gemmRowGroup(
  aPtr: usize, aRowBytes: i32, aStepBytes: i32, rowsPerStep: i32, rowBegin: i32, rowEnd: i32, k: i32,
  packedPtr: usize, columns: i32, outPtr: usize, outRowBytes: i32,
): void {
  const blocks = blocksOfColumns(columns)
  const blockBytes = biasedBlockBytes(k)
  // Added to the pointer at the end of a step's rows, to go on with the next step's first row.
  const wrapBytes = aStepBytes - rowsPerStep * aRowBytes
  const firstInStep = rowBegin % rowsPerStep
  const firstPtr = aPtr + (rowBegin / rowsPerStep) * aStepBytes + firstInStep * aRowBytes
  const pairsEnd = rowBegin + ((rowEnd - rowBegin) & ~1)

  let lastPtr = firstPtr // after the loop: the input of the row left over, if there is one
  for (let block = 0; block < blocks; block++) {
    const biasPtr = packedPtr + block * blockBytes
    const count = min(BLOCK_LENGTH, columns - block * BLOCK_LENGTH)
    let rowPtr = firstPtr
    let inStep = firstInStep
    let blockOutPtr = outPtr + rowBegin * outRowBytes + block * BLOCK_ROW_BYTES
    for (let row = rowBegin; row < pairsEnd; row += 2) {
      const aPtrA = rowPtr
      rowPtr += aRowBytes
      if (++inStep == rowsPerStep) {
        inStep = 0
        rowPtr += wrapBytes
      }
      const aPtrB = rowPtr
      rowPtr += aRowBytes
      if (++inStep == rowsPerStep) {
        inStep = 0
        rowPtr += wrapBytes
      }
      tile2x4(
        k, biasPtr + BLOCK_ROW_BYTES, aPtrA, aPtrB, biasPtr, biasPtr,
        blockOutPtr, blockOutPtr + outRowBytes, 0, 0, count,
      )
      blockOutPtr += 2 * outRowBytes
    }
    lastPtr = rowPtr
  }
  if (pairsEnd < rowEnd) gemmRow(lastPtr, k, packedPtr, columns, outPtr + pairsEnd * outRowBytes)
}

/** One row: out (columns) = bias + a (k) @ w (k, columns). */
function gemmRow(aPtr: usize, k: i32, packedPtr: usize, columns: i32, outPtr: usize): void {
  const blocks = blocksOfColumns(columns)
  const blockBytes = biasedBlockBytes(k)
  let block = 0
  for (; block + 2 <= blocks; block += 2) {
    const biasPtr = packedPtr + block * blockBytes
    const count = min(BLOCK_LENGTH, columns - (block + 1) * BLOCK_LENGTH)
    tile1x8(
      k, biasPtr + BLOCK_ROW_BYTES, blockBytes, aPtr, biasPtr, blockBytes,
      outPtr + block * BLOCK_ROW_BYTES, BLOCK_ROW_BYTES, 0, count,
    )
  }
  if (block < blocks) {
    const biasPtr = packedPtr + block * blockBytes
    const count = columns - block * BLOCK_LENGTH
    tile1x4(k, biasPtr + BLOCK_ROW_BYTES, aPtr, biasPtr, outPtr + block * BLOCK_ROW_BYTES, 0, count)
  }
}
