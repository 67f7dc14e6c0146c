// Packed matrices, and those of dense layers.
import { int8Along } from '../constant.ts'
import type { Packer, Planner, Slot } from '../operator.ts'

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

/** Where packed matrices are. */
export interface PackedMatrices extends Slot, Omit<PackedConstant, 'packedPtr'> {}

/** Where the matrices of a node, and their biases, come from: positions of its inputs, and how far apart matrices are, in elements. */
export interface MatrixInputs {
  readonly weight: number
  readonly bias?: number | undefined
  /** The axis of the weight along which its columns are. */
  readonly columnAxis: number
  readonly count?: number
  readonly stride?: number
}

/** Packs a weight [columns, k] and its bias; returns the address. */
export function packDense({ kernels, parameter, allocate, upload, uploadData }: Packer, role: string, biasPtr: number, k: number, columns: number): number {
  const int8 = int8Along(parameter(role), 0)
  if (int8 !== undefined) return int8.packDense({ kernels, allocate, uploadData }, k, columns, biasPtr)
  const packedPtr = allocate(kernels.packedDenseBytes(k, columns))
  kernels.packDenseF32(packedPtr, upload(role), biasPtr, k, columns)
  return packedPtr
}

/** Memory that `gemmF32` needs for that many rows and a constant: none where the constant is float32. */
export function productWorkspace(planner: Planner, packedPtr: number, rows: number): Slot {
  return planner.workspace(planner.kernels.gemmWorkspaceBytes(packedPtr, rows))
}
