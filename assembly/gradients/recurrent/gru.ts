// A GRU that is trained, with the reset after the product or before it: see recurrent/gru.ts for the equations. z h_ is what stays of the state.
//
//     dn = dh (1 - z)      dz = dh (h_ - n)      dh_ = dh z + ...
//     after:  dr = dn' (h_ Un + bn),  the product has the gradients of r, z and dn' r
//     before: d(r h_) = dn' Un^T,  dr = d(r h_) h_,  dh_ += d(r h_) r
//
// where dn' is dn before the activation.
import { BLOCK_ROW_BYTES, HEADER_BYTES, VECTOR_BYTES, blocksOfColumns, columnsOfGates, groupsOfUnits, newMatrix, packedBytes } from '../../products/layout'
import { activateRow, multiply, multiplyRows, multiplyZeros, productBytes } from '../inference'
import { addRow, clipRow } from '../../recurrent/gate-rows'
import { gatesRowBytes, paddedBytes } from '../../recurrent/recurrence'
import { addBlockSums, addWeightProduct, biasOfSums, packTransposed, toBlocks } from '../weight-product'
import { GATE_STRIDE, PAIR_STRIDE, candidateBack, resetBack } from './gru-cell'
import {
  TrainedGradients, TrainedLayer, TrainedValues, addF32, addOutputGradients, beginBack, blockBytes, clearMatrix, holdMasked, isMasked,
  multiplyElements, passMasked, placeState, takeState, throughInput, throughState, writeOutputs,
} from './layer'

// What is kept, one after the other (src/ops/training/kept.ts counts it):
//
//     h       (T + 1, B, H)   the states, the initial ones first, padded
//     m       (T, B, H)       h_ Un + bn, or with the reset before it r h_, padded
//     gates   (T, B, 3 H)     r, z, n after activation, as packed
//     before  (T, B, 3 H)     the same before they are clipped and activated

/** Where m is kept. */
// @ts-ignore: decorator
@inline
function keptM(layer: TrainedLayer, keptPtr: usize): usize {
  return keptPtr + (layer.timesteps + 1) * layer.rows * layer.hBytes
}

/** Where the gates are kept. */
// @ts-ignore: decorator
@inline
function keptGates(layer: TrainedLayer, keptPtr: usize): usize {
  return keptM(layer, keptPtr) + layer.timesteps * layer.rows * layer.hBytes
}

/** Where they are kept before activation. */
// @ts-ignore: decorator
@inline
function keptBefore(layer: TrainedLayer, keptPtr: usize, rowBytes: i32): usize {
  return keptGates(layer, keptPtr) + layer.timesteps * layer.rows * rowBytes
}

/** Bytes of workspace of `gruKeepF32`. */
export function gruKeepWorkspaceBytes(rows: i32, timesteps: i32, inputSize: i32, hiddenSize: i32): f64 {
  const columns = columnsOfGates(3, hiddenSize)
  const panels = max(productBytes(rows * timesteps, inputSize, columns, false), productBytes(rows, hiddenSize, columns, false))
  return f64(rows) * f64(paddedBytes(hiddenSize) + gatesRowBytes(columns)) + f64(panels)
}

/**
 * Forwards; y (T, B, H), or 0. w, u: packed gates r, z, n with their biases; where the reset comes first u has r and z, and candidate has n.
 * workspacePtr: `gruKeepWorkspaceBytes`.
 */
