// Where matrices lie: those that are packed, and what they are packed from.
import type { MatrixLayout as LayoutFields } from '../../contract/products/matrix.ts'
import type { RecordValues } from '../../values/record.ts'

/** How a matrix w (k, columns) lies in memory; k may be two axes, the first one slower. In elements. */
export type MatrixLayout = RecordValues<typeof LayoutFields>

/** Constant matrices in packed form. */
export interface PackedConstant {
  readonly packedPtr: number
  /** Bytes of one of them. */
  readonly bytes: number
  readonly isInt8: boolean
}

/** Where the matrices of a node, and their biases, come from: positions of its inputs, and how far apart matrices are, in elements. */
export interface MatrixInputs {
  readonly weight: number
  readonly bias?: number | undefined
  /** The axis of the weight along which its columns are. */
  readonly columnAxis: number
  readonly count?: number
  readonly stride?: number
}
