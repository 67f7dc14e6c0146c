// A recurrent layer in one direction that is trained: what the forward pass keeps, and the way back through time.
//
// Letters: B rows, T timesteps, F features, H units, O length of h (H, unless an LSTM projects). Steps are counted as the layer takes them: a
// layer that runs backwards has negative strides. Rows of states are padded to whole vectors; what is padding is zero, in states, in
// gates' gradients and in weights' gradients.
import { BLOCK_ROW_BYTES, Matrix, VECTOR_BYTES, blocksOfColumns } from '../../products/layout'
import { multiply, multiplyRows } from '../../products/product'
import { Coupling } from '../../recurrent/lstm-general'
import { MaskRule } from '../../recurrent/mask'
import { paddedBytes } from '../../recurrent/recurrence'
import { addBlockSums, addWeightProduct } from '../weight-product'

/** Sizes, strides and settings of a layer, which a plan writes once. */
@unmanaged
export class TrainedLayer {
  timesteps: i32
  rows: i32
  inputSize: i32
  hiddenSize: i32
  /** Length of h. */
  outputSize: i32
  /** x (T, B, F) and its gradient: step t, row b at xPtr + t xStepBytes + b xRowBytes. */
  xStepBytes: i32
  xRowBytes: i32
  /** y (T, B, O) and its gradient. */
  yStepBytes: i32
  yRowBytes: i32
  /** mask (T, B), uint8. */
  maskStepBytes: i32
  maskRowBytes: i32
  /** A MaskRule. */
  maskRule: i32
  /** 1: gates are sigmoids, the candidate and the output a tanh, and nothing below is set; nor are there peepholes. */
  isPlain: i32
  /** Gates are clamped to +-clip before activation; 0: not. */
  clip: f32
  /** c is clamped; 0: not. */
  cellClip: f32
  /** h is clamped after the projection; 0: not. */
  projClip: f32
  coupling: Coupling
  /** Added to the variance of what is normalised. */
  normEpsilon: f32
  /** Functions (see math/activate.ts). */
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
  get hBytes(): i32 {
    return paddedBytes(this.outputSize)
  }

  // @ts-ignore: decorator
  @inline
  get cBytes(): i32 {
    return paddedBytes(this.hiddenSize)
  }
}

/** Whether row `row` of step t is padding. */
// @ts-ignore: decorator
@inline
export function isMasked(layer: TrainedLayer, maskPtr: usize, t: i32, row: i32): bool {
  return maskPtr != 0 && load<u8>(maskPtr + t * layer.maskStepBytes + row * layer.maskRowBytes) == 0
}

/** The initial state of every row, padded; zeros where `fromPtr` is 0. */
export function placeState(rows: i32, length: i32, fromPtr: usize, toPtr: usize): void {
  const bytes = paddedBytes(length)
  memory.fill(toPtr, 0, rows * bytes)
  if (fromPtr) for (let row = 0; row < rows; row++) memory.copy(toPtr + row * bytes, fromPtr + row * length * 4, length * 4)
}

/** The other way; nowhere where `toPtr` is 0. */
export function takeState(rows: i32, length: i32, fromPtr: usize, toPtr: usize): void {
  if (toPtr) for (let row = 0; row < rows; row++) memory.copy(toPtr + row * length * 4, fromPtr + row * paddedBytes(length), length * 4)
}

/** y[t] of every row, from h[t], as the mask says. `hPtr`: h of step t. */
export function writeOutputs(layer: TrainedLayer, t: i32, maskPtr: usize, hPtr: usize, yPtr: usize): void {
  const bytes = layer.outputSize * 4
  const stepPtr = yPtr + t * layer.yStepBytes
  for (let row = 0; row < layer.rows; row++) {
    const toPtr = stepPtr + row * layer.yRowBytes
    if (!isMasked(layer, maskPtr, t, row)) memory.copy(toPtr, hPtr + row * layer.hBytes, bytes)
    else if (layer.maskRule == MaskRule.zero || t == 0) memory.fill(toPtr, 0, bytes)
    else memory.copy(toPtr, toPtr - layer.yStepBytes, bytes)
  }
}

/**
 * dh += the gradient of y[t], as the mask says. held (B, O): the gradient of outputs of masked steps, which is that of the last output before
 * them; 0 where there is no mask.
 */
export function addOutputGradients(layer: TrainedLayer, t: i32, maskPtr: usize, dyPtr: usize, dhPtr: usize, heldPtr: usize): void {
  if (dyPtr == 0) return
  const stepPtr = dyPtr + t * layer.yStepBytes
  for (let row = 0; row < layer.rows; row++) {
    const fromPtr = stepPtr + row * layer.yRowBytes
    const ownPtr = dhPtr + row * layer.hBytes
    if (!isMasked(layer, maskPtr, t, row)) {
      addF32(ownPtr, fromPtr, layer.outputSize)
      if (heldPtr == 0) continue
      const heldRowPtr = heldPtr + row * layer.hBytes
      addF32(ownPtr, heldRowPtr, layer.outputSize)
      memory.fill(heldRowPtr, 0, layer.hBytes)
    } else if (layer.maskRule != MaskRule.zero) {
      addF32(heldPtr + row * layer.hBytes, fromPtr, layer.outputSize)
    }
  }
}

