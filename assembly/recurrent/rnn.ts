import { activateRow } from '../math/activate'
import { Matrix, UNITS_PER_GROUP, VECTOR_BYTES, groupsOfUnits } from '../products/layout'
import { multiply } from '../products/product'
import { storeLanes } from '../simd'
import { clipRow } from './gate-rows'
import { Recurrence, recur } from './recurrence'

/** The simple recurrent layer (Elman 1990): h' = candidate(x W + h U + b). */
@unmanaged
export class RnnCell {
  /** W, with both biases. */
  inputWeights: Matrix
  recurrentWeights: Matrix
  hiddenSize: i32
  /** The sum is clamped to +-clip before activation (ONNX clip); 0: not. */
  clip: f32
  /** The function (see activate.ts). */
  candidateFunction: i32
  candidateAlpha: f32
  candidateBeta: f32

  // @ts-ignore: decorator
  @inline
  get cellSize(): i32 {
    return 0
  }

  // @ts-ignore: decorator
  @inline
  get finishes(): bool {
    return true
  }

  /** As `LstmCell.step`, without c. */
  // @ts-ignore: decorator
  @inline
  step(
    rows: i32, t: i32, isAtRest: bool, gatesPtr: usize, gatesBytes: i32, _extraPtr: usize, panelPtr: usize, _cPtr: usize, _nextCPtr: usize,
    hPtr: usize, hBytes: i32, nextHPtr: usize, nextHBytes: i32,
  ): void {
    if (!isAtRest) multiply(this.recurrentWeights, 1, rows, hPtr, 0, hBytes, gatesPtr, gatesBytes, true, panelPtr, t)
    const units = this.hiddenSize
    for (let row = 0; row < rows; row++) {
      const rowPtr = gatesPtr + row * gatesBytes
      clipRow(rowPtr, VECTOR_BYTES, groupsOfUnits(units), this.clip)
      activateRow(this.candidateFunction, this.candidateAlpha, this.candidateBeta, rowPtr, VECTOR_BYTES, units)
      for (let n = 0; n < units; n += UNITS_PER_GROUP) storeLanes(nextHPtr + row * nextHBytes + n * 4, v128.load(rowPtr + n * 4), units - n)
    }
  }
}

/** A simple recurrent layer over a sequence, an `RnnCell`: see `recur`. It has no c. */
export function rnnF32(
  call: Recurrence, xPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize, maskPtr: usize, pastPtr: usize, workspacePtr: usize,
): void {
  recur(changetype<RnnCell>(call.cellPtr), call, xPtr, hPtr, cPtr, yPtr, maskPtr, pastPtr, workspacePtr)
}
