// A simple recurrent layer that is trained: h = f(x W + h_ U + b).
import { BLOCK_ROW_BYTES, HEADER_BYTES, VECTOR_BYTES, blocksOfColumns, columnsOfGates, groupsOfUnits, newMatrix, packedBytes } from '../../products/layout'
import { activateRow, multiply, productBytes } from '../inference'
import { clipRow } from '../../recurrent/gate-rows'
import { gatesRowBytes, paddedBytes } from '../../recurrent/recurrence'
import { derivativeWithin } from '../derivative'
import { biasOfSums, toBlocks } from '../weight-product'
import {
  TrainedGradients, TrainedLayer, TrainedValues, addOutputGradients, addStateProduct, beginBack, blockBytes, holdMasked, isMasked, passMasked,
  placeState, takeState, throughInput, throughState, writeOutputs,
} from './layer'

// What is kept, one after the other (src/ops/training/kept.ts counts it):
//
//     h       (T + 1, B, H)   the states, the initial ones first, padded
//     before  (T, B, H)       the sums before they are clipped and activated, as packed

/** Where the sums are kept before activation. */
// @ts-ignore: decorator
@inline
function keptBefore(layer: TrainedLayer, keptPtr: usize): usize {
  return keptPtr + (layer.timesteps + 1) * layer.rows * layer.hBytes
}

/** Bytes of workspace of `rnnKeepF32`. */
export function rnnKeepWorkspaceBytes(rows: i32, timesteps: i32, inputSize: i32, hiddenSize: i32): f64 {
  const columns = columnsOfGates(1, hiddenSize)
  const panels = max(productBytes(rows * timesteps, inputSize, columns, false), productBytes(rows, hiddenSize, columns, false))
  return f64(rows) * f64(paddedBytes(hiddenSize)) + f64(panels)
}

/** Forwards; y (T, B, H), or 0; the bias is that of w. workspacePtr: `rnnKeepWorkspaceBytes`. */
export function rnnKeepF32(layer: TrainedLayer, values: TrainedValues, yPtr: usize, workspacePtr: usize): void {
  const w = values.w
  const h0Ptr = values.h0Ptr
  const maskPtr = values.maskPtr
  const keptPtr = values.keptPtr
  const rows = layer.rows
  const timesteps = layer.timesteps
  const units = layer.hiddenSize
  const hBytes = layer.hBytes
  const rowBytes = gatesRowBytes(w.columns)
  const beforePtr = keptBefore(layer, keptPtr)
  const panelPtr = workspacePtr + rows * hBytes
  placeState(rows, units, h0Ptr, keptPtr)
  multiply(w, timesteps, rows, values.xPtr, layer.xStepBytes, layer.xRowBytes, beforePtr, rowBytes, false, panelPtr, 0)
  for (let t = 0; t < timesteps; t++) {
    const stepPtr = beforePtr + t * rows * rowBytes
    const fromPtr = keptPtr + t * rows * hBytes
    const toPtr = fromPtr + rows * hBytes
    if (t > 0 || h0Ptr != 0) addStateProduct(layer, values, t, fromPtr, workspacePtr, stepPtr, rowBytes, panelPtr)
    for (let row = 0; row < rows; row++) {
      const rowPtr = toPtr + row * hBytes
      memory.copy(rowPtr, stepPtr + row * rowBytes, hBytes)
      clipRow(rowPtr, VECTOR_BYTES, groupsOfUnits(units), layer.clip)
      activateRow(layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, rowPtr, VECTOR_BYTES, units)
      memory.fill(rowPtr + units * 4, 0, hBytes - units * 4)
    }
    if (maskPtr) holdMasked(layer, t, maskPtr, fromPtr, toPtr, hBytes)
    if (yPtr) writeOutputs(layer, t, maskPtr, toPtr, yPtr)
  }
}

/** The final state of what `rnnKeepF32` or `gruKeepF32` kept: h (B, H). */
export function finalState(layer: TrainedLayer, keptPtr: usize, hPtr: usize): void {
  takeState(layer.rows, layer.hiddenSize, keptPtr + layer.timesteps * layer.rows * layer.hBytes, hPtr)
}

