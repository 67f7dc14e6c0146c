import { activateRow } from '../math/activate'
import { Matrix, UNITS_PER_GROUP, VECTOR_BYTES, groupsOfUnits } from '../products/layout'
import { multiply, multiplyZeros } from '../products/product'
import { storeLanes } from '../simd'
import { addRow, clipRow } from './gate-rows'
import { updateGru } from './gru-update'
import { Recurrence, recur } from './recurrence'
import { limitOf } from './terms'

/** Byte distance between the vectors of one gate: r, z, n of four units; and where r and z have a product of their own. */
const GATE_STRIDE: i32 = 3 * VECTOR_BYTES
const PAIR_STRIDE: i32 = 2 * VECTOR_BYTES

/**
 * The GRU (Cho et al. 2014); bi and bh are the biases of inputs and of h:
 *
 *     r = gate(x Wr + bir + h Ur + bhr)
 *     z = gate(x Wz + biz + h Uz + bhz)
 *     n = candidate(x Wn + bin + r * (h Un + bhn))      reset after the product: PyTorch, cuDNN, Keras since version 2
 *     n = candidate(x Wn + bin + (r * h) Un + bhn)      reset before it: the original, with a product of its own
 *     h' = (1 - z) * n + z * h
 */
@unmanaged
export class GruCell {
  /** Gates r, z, n side by side, with their input biases. */
  inputWeights: Matrix
  /** The same with their recurrent biases; only r and z where the reset comes first. */
  recurrentWeights: Matrix
  /** Un with its bias, where the reset comes first; or 0. */
  candidateWeights: Matrix | null
  hiddenSize: i32
  /** 1: gates are sigmoids, the candidate is a tanh. */
  isPlain: i32
  /** Gates are clamped to +-clip before activation (ONNX clip); 0: not. */
  clip: f32
  /** Functions (see activate.ts) of r and z, and of the candidate. */
  gateFunction: i32
  gateAlpha: f32
  gateBeta: f32
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
    rows: i32, t: i32, isAtRest: bool, gatesPtr: usize, gatesBytes: i32, extraPtr: usize, panelPtr: usize, _cPtr: usize, _nextCPtr: usize,
    hPtr: usize, hBytes: i32, nextHPtr: usize, nextHBytes: i32,
  ): void {
    if (isAtRest) multiplyZeros(this.recurrentWeights, rows, extraPtr, gatesBytes)
    else multiply(this.recurrentWeights, 1, rows, hPtr, 0, hBytes, extraPtr, gatesBytes, false, panelPtr, t)
    const candidate = this.candidateWeights
    if (candidate) {
      const productAt = groupsOfUnits(this.hiddenSize) * VECTOR_BYTES
      for (let row = 0; row < rows; row++) resetH(this, gatesPtr + row * gatesBytes, extraPtr + row * gatesBytes, hPtr + row * hBytes)
      multiply(candidate, 1, rows, extraPtr, 0, gatesBytes, extraPtr + productAt, gatesBytes, false, panelPtr, t)
      for (let row = 0; row < rows; row++) {
        const rowPtr = gatesPtr + row * gatesBytes
        addRow(extraPtr + productAt + row * gatesBytes, VECTOR_BYTES, rowPtr + 2 * VECTOR_BYTES, GATE_STRIDE, this.hiddenSize)
        nextH(this, rowPtr, hPtr + row * hBytes, nextHPtr + row * nextHBytes)
      }
    } else if (this.isPlain) {
      updateGru(rows, this.hiddenSize, limitOf(this.clip), gatesPtr, extraPtr, gatesBytes, hPtr, hBytes, nextHPtr, nextHBytes)
    } else {
      for (let row = 0; row < rows; row++) {
        const rowPtr = gatesPtr + row * gatesBytes
        resetProduct(this, rowPtr, extraPtr + row * gatesBytes)
        nextH(this, rowPtr, hPtr + row * hBytes, nextHPtr + row * nextHBytes)
      }
    }
  }
}

/** A GRU over a sequence, a `GruCell`: see `recur`. It has no c. */
export function gruF32(
  call: Recurrence, xPtr: usize, hPtr: usize, cPtr: usize, yPtr: usize, maskPtr: usize, pastPtr: usize, workspacePtr: usize,
): void {
  recur(changetype<GruCell>(call.cellPtr), call, xPtr, hPtr, cPtr, yPtr, maskPtr, pastPtr, workspacePtr)
}

/** Gates r and z of one row: the product with h, where their vectors are `strideBytes` apart, is added, and they are activated. */
function activateGates(cell: GruCell, gatesPtr: usize, productPtr: usize, strideBytes: i32): void {
  const units = cell.hiddenSize
  for (let gate = 0; gate < 2; gate++) {
    const ptr = gatesPtr + gate * VECTOR_BYTES
    addRow(productPtr + gate * VECTOR_BYTES, strideBytes, ptr, GATE_STRIDE, units)
    clipRow(ptr, GATE_STRIDE, groupsOfUnits(units), cell.clip)
    activateRow(cell.gateFunction, cell.gateAlpha, cell.gateBeta, ptr, GATE_STRIDE, units)
  }
}

/** Reset after the product: n += r * product, for one row. */
function resetProduct(cell: GruCell, gatesPtr: usize, productPtr: usize): void {
  activateGates(cell, gatesPtr, productPtr, GATE_STRIDE)
  for (let group = groupsOfUnits(cell.hiddenSize); group > 0; group--) {
    const reset = f32x4.mul(v128.load(gatesPtr), v128.load(productPtr, 32))
    v128.store(gatesPtr, f32x4.add(v128.load(gatesPtr, 32), reset), 32)
    gatesPtr += GATE_STRIDE
    productPtr += GATE_STRIDE
  }
}

/** Reset before the product: r * h, for one row, in the place of the product. */
function resetH(cell: GruCell, gatesPtr: usize, productPtr: usize, hPtr: usize): void {
  activateGates(cell, gatesPtr, productPtr, PAIR_STRIDE)
  for (let group = groupsOfUnits(cell.hiddenSize); group > 0; group--) {
    v128.store(productPtr, f32x4.mul(v128.load(gatesPtr), v128.load(hPtr)))
    gatesPtr += GATE_STRIDE
    productPtr += VECTOR_BYTES
    hPtr += VECTOR_BYTES
  }
}

/** The candidate is activated, and h' = (1 - z) n + z h, for one row. */
function nextH(cell: GruCell, gatesPtr: usize, hPtr: usize, nextHPtr: usize): void {
  const units = cell.hiddenSize
  const candidatePtr = gatesPtr + 2 * VECTOR_BYTES
  clipRow(candidatePtr, GATE_STRIDE, groupsOfUnits(units), cell.clip)
  activateRow(cell.candidateFunction, cell.candidateAlpha, cell.candidateBeta, candidatePtr, GATE_STRIDE, units)
  for (let left = units; left > 0; left -= UNITS_PER_GROUP) {
    const z = v128.load(gatesPtr, 16)
    const fresh = f32x4.mul(f32x4.sub(f32x4.splat(1), z), v128.load(gatesPtr, 32))
    storeLanes(nextHPtr, f32x4.add(fresh, f32x4.mul(z, v128.load(hPtr))), left)
    gatesPtr += GATE_STRIDE
    hPtr += VECTOR_BYTES
    nextHPtr += VECTOR_BYTES
  }
}