export function gruKeepF32(layer: TrainedLayer, values: TrainedValues, yPtr: usize, workspacePtr: usize): void {
  const w = values.w
  const u = values.u
  const candidate = values.candidate
  const h0Ptr = values.h0Ptr
  const maskPtr = values.maskPtr
  const dropPtr = values.dropPtr
  const keptPtr = values.keptPtr
  const rows = layer.rows
  const timesteps = layer.timesteps
  const units = layer.hiddenSize
  const hBytes = layer.hBytes
  const rowBytes = gatesRowBytes(w.columns)
  const hPtr = keptPtr
  const mPtr = keptM(layer, keptPtr)
  const gatesPtr = keptGates(layer, keptPtr)
  const beforePtr = keptBefore(layer, keptPtr, rowBytes)
  const droppedPtr = workspacePtr
  const productPtr = droppedPtr + rows * hBytes
  const panelPtr = productPtr + rows * rowBytes
  placeState(rows, units, h0Ptr, hPtr)
  multiply(w, timesteps, rows, values.xPtr, layer.xStepBytes, layer.xRowBytes, gatesPtr, rowBytes, false, panelPtr, 0)
  for (let t = 0; t < timesteps; t++) {
    const stepPtr = gatesPtr + t * rows * rowBytes
    const stepMPtr = mPtr + t * rows * hBytes
    const stepBeforePtr = beforePtr + t * rows * rowBytes
    const fromPtr = hPtr + t * rows * hBytes
    const toPtr = fromPtr + rows * hBytes
    let stateProductPtr = fromPtr
    if (dropPtr) {
      multiplyElements(fromPtr, dropPtr, droppedPtr, rows * hBytes)
      stateProductPtr = droppedPtr
    }
    if (t == 0 && h0Ptr == 0) multiplyZeros(u, rows, productPtr, rowBytes)
    else multiply(u, 1, rows, stateProductPtr, 0, hBytes, productPtr, rowBytes, false, panelPtr, t)
    const stride = candidate ? PAIR_STRIDE : GATE_STRIDE
    for (let row = 0; row < rows; row++) {
      const rowPtr = stepPtr + row * rowBytes
      const fromProductPtr = productPtr + row * rowBytes
      addRow(fromProductPtr, stride, rowPtr, GATE_STRIDE, units)
      addRow(fromProductPtr + VECTOR_BYTES, stride, rowPtr + VECTOR_BYTES, GATE_STRIDE, units)
      memory.copy(stepBeforePtr + row * rowBytes, rowPtr, rowBytes)
      for (let gate = 0; gate < 2; gate++) clipRow(rowPtr + gate * VECTOR_BYTES, GATE_STRIDE, groupsOfUnits(units), layer.clip)
      activateRow(layer.gateFunction, layer.gateAlpha, layer.gateBeta, rowPtr, GATE_STRIDE, units)
      activateRow(layer.gateFunction, layer.gateAlpha, layer.gateBeta, rowPtr + VECTOR_BYTES, GATE_STRIDE, units)
      const at = stepMPtr + row * hBytes
      if (candidate) takeReset(units, rowPtr, stateProductPtr + row * hBytes, at)
      else for (let group = 0; group < groupsOfUnits(units); group++) v128.store(at + group * VECTOR_BYTES, v128.load(fromProductPtr + group * GATE_STRIDE, 32))
    }
    if (candidate) multiply(candidate, 1, rows, stepMPtr, 0, hBytes, productPtr, rowBytes, false, panelPtr, t)
    for (let row = 0; row < rows; row++) {
      const rowPtr = stepPtr + row * rowBytes
      if (candidate) addRow(productPtr + row * rowBytes, VECTOR_BYTES, rowPtr + 2 * VECTOR_BYTES, GATE_STRIDE, units)
      else addReset(units, rowPtr, stepMPtr + row * hBytes)
      nextH(layer, rowPtr, stepBeforePtr + row * rowBytes, fromPtr + row * hBytes, toPtr + row * hBytes)
    }
    if (maskPtr) holdMasked(layer, t, maskPtr, fromPtr, toPtr, hBytes)
    if (yPtr) writeOutputs(layer, t, maskPtr, toPtr, yPtr)
  }
}

/** to = r h */
function takeReset(units: i32, gatesPtr: usize, hPtr: usize, toPtr: usize): void {
  for (let group = groupsOfUnits(units); group > 0; group--) {
    v128.store(toPtr, f32x4.mul(v128.load(gatesPtr), v128.load(hPtr)))
    gatesPtr += GATE_STRIDE
    hPtr += VECTOR_BYTES
    toPtr += VECTOR_BYTES
  }
}

/** n += r m */
function addReset(units: i32, gatesPtr: usize, mPtr: usize): void {
  for (let group = groupsOfUnits(units); group > 0; group--) {
    v128.store(gatesPtr, f32x4.add(v128.load(gatesPtr, 32), f32x4.mul(v128.load(gatesPtr), v128.load(mPtr))), 32)
    gatesPtr += GATE_STRIDE
    mPtr += VECTOR_BYTES
  }
}

