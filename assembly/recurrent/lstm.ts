import { updateCells } from './lstm-cell'
import { denseRows, gemmF32 } from '../products/gemm'
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, NEAR_WEIGHT_BYTES, blocksOfUnits, packedBlockBytes } from '../products/layout'
import { panelBytes, panelProduct } from '../products/panel'
import { rowProduct } from '../products/row'
import { rowsProduct, sixRows } from '../products/tile'

/**
 * Bytes of the four gates of one batch row at one timestep, padded to whole blocks, and by one block more: rows that are
 * a power of two apart share a few lines of the first-level cache (32 rows of 256 units: 55.4 GF/s, without the gap 54.1).
 */
// @ts-ignore: decorator
@inline
function gatesRowBytes(hiddenSize: i32): i32 {
  return (blocksOfUnits(hiddenSize) + 1) * BLOCK_ROW_BYTES
}

/** Weights between these sizes just do not fit into a second-level cache of 1 MB. */
const LEAST_OVERFLOWING_BYTES: i32 = 655360
const MOST_OVERFLOWING_BYTES: i32 = 1310720
/** Gates of this many bytes stay in the second-level cache until the recurrence needs them. */
const CHUNK_BYTES: i32 = 131072
/**
 * Where input weights come from further away, a chunk has rows that make up for it (400 timesteps of 1024 units: 146 ms, in chunks of
 * 128 rows 160 ms; 100 timesteps in chunks of 128 kB 65 ms, at once 42).
 */
const FAR_CHUNK_ROWS: i32 = 384

/** How many timesteps of `rows` batch rows it is best to project at once: from 1 to `timesteps`, at least 1. */
export function lstmChunkSteps(rows: i32, timesteps: i32, inputSize: i32, hiddenSize: i32): i32 {
  const isFar = f64(hiddenSize) * f64(inputSize) * 16 > f64(NEAR_WEIGHT_BYTES)
  const chunkRows = max(CHUNK_BYTES / gatesRowBytes(hiddenSize), isFar ? FAR_CHUNK_ROWS : 1)
  return max(1, min(timesteps, chunkRows / max(1, rows)))
}

