// An LSTM that is trained: over a whole sequence forwards, and back through time.
import { BLOCK_ROW_BYTES, HEADER_BYTES, Matrix, VECTOR_BYTES, blocksOfColumns, columnsOfGates, groupsOfUnits, newMatrix, packedBytes } from '../../products/layout'
import { multiply, multiplyRows, productBytes } from '../inference'
import { clipRow } from '../../recurrent/gate-rows'
import { gatesRowBytes, paddedBytes } from '../../recurrent/recurrence'
import { addWeightProduct, biasOfSums, packTransposed, toBlocks } from '../weight-product'
import {
  TrainedGradients, TrainedLayer, TrainedValues, addOutputGradients, addStateProduct, beginBack, blockBytes, clearMatrix, holdMasked, isMasked,
  passMasked, placeState, takeState, throughInput, throughState, writeOutputs,
} from './layer'
import { cellBack, keepCells } from './lstm-cell'
import { NORMALISATIONS, generalCellBack, keepGeneralCells } from './lstm-general'

// What is kept, one after the other (src/ops/training/kept.ts counts it):
//
//     h       (T + 1, B, O)      c  (T + 1, B, H)      the states, the initial ones first, padded
//     m       (T, B, H)          tanh(c), or what stands for it, padded
//     gates   (T, B, 4 H)        i, f, g, o after activation, as packed
//     before  (T, B, 4 H)        the same before they are clipped and activated, unless the cell is plain
//     sums    (T, B, 4 H)        the same before they are normalised, where they are

/** Where c is kept. */
// @ts-ignore: decorator
@inline
function keptC(layer: TrainedLayer, keptPtr: usize): usize {
  return keptPtr + (layer.timesteps + 1) * layer.rows * layer.hBytes
}

/** Where m is kept. */
// @ts-ignore: decorator
@inline
function keptM(layer: TrainedLayer, keptPtr: usize): usize {
  return keptC(layer, keptPtr) + (layer.timesteps + 1) * layer.rows * layer.cBytes
}

/** Where the gates are kept. */
// @ts-ignore: decorator
@inline
function keptGates(layer: TrainedLayer, keptPtr: usize): usize {
  return keptM(layer, keptPtr) + layer.timesteps * layer.rows * layer.cBytes
}

/** Where they are kept before activation. */
// @ts-ignore: decorator
@inline
function keptBefore(layer: TrainedLayer, keptPtr: usize, rowBytes: i32): usize {
  return keptGates(layer, keptPtr) + layer.timesteps * layer.rows * rowBytes
}

/** Where they are kept before they are normalised. */
// @ts-ignore: decorator
@inline
function keptSums(layer: TrainedLayer, keptPtr: usize, rowBytes: i32): usize {
  return keptBefore(layer, keptPtr, rowBytes) + layer.timesteps * layer.rows * rowBytes
}

/** Bytes of workspace of `lstmKeepF32`. */
export function lstmKeepWorkspaceBytes(rows: i32, timesteps: i32, inputSize: i32, hiddenSize: i32, outputSize: i32): f64 {
  const columns = columnsOfGates(4, hiddenSize)
  const panels = max(
    productBytes(rows * timesteps, inputSize, columns, false),
    max(productBytes(rows, outputSize, columns, false), productBytes(rows, hiddenSize, outputSize, false)),
  )
  return f64(gatesRowBytes(columns)) + f64(rows) * f64(paddedBytes(outputSize) + paddedBytes(hiddenSize)) + f64(panels)
}

