// A layer in one direction over a sequence, or a part of it, whatever its cell is:
//
//     gates[t] = bias + x[t] @ W                        for `chunkSteps` timesteps at a time, one matrix product
//     h[t], c[t] = cell(gates[t], h[t-1], c[t-1])       step by step; the products with h are the cell's
//
// A cell is an unmanaged class: the record of its weights and settings, as packing writes it once a model, and its step. `recur` is
// compiled once for each, so that its step is inlined. What it must have:
//
//     inputWeights: Matrix      W and the biases
//     recurrentWeights: Matrix  those of h
//     hiddenSize: i32           units
//     outputSize: i32           length of h, where it is not hiddenSize
//     cellSize: i32             length of c; 0 where there is no c
//     finishes: bool            whether `step` writes c in place, and rows of h wherever they are wanted; or else to padded rows
//     step(...)                 see `LstmCell` in lstm.ts
import { CHUNK_BYTES, FAR_CHUNK_ROWS, NEAR_WEIGHT_BYTES } from '../cache'
import { BLOCK_ROW_BYTES, VECTOR_BYTES, blocksOfColumns, columnsOfGates, groupsOfUnits } from '../products/layout'
import { multiply, productBytes } from '../products/product'
import { delayState } from './delay'
import { finishRow } from './mask'

/** Sizes and strides of a call, which a plan writes once. Letters: B batch rows, T timesteps, F features, H units. */
@unmanaged
export class Recurrence {
  timesteps: i32
  /** Works on batch rows rowBegin <= b < rowEnd: all, or those of one thread. */
  rowBegin: i32
  rowEnd: i32
  /** x (T, B, F): step t, row b at xPtr + t xStepBytes + b xRowBytes. Negative where a direction starts at the last step. */
  xStepBytes: i32
  xRowBytes: i32
  /** y (T, B, outputSize): as x. */
  yStepBytes: i32
  yRowBytes: i32
  /** Timesteps whose inputs are projected at once. */
  chunkSteps: i32
  /** mask (T, B), uint8. */
  maskStepBytes: i32
  maskRowBytes: i32
  /** A MaskRule. */
  maskRule: i32
  /** How many steps of history there are: 0 for a state that is not delayed. */
  delaySteps: i32
  /** Weight of the oldest of them; the next has 1 - delayFraction. */
  delayFraction: f32
  /** Weights and settings: the record that the kernel's cell has. */
  cellPtr: usize
}

/**
 * Bytes of the gates of one batch row at one timestep, padded to whole blocks, and by one block more: rows that are
 * a power of two apart share a few lines of the first-level cache.
 */
// @ts-ignore: decorator
@inline
export function gatesRowBytes(columns: i32): i32 {
  return (blocksOfColumns(columns) + 1) * BLOCK_ROW_BYTES
}

/** Bytes of a row of `length` floats, padded to whole vectors. */
// @ts-ignore: decorator
@inline
export function paddedBytes(length: i32): i32 {
  return groupsOfUnits(length) * VECTOR_BYTES
}

/** Length of h. */
// @ts-ignore: decorator
@inline
function outputSizeOf<Cell>(cell: Cell): i32 {
  return isDefined(cell.outputSize) ? cell.outputSize : cell.hiddenSize
}

/** How many timesteps of `rows` batch rows it is best to project at once: from 1 to `timesteps`, at least 1. */
export function recurrentChunkSteps(rows: i32, timesteps: i32, inputSize: i32, hiddenSize: i32, gates: i32): i32 {
  const columns = columnsOfGates(gates, hiddenSize)
  const isFar = f64(columns) * f64(inputSize) * 4 > f64(NEAR_WEIGHT_BYTES)
  const chunkRows = max(CHUNK_BYTES / gatesRowBytes(columns), isFar ? FAR_CHUNK_ROWS : 1)
  return max(1, min(timesteps, chunkRows / max(1, rows)))
}

/**
 * Bytes of workspace `recur` needs for `rows` batch rows, chunks of `chunkSteps` timesteps, and any cell of these sizes; `isInt8`: where one of
 * its matrices is of 8 bits.
 */
export function recurrentWorkspaceBytes(
  rows: i32, chunkSteps: i32, inputSize: i32, hiddenSize: i32, outputSize: i32, gates: i32, isInt8: i32,
): f64 {
  const columns = columnsOfGates(gates, hiddenSize)
  const anyKind = isInt8 != 0
  const panels = max(
    productBytes(rows * chunkSteps, inputSize, columns, anyKind),
    max(productBytes(rows, outputSize, columns, anyKind), productBytes(rows, hiddenSize, outputSize, anyKind)),
  )
  const rowBytes = (f64(chunkSteps) + 1) * f64(gatesRowBytes(columns)) + f64(paddedBytes(hiddenSize)) + f64(paddedBytes(outputSize))
  return f64(rows) * rowBytes + f64(panels)
}

