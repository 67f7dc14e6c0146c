// The LSTM with everything that frameworks add to it. Peepholes and projections go with the update of the plain cell; the rest, with one that makes several
// passes over the gates, each function a loop of its own, and is slower.
import { activateRow } from '../math/activate'
import { BLOCK_ROW_BYTES, Matrix, VECTOR_BYTES, groupsOfUnits } from '../products/layout'
import { multiply } from '../products/product'
import { clipRow } from './gate-rows'
import { addPeepholes, updateCells } from './lstm-update'
import { normaliseRow } from './normalise'
import { Recurrence, recur } from './recurrence'

/** Gates that are made of each other. */
export const enum Coupling {
  none = 0,
  /** f = 1 - i (ONNX input_forget). */
  forgetIsOneMinusInput = 1,
  /** i = 1 - f (TensorFlow 1 CoupledInputForgetGateLSTMCell). */
  inputIsOneMinusForget = 2,
}

/**
 * Weights and settings of a cell: those of `LstmCell` first, so that it is one as well. Pointers are 0 for what the cell does not have; vectors
 * of units are padded to whole vectors.
 */
@unmanaged
export class GeneralLstmCell {
  /** Gates i, f, g, o side by side. */
  inputWeights: Matrix
  recurrentWeights: Matrix
  hiddenSize: i32
  /** Gates are clamped to +-clip before activation (ONNX clip); 0: not. */
  clip: f32
  /** c is clamped, and stored so (TensorFlow 1 cell_clip); 0: not. */
  cellClip: f32
  /** Length of h: the units, or the projection's size. */
  outputSize: i32
  /** Dense matrix, units -> outputSize; or 0. */
  projection: Matrix | null
  /** (3, units): peephole weights of i, f, o. */
  peepholesPtr: usize
  /** (5, 2, units): gain and shift of the layer normalisation of i, f, g, o and c. */
  normPtr: usize
  coupling: Coupling
  /** The projection's result is clamped (TensorFlow 1 proj_clip); 0: not. */
  projClip: f32
  normEpsilon: f32
  /** 1: gates are sigmoids, both other functions tanh, nothing is coupled or normalised. */
  isPlain: i32
  /** Functions by FunctionCode: of the gates i, f, o; of the candidate g; and of c on its way out. */
  gateFunction: i32
  gateAlpha: f32
  gateBeta: f32
  candidateFunction: i32
  candidateAlpha: f32
  candidateBeta: f32
  outputFunction: i32
  outputAlpha: f32
  outputBeta: f32

  // @ts-ignore: decorator
  @inline
  get cellSize(): i32 {
    return this.hiddenSize
  }

  // @ts-ignore: decorator
  @inline
  get finishes(): bool {
    return this.isPlain != 0 && !this.projection
  }

  /** As `LstmCell.step`. */
  // @ts-ignore: decorator
  @inline
  step(
    rows: i32, t: i32, isAtRest: bool, gatesPtr: usize, gatesBytes: i32, extraPtr: usize, panelPtr: usize, cPtr: usize, nextCPtr: usize,
    hPtr: usize, hBytes: i32, nextHPtr: usize, nextHBytes: i32,
  ): void {
    if (!isAtRest) multiply(this.recurrentWeights, 1, rows, hPtr, 0, hBytes, gatesPtr, gatesBytes, true, panelPtr, t)
    const projection = this.projection
    const units = this.hiddenSize
    const mPtr = projection ? extraPtr : nextHPtr
    const mBytes = projection ? gatesBytes : nextHBytes
    if (this.isPlain) {
      updateCells(rows, units, this.clip, this.cellClip, this.peepholesPtr, gatesPtr, gatesBytes, extraPtr, cPtr, nextCPtr, mPtr, mBytes)
    } else {
      const nextCBytes = groupsOfUnits(units) * VECTOR_BYTES
      for (let row = 0; row < rows; row++) {
        updateRow(this, gatesPtr + row * gatesBytes, cPtr + row * units * 4, nextCPtr + row * nextCBytes, mPtr + row * mBytes)
      }
    }
    if (projection) {
      multiply(projection, 1, rows, mPtr, 0, mBytes, nextHPtr, nextHBytes, false, panelPtr, t)
      clipRow(nextHPtr, VECTOR_BYTES, rows * groupsOfUnits(this.outputSize), this.projClip) // rows are padded, and beside each other: `finishes`
    }
  }
}

/** Byte distance between the vectors of one gate. */
const GATE_STRIDE: i32 = BLOCK_ROW_BYTES

/** An LSTM with any options over a sequence, a `GeneralLstmCell`: see `recur`. */
export function lstmGeneralF32(
  call: Recurrence, xPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize, maskPtr: usize, pastPtr: usize, workspacePtr: usize,
): void {
  recur(changetype<GeneralLstmCell>(call.cellPtr), call, xPtr, hPtr, cPtr, yPtr, maskPtr, pastPtr, workspacePtr)
}

