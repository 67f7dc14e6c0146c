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
// Other cells lay their gates out the same way, four units side by side: see `packGatesF32`.
//
// The row before each block is the bias, zeros where there is none: blocks that are a power of two apart would share a few lines of
// the first-level cache.

/** Columns in a block. */
export const BLOCK_LENGTH: i32 = 16
/** Bytes of one row of a block: a cache line. */
export const BLOCK_ROW_BYTES: i32 = BLOCK_LENGTH * 4
/** Hidden units whose gates lie side by side. */
export const UNITS_PER_GROUP: i32 = 4
/** Bytes of a vector: four floats. */
export const VECTOR_BYTES: i32 = 16
/** Bytes before the first block of a packed matrix. */
export const HEADER_BYTES: i32 = 64

/** Blocks that hold `columns` columns. */
// @ts-ignore: decorator
@inline
export function blocksOfColumns(columns: i32): i32 {
  return (columns + BLOCK_LENGTH - 1) / BLOCK_LENGTH
}

/** Groups of four hidden units: blocks of LSTM gates, vectors of states. */
// @ts-ignore: decorator
@inline
export function groupsOfUnits(units: i32): i32 {
  return (units + UNITS_PER_GROUP - 1) / UNITS_PER_GROUP
}

/** Columns of `gates` gates of `units` hidden units. */
// @ts-ignore: decorator
@inline
export function columnsOfGates(gates: i32, units: i32): i32 {
  return gates * groupsOfUnits(units) * UNITS_PER_GROUP
}

/** Kinds of elements: of 8 bits are those of int8/layout.ts. */
export const FLOAT32: i32 = 0

/** A packed matrix w (k, columns) with its bias: these fields, then its blocks. Addresses of one are what kernels call `packedPtr`. */
@unmanaged
export class Matrix {
  /** Of its elements. */
  kind: i32
  k: i32
  columns: i32
  /** 1 where every weight is a finite number: zeros times this matrix are zeros. */
  isFinite: i32
  /** From here to the bias of the first block: HEADER_BYTES, or further for some of the blocks of another matrix (threads/part.ts). */
  blocksAt: i32

  /** Bytes of a block: of float32, its bias and its k rows. */
  // @ts-ignore: decorator
  @inline
  get blockBytes(): i32 {
    return (this.k + 1) * BLOCK_ROW_BYTES
  }

  /** The bias of the first block. */
  // @ts-ignore: decorator
  @inline
  get biasPtr(): usize {
    return changetype<usize>(this) + this.blocksAt
  }

  /** The first row of the first block, of float32. */
  // @ts-ignore: decorator
  @inline
  get weightsPtr(): usize {
    return this.biasPtr + BLOCK_ROW_BYTES
  }

  /** Bytes of all blocks. */
  // @ts-ignore: decorator
  @inline
  get blocksBytes(): i32 {
    return blocksOfColumns(this.columns) * this.blockBytes
  }
}

/** The matrix at `packedPtr`, with its fields set. */
export function newMatrix(packedPtr: usize, k: i32, columns: i32): Matrix {
  assert(packedPtr % 16 == 0 && k >= 0 && columns > 0)
  const matrix = changetype<Matrix>(packedPtr)
  matrix.kind = FLOAT32
  matrix.k = k
  matrix.columns = columns
  matrix.isFinite = 0
  matrix.blocksAt = HEADER_BYTES
  return matrix
}

/** The matrix at `packedPtr`. */
// @ts-ignore: decorator
@inline
export function matrixAt(packedPtr: usize): Matrix {
  assert(packedPtr % 16 == 0)
  return changetype<Matrix>(packedPtr)
}

// Sizes. Addresses are sums and products modulo 2^32, and right as long as every block lies within the 4 GiB that can be
// addressed, also where an i32 on the way is negative. How large a block must be is therefore told in float64, which does
// not wrap: whoever allocates refuses what is too large before a kernel is called.

/** Bytes of a packed matrix. */
// @ts-ignore: decorator
@inline
export function packedBytes(k: i32, columns: i32): f64 {
  return f64(HEADER_BYTES) + f64(blocksOfColumns(columns)) * (f64(k) + 1) * f64(BLOCK_ROW_BYTES)
}
