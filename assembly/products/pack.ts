// Packing: from the frameworks' row-major matrices to the blocks of layout.ts. Runs once a model.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, UNITS_PER_GROUP, blocksOfColumns, columnsOfGates, newMatrix, packedBytes } from './layout'

/** Bytes of a packed dense matrix of `k` inputs and `columns` outputs. */
export function packedDenseBytes(k: i32, columns: i32): f64 {
  return packedBytes(k, columns)
}

/** Bytes of a packed matrix of `gates` gates: see `packGatesF32`. */
export function packedGatesBytes(k: i32, hiddenSize: i32, gates: i32): f64 {
  return packedBytes(k, columnsOfGates(gates, hiddenSize))
}

/** Writes column `lane` of a block: k weights, one a block row; zeros where `sourcePtr` is 0. */
// @ts-ignore: decorator
@inline
function packColumn(packedPtr: usize, lane: i32, sourcePtr: usize, k: i32): void {
  let toPtr = packedPtr + lane * 4
  for (let row = 0; row < k; row++) {
    f32.store(toPtr, sourcePtr ? f32.load(sourcePtr + row * 4) : 0)
    toPtr += BLOCK_ROW_BYTES
  }
}

/** Element `index` of a vector, or 0 where the vector is absent (pointer 0). */
// @ts-ignore: decorator
@inline
function elementOrZero(ptr: usize, index: i32): f32 {
  return ptr ? f32.load(ptr + index * 4) : 0
}

/** weight (columns, k), bias (columns) or 0 -> packed, see layout.ts. */
export function packDenseF32(packedPtr: usize, weightPtr: usize, biasPtr: usize, k: i32, columns: i32): void {
  assert(weightPtr != 0)
  const matrix = newMatrix(packedPtr, k, columns)
  const blocks = blocksOfColumns(columns)
  for (let block = 0; block < blocks; block++) {
    const blockPtr = matrix.biasPtr + block * matrix.blockBytes
    for (let lane = 0; lane < BLOCK_LENGTH; lane++) {
      const column = block * BLOCK_LENGTH + lane
      const valid = column < columns
      f32.store(blockPtr + lane * 4, valid ? elementOrZero(biasPtr, column) : 0)
      packColumn(blockPtr + BLOCK_ROW_BYTES, lane, valid ? weightPtr + column * k * 4 : 0, k)
    }
  }
}

/** 1 where all numbers are finite, or else 0. */
function allFinite(ptr: usize, length: i32): i32 {
  const zero = f32x4.splat(0)
  let sum = zero
  for (; length >= 4; length -= 4) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(ptr), zero))
    ptr += 16
  }
  let rest: f32 = 0
  for (let n = 0; n < length; n++) rest += f32.load(ptr + n * 4) * 0
  return rest == 0 && !v128.any_true(f32x4.ne(sum, zero)) ? 1 : 0
}

/**
 * A matrix of gates, stacked as frameworks have them: weight (gates hiddenSize, k); bias and secondBias (gates hiddenSize), 0 where
 * absent, are added to each other here, once, and `forgetBias` to those of gate 1, which is the forget gate of an LSTM.
 *
 * The gates of four units stand side by side: column (unit / 4) 4 gates + 4 gate + unit % 4, zeros for units that are not there.
 */
export function packGatesF32(
  packedPtr: usize, weightPtr: usize, biasPtr: usize, secondBiasPtr: usize, k: i32, hiddenSize: i32, gates: i32, forgetBias: f32,
): void {
  assert(weightPtr != 0 && gates > 0)
  const columns = columnsOfGates(gates, hiddenSize)
  const matrix = newMatrix(packedPtr, k, columns)
  const blocks = blocksOfColumns(columns)
  for (let block = 0; block < blocks; block++) {
    const blockPtr = matrix.biasPtr + block * matrix.blockBytes
    for (let lane = 0; lane < BLOCK_LENGTH; lane++) {
      const vector = (block * BLOCK_LENGTH + lane) / UNITS_PER_GROUP
      const gate = vector % gates
      const unit = vector / gates * UNITS_PER_GROUP + lane % UNITS_PER_GROUP
      const valid = unit < hiddenSize
      const row = gate * hiddenSize + unit
      let bias = valid ? elementOrZero(biasPtr, row) + elementOrZero(secondBiasPtr, row) : 0
      if (gate == 1 && valid) bias += forgetBias
      f32.store(blockPtr + lane * 4, bias)
      packColumn(blockPtr + BLOCK_ROW_BYTES, lane, valid ? weightPtr + row * k * 4 : 0, k)
    }
  }
  matrix.isFinite = allFinite(weightPtr, gates * hiddenSize * k)
}
