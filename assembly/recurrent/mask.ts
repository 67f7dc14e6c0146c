// Masks: which timesteps of a batch row are padding, and what becomes of state and output there.
import { UNITS_PER_GROUP } from '../products/layout'
import { storeLanes } from '../simd'

/** What masked steps do. */
export const enum MaskRule {
  /** They keep state and output as they were; outputs are zeros before the first step (Keras). */
  hold = 1,
  /** They keep the state, and output zeros (TensorFlow 1, ONNX, PyTorch). */
  zero = 2,
  /** new * m + old * (1 - m) for state and output: a NaN in padding spreads (TensorFlow.js). */
  multiply = 3,
}

/**
 * Writes state and output of one row, as the mask says, from padded rows: h (outputSize), c (cellSize); held (outputSize) is the last
 * output, or 0 where there is no mask; y, or 0, gets the output.
 */
export function finishRow(
  rule: i32, nextHPtr: usize, outputSize: i32, nextCPtr: usize, cellSize: i32, hPtr: usize, cPtr: usize, heldPtr: usize, yPtr: usize, valid: bool,
): void {
  const hBytes = outputSize * 4
  if (rule == MaskRule.multiply) {
    const m: f32 = valid ? 1 : 0
    blend(nextCPtr, cPtr, cellSize, m)
    blend(nextHPtr, hPtr, outputSize, m)
    blend(nextHPtr, heldPtr, outputSize, m)
  } else if (valid) {
    copyUnits(nextCPtr, cPtr, cellSize)
    copyUnits(nextHPtr, hPtr, outputSize)
    if (heldPtr) copyUnits(nextHPtr, heldPtr, outputSize)
  } else if (rule == MaskRule.zero) {
    memory.fill(heldPtr, 0, hBytes)
  } else {
    assert(rule == MaskRule.hold)
  }
  if (yPtr) memory.copy(yPtr, heldPtr ? heldPtr : hPtr, hBytes)
}

function copyUnits(fromPtr: usize, toPtr: usize, length: i32): void {
  for (let n = 0; n < length; n += UNITS_PER_GROUP) storeLanes(toPtr + n * 4, v128.load(fromPtr + n * 4), length - n)
}

/** to = from * m + to * (1 - m) */
function blend(fromPtr: usize, toPtr: usize, length: i32, m: f32): void {
  for (let n = 0; n < length; n += UNITS_PER_GROUP) {
    const fresh = f32x4.mul(v128.load(fromPtr + n * 4), f32x4.splat(m))
    const old = f32x4.mul(v128.load(toPtr + n * 4), f32x4.splat(1 - m))
    storeLanes(toPtr + n * 4, f32x4.add(fresh, old), length - n)
  }
}

/**
 * mask (batch, timesteps) from lengths (batch): 1 for t < length.
 * Returns the first row whose length is not 0 to timesteps, or -1 when all are.
 */
export function maskFromLengths(lengthsPtr: usize, rows: i32, timesteps: i32, maskPtr: usize): i32 {
  for (let row = 0; row < rows; row++) {
    if (i32.load(lengthsPtr + row * 4) as u32 > (timesteps as u32)) return row
  }
  for (let row = 0; row < rows; row++) {
    const length = i32.load(lengthsPtr + row * 4)
    const rowPtr = maskPtr + row * timesteps
    memory.fill(rowPtr, 1, length)
    memory.fill(rowPtr + length, 0, timesteps - length)
  }
  return -1
}

/** Zeros the state rows of sequences without a single valid step (what onnxruntime does with length 0). */
export function zeroEmptyRows(maskPtr: usize, rows: i32, timesteps: i32, statePtr: usize, rowBytes: i32): void {
  for (let row = 0; row < rows; row++) {
    let valid = false
    for (let t = 0; t < timesteps; t++) valid = valid || load<u8>(maskPtr + row * timesteps + t) != 0
    if (!valid) memory.fill(statePtr + row * rowBytes, 0, rowBytes)
  }
}
