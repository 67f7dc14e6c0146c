// Gradients of packed matrices: a^T @ d, where a (terms, k) are the rows that were multiplied and d (terms, columns) is the gradient of the
// products. The tiles are those of inference, which walk down a column of `a` instead of along a row: nothing is transposed in memory.
//
// d lies by blocks: (block, term, 16), so that a block of it is read as a block of packed weights is. The sums lie as the weights do,
// header and bias row included, so that an optimiser is one pass over both.
//
// Every sum has one order: terms in ascending order, cut at 128 as in products/tile.ts, each part added to what is there.
import { BLOCK_LENGTH, BLOCK_ROW_BYTES, Matrix, blocksOfColumns } from '../products/layout'
import { SUM_LENGTH, storeBlock } from '../products/sums'
import { stridedTile2x4 } from '../products/tile-2x4'
import { FUSED, multiplyAdd } from '../simd'
import { sixRows, sixRowsTile } from './inference'

/** Pairs of rows of which the elements lie `termBytes` apart: compiled once here, beside the one of inference. */
function columnTile(rows: i32, terms: i32, dPtr: usize, aPtr: usize, termBytes: i32, outPtr: usize): void {
  stridedTile2x4(rows, terms, dPtr, aPtr, 4, termBytes, outPtr, BLOCK_ROW_BYTES, outPtr, BLOCK_ROW_BYTES, BLOCK_LENGTH)
}

/** The last one of an odd number of rows. */
function oneColumn(terms: i32, dPtr: usize, aPtr: usize, termBytes: i32, outPtr: usize): void {
  let r0 = f32x4.splat(0)
  let r1 = f32x4.splat(0)
  let r2 = f32x4.splat(0)
  let r3 = f32x4.splat(0)
  for (; terms > 0; terms--) {
    const x = v128.load32_splat(aPtr)
    r0 = multiplyAdd(x, v128.load(dPtr), r0)
    r1 = multiplyAdd(x, v128.load(dPtr, 16), r1)
    r2 = multiplyAdd(x, v128.load(dPtr, 32), r2)
    r3 = multiplyAdd(x, v128.load(dPtr, 48), r3)
    aPtr += termBytes
    dPtr += BLOCK_ROW_BYTES
  }
  storeBlock(outPtr, outPtr, r0, r1, r2, r3, BLOCK_LENGTH)
}

/**
 * sums (k, columns) += a^T @ d for `terms` rows of a, `aBytes` apart; blocks of d are `apart` bytes apart. sums: a packed matrix of the shape of
 * `w`, whose header and bias rows are left alone.
 */
export function addWeightProduct(w: Matrix, terms: i32, aPtr: usize, aBytes: i32, dPtr: usize, apart: i32, sumsPtr: usize): void {
  const k = w.k
  const pairs = k & ~1
  const sixes = FUSED ? sixRows(pairs) : 0
  const blocks = blocksOfColumns(w.columns)
  let outPtr = sumsPtr + (w.weightsPtr - changetype<usize>(w))
  for (let block = 0; block < blocks; block++) {
    let left = terms
    let termPtr = aPtr
    let blockPtr = dPtr
    while (left > 0) {
      const count = min(left, SUM_LENGTH)
      if (FUSED) sixRowsTile(sixes, count, blockPtr, termPtr, 4, aBytes, 24, outPtr, BLOCK_ROW_BYTES, outPtr, BLOCK_ROW_BYTES, BLOCK_LENGTH)
      columnTile(pairs - sixes, count, blockPtr, termPtr + sixes * 4, aBytes, outPtr + sixes * BLOCK_ROW_BYTES)
      if (pairs < k) oneColumn(count, blockPtr, termPtr + pairs * 4, aBytes, outPtr + pairs * BLOCK_ROW_BYTES)
      blockPtr += count * BLOCK_ROW_BYTES
      termPtr += count * aBytes
      left -= count
    }
    dPtr += apart
    outPtr += w.blockBytes
  }
}

/** sums (blocks, 16) += the sum of d over its `terms`. */
export function addBlockSums(blocks: i32, terms: i32, dPtr: usize, apart: i32, sumsPtr: usize): void {
  for (let block = 0; block < blocks; block++) {
    let left = terms
    let ptr = dPtr
    while (left > 0) {
      const count = min(left, SUM_LENGTH)
      let r0 = f32x4.splat(0)
      let r1 = f32x4.splat(0)
      let r2 = f32x4.splat(0)
      let r3 = f32x4.splat(0)
      for (let n = 0; n < count; n++) {
        r0 = f32x4.add(r0, v128.load(ptr))
        r1 = f32x4.add(r1, v128.load(ptr, 16))
        r2 = f32x4.add(r2, v128.load(ptr, 32))
        r3 = f32x4.add(r3, v128.load(ptr, 48))
        ptr += BLOCK_ROW_BYTES
      }
      storeBlock(sumsPtr, sumsPtr, r0, r1, r2, r3, BLOCK_LENGTH)
      left -= count
    }
    dPtr += apart
    sumsPtr += BLOCK_ROW_BYTES
  }
}