/** Forwards; y (T, B, O), or 0. The bias of w and of u is that of w. workspacePtr: `lstmKeepWorkspaceBytes`. */
export function lstmKeepF32(layer: TrainedLayer, values: TrainedValues, yPtr: usize, workspacePtr: usize): void {
  const w = values.w
  const projection = values.projection
  const h0Ptr = values.h0Ptr
  const maskPtr = values.maskPtr
  const keptPtr = values.keptPtr
  const rows = layer.rows
  const timesteps = layer.timesteps
  const hiddenSize = layer.hiddenSize
  const hBytes = layer.hBytes
  const cBytes = layer.cBytes
  const rowBytes = gatesRowBytes(w.columns)
  const hPtr = keptPtr
  const cPtr = keptC(layer, keptPtr)
  const mPtr = keptM(layer, keptPtr)
  const gatesPtr = keptGates(layer, keptPtr)
  const beforePtr = keptBefore(layer, keptPtr, rowBytes)
  const sumsPtr = keptSums(layer, keptPtr, rowBytes)
  const scalesPtr = workspacePtr
  const droppedPtr = scalesPtr + rowBytes
  const unprojectedPtr = droppedPtr + rows * hBytes
  const panelPtr = unprojectedPtr + rows * cBytes
  placeState(rows, layer.outputSize, h0Ptr, hPtr)
  placeState(rows, hiddenSize, values.c0Ptr, cPtr)
  multiply(w, timesteps, rows, values.xPtr, layer.xStepBytes, layer.xRowBytes, gatesPtr, rowBytes, false, panelPtr, 0)
  for (let t = 0; t < timesteps; t++) {
    const stepPtr = gatesPtr + t * rows * rowBytes
    const fromHPtr = hPtr + t * rows * hBytes
    const toHPtr = fromHPtr + rows * hBytes
    const fromCPtr = cPtr + t * rows * cBytes
    const toCPtr = fromCPtr + rows * cBytes
    if (t > 0 || h0Ptr != 0) addStateProduct(layer, values, t, fromHPtr, droppedPtr, stepPtr, rowBytes, panelPtr)
    const outPtr = projection ? unprojectedPtr : toHPtr
    if (layer.isPlain) {
      keepCells(rows, hiddenSize, stepPtr, rowBytes, scalesPtr, fromCPtr, toCPtr, mPtr + t * rows * cBytes, outPtr)
    } else {
      const at = t * rows * rowBytes
      keepGeneralCells(
        layer, values, stepPtr, rowBytes, beforePtr + at, sumsPtr + at, fromCPtr, toCPtr, mPtr + t * rows * cBytes, outPtr,
      )
    }
    if (projection) {
      memory.fill(toHPtr, 0, rows * hBytes)
      multiply(projection, 1, rows, unprojectedPtr, 0, cBytes, toHPtr, hBytes, false, panelPtr, t)
      clipRow(toHPtr, VECTOR_BYTES, rows * hBytes / VECTOR_BYTES, layer.projClip)
    }
    if (maskPtr) {
      holdMasked(layer, t, maskPtr, fromHPtr, toHPtr, hBytes)
      holdMasked(layer, t, maskPtr, fromCPtr, toCPtr, cBytes)
    }
    if (yPtr) writeOutputs(layer, t, maskPtr, toHPtr, yPtr)
  }
}

/** The final states of what `lstmKeepF32` kept: h (B, O) and c (B, H); 0: not wanted. */
export function lstmFinalStates(layer: TrainedLayer, keptPtr: usize, hPtr: usize, cPtr: usize): void {
  const rows = layer.rows
  const last = layer.timesteps * rows
  takeState(rows, layer.outputSize, keptPtr + last * layer.hBytes, hPtr)
  takeState(rows, layer.hiddenSize, keptC(layer, keptPtr) + last * layer.cBytes, cPtr)
}

/** Bytes of workspace of `lstmBackwardF32`. */
export function lstmBackwardBytes(rows: i32, inputSize: i32, hiddenSize: i32, outputSize: i32): f64 {
  const columns = columnsOfGates(4, hiddenSize)
  const transposed = packedBytes(columns, outputSize) + packedBytes(columns, inputSize) + packedBytes(outputSize, hiddenSize)
  const outputBlocks = f64(blocksOfColumns(outputSize))
  const blocks = f64(blocksOfColumns(columns))
  const states = f64(rows) * f64(4 * paddedBytes(outputSize) + 3 * paddedBytes(hiddenSize) + gatesRowBytes(columns))
  const mixed = f64(2 * paddedBytes(hiddenSize))
  return transposed + states + mixed + (blocks + outputBlocks) * f64(rows + 1) * f64(BLOCK_ROW_BYTES)
}

