import { gemmF32 } from './gemm'
import {
  BLOCK_LENGTH, BLOCK_ROW_BYTES, UNITS_PER_BLOCK, biasedBlockBytes, blocksOfUnits, plainBlockBytes,
} from './layout'
import { tile1x4, tile1x8, tile2x4 } from './tile'

/** Bytes of the four gates of one batch row at one timestep, padded to whole blocks. */
// @ts-ignore: decorator
@inline
function gatesRowBytes(hiddenSize: i32): i32 {
  return blocksOfUnits(hiddenSize) * BLOCK_ROW_BYTES
}

/** Bytes of workspace `lstmForwardF32` needs for `rows` batch rows and chunks of `chunkSteps` timesteps. */
export function lstmWorkspaceBytes(rows: i32, hiddenSize: i32, chunkSteps: i32): i32 {
  return rows * (chunkSteps * gatesRowBytes(hiddenSize) + 2 * hiddenSize * 4)
}

/**
 * One LSTM layer in one direction over a whole sequence, or over a part of it:
 *
 *     [i f g o] = bias + x[t] @ W + h[t-1] @ U       (one accumulation, in this order)
 *     c[t] = sigmoid(f) * c[t-1] + sigmoid(i) * tanh(g)
 *     h[t] = sigmoid(o) * tanh(c[t])
 *
 * The part that does not wait for h, bias + x @ W, is one matrix product over `chunkSteps` timesteps
 * at a time (so that its result stays in the cache); then the recurrence walks these steps.
 *
 * x        (timesteps, batch, inputSize), any strides: step t, row b at xPtr + t xStepBytes + b xRowBytes.
 *          Strides may be negative: a reversed direction starts at the last step and walks down.
 * packed   see layout.ts
 * h, c     (batch, hiddenSize): the state before the first step; on return, after the last.
 * y        every h[t], at yPtr + t yStepBytes + b yRowBytes; or yPtr 0: not wanted.
 * workspace  lstmWorkspaceBytes(rowEnd - rowBegin, hiddenSize, chunkSteps) bytes.
 *
 * Works on batch rows rowBegin <= b < rowEnd. Allocations are padded, so that reading c in whole
 * vectors may pass the end of its last row; only valid units are ever written.
 */
export function lstmForwardF32(
  xPtr: usize, xStepBytes: i32, xRowBytes: i32, inputSize: i32, packedPtr: usize, hiddenSize: i32,
  timesteps: i32, rowBegin: i32, rowEnd: i32, hPtr: usize, cPtr: usize,
  yPtr: usize, yStepBytes: i32, yRowBytes: i32, workspacePtr: usize, chunkSteps: i32,
): void {
  assert(rowBegin <= rowEnd && timesteps >= 0 && chunkSteps > 0)
  assert(packedPtr % 16 == 0 && workspacePtr % 16 == 0)
  const rows = rowEnd - rowBegin
  if (rows == 0 || timesteps == 0) return
  const blocks = blocksOfUnits(hiddenSize)
  const gatesBytes = gatesRowBytes(hiddenSize)
  const stateBytes = hiddenSize * 4
  const recurrentPtr = packedPtr + blocks * biasedBlockBytes(inputSize)
  const scratchPtr = workspacePtr + chunkSteps * rows * gatesBytes

  xPtr += rowBegin * xRowBytes
  hPtr += rowBegin * stateBytes
  cPtr += rowBegin * stateBytes
  if (yPtr) yPtr += rowBegin * yRowBytes

  // h[t-1] is read from the output of the step before; without outputs, from one of two scratch
  // copies: it must stay whole until every unit of h[t] is made.
  let fromPtr = hPtr
  let fromRowBytes = stateBytes
  const toRowBytes = yPtr ? yRowBytes : stateBytes
  for (let begin = 0; begin < timesteps; begin += chunkSteps) {
    const end = min(begin + chunkSteps, timesteps)
    gemmF32(
      xPtr + begin * xStepBytes, xRowBytes, xStepBytes, rows, 0, (end - begin) * rows, inputSize,
      packedPtr, blocks * BLOCK_LENGTH, workspacePtr, gatesBytes,
    )
    for (let t = begin; t < end; t++) {
      const toPtr = yPtr ? yPtr + t * yStepBytes : scratchPtr + (t & 1) * rows * stateBytes
      recurrentStep(
        rows, hiddenSize, recurrentPtr, workspacePtr + (t - begin) * rows * gatesBytes,
        fromPtr, fromRowBytes, toPtr, toRowBytes, cPtr,
      )
      fromPtr = toPtr
      fromRowBytes = toRowBytes
    }
  }
  for (let row = 0; row < rows; row++) {
    memory.copy(hPtr + row * stateBytes, fromPtr + row * fromRowBytes, stateBytes)
  }
}

/** One timestep of all rows: adds h @ U to the gates and updates the cells. */
function recurrentStep(
  rows: i32, hiddenSize: i32, recurrentPtr: usize, gatesPtr: usize,
  fromPtr: usize, fromRowBytes: i32, toPtr: usize, toRowBytes: i32, cPtr: usize,
): void {
  const blocks = blocksOfUnits(hiddenSize)
  const blockBytes = plainBlockBytes(hiddenSize)
  const gatesBytes = gatesRowBytes(hiddenSize)
  const stateBytes = hiddenSize * 4
  const unitsBytes = UNITS_PER_BLOCK * 4
  const pairsEnd = rows & ~1
  if (pairsEnd) {
    for (let block = 0; block < blocks; block++) {
      const wPtr = recurrentPtr + block * blockBytes
      const units = min(UNITS_PER_BLOCK, hiddenSize - block * UNITS_PER_BLOCK)
      let initPtr = gatesPtr + block * BLOCK_ROW_BYTES
      let aPtr = fromPtr
      let outPtr = toPtr + block * unitsBytes
      let cellPtr = cPtr + block * unitsBytes
      for (let row = 0; row < pairsEnd; row += 2) {
        tile2x4(
          hiddenSize, wPtr, aPtr, aPtr + fromRowBytes, initPtr, initPtr + gatesBytes,
          outPtr, outPtr + toRowBytes, cellPtr, cellPtr + stateBytes, units,
        )
        initPtr += 2 * gatesBytes
        aPtr += 2 * fromRowBytes
        outPtr += 2 * toRowBytes
        cellPtr += 2 * stateBytes
      }
    }
  }
  if (pairsEnd == rows) return
  gatesPtr += pairsEnd * gatesBytes
  fromPtr += pairsEnd * fromRowBytes
  toPtr += pairsEnd * toRowBytes
  cPtr += pairsEnd * stateBytes
  let block = 0
  for (; block + 2 <= blocks; block += 2) {
    const units = min(UNITS_PER_BLOCK, hiddenSize - (block + 1) * UNITS_PER_BLOCK)
    tile1x8(
      hiddenSize, recurrentPtr + block * blockBytes, blockBytes, fromPtr, gatesPtr + block * BLOCK_ROW_BYTES,
      BLOCK_ROW_BYTES, toPtr + block * unitsBytes, unitsBytes, cPtr + block * unitsBytes, units,
    )
  }
  if (block < blocks) {
    tile1x4(
      hiddenSize, recurrentPtr + block * blockBytes, fromPtr, gatesPtr + block * BLOCK_ROW_BYTES,
      toPtr + block * unitsBytes, cPtr + block * unitsBytes, hiddenSize - block * UNITS_PER_BLOCK,
    )
  }
}
