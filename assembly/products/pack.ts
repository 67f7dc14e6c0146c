// Packing: from the frameworks' row-major matrices to the blocks of layout.ts. Runs once a model.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, UNITS_PER_BLOCK, blocksOfColumns, blocksOfUnits, packedBlockBytes, packedBytes } from './layout'

/** Position of gate f in i, f, g, o. */
const FORGET_GATE: i32 = 1

/** Bytes of a packed dense matrix of `k` inputs and `columns` outputs. */
export function packedDenseBytes(k: i32, columns: i32): f64 {
  return packedBytes(blocksOfColumns(columns), k)
}

/** Bytes of a packed LSTM cell; `outputSize` is the length of h: the units, unless they are projected. */
export function packedLstmBytes(inputSize: i32, hiddenSize: i32, outputSize: i32): f64 {
  return packedBytes(blocksOfUnits(hiddenSize), inputSize) + packedBytes(blocksOfUnits(hiddenSize), outputSize)
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
  assert(packedPtr % 16 == 0 && weightPtr != 0)
  const blocks = blocksOfColumns(columns)
  for (let block = 0; block < blocks; block++) {
    const blockPtr = packedPtr + block * packedBlockBytes(k)
    for (let lane = 0; lane < BLOCK_LENGTH; lane++) {
      const column = block * BLOCK_LENGTH + lane
      const valid = column < columns
      f32.store(blockPtr + lane * 4, valid ? elementOrZero(biasPtr, column) : 0)
      packColumn(blockPtr + BLOCK_ROW_BYTES, lane, valid ? weightPtr + column * k * 4 : 0, k)
    }
  }
}

/** 1 where all numbers are finite, or else 0. Of `length` floats, a multiple of four. */
function allFinite(ptr: usize, length: i32): f32 {
  let sum = f32x4.splat(0)
  for (let n = 0; n < length; n += 4) sum = f32x4.add(sum, f32x4.mul(v128.load(ptr + n * 4), f32x4.splat(0)))
  return v128.any_true(f32x4.ne(sum, sum)) ? 0 : 1
}

/**
 * One LSTM cell, gates stacked in the order i, f, g, o (PyTorch's):
 * inputWeights (4 hiddenSize, inputSize), recurrentWeights (4 hiddenSize, outputSize), inputBias and
 * recurrentBias (4 hiddenSize), each 0 where absent; the two biases are added here, once, and
 * `forgetBias` to those of gate f.
 */
export function packLstmF32(
  packedPtr: usize, inputWeightsPtr: usize, recurrentWeightsPtr: usize, inputBiasPtr: usize, recurrentBiasPtr: usize,
  inputSize: i32, hiddenSize: i32, outputSize: i32, forgetBias: f32,
): void {
  assert(packedPtr % 16 == 0 && inputWeightsPtr != 0 && recurrentWeightsPtr != 0)
  const blocks = blocksOfUnits(hiddenSize)
  const recurrentPtr = packedPtr + blocks * packedBlockBytes(inputSize)
  for (let block = 0; block < blocks; block++) {
    const inputBlockPtr = packedPtr + block * packedBlockBytes(inputSize)
    const recurrentBlockPtr = recurrentPtr + block * packedBlockBytes(outputSize)
    for (let lane = 0; lane < BLOCK_LENGTH; lane++) {
      const unit = block * UNITS_PER_BLOCK + lane % UNITS_PER_BLOCK
      const valid = unit < hiddenSize
      const row = (lane / UNITS_PER_BLOCK) * hiddenSize + unit
      let bias = valid ? elementOrZero(inputBiasPtr, row) + elementOrZero(recurrentBiasPtr, row) : 0
      if (lane / UNITS_PER_BLOCK == FORGET_GATE && valid) bias += forgetBias
      f32.store(inputBlockPtr + lane * 4, bias)
      packColumn(inputBlockPtr + BLOCK_ROW_BYTES, lane, valid ? inputWeightsPtr + row * inputSize * 4 : 0, inputSize)
      f32.store(recurrentBlockPtr + lane * 4, 0)
      packColumn(recurrentBlockPtr + BLOCK_ROW_BYTES, lane, valid ? recurrentWeightsPtr + row * outputSize * 4 : 0, outputSize)
    }
  }
  f32.store(recurrentPtr, allFinite(recurrentWeightsPtr, 4 * hiddenSize * outputSize))
}
