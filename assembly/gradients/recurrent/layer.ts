// A recurrent layer in one direction that is trained: what the forward pass keeps, and the way back through time.
//
// Letters: B rows, T timesteps, F features, H units, O length of h (H, unless an LSTM projects). Steps are counted as the layer takes them: a
// layer that runs backwards has negative strides. Rows of states are padded to whole vectors; what is padding is zero, in states, in
// gates' gradients and in weights' gradients.
import { BLOCK_ROW_BYTES, HEADER_BYTES, Matrix, VECTOR_BYTES, blocksOfColumns } from '../../products/layout'
import { Coupling } from '../../recurrent/lstm-general'
import { MaskRule } from '../../recurrent/mask'
import { paddedBytes } from '../../recurrent/recurrence'
import { multiply, multiplyRows } from '../inference'
import { addBlockSums, addWeightProduct, packTransposed } from '../weight-product'

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

/** What a layer works on, forwards and back; 0 for what it does not have. */
@unmanaged
export class TrainedValues {
  /** Packed gates. */
  w: Matrix
  u: Matrix
  /** Of an LSTM, packed (H, O). */
  projection: Matrix | null
  /** Of a GRU with the reset first, packed. */
  candidate: Matrix | null
  xPtr: usize
  /** (B, O) and (B, H); 0 for zeros. */
  h0Ptr: usize
  c0Ptr: usize
  maskPtr: usize
  /** (3, H) padded. */
  peepholesPtr: usize
  /** (10, H) padded: see lstm-general.ts. */
  normPtr: usize
  /** (B, O) padded: what h is multiplied with on its way into u. */
  dropPtr: usize
  /** What the way forwards keeps: see lstm.ts, gru.ts and rnn.ts. */
  keptPtr: usize
}

/** Gradients of what a layer gives, from which its way back starts, and those that it makes; 0 for what is not there, or not wanted. */
@unmanaged
export class TrainedGradients {
  /** Of y (T, B, O), and of the final states (B, O) and (B, H). */
  dyPtr: usize
  dhPtr: usize
  dcPtr: usize
  dxPtr: usize
  /** Of weights, packed as they are, from zero. */
  dwPtr: usize
  duPtr: usize
  dprojectionPtr: usize
  dcandidatePtr: usize
  /** Gates stacked. Of a GRU, those of inputs. */
  dbiasPtr: usize
  /** Of a GRU, those of h. */
  drecurrentBiasPtr: usize
  /** Padded. */
  dpeepholesPtr: usize
  dnormPtr: usize
  /** Of the initial states. */
  dh0Ptr: usize
  dc0Ptr: usize
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

/** out += h @ u of one step; what h is multiplied with before, see `dropPtr` of `TrainedValues`, is put at droppedPtr. */
export function addStateProduct(
  layer: TrainedLayer, values: TrainedValues, t: i32, hPtr: usize, droppedPtr: usize, outPtr: usize, outBytes: i32, panelPtr: usize,
): void {
  const bytes = layer.hBytes
  const dropPtr = values.dropPtr
  if (dropPtr) multiplyElements(hPtr, dropPtr, droppedPtr, layer.rows * bytes)
  multiply(values.u, 1, layer.rows, dropPtr ? droppedPtr : hPtr, 0, bytes, outPtr, outBytes, true, panelPtr, t)
}

/** The transposed weights, and gradients of zero, to begin the way back with. */
export function beginBack(values: TrainedValues, gradients: TrainedGradients, uT: Matrix, wT: Matrix): void {
  const w = values.w
  const u = values.u
  packTransposed(u, uT)
  if (gradients.dxPtr) packTransposed(w, wT)
  clearMatrix(w, gradients.dwPtr)
  clearMatrix(u, gradients.duPtr)
}

/** The gradient of a packed matrix is zeros, where it is wanted. */
export function clearMatrix(matrix: Matrix, gradientPtr: usize): void {
  if (gradientPtr) memory.fill(gradientPtr, 0, HEADER_BYTES + matrix.blocksBytes)
}

/** The way back through that product: the gradient of h, at toPtr, and du += h^T @ gradient, or 0. gradient: by rows and by blocks. */
export function throughState(
  layer: TrainedLayer, values: TrainedValues, gradients: TrainedGradients, uT: Matrix, hPtr: usize, droppedPtr: usize, gradientPtr: usize,
  gradientBytes: i32, blocksPtr: usize, toPtr: usize,
): void {
  const dropPtr = values.dropPtr
  const rows = layer.rows
  const bytes = layer.hBytes
  multiplyRows(uT, rows, gradientPtr, gradientBytes, toPtr, bytes, false, 0)
  if (dropPtr) {
    multiplyElements(toPtr, dropPtr, toPtr, rows * bytes)
    multiplyElements(hPtr, dropPtr, droppedPtr, rows * bytes)
  }
  if (gradients.duPtr) addWeightProduct(values.u, rows, dropPtr ? droppedPtr : hPtr, bytes, blocksPtr, rows * BLOCK_ROW_BYTES, gradients.duPtr)
}

/** The way back through x @ w of step t: dw, the sums of the bias by blocks, and dx; each where it is wanted. gradient: by rows and by blocks. */
export function throughInput(
  layer: TrainedLayer, values: TrainedValues, gradients: TrainedGradients, wT: Matrix, t: i32, gradientPtr: usize, gradientBytes: i32, blocksPtr: usize,
  sumsPtr: usize,
): void {
  const rows = layer.rows
  const w = values.w
  const at = t * layer.xStepBytes
  const apart = rows * BLOCK_ROW_BYTES
  if (gradients.dwPtr) addWeightProduct(w, rows, values.xPtr + at, layer.xRowBytes, blocksPtr, apart, gradients.dwPtr)
  if (gradients.dbiasPtr) addBlockSums(blocksOfColumns(w.columns), rows, blocksPtr, apart, sumsPtr)
  if (gradients.dxPtr) multiplyRows(wT, rows, gradientPtr, gradientBytes, gradients.dxPtr + at, layer.xRowBytes, false, 0)
}

/** Bytes of the gradient of gates by blocks, and of its sums. */
// @ts-ignore: decorator
@inline
export function blockBytes(rows: i32, w: Matrix): i32 {
  return blocksOfColumns(w.columns) * (rows + 1) * BLOCK_ROW_BYTES
}