/** Back through time, with the values that `lstmKeepF32` had. workspacePtr: `lstmBackwardBytes`. */
export function lstmBackwardF32(layer: TrainedLayer, values: TrainedValues, gradients: TrainedGradients, workspacePtr: usize): void {
  const w = values.w
  const projection = values.projection
  const maskPtr = values.maskPtr
  const keptPtr = values.keptPtr
  const hasInitial = values.h0Ptr != 0 || values.c0Ptr != 0
  const dyPtr = gradients.dyPtr
  const dpeepholesPtr = gradients.dpeepholesPtr
  const dnormPtr = gradients.dnormPtr
  const rows = layer.rows
  const timesteps = layer.timesteps
  const hiddenSize = layer.hiddenSize
  const outputSize = layer.outputSize
  const columns = w.columns
  const hBytes = layer.hBytes
  const cBytes = layer.cBytes
  const rowBytes = gatesRowBytes(columns)
  const blocks = blocksOfColumns(columns)
  const apart = rows * BLOCK_ROW_BYTES
  // What was kept.
  const hPtr = keptPtr
  const cPtr = keptC(layer, keptPtr)
  const mPtr = keptM(layer, keptPtr)
  const gatesPtr = keptGates(layer, keptPtr)
  const beforePtr = keptBefore(layer, keptPtr, rowBytes)
  const sumsPtr = keptSums(layer, keptPtr, rowBytes)
  // Where is worked.
  const uT = newMatrix(workspacePtr, columns, outputSize)
  const wT = newMatrix(changetype<usize>(uT) + HEADER_BYTES + uT.blocksBytes, columns, w.k)
  const projectionT = newMatrix(changetype<usize>(wT) + HEADER_BYTES + wT.blocksBytes, outputSize, hiddenSize)
  let stateGradientPtr = changetype<usize>(projectionT) + HEADER_BYTES + projectionT.blocksBytes
  let nextGradientPtr = stateGradientPtr + rows * hBytes
  const heldPtr = nextGradientPtr + rows * hBytes
  const droppedPtr = heldPtr + rows * hBytes
  const cellGradientPtr = droppedPtr + rows * hBytes
  const unprojectedPtr = cellGradientPtr + rows * cBytes
  const outPtr = unprojectedPtr + rows * cBytes
  const rowGradientPtr = outPtr + rows * cBytes
  const blockPtr = rowGradientPtr + rows * rowBytes
  const biasSumsPtr = blockPtr + blocks * apart
  const mixedPtr = blockPtr + blockBytes(rows, w)
  const projectionBlocksPtr = mixedPtr + 2 * cBytes

  beginBack(values, gradients, uT, wT)
  if (projection) {
    packTransposed(projection, projectionT)
    clearMatrix(projection, gradients.dprojectionPtr)
  }
  if (dpeepholesPtr) memory.fill(dpeepholesPtr, 0, 3 * cBytes)
  if (dnormPtr) memory.fill(dnormPtr, 0, 2 * NORMALISATIONS * cBytes)
  memory.fill(biasSumsPtr, 0, blocks * BLOCK_ROW_BYTES)
  memory.fill(rowGradientPtr, 0, rows * rowBytes)
  memory.fill(heldPtr, 0, rows * hBytes)
  memory.fill(nextGradientPtr, 0, rows * hBytes)
  memory.fill(unprojectedPtr, 0, rows * cBytes)
  placeState(rows, outputSize, gradients.dhPtr, stateGradientPtr)
  placeState(rows, hiddenSize, gradients.dcPtr, cellGradientPtr)

  for (let t = timesteps - 1; t >= 0; t--) {
    addOutputGradients(layer, t, maskPtr, dyPtr, stateGradientPtr, maskPtr ? heldPtr : 0)
    let cellPtr = stateGradientPtr
    if (projection) {
      if (layer.projClip != 0) clipBack(layer, t, maskPtr, hPtr + (t + 1) * rows * hBytes, stateGradientPtr)
      multiplyRows(projectionT, rows, stateGradientPtr, hBytes, unprojectedPtr, cBytes, false, 0)
      projectionGradient(layer, projection, t, maskPtr, gatesPtr, rowBytes, mPtr, stateGradientPtr, outPtr, projectionBlocksPtr, gradients.dprojectionPtr)
      cellPtr = unprojectedPtr
    }
    for (let row = 0; row < rows; row++) {
      const at = t * rows + row
      const toRowPtr = rowGradientPtr + row * rowBytes
      const toBlockPtr = blockPtr + row * BLOCK_ROW_BYTES
      if (isMasked(layer, maskPtr, t, row)) {
        memory.fill(toRowPtr, 0, rowBytes)
        for (let block = 0; block < blocks; block++) memory.fill(toBlockPtr + block * apart, 0, BLOCK_ROW_BYTES)
      } else if (layer.isPlain) {
        cellBack(
          hiddenSize, gatesPtr + at * rowBytes, cPtr + at * cBytes, mPtr + at * cBytes, cellPtr + row * cBytes, cellGradientPtr + row * cBytes, toRowPtr,
          toBlockPtr, apart,
        )
      } else {
        generalCellBack(
          layer, values, gradients, gatesPtr + at * rowBytes, beforePtr + at * rowBytes, sumsPtr + at * rowBytes, cPtr + at * cBytes,
          cPtr + (at + rows) * cBytes, mPtr + at * cBytes, cellPtr + row * cBytes, cellGradientPtr + row * cBytes, toRowPtr, toBlockPtr, apart, mixedPtr,
        )
      }
    }
    if (t > 0 || hasInitial) {
      throughState(layer, values, gradients, uT, hPtr + t * rows * hBytes, droppedPtr, rowGradientPtr, rowBytes, blockPtr, nextGradientPtr)
      if (maskPtr) passMasked(layer, t, maskPtr, stateGradientPtr, nextGradientPtr)
    }
    throughInput(layer, values, gradients, wT, t, rowGradientPtr, rowBytes, blockPtr, biasSumsPtr)
    const swap = stateGradientPtr
    stateGradientPtr = nextGradientPtr
    nextGradientPtr = swap
  }
  if (gradients.dbiasPtr) biasOfSums(biasSumsPtr, gradients.dbiasPtr, columns, hiddenSize, 4)
  takeState(rows, outputSize, stateGradientPtr, gradients.dh0Ptr)
  takeState(rows, hiddenSize, cellGradientPtr, gradients.dc0Ptr)
}