/** Bytes of workspace `lstmForwardF32` needs for `rows` batch rows and chunks of `chunkSteps` timesteps. */
export function lstmWorkspaceBytes(rows: i32, chunkSteps: i32, inputSize: i32, hiddenSize: i32): f64 {
  const columns = blocksOfUnits(hiddenSize) * BLOCK_LENGTH
  const panels = max(panelBytes(rows * chunkSteps, inputSize, columns), panelBytes(rows, hiddenSize, columns))
  const gatesBytes = f64(gatesRowBytes(hiddenSize))
  return f64(rows) * (f64(chunkSteps) * gatesBytes + 2 * f64(hiddenSize) * 4) + gatesBytes + f64(panels)
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
 * packed   see products/layout.ts
 * h, c     (batch, hiddenSize): the state before the first step; on return, after the last.
 * y        every h[t], at yPtr + t yStepBytes + b yRowBytes; or yPtr 0: not wanted.
 * workspace  lstmWorkspaceBytes(rowEnd - rowBegin, chunkSteps, inputSize, hiddenSize) bytes.
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
  const recurrentPtr = packedPtr + blocks * packedBlockBytes(inputSize) + BLOCK_ROW_BYTES
  const scalesPtr = workspacePtr
  workspacePtr += gatesBytes
  const scratchPtr = workspacePtr + chunkSteps * rows * gatesBytes
  const panelPtr = scratchPtr + 2 * rows * stateBytes

  xPtr += rowBegin * xRowBytes
  hPtr += rowBegin * stateBytes
  cPtr += rowBegin * stateBytes
  if (yPtr) yPtr += rowBegin * yRowBytes

  // Weights that just do not fit into the cache are walked to and fro (256 units: 4 % faster). Smaller ones are there anyway, of
  // larger ones too little would be, and streams that go backwards cost (64 units: 2 %, 384 units: 3 %).
  const blockBytes = packedBlockBytes(hiddenSize)
  const columns = blocks * BLOCK_LENGTH
  const weightBytes = blocks * blockBytes
  const alternates = weightBytes > LEAST_OVERFLOWING_BYTES && weightBytes <= MOST_OVERFLOWING_BYTES

  // The product of a state of zeros is zeros, unless a weight is infinite or not a number: sequences that begin so do without it (20 steps:
  // 2 % faster, one step: twice as fast). Of a state in use, the first number tells, before anything is called (10 ns of a step).
  let isAtRest = f32.load(hPtr) == 0 && f32.load(recurrentPtr - BLOCK_ROW_BYTES) != 0 && areZeros(hPtr, rows * hiddenSize)
  const packs = panelBytes(rows, hiddenSize, columns) > 0

  // h[t-1] is read from the output of the step before; without outputs, from one of two scratch
  // copies: it must stay whole until every unit of h[t] is made.
  let fromPtr = hPtr
  let fromRowBytes = stateBytes
  const toRowBytes = yPtr ? yRowBytes : stateBytes
  for (let begin = 0; begin < timesteps; begin += chunkSteps) {
    const steps = min(chunkSteps, timesteps - begin)
    projectInputs(
      xPtr + begin * xStepBytes, xStepBytes, xRowBytes, inputSize, packedPtr, columns, steps, rows, workspacePtr, gatesBytes, panelPtr,
    )
    for (let t = begin; t < begin + steps; t++) {
      const toPtr = yPtr ? yPtr + t * yStepBytes : scratchPtr + (t & 1) * rows * stateBytes
      const gatesPtr = workspacePtr + (t - begin) * rows * gatesBytes
      if (isAtRest) {
        isAtRest = false
      } else if (rows == 1) {
        rowProduct(
          hiddenSize, recurrentPtr, blockBytes, columns, fromPtr, gatesPtr, BLOCK_ROW_BYTES, gatesPtr, alternates && (t & 1) != 0,
        )
      } else if (packs) {
        panelProduct(
          rows, hiddenSize, recurrentPtr, blockBytes, columns, fromPtr, fromRowBytes, 0, rows, panelPtr,
          gatesPtr, gatesBytes, BLOCK_ROW_BYTES, gatesPtr, gatesBytes,
        )
      } else {
        rowsProduct(
          rows, hiddenSize, recurrentPtr, blockBytes, columns, fromPtr, fromRowBytes, false,
          gatesPtr, gatesBytes, BLOCK_ROW_BYTES, gatesPtr, gatesBytes,
        )
      }
      updateCells(rows, hiddenSize, gatesPtr, gatesBytes, scalesPtr, cPtr, toPtr, toRowBytes)
      fromPtr = toPtr
      fromRowBytes = toRowBytes
    }
  }
  for (let row = 0; row < rows; row++) {
    memory.copy(hPtr + row * stateBytes, fromPtr + row * fromRowBytes, stateBytes)
  }
}

function areZeros(ptr: usize, length: i32): bool {
  for (; length >= 4; length -= 4) {
    if (v128.any_true(f32x4.ne(v128.load(ptr), f32x4.splat(0)))) return false
    ptr += 16
  }
  for (; length > 0; length--) {
    if (f32.load(ptr) != 0) return false
    ptr += 4
  }
  return true
}

/** gates (steps, rows, columns) = bias + x @ W. */
function projectInputs(
  xPtr: usize, xStepBytes: i32, xRowBytes: i32, inputSize: i32, packedPtr: usize, columns: i32, steps: i32, rows: i32, gatesPtr: usize,
  gatesBytes: i32, panelPtr: usize,
): void {
  const blockBytes = packedBlockBytes(inputSize)
  if (rows == 1 && steps == 1) {
    // What a call of `denseRows` comes to (64 units: 15 ns sooner).
    rowProduct(inputSize, packedPtr + BLOCK_ROW_BYTES, blockBytes, columns, xPtr, packedPtr, blockBytes, gatesPtr, false)
  } else if ((steps <= rows || sixRows(rows * steps) > 0) && panelBytes(steps * rows, inputSize, columns) > 0) {
    panelProduct(
      steps * rows, inputSize, packedPtr + BLOCK_ROW_BYTES, blockBytes, columns, xPtr, xRowBytes, xStepBytes, rows, panelPtr,
      packedPtr, 0, blockBytes, gatesPtr, gatesBytes,
    )
  } else if (steps > rows) {
    for (let row = 0; row < rows; row++) {
      denseRows(steps, inputSize, packedPtr, columns, xPtr + row * xRowBytes, xStepBytes, gatesPtr + row * gatesBytes, rows * gatesBytes)
    }
  } else {
    gemmF32(xPtr, xRowBytes, xStepBytes, rows, 0, steps * rows, inputSize, packedPtr, columns, gatesPtr, gatesBytes)
  }
}