/**
 * h          (B, outputSize), c (B, cellSize): the states before the first step; on return, after the last.
 * yPtr       where every h[t] goes; 0: not wanted.
 * maskPtr    0 where a step is padding; or 0: there is no mask
 * pastPtr    what is kept from step to step besides the states, of a layer with a mask or a delay, which go not together:
 *            with a mask, (B, outputSize): the last output of every row; what it holds before is what a masked first step outputs
 *            with a delay, (B, delaySteps, outputSize + cellSize): h and c of the steps before, the oldest first
 * workspacePtr  recurrentWorkspaceBytes(...) bytes
 *
 * Allocations are padded, so that reading a state in whole vectors may pass the end of its last row; only valid units are written.
 */
export function recur<Cell>(
  cell: Cell, call: Recurrence, xPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize, maskPtr: usize, pastPtr: usize, workspacePtr: usize,
): void {
  const timesteps = call.timesteps
  const rowBegin = call.rowBegin
  const rows = call.rowEnd - rowBegin
  const chunkSteps = call.chunkSteps
  assert(rows >= 0 && timesteps >= 0 && chunkSteps > 0)
  assert(workspacePtr % 16 == 0 && (maskPtr == 0 || call.delaySteps == 0))
  if (rows == 0 || timesteps == 0) return
  const w = cell.inputWeights
  const gatesBytes = gatesRowBytes(w.columns)
  const hBytes = outputSizeOf(cell) * 4
  const xStepBytes = call.xStepBytes
  const yStepBytes = call.yStepBytes
  const extraPtr = workspacePtr + chunkSteps * rows * gatesBytes
  const nextHPtr = extraPtr + rows * gatesBytes
  const nextCPtr = nextHPtr + rows * paddedBytes(outputSizeOf(cell))
  const panelPtr = nextCPtr + rows * paddedBytes(cell.cellSize)

  xPtr += rowBegin * call.xRowBytes
  hPtr += rowBegin * hBytes
  cPtr += rowBegin * cell.cellSize * 4
  if (yPtr) yPtr += rowBegin * call.yRowBytes

  // The product of a state of zeros is zeros, unless a weight is infinite or NaN: it is skipped at the first step of such a sequence.
  // The first number is compared first: it is rarely 0 in a state in use.
  let isAtRest = f32.load(hPtr) == 0 && cell.recurrentWeights.isFinite != 0 && areZeros(hPtr, rows * outputSizeOf(cell))
  const isFinal = cell.finishes && maskPtr == 0 && call.delaySteps == 0

  // h[t-1] is read from the output of the step before, if there is one.
  let fromPtr = hPtr
  let fromBytes = hBytes
  for (let begin = 0; begin < timesteps; begin += chunkSteps) {
    const steps = min(chunkSteps, timesteps - begin)
    multiply(w, steps, rows, xPtr + begin * xStepBytes, xStepBytes, call.xRowBytes, workspacePtr, gatesBytes, false, panelPtr, 0)
    for (let t = begin; t < begin + steps; t++) {
      const gatesPtr = workspacePtr + (t - begin) * rows * gatesBytes
      const toPtr = !isFinal ? nextHPtr : yPtr ? yPtr + t * yStepBytes : hPtr
      const toBytes = !isFinal ? paddedBytes(outputSizeOf(cell)) : yPtr ? call.yRowBytes : hBytes
      cell.step(rows, t, isAtRest, gatesPtr, gatesBytes, extraPtr, panelPtr, cPtr, isFinal ? cPtr : nextCPtr, fromPtr, fromBytes, toPtr, toBytes)
      if (isFinal) {
        fromPtr = toPtr
        fromBytes = toBytes
      } else {
        finish(call, t, rows, outputSizeOf(cell), cell.cellSize, nextHPtr, nextCPtr, hPtr, cPtr, yPtr ? yPtr + t * yStepBytes : 0, maskPtr, pastPtr)
      }
      isAtRest = false
    }
  }
  if (fromPtr == hPtr) return
  for (let row = 0; row < rows; row++) memory.copy(hPtr + row * hBytes, fromPtr + row * fromBytes, hBytes)
}

/** What the cell made of all rows, in padded rows, becomes their states and outputs, as delay and mask say. */
function finish(
  call: Recurrence, t: i32, rows: i32, outputSize: i32, cellSize: i32, nextHPtr: usize, nextCPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize,
  maskPtr: usize, pastPtr: usize,
): void {
  const steps = call.delaySteps
  const begin = call.rowBegin
  for (let row = 0; row < rows; row++) {
    if (steps) {
      const rowHistoryPtr = pastPtr + (begin + row) * steps * (outputSize + cellSize) * 4
      delayState(steps, call.delayFraction, nextHPtr, outputSize, nextCPtr, cellSize, rowHistoryPtr)
    }
    finishRow(
      maskPtr ? call.maskRule : 0, nextHPtr, outputSize, nextCPtr, cellSize, hPtr, cPtr, maskPtr ? pastPtr + (begin + row) * outputSize * 4 : 0, yPtr,
      maskPtr == 0 || load<u8>(maskPtr + t * call.maskStepBytes + (begin + row) * call.maskRowBytes) != 0,
    )
    nextHPtr += paddedBytes(outputSize)
    nextCPtr += paddedBytes(cellSize)
    hPtr += outputSize * 4
    cPtr += cellSize * 4
    if (yPtr) yPtr += call.yRowBytes
  }
}

/** Whether all of `length` floats are 0. */
export function areZeros(ptr: usize, length: i32): bool {
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
