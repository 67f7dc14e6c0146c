// How packed weights of 8 bits lie in memory, and rows of activations beside them. Blocks of 16 columns as in ../layout.ts:
//
//     block 0                                                     block 1
//     +-----------------------------------------------------+     +---
//     | bias           16 floats                            |     |
//     | scale          16 floats, one a column              |     |
//     | start          16 int32, where the sums begin       |     |
//     | word 0         v0 (4 columns)  v1   v2   v3         |     |
//     | word 1         v0              v1   v2   v3         |     |
//     | ...                                                 |     |
//     +-----------------------------------------------------+     +---
//
// A weight is an integer q from -127 to 127 times the scale of its column. A word is 32 bits of a column: four weights of neighbouring k, as
// bytes, where the engine has an exact dot of bytes (way.ts); two weights, as 16 bits, elsewhere. Its last words are filled up with zeros.
// Widening bytes in the loop instead would halve these weights, and take a third longer: docs/kernels.md, "Eight bits".
//
// An activation row is quantised alike, when it comes: max |x| / 127 is its scale. So an output is
//
//     out = init + scale(row) scale(column) sum of q(row, k) q(column, k)
//
// and the sum is exact: 127 x 127 x k fits an int32 as long as k is at most MOST_TERMS. Row scale and column scale are multiplied first,
// nothing is fused: every way to multiply gives the same bits.
import { BLOCK_ROW_BYTES } from '../layout'

/** Terms of a sum at most. */
export const MOST_TERMS: i32 = 131072

/** Bias, scales and starts. */
export const HEAD_BYTES: i32 = 3 * BLOCK_ROW_BYTES
export const SCALES_AT: i32 = BLOCK_ROW_BYTES
export const STARTS_AT: i32 = 2 * BLOCK_ROW_BYTES

/** What stands before a row of quantised activations: its scale. */
export const ROW_HEAD_BYTES: i32 = 16

/** Bytes; activations plus 128: engines whose dot takes its second operand as unsigned. */
export const INT8_UNSIGNED: i32 = 1
/** Bytes: engines whose dot takes its second operand as signed. */
export const INT8_SIGNED: i32 = 2
/** Both operands are 16 bits: all engines. */
export const INT8_WIDE: i32 = 3

/** Words of a column of k weights: a multiple of four, since row kernels take four a turn. */
// @ts-ignore: decorator
@inline
export function wordsOf(k: i32, kind: i32): i32 {
  return kind == INT8_WIDE ? ((k + 7) >> 3) << 2 : ((k + 15) >> 4) << 2
}

/** Bytes of a block. */
// @ts-ignore: decorator
@inline
export function int8BlockBytes(k: i32, kind: i32): i32 {
  return HEAD_BYTES + wordsOf(k, kind) * BLOCK_ROW_BYTES
}

/** Bytes from one row of quantised activations to the next. */
// @ts-ignore: decorator
@inline
export function activationBytes(k: i32, kind: i32): i32 {
  return ROW_HEAD_BYTES + 4 * wordsOf(k, kind)
}

/** Rows that are quantised at once take about so many bytes. */
const GROUP_BYTES: i32 = 131072
/** And are at least so many, whole tiles. */
const LEAST_GROUP: i32 = 24

/** Rows that are quantised at once. */
// @ts-ignore: decorator
@inline
export function int8RowsAtOnce(rows: i32, k: i32): i32 {
  return min(rows, max(LEAST_GROUP, GROUP_BYTES / activationBytes(k, INT8_WIDE) / 12 * 12))
}

/** Bytes of workspace that a product of `rows` rows needs, or of fewer, whatever its kind is. */
export function int8ProductBytes(rows: i32, k: i32): i32 {
  return int8RowsAtOnce(rows, k) * activationBytes(k, INT8_WIDE)
}
