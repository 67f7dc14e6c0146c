// Packing of integers and their scales: see layout.ts. Runs once a model.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, HEADER_BYTES, Matrix, UNITS_PER_GROUP, blocksOfColumns, columnsOfGates, newMatrix } from '../layout'
import { MatrixLayout } from '../matrix'
import { HEAD_BYTES, INT8_UNSIGNED, INT8_WIDE, MOST_TERMS, SCALES_AT, STARTS_AT, int8BlockBytes } from './layout'

/** Bytes of a matrix of `k` inputs and `columns` outputs; kind: of `int8Kind`. */
export function packedInt8Bytes(k: i32, columns: i32, kind: i32): f64 {
  return f64(HEADER_BYTES) + f64(blocksOfColumns(columns)) * f64(int8BlockBytes(k, kind))
}

/** The same for `gates` gates. */
export function packedInt8GatesBytes(k: i32, hiddenSize: i32, gates: i32, kind: i32): f64 {
  return packedInt8Bytes(k, columnsOfGates(gates, hiddenSize), kind)
}

/** A matrix of zeros. */
function emptyMatrix(packedPtr: usize, k: i32, columns: i32, kind: i32): Matrix {
  assert(k <= MOST_TERMS)
  const matrix = newMatrix(packedPtr, k, columns)
  matrix.kind = kind
  memory.fill(matrix.biasPtr, 0, blocksOfColumns(columns) * int8BlockBytes(k, kind))
  matrix.isFinite = 1
  return matrix
}

/** Column `column`: its integers n = outer * innerLength + inner, at weightPtr + outer * outerBytes + inner * innerBytes. */
function packColumn(
  matrix: Matrix, column: i32, weightPtr: usize, outerLength: i32, innerLength: i32, outerBytes: i32, innerBytes: i32, scale: f32, bias: f32,
): void {
  const lane = column % BLOCK_LENGTH
  const blockPtr = matrix.biasPtr + column / BLOCK_LENGTH * int8BlockBytes(matrix.k, matrix.kind)
  f32.store(blockPtr + lane * 4, bias)
  f32.store(blockPtr + lane * 4, scale, SCALES_AT)
  if (scale - scale != 0) matrix.isFinite = 0
  const toPtr = blockPtr + HEAD_BYTES + lane * 4
  const isWide = matrix.kind == INT8_WIDE
  let sum = 0
  let k = 0
  for (let outer = 0; outer < outerLength; outer++) {
    let fromPtr = weightPtr + outer * outerBytes
    for (let inner = 0; inner < innerLength; inner++) {
      const q = i32(load<i8>(fromPtr))
      if (isWide) store<i16>(toPtr + (k >> 1) * BLOCK_ROW_BYTES + (k & 1) * 2, i16(q))
      else store<i8>(toPtr + (k >> 2) * BLOCK_ROW_BYTES + (k & 3), i8(q))
      sum += q
      fromPtr += innerBytes
      k++
    }
  }
  if (matrix.kind == INT8_UNSIGNED) store<i32>(blockPtr + lane * 4, -128 * sum, STARTS_AT)
}

/** As `packStridedF32`, from integers; scale (columns). kind: of `int8Kind`. */
export function packStridedI8(layout: MatrixLayout, packedPtr: usize, weightPtr: usize, scalePtr: usize, biasPtr: usize, kind: i32): void {
  const outer = layout.outer
  const inner = layout.inner
  const columns = layout.columns
  const matrix = emptyMatrix(packedPtr, outer * inner, columns, kind)
  for (let column = 0; column < columns; column++) {
    packColumn(
      matrix, column, weightPtr + column * layout.columnStride, outer, inner, layout.outerStride, layout.innerStride, f32.load(scalePtr + column * 4),
      biasPtr ? f32.load(biasPtr + column * 4) : 0,
    )
  }
}

/** A matrix of gates that is packed: see `packGatesF32`. */
@unmanaged
export class Int8Gates {
  k: i32
  hiddenSize: i32
  gates: i32
  forgetBias: f32
  /** Of `int8Kind`. */
  kind: i32
}

/** As `packGatesF32`, from integers: scale (gates hiddenSize). */
export function packGatesI8(call: Int8Gates, packedPtr: usize, weightPtr: usize, scalePtr: usize, biasPtr: usize, secondBiasPtr: usize): void {
  const k = call.k
  const hiddenSize = call.hiddenSize
  const gates = call.gates
  const matrix = emptyMatrix(packedPtr, k, columnsOfGates(gates, hiddenSize), call.kind)
  for (let gate = 0; gate < gates; gate++) {
    for (let unit = 0; unit < hiddenSize; unit++) {
      const row = gate * hiddenSize + unit
      const column = (unit / UNITS_PER_GROUP * gates + gate) * UNITS_PER_GROUP + unit % UNITS_PER_GROUP
      let bias: f32 = (biasPtr ? f32.load(biasPtr + row * 4) : 0) + (secondBiasPtr ? f32.load(secondBiasPtr + row * 4) : 0)
      if (gate == 1) bias += call.forgetBias
      packColumn(matrix, column, weightPtr + row * k, 1, k, 0, 1, f32.load(scalePtr + row * 4), bias)
    }
  }
}