/** Bytes of workspace of `rnnBackwardF32`. */
export function rnnBackwardBytes(rows: i32, inputSize: i32, hiddenSize: i32): f64 {
  const columns = columnsOfGates(1, hiddenSize)
  const blocks = f64(blocksOfColumns(columns)) * f64(rows + 1) * f64(BLOCK_ROW_BYTES)
  return packedBytes(columns, hiddenSize) + packedBytes(columns, inputSize) + blocks + f64(rows) * f64(5 * paddedBytes(hiddenSize))
}

/** Back through time, with the values that `rnnKeepF32` had. workspacePtr: `rnnBackwardBytes`. */
export function rnnBackwardF32(layer: TrainedLayer, values: TrainedValues, gradients: TrainedGradients, workspacePtr: usize): void {
  const w = values.w
  const maskPtr = values.maskPtr
  const keptPtr = values.keptPtr
  const hasInitial = values.h0Ptr != 0
  const dyPtr = gradients.dyPtr
  const rows = layer.rows
  const timesteps = layer.timesteps
  const units = layer.hiddenSize
  const hBytes = layer.hBytes
  const rowBytes = gatesRowBytes(w.columns)
  const blocks = blocksOfColumns(w.columns)
  const apart = rows * BLOCK_ROW_BYTES
  const beforePtr = keptBefore(layer, keptPtr)
  const uT = newMatrix(workspacePtr, values.u.columns, units)
  const wT = newMatrix(changetype<usize>(uT) + HEADER_BYTES + uT.blocksBytes, w.columns, w.k)
  let stateGradientPtr = changetype<usize>(wT) + HEADER_BYTES + wT.blocksBytes
  let nextGradientPtr = stateGradientPtr + rows * hBytes
  const heldPtr = nextGradientPtr + rows * hBytes
  const droppedPtr = heldPtr + rows * hBytes
  const rowsPtr = droppedPtr + rows * hBytes
  const blocksPtr = rowsPtr + rows * hBytes
  const sumsPtr = blocksPtr + blocks * apart
  assert(blockBytes(rows, w) == blocks * (apart + BLOCK_ROW_BYTES))
  beginBack(values, gradients, uT, wT)
  memory.fill(sumsPtr, 0, blocks * BLOCK_ROW_BYTES)
  memory.fill(heldPtr, 0, rows * hBytes)
  memory.fill(nextGradientPtr, 0, rows * hBytes)
  placeState(rows, units, gradients.dhPtr, stateGradientPtr)
  for (let t = timesteps - 1; t >= 0; t--) {
    addOutputGradients(layer, t, maskPtr, dyPtr, stateGradientPtr, maskPtr ? heldPtr : 0)
    for (let row = 0; row < rows; row++) {
      const at = t * rows + row
      const toPtr = rowsPtr + row * hBytes
      if (isMasked(layer, maskPtr, t, row)) memory.fill(toPtr, 0, hBytes)
      else sumBack(layer, beforePtr + at * rowBytes, keptPtr + (at + rows) * hBytes, stateGradientPtr + row * hBytes, toPtr)
    }
    toBlocks(rows, w.columns, rowsPtr, hBytes, blocksPtr, apart)
    if (t > 0 || hasInitial) {
      throughState(layer, values, gradients, uT, keptPtr + t * rows * hBytes, droppedPtr, rowsPtr, hBytes, blocksPtr, nextGradientPtr)
      if (maskPtr) passMasked(layer, t, maskPtr, stateGradientPtr, nextGradientPtr)
    }
    throughInput(layer, values, gradients, wT, t, rowsPtr, hBytes, blocksPtr, sumsPtr)
    const swap = stateGradientPtr
    stateGradientPtr = nextGradientPtr
    nextGradientPtr = swap
  }
  if (gradients.dbiasPtr) biasOfSums(sumsPtr, gradients.dbiasPtr, w.columns, units, 1)
  takeState(rows, units, stateGradientPtr, gradients.dh0Ptr)
}

/** One row: the gradient of the sum before activation. */
function sumBack(layer: TrainedLayer, beforePtr: usize, hPtr: usize, dhPtr: usize, toPtr: usize): void {
  for (let at = 0; at < layer.hBytes; at += VECTOR_BYTES) {
    const before = v128.load(beforePtr + at)
    const slope = derivativeWithin(layer.clip, layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, before, v128.load(hPtr + at))
    v128.store(toPtr + at, f32x4.mul(v128.load(dhPtr + at), slope))
  }
}
