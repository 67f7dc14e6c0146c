// Where matrices lie: those that are packed, and what they are packed from.

/** How a matrix w (k, columns) lies in memory; k may be two axes, the first one slower. In elements. */
export interface MatrixLayout {
  readonly outer: number
  readonly inner: number
  readonly columns: number
  readonly outerStride: number
  readonly innerStride: number
  readonly columnStride: number
}

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
