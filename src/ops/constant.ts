import type { ArrayLike } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'
import type { Packer } from './operator.ts'
import type { MatrixInputs, MatrixLayout, PackedConstant } from './products/matrices.ts'

/** Gates that are packed: see packGatesF32 in assembly/products/pack.ts. */
export interface GatesToPack {
  readonly hiddenSize: number
  /** The first gate, and how many. */
  readonly begin: number
  readonly gates: number
  readonly biasPtr: number
  readonly secondBiasPtr: number
  readonly forgetBias: number
}

/**
 * Weights of 8 bits: an integer times the scale of its index along one axis. They know how they are packed, so that whoever has none of
 * them has no code for it.
 */
export interface Int8Values {
  /** The integers, row by row. */
  readonly q: Int8Array
  /** A scale for each index along the axis. */
  readonly scales: Float32Array
  /** The axis of outputs: each has a scale of its own. */
  readonly axis: number
  /** Packs gates of a weight [gates hiddenSize, k]; returns the address. */
  packGates(packer: Packing, k: number, gates: GatesToPack): number
  /** Packs a weight [columns, k]; returns the address. */
  packDense(packer: Packing, k: number, columns: number, biasPtr: number): number
  /** Places a table [rows, width] whose rows are looked up. */
  placeTable(packer: Pick<Packer, 'place'>): PlacedTable
  /** Packs matrices, of which there may be several. */
  packMatrices(packer: Packing, inputs: Pick<MatrixInputs, 'count' | 'stride'>, layout: MatrixLayout, biasPtr: number): PackedConstant
}

/** A table whose rows are looked up: where it is, and where its scales are, if it is of 8 bits. */
export type PlacedTable = readonly [tablePtr: number, scalePtr?: number]

/** What packing needs. */
export type Packing = Pick<Packer, 'kernels' | 'allocate' | 'uploadData'>

/** What a constant is written as, where that is not its elements: tensors of a file. */
export interface StoredPart {
  /** Follows the name of the constant. */
  readonly suffix: string
  /** As safetensors calls it. */
  readonly dtype: 'I8' | 'F16' | 'F32'
  readonly shape: Shape
  readonly data: Int8Array | Uint16Array | Float32Array
}

/** A constant of a graph. Those of fewer bits are float32 to whoever does not know them: `data` widens them, each time it is read. */
export interface Constant extends ArrayLike {
  /** How 8 bits make its elements. */
  readonly int8?: Int8Values | undefined
  /** What it is written as. Default: its elements. */
  readonly parts?: readonly StoredPart[]
  /** Bytes of what it is written as. */
  readonly bytes?: number
  /** What its elements are, for summaries. Default: `dtype`. */
  readonly storage?: string
}

/** The 8 bits of a constant whose outputs lie along this axis; undefined where it is another one, or there are none. */
export function int8Along(constant: Constant | undefined, axis: number): Int8Values | undefined {
  const int8 = constant?.int8
  return int8?.axis === axis ? int8 : undefined
}
