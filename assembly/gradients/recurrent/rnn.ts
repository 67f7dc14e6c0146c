// A simple recurrent layer that is trained: h = f(x W + h_ U + b).
import { activateRow } from '../../math/activate'
import { BLOCK_ROW_BYTES, HEADER_BYTES, Matrix, VECTOR_BYTES, blocksOfColumns, columnsOfGates, groupsOfUnits, newMatrix, packedBytes } from '../../products/layout'
import { multiply, productBytes } from '../../products/product'
import { clipRow } from '../../recurrent/gate-rows'
import { gatesRowBytes, paddedBytes } from '../../recurrent/recurrence'
import { derivativeWithin } from '../derivative'
import { biasOfSums, packTransposed, toBlocks } from '../weight-product'
import {
  TrainedLayer, addOutputGradients, addStateProduct, blockBytes, holdMasked, isMasked, passMasked, placeState, takeState, throughInput, throughState,
  writeOutputs,
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

/** Forwards, from h0 (B, H) or 0; y (T, B, H), or 0; the bias is that of w. dropPtr: as `lstmKeepF32`. */
export function rnnKeepF32(
  layer: TrainedLayer, w: Matrix, u: Matrix, xPtr: usize, h0Ptr: usize, maskPtr: usize, dropPtr: usize, keptPtr: usize, yPtr: usize, workspacePtr: usize,
): void {
  const rows = layer.rows
  const timesteps = layer.timesteps
  const units = layer.hiddenSize
  const hBytes = layer.hBytes
  const rowBytes = gatesRowBytes(w.columns)
  const beforePtr = keptBefore(layer, keptPtr)
  const panelPtr = workspacePtr + rows * hBytes
  placeState(rows, units, h0Ptr, keptPtr)
  multiply(w, timesteps, rows, xPtr, layer.xStepBytes, layer.xRowBytes, beforePtr, rowBytes, false, panelPtr, 0)
  for (let t = 0; t < timesteps; t++) {
    const stepPtr = beforePtr + t * rows * rowBytes
    const fromPtr = keptPtr + t * rows * hBytes
    const toPtr = fromPtr + rows * hBytes
    if (t > 0 || h0Ptr != 0) addStateProduct(layer, u, t, fromPtr, dropPtr, workspacePtr, stepPtr, rowBytes, panelPtr)
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

/** Back through time: as `lstmBackwardF32`. */
export function rnnBackwardF32(
  layer: TrainedLayer, w: Matrix, u: Matrix, xPtr: usize, hasInitial: i32, maskPtr: usize, dropPtr: usize, keptPtr: usize, dyPtr: usize, dhPtr: usize,
  dxPtr: usize, dwPtr: usize, duPtr: usize, dbiasPtr: usize, dh0Ptr: usize, workspacePtr: usize,
): void {
  const rows = layer.rows
  const timesteps = layer.timesteps
  const units = layer.hiddenSize
  const hBytes = layer.hBytes
  const rowBytes = gatesRowBytes(w.columns)
  const blocks = blocksOfColumns(w.columns)
  const apart = rows * BLOCK_ROW_BYTES
  const beforePtr = keptBefore(layer, keptPtr)
  const uT = newMatrix(workspacePtr, u.columns, units)
  const wT = newMatrix(changetype<usize>(uT) + HEADER_BYTES + uT.blocksBytes, w.columns, w.k)
  let stateGradientPtr = changetype<usize>(wT) + HEADER_BYTES + wT.blocksBytes
  let nextGradientPtr = stateGradientPtr + rows * hBytes
  const heldPtr = nextGradientPtr + rows * hBytes
  const droppedPtr = heldPtr + rows * hBytes
  const rowsPtr = droppedPtr + rows * hBytes
  const blocksPtr = rowsPtr + rows * hBytes
  const sumsPtr = blocksPtr + blocks * apart
  assert(blockBytes(rows, w) == blocks * (apart + BLOCK_ROW_BYTES))
  packTransposed(u, uT)
  if (dxPtr) packTransposed(w, wT)
  if (dwPtr) memory.fill(dwPtr, 0, HEADER_BYTES + w.blocksBytes)
  if (duPtr) memory.fill(duPtr, 0, HEADER_BYTES + u.blocksBytes)
  memory.fill(sumsPtr, 0, blocks * BLOCK_ROW_BYTES)
  memory.fill(heldPtr, 0, rows * hBytes)
  memory.fill(nextGradientPtr, 0, rows * hBytes)
  placeState(rows, units, dhPtr, stateGradientPtr)
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
      throughState(layer, u, uT, keptPtr + t * rows * hBytes, dropPtr, droppedPtr, rowsPtr, hBytes, blocksPtr, nextGradientPtr, duPtr)
      if (maskPtr) passMasked(layer, t, maskPtr, stateGradientPtr, nextGradientPtr)
    }
    throughInput(layer, w, wT, t, xPtr, rowsPtr, hBytes, blocksPtr, dwPtr, dbiasPtr ? sumsPtr : 0, dxPtr)
    const swap = stateGradientPtr
    stateGradientPtr = nextGradientPtr
    nextGradientPtr = swap
  }
  if (dbiasPtr) biasOfSums(sumsPtr, dbiasPtr, w.columns, units, 1)
  takeState(rows, units, stateGradientPtr, dh0Ptr)
}

/** One row: the gradient of the sum before activation. */
function sumBack(layer: TrainedLayer, beforePtr: usize, hPtr: usize, dhPtr: usize, toPtr: usize): void {
  for (let at = 0; at < layer.hBytes; at += VECTOR_BYTES) {
    const before = v128.load(beforePtr + at)
    const slope = derivativeWithin(layer.clip, layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, before, v128.load(hPtr + at))
    v128.store(toPtr + at, f32x4.mul(v128.load(dhPtr + at), slope))
  }
}