/** The candidate is kept and activated, and h' = (1 - z) n + z h: padding stays zero. */
function nextH(layer: TrainedLayer, gatesPtr: usize, beforePtr: usize, hPtr: usize, toPtr: usize): void {
  const units = layer.hiddenSize
  for (let group = 0; group < groupsOfUnits(units); group++) v128.store(beforePtr + group * GATE_STRIDE, v128.load(gatesPtr + group * GATE_STRIDE, 32), 32)
  clipRow(gatesPtr + 2 * VECTOR_BYTES, GATE_STRIDE, groupsOfUnits(units), layer.clip)
  activateRow(layer.candidateFunction, layer.candidateAlpha, layer.candidateBeta, gatesPtr + 2 * VECTOR_BYTES, GATE_STRIDE, units)
  const toBegin = toPtr
  for (let group = groupsOfUnits(units); group > 0; group--) {
    const z = v128.load(gatesPtr, 16)
    const fresh = f32x4.mul(f32x4.sub(f32x4.splat(1), z), v128.load(gatesPtr, 32))
    v128.store(toPtr, f32x4.add(fresh, f32x4.mul(z, v128.load(hPtr))))
    gatesPtr += GATE_STRIDE
    hPtr += VECTOR_BYTES
    toPtr += VECTOR_BYTES
  }
  memory.fill(toBegin + units * 4, 0, layer.hBytes - units * 4)
}

/** Bytes of workspace of `gruBackwardF32`. */
export function gruBackwardBytes(rows: i32, inputSize: i32, hiddenSize: i32): f64 {
  const columns = columnsOfGates(3, hiddenSize)
  const transposed = 2 * packedBytes(columns, hiddenSize) + packedBytes(columns, inputSize)
  const blocks = 3 * f64(blocksOfColumns(columns)) * f64(rows + 1) * f64(BLOCK_ROW_BYTES)
  return transposed + blocks + f64(rows) * f64(5 * paddedBytes(hiddenSize) + 2 * gatesRowBytes(columns))
}