/**
 * Gates -> c[t], and sigmoid(o) tanh(c[t]) or what stands for it, for one row, both padded. In TensorFlow 1's order: c is clipped
 * before the output gate's peephole sees it; the projection comes last, and is clipped on its own.
 */
function updateRow(cell: GeneralLstmCell, gatesPtr: usize, cPtr: usize, nextCPtr: usize, mPtr: usize): void {
  const hiddenSize = cell.hiddenSize
  const blocks = groupsOfUnits(hiddenSize)
  const unitsBytes = blocks * VECTOR_BYTES
  const iPtr = gatesPtr
  const fPtr = gatesPtr + 16
  const gPtr = gatesPtr + 32
  const oPtr = gatesPtr + 48
  if (cell.normPtr) {
    for (let gate = 0; gate < 4; gate++) normalise(cell, gate, gatesPtr + gate * 16, GATE_STRIDE, hiddenSize)
  }
  if (cell.peepholesPtr) addPeepholes(gatesPtr, cell.peepholesPtr, cPtr, blocks)
  if (cell.coupling != Coupling.inputIsOneMinusForget) activateGate(cell, iPtr)
  if (cell.coupling != Coupling.forgetIsOneMinusInput) activateGate(cell, fPtr)
  if (cell.coupling == Coupling.forgetIsOneMinusInput) complement(iPtr, fPtr, blocks)
  if (cell.coupling == Coupling.inputIsOneMinusForget) complement(fPtr, iPtr, blocks)
  clipRow(gPtr, GATE_STRIDE, blocks, cell.clip)
  activateRow(cell.candidateFunction, cell.candidateAlpha, cell.candidateBeta, gPtr, GATE_STRIDE, hiddenSize)
  mixCells(blocks, gatesPtr, cPtr, nextCPtr)
  if (cell.normPtr) normalise(cell, 4, nextCPtr, VECTOR_BYTES, hiddenSize)
  clipRow(nextCPtr, VECTOR_BYTES, blocks, cell.cellClip)
  if (cell.peepholesPtr) addPeephole(oPtr, cell.peepholesPtr + 2 * unitsBytes, nextCPtr, blocks)
  activateGate(cell, oPtr)
  memory.copy(mPtr, nextCPtr, unitsBytes)
  activateRow(cell.outputFunction, cell.outputAlpha, cell.outputBeta, mPtr, VECTOR_BYTES, hiddenSize)
  for (let block = 0; block < blocks; block++) {
    const atPtr = mPtr + block * VECTOR_BYTES
    v128.store(atPtr, f32x4.mul(v128.load(oPtr + block * GATE_STRIDE), v128.load(atPtr)))
  }
}

/** Gate i, f or o: clipped and activated. */
function activateGate(cell: GeneralLstmCell, ptr: usize): void {
  clipRow(ptr, GATE_STRIDE, groupsOfUnits(cell.hiddenSize), cell.clip)
  activateRow(cell.gateFunction, cell.gateAlpha, cell.gateBeta, ptr, GATE_STRIDE, cell.hiddenSize)
}

/** f c + i g of gates after activation, padded. */
export function mixCells(blocks: i32, gatesPtr: usize, cPtr: usize, toPtr: usize): void {
  for (; blocks > 0; blocks--) {
    const kept = f32x4.mul(v128.load(gatesPtr, 16), v128.load(cPtr))
    v128.store(toPtr, f32x4.add(kept, f32x4.mul(v128.load(gatesPtr), v128.load(gatesPtr, 32))))
    gatesPtr += GATE_STRIDE
    cPtr += VECTOR_BYTES
    toPtr += VECTOR_BYTES
  }
}

/** gate += weight * c */
export function addPeephole(gatePtr: usize, weightPtr: usize, cPtr: usize, blocks: i32): void {
  for (let block = 0; block < blocks; block++) {
    const atPtr = gatePtr + block * GATE_STRIDE
    const term = f32x4.mul(v128.load(weightPtr + block * VECTOR_BYTES), v128.load(cPtr + block * VECTOR_BYTES))
    v128.store(atPtr, f32x4.add(v128.load(atPtr), term))
  }
}

/** to = 1 - from */
export function complement(fromPtr: usize, toPtr: usize, blocks: i32): void {
  for (let block = 0; block < blocks; block++) {
    v128.store(toPtr + block * GATE_STRIDE, f32x4.sub(f32x4.splat(1), v128.load(fromPtr + block * GATE_STRIDE)))
  }
}

/** Normalises gate `which`, or c, in place. */
function normalise(cell: GeneralLstmCell, which: i32, ptr: usize, strideBytes: i32, hiddenSize: i32): void {
  const unitsBytes = groupsOfUnits(hiddenSize) * VECTOR_BYTES
  const gainPtr = cell.normPtr + which * 2 * unitsBytes
  normaliseRow(gainPtr, gainPtr + unitsBytes, cell.normEpsilon, ptr, strideBytes, hiddenSize)
}