/** The gradient of h of one step where the clip after the projection did not hold it: 0 elsewhere. Rows that are padding pass theirs on. */
function clipBack(layer: TrainedLayer, t: i32, maskPtr: usize, hPtr: usize, dhPtr: usize): void {
  const hBytes = layer.hBytes
  for (let row = 0; row < layer.rows; row++) {
    if (isMasked(layer, maskPtr, t, row)) continue
    for (let at = row * hBytes; at < (row + 1) * hBytes; at += VECTOR_BYTES) {
      const passes = f32x4.lt(f32x4.abs(v128.load(hPtr + at)), f32x4.splat(layer.projClip))
      v128.store(dhPtr + at, v128.and(v128.load(dhPtr + at), passes))
    }
  }
}

/** dprojection += (o m)^T dh of one step, rows that are padding left out. */
function projectionGradient(
  layer: TrainedLayer, projection: Matrix, t: i32, maskPtr: usize, gatesPtr: usize, rowBytes: i32, mPtr: usize, dhPtr: usize, outPtr: usize,
  blocksPtr: usize, dprojectionPtr: usize,
): void {
  const rows = layer.rows
  const cBytes = layer.cBytes
  const apart = rows * BLOCK_ROW_BYTES
  for (let row = 0; row < rows; row++) {
    const at = t * rows + row
    let ptr = gatesPtr + at * rowBytes
    let fromPtr = mPtr + at * cBytes
    let toPtr = outPtr + row * cBytes
    const one = f32x4.splat(isMasked(layer, maskPtr, t, row) ? 0 : 1)
    for (let group = groupsOfUnits(layer.hiddenSize); group > 0; group--) {
      v128.store(toPtr, f32x4.mul(one, f32x4.mul(v128.load(ptr, 48), v128.load(fromPtr))))
      ptr += BLOCK_ROW_BYTES
      fromPtr += VECTOR_BYTES
      toPtr += VECTOR_BYTES
    }
  }
  toBlocks(rows, layer.outputSize, dhPtr, layer.hBytes, blocksPtr, apart)
  addWeightProduct(projection, rows, outPtr, cBytes, blocksPtr, apart, dprojectionPtr)
}