/** Back through time, with the values that `gruKeepF32` had. workspacePtr: `gruBackwardBytes`. */
export function gruBackwardF32(layer: TrainedLayer, values: TrainedValues, gradients: TrainedGradients, workspacePtr: usize): void {
  const w = values.w
  const u = values.u
  const candidate = values.candidate
  const maskPtr = values.maskPtr
  const dropPtr = values.dropPtr
  const keptPtr = values.keptPtr
  const hasInitial = values.h0Ptr != 0
  const dyPtr = gradients.dyPtr
  const dcandidatePtr = gradients.dcandidatePtr
  const drecurrentBiasPtr = gradients.drecurrentBiasPtr
  const rows = layer.rows
  const timesteps = layer.timesteps
  const units = layer.hiddenSize
  const hBytes = layer.hBytes
  const rowBytes = gatesRowBytes(w.columns)
  const blocks = blocksOfColumns(w.columns)
  const apart = rows * BLOCK_ROW_BYTES
  const hPtr = keptPtr
  const mPtr = keptM(layer, keptPtr)
  const gatesPtr = keptGates(layer, keptPtr)
  const beforePtr = keptBefore(layer, keptPtr, rowBytes)
  const uT = newMatrix(workspacePtr, u.columns, units)
  const wT = newMatrix(changetype<usize>(uT) + HEADER_BYTES + uT.blocksBytes, w.columns, w.k)
  const candidateT = newMatrix(changetype<usize>(wT) + HEADER_BYTES + wT.blocksBytes, columnsOfGates(1, units), units)
  let stateGradientPtr = changetype<usize>(candidateT) + HEADER_BYTES + candidateT.blocksBytes
  let nextGradientPtr = stateGradientPtr + rows * hBytes
  const heldPtr = nextGradientPtr + rows * hBytes
  const droppedPtr = heldPtr + rows * hBytes
  const resetPtr = droppedPtr + rows * hBytes
  const inputRowsPtr = resetPtr + rows * hBytes
  const stateRowsPtr = inputRowsPtr + rows * rowBytes
  const inputBlocksPtr = stateRowsPtr + rows * rowBytes
  const stateBlocksPtr = inputBlocksPtr + blockBytes(rows, w)
  const candidateBlocksPtr = stateBlocksPtr + blockBytes(rows, w)
  const inputSumsPtr = inputBlocksPtr + blocks * apart
  const stateSumsPtr = stateBlocksPtr + blocks * apart
  const candidateBlocks = blocksOfColumns(candidateT.k)
  const candidateSumsPtr = candidateBlocksPtr + candidateBlocks * apart

  beginBack(values, gradients, uT, wT)
  if (candidate) {
    packTransposed(candidate, candidateT)
    clearMatrix(candidate, dcandidatePtr)
  }
  memory.fill(inputSumsPtr, 0, blocks * BLOCK_ROW_BYTES)
  memory.fill(stateSumsPtr, 0, blocks * BLOCK_ROW_BYTES)
  memory.fill(candidateSumsPtr, 0, candidateBlocks * BLOCK_ROW_BYTES)
  memory.fill(inputRowsPtr, 0, 2 * rows * rowBytes)
  memory.fill(heldPtr, 0, rows * hBytes)
  memory.fill(nextGradientPtr, 0, rows * hBytes)
  memory.fill(resetPtr, 0, rows * hBytes)
  placeState(rows, units, gradients.dhPtr, stateGradientPtr)

  for (let t = timesteps - 1; t >= 0; t--) {
    addOutputGradients(layer, t, maskPtr, dyPtr, stateGradientPtr, maskPtr ? heldPtr : 0)
    const fromPtr = hPtr + t * rows * hBytes
    // dz' and dn', and dr' where it follows from them; dh becomes what goes to h_ along z.
    for (let row = 0; row < rows; row++) {
      const at = t * rows + row
      candidateBack(
        layer, !candidate, isMasked(layer, maskPtr, t, row), gatesPtr + at * rowBytes, beforePtr + at * rowBytes, hPtr + at * hBytes, mPtr + at * hBytes,
        stateGradientPtr + row * hBytes, inputRowsPtr + row * rowBytes, stateRowsPtr + row * rowBytes, resetPtr + row * hBytes,
      )
    }
    if (candidate) {
      if (dropPtr) multiplyElements(fromPtr, dropPtr, droppedPtr, rows * hBytes)
      // resetPtr has dn' now; nextGradient is d(r h_).
      toBlocks(rows, candidateT.k, resetPtr, hBytes, candidateBlocksPtr, apart)
      if (dcandidatePtr) addWeightProduct(candidate, rows, mPtr + t * rows * hBytes, hBytes, candidateBlocksPtr, apart, dcandidatePtr)
      if (drecurrentBiasPtr) addBlockSums(candidateBlocks, rows, candidateBlocksPtr, apart, candidateSumsPtr)
      multiplyRows(candidateT, rows, resetPtr, hBytes, nextGradientPtr, hBytes, false, 0)
      for (let row = 0; row < rows; row++) {
        const at = t * rows + row
        resetBack(
          layer, gatesPtr + at * rowBytes, beforePtr + at * rowBytes, (dropPtr ? droppedPtr : fromPtr) + row * hBytes,
          dropPtr ? dropPtr + row * hBytes : 0,
          nextGradientPtr + row * hBytes, stateGradientPtr + row * hBytes, inputRowsPtr + row * rowBytes, stateRowsPtr + row * rowBytes,
        )
      }
    }
    toBlocks(rows, w.columns, inputRowsPtr, rowBytes, inputBlocksPtr, apart)
    toBlocks(rows, u.columns, stateRowsPtr, rowBytes, stateBlocksPtr, apart)
    if (t > 0 || hasInitial) {
      throughState(layer, values, gradients, uT, fromPtr, droppedPtr, stateRowsPtr, rowBytes, stateBlocksPtr, nextGradientPtr)
      addF32(nextGradientPtr, stateGradientPtr, rows * hBytes / 4)
      if (maskPtr) passMasked(layer, t, maskPtr, stateGradientPtr, nextGradientPtr)
    }
    throughInput(layer, values, gradients, wT, t, inputRowsPtr, rowBytes, inputBlocksPtr, inputSumsPtr)
    if (drecurrentBiasPtr) addBlockSums(blocksOfColumns(u.columns), rows, stateBlocksPtr, apart, stateSumsPtr)
    const swap = stateGradientPtr
    stateGradientPtr = nextGradientPtr
    nextGradientPtr = swap
  }
  if (gradients.dbiasPtr) biasOfSums(inputSumsPtr, gradients.dbiasPtr, w.columns, units, 3)
  if (drecurrentBiasPtr) biasOfSums(stateSumsPtr, drecurrentBiasPtr, u.columns, units, candidate ? 2 : 3)
  if (drecurrentBiasPtr && candidate) biasOfSums(candidateSumsPtr, drecurrentBiasPtr + 8 * units, candidateT.k, units, 1)
  takeState(rows, units, stateGradientPtr, gradients.dh0Ptr)
}