/** d (rows, columns), rows `rowBytes` apart, by blocks of 16 columns: zeros beyond the last column. */
export function toBlocks(rows: i32, columns: i32, fromPtr: usize, rowBytes: i32, toPtr: usize, apart: i32): void {
  const whole = columns / BLOCK_LENGTH
  const rest = columns - whole * BLOCK_LENGTH
  for (let row = 0; row < rows; row++) {
    let ptr = fromPtr + row * rowBytes
    let blockPtr = toPtr + row * BLOCK_ROW_BYTES
    for (let block = 0; block < whole; block++) {
      v128.store(blockPtr, v128.load(ptr))
      v128.store(blockPtr, v128.load(ptr, 16), 16)
      v128.store(blockPtr, v128.load(ptr, 32), 32)
      v128.store(blockPtr, v128.load(ptr, 48), 48)
      ptr += BLOCK_ROW_BYTES
      blockPtr += apart
    }
    if (rest > 0) {
      memory.fill(blockPtr, 0, BLOCK_ROW_BYTES)
      memory.copy(blockPtr, ptr, rest * 4)
    }
  }
}

/**
 * The transpose of a packed matrix, packed: (columns, k) from w (k, columns), without a bias. Runs once a training step. Columns from the next
 * multiple of four on stay as they are: no product stores them.
 */
export function packTransposed(w: Matrix, transposed: Matrix): void {
  const k = w.k
  const columns = w.columns
  for (let begin = 0; begin < k; begin += 4) {
    const columnPtr = transposed.biasPtr + (begin / BLOCK_LENGTH) * transposed.blockBytes + (begin % BLOCK_LENGTH) * 4
    if (begin % BLOCK_LENGTH == 0) memory.fill(columnPtr, 0, BLOCK_ROW_BYTES)
    for (let column = 0; column < columns; column += 4) {
      const fromPtr = w.weightsPtr + (column / BLOCK_LENGTH) * w.blockBytes + begin * BLOCK_ROW_BYTES + (column % BLOCK_LENGTH) * 4
      const zero = f32x4.splat(0)
      const r0 = v128.load(fromPtr)
      const r1 = begin + 1 < k ? v128.load(fromPtr, BLOCK_ROW_BYTES) : zero
      const r2 = begin + 2 < k ? v128.load(fromPtr, 2 * BLOCK_ROW_BYTES) : zero
      const r3 = begin + 3 < k ? v128.load(fromPtr, 3 * BLOCK_ROW_BYTES) : zero
      const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
      const low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
      const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
      const high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
      const toPtr = columnPtr + (column + 1) * BLOCK_ROW_BYTES
      v128.store(toPtr, i32x4.shuffle(low01, low23, 0, 1, 4, 5))
      if (column + 1 < columns) v128.store(toPtr, i32x4.shuffle(low01, low23, 2, 3, 6, 7), BLOCK_ROW_BYTES)
      if (column + 2 < columns) v128.store(toPtr, i32x4.shuffle(high01, high23, 0, 1, 4, 5), 2 * BLOCK_ROW_BYTES)
      if (column + 3 < columns) v128.store(toPtr, i32x4.shuffle(high01, high23, 2, 3, 6, 7), 3 * BLOCK_ROW_BYTES)
    }
  }
}

/** Where column `row` of `gates` stacked gates of `units` units stands in a packed matrix: see packGatesF32; `gates` 0: a dense one, as it stands. */
// @ts-ignore: decorator
@inline
function columnOf(row: i32, units: i32, gates: i32): i32 {
  if (gates == 0) return row
  const unit = row % units
  return unit / 4 * 4 * gates + row / units * 4 + unit % 4
}

/** Sets the bias of a packed matrix, from a row of its columns as frameworks stack them. `gates`, `units`: see `columnOf`. */
export function setBias(w: Matrix, biasPtr: usize, units: i32, gates: i32): void {
  const length = gates == 0 ? w.columns : gates * units
  for (let row = 0; row < length; row++) {
    const column = columnOf(row, units, gates)
    const value: f32 = biasPtr ? f32.load(biasPtr + row * 4) : 0
    f32.store(w.biasPtr + column / BLOCK_LENGTH * w.blockBytes + column % BLOCK_LENGTH * 4, value)
  }
}

/** The way back, of sums (blocks, 16). */
export function biasOfSums(sumsPtr: usize, biasPtr: usize, columns: i32, units: i32, gates: i32): void {
  const length = gates == 0 ? columns : gates * units
  for (let row = 0; row < length; row++) f32.store(biasPtr + row * 4, f32.load(sumsPtr + columnOf(row, units, gates) * 4))
}

/** Weights as frameworks have them, (columns, k) or gates stacked, from packed ones: what packDenseF32 and packGatesF32 were given. */
export function unpackWeights(w: Matrix, packedPtr: usize, weightPtr: usize, units: i32, gates: i32): void {
  const k = w.k
  const length = gates == 0 ? w.columns : gates * units
  const fromPtr = packedPtr + (w.weightsPtr - changetype<usize>(w))
  for (let row = 0; row < length; row++) {
    const column = columnOf(row, units, gates)
    const columnPtr = fromPtr + column / BLOCK_LENGTH * w.blockBytes + column % BLOCK_LENGTH * 4
    for (let n = 0; n < k; n++) f32.store(weightPtr + (row * k + n) * 4, f32.load(columnPtr + n * BLOCK_ROW_BYTES))
  }
}