/** to += from, element by element. */
export function addF32(toPtr: usize, fromPtr: usize, length: i32): void {
  for (; length >= 4; length -= 4) {
    v128.store(toPtr, f32x4.add(v128.load(toPtr), v128.load(fromPtr)))
    toPtr += VECTOR_BYTES
    fromPtr += VECTOR_BYTES
  }
  for (; length > 0; length--) {
    f32.store(toPtr, f32.load(toPtr) + f32.load(fromPtr))
    toPtr += 4
    fromPtr += 4
  }
}

/** to = a * b, whole vectors of padded rows. */
export function multiplyElements(aPtr: usize, bPtr: usize, toPtr: usize, bytes: i32): void {
  for (; bytes > 0; bytes -= VECTOR_BYTES) {
    v128.store(toPtr, f32x4.mul(v128.load(aPtr), v128.load(bPtr)))
    aPtr += VECTOR_BYTES
    bPtr += VECTOR_BYTES
    toPtr += VECTOR_BYTES
  }
}

/** States of rows that are padding at step t stay as they were. */
export function holdMasked(layer: TrainedLayer, t: i32, maskPtr: usize, fromPtr: usize, toPtr: usize, bytes: i32): void {
  for (let row = 0; row < layer.rows; row++) {
    if (isMasked(layer, maskPtr, t, row)) memory.copy(toPtr + row * bytes, fromPtr + row * bytes, bytes)
  }
}

/** The gradient of h of rows that are padding at step t is that of h of the step before. */
export function passMasked(layer: TrainedLayer, t: i32, maskPtr: usize, fromPtr: usize, toPtr: usize): void {
  holdMasked(layer, t, maskPtr, fromPtr, toPtr, layer.hBytes)
}

/** out += h @ u of one step; what h is multiplied with before, see `dropPtr` of `lstmKeepF32`, is put at droppedPtr. */
export function addStateProduct(
  layer: TrainedLayer, u: Matrix, t: i32, hPtr: usize, dropPtr: usize, droppedPtr: usize, outPtr: usize, outBytes: i32, panelPtr: usize,
): void {
  const bytes = layer.hBytes
  if (dropPtr) multiplyElements(hPtr, dropPtr, droppedPtr, layer.rows * bytes)
  multiply(u, 1, layer.rows, dropPtr ? droppedPtr : hPtr, 0, bytes, outPtr, outBytes, true, panelPtr, t)
}

/** The way back through that product: the gradient of h, at toPtr, and du += h^T @ gradient, or 0. gradient: by rows and by blocks. */
export function throughState(
  layer: TrainedLayer, u: Matrix, uT: Matrix, hPtr: usize, dropPtr: usize, droppedPtr: usize, gradientPtr: usize, gradientBytes: i32, blocksPtr: usize,
  toPtr: usize, duPtr: usize,
): void {
  const rows = layer.rows
  const bytes = layer.hBytes
  multiplyRows(uT, rows, gradientPtr, gradientBytes, toPtr, bytes, false, 0)
  if (dropPtr) {
    multiplyElements(toPtr, dropPtr, toPtr, rows * bytes)
    multiplyElements(hPtr, dropPtr, droppedPtr, rows * bytes)
  }
  if (duPtr) addWeightProduct(u, rows, dropPtr ? droppedPtr : hPtr, bytes, blocksPtr, rows * BLOCK_ROW_BYTES, duPtr)
}

/** The way back through x @ w of step t: dw, the sums of the bias by blocks, and dx; each 0 where it is not wanted. gradient: by rows and by blocks. */
export function throughInput(
  layer: TrainedLayer, w: Matrix, wT: Matrix, t: i32, xPtr: usize, gradientPtr: usize, gradientBytes: i32, blocksPtr: usize, dwPtr: usize, sumsPtr: usize,
  dxPtr: usize,
): void {
  const rows = layer.rows
  const apart = rows * BLOCK_ROW_BYTES
  if (dwPtr) addWeightProduct(w, rows, xPtr + t * layer.xStepBytes, layer.xRowBytes, blocksPtr, apart, dwPtr)
  if (sumsPtr) addBlockSums(blocksOfColumns(w.columns), rows, blocksPtr, apart, sumsPtr)
  if (dxPtr) multiplyRows(wT, rows, gradientPtr, gradientBytes, dxPtr + t * layer.xStepBytes, layer.xRowBytes, false, 0)
}

/** Bytes of the gradient of gates by blocks, and of its sums. */
// @ts-ignore: decorator
@inline
export function blockBytes(rows: i32, w: Matrix): i32 {
  return blocksOfColumns(w.columns) * (rows + 1) * BLOCK_ROW_BYTES
}
