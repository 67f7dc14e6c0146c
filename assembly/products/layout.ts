// How packed weights lie in memory. One packed copy serves every batch size and every tile shape.
//
// A matrix product  out (rows, columns) = init + a (rows, k) @ w (k, columns)  has its columns cut
// into blocks of 16: four vectors, one cache line for every k. The last block is padded with zeros,
// so kernels only ever see whole blocks.
//
//   block 0                                     block 1
//   +-------------------------------------+     +---
//   | bias    16 floats                   |     |
//   | k = 0   v0 (4) v1 (4) v2 (4) v3 (4) |     |
//   | k = 1   v0     v1     v2     v3     |     |
//   | ...                                 |     |
//   +-------------------------------------+     +---
//
// Dense: column c of the matrix stands in block c / 16, vector (c % 16) / 4, lane c % 4.
//
// LSTM: a block holds four hidden units, and its four vectors are the gates i, f, g, o of these
// units. A tile that finishes a block therefore holds all that the cell update needs in registers:
//
//   | k = 0   i0 i1 i2 i3   f0 f1 f2 f3   g0 g1 g2 g3   o0 o1 o2 o3 |
//
// A packed LSTM cell is its input blocks (inputSize rows each) followed by its recurrent blocks (hiddenSize
// rows each). Where recurrent blocks have no bias, there is a row of zeros: blocks that are a power of two apart share a
// few lines of the first-level cache (one row of 64, 128, 256 units: 3, 3, 2 % slower without it). Its first number in the
// first block is 1 if all recurrent weights are finite.

/** Columns in a block. */
export const BLOCK_LENGTH: i32 = 16
/** Bytes of one row of a block: a cache line. */
export const BLOCK_ROW_BYTES: i32 = BLOCK_LENGTH * 4
/** Hidden units in a block of LSTM gates. */
export const UNITS_PER_BLOCK: i32 = 4

/** Weights of up to so many bytes are counted on to stay in the second-level cache from one use to the next. */
export const NEAR_WEIGHT_BYTES: i32 = 1048576

/** Blocks that hold `columns` columns. */
// @ts-ignore: decorator
@inline
export function blocksOfColumns(columns: i32): i32 {
  return (columns + BLOCK_LENGTH - 1) / BLOCK_LENGTH
}

/** Blocks that hold the gates of `units` hidden units. */
// @ts-ignore: decorator
@inline
export function blocksOfUnits(units: i32): i32 {
  return (units + UNITS_PER_BLOCK - 1) / UNITS_PER_BLOCK
}

/** Bytes of a block with `k` rows, and the row before them. */
// @ts-ignore: decorator
@inline
export function packedBlockBytes(k: i32): i32 {
  return (k + 1) * BLOCK_ROW_BYTES
}

// Sizes. Addresses are sums and products modulo 2^32, and right as long as every block lies within the 4 GiB that can be
// addressed, also where an i32 on the way is negative. How large a block must be is therefore told in float64, which does
// not wrap: whoever allocates refuses what is too large before a kernel is called.

/** Bytes of `blocks` blocks with `k` rows each. */
// @ts-ignore: decorator
@inline
export function packedBytes(blocks: i32, k: i32): f64 {
  return f64(blocks) * (f64(k) + 1) * f64(BLOCK_ROW_BYTES)
}
