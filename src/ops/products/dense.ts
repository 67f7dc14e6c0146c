// Packed matrices, and those of dense layers.
import { ProductCall } from '../../contract/products/gemm.ts'
import { int8Along } from '../constant.ts'
import type { Operator, Packer, Planner, RecordSlot, Slot } from '../operator.ts'
import type { PackedConstant } from './matrices.ts'

/** Where packed matrices are. */
export interface PackedMatrices extends Slot, Omit<PackedConstant, 'packedPtr'> {}

/** The `weight` of a node can be of 8 bits, with a scale for each of its rows. */
export const narrowByRows: NonNullable<Operator['narrowWeights']> = ({ parameters: { weight } }) => (
  weight === undefined ? [] : [{ constant: weight, axis: 0, products: 'int8' }]
)

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

/** The call of `gemmF32` for rows of a (rows, k) and out (rows, columns) that lie beside each other. */
export function productCall(planner: Planner, rows: number, k: number, columns: number): RecordSlot<typeof ProductCall> {
  return planner.record(ProductCall, { steps: 1, rows, aStepBytes: 0, aRowBytes: k * 4, outRowBytes: columns * 4 })
}
