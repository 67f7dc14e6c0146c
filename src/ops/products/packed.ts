// Products of matrices that are not the weights of a layer: packing for gemmF32, and the same sums in JavaScript.
import { MatrixLayout as LayoutFields } from '../../contract/products/matrix.ts'
import { SUM_LENGTH } from '../../contract/products/sums.ts'
import { encodeRecord } from '../../values/record.ts'
import { int8Along } from '../constant.ts'
import { productWorkspace, type PackedMatrices } from './dense.ts'
import type { MatrixInputs, MatrixLayout, PackedConstant } from './matrices.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { Packer, Planner, Slot } from '../operator.ts'

/** (k, columns), row by row; or stored as its transpose. */
export function matrixLayout(k: number, columns: number, transposed: boolean = false): MatrixLayout {
  return { outer: 1, inner: k, columns, outerStride: 0, innerStride: transposed ? 1 : columns, columnStride: transposed ? k : 1 }
}

/** Multiplications that are done beforehand when all operands are constants; larger products are left for run time. */
const FOLD_MULTIPLY_ADDS = 2 ** 22

/** Packs matrices that are constants; the inputs are not kept beside that. */
export function preparePacked(packer: Packer, inputs: MatrixInputs, layout: MatrixLayout): PackedConstant | undefined {
  const { weight, bias, count = 1, columnAxis } = inputs
  const constant = packer.value(weight)
  if (constant === undefined) return undefined
  const biasPtr = bias === undefined ? 0 : packer.uploadInput(bias)
  const int8 = int8Along(constant, columnAxis)
  if (int8 !== undefined) {
    packer.take(weight)
    return int8.packMatrices(packer, inputs, layout, biasPtr)
  }
  const bytes = packedBytes(packer, layout)
  const packedPtr = packer.allocate(count * bytes)
  pack(packer, packer.uploadData(encodeRecord(LayoutFields, layout)), inputs, layout, packedPtr, packer.uploadInput(weight), biasPtr)
  return { packedPtr, bytes, isInt8: false }
}

/** Bytes of one packed matrix, a multiple of 64. */
export function packedBytes({ kernels }: Pick<Planner, 'kernels'>, { outer, inner, columns }: MatrixLayout): number {
  return kernels.packedDenseBytes(outer * inner, columns)
}

/** Packed matrices: the constants that were prepared, or those of every run in a workspace. */
export function planPacked(planner: Planner, inputs: MatrixInputs, layout: MatrixLayout, constant: PackedConstant | undefined): PackedMatrices {
  if (constant !== undefined) return { ...constant, ptr: constant.packedPtr }
  const weight = planner.input(inputs.weight)
  const bias = inputs.bias === undefined ? undefined : planner.input(inputs.bias)
  const bytes = packedBytes(planner, layout)
  const packed = Object.assign(planner.workspace((inputs.count ?? 1) * bytes), { bytes, isInt8: false })
  const record = planner.record(LayoutFields, layout)
  planner.step(() => pack(planner, record.ptr, inputs, layout, packed.ptr, weight.ptr, bias?.ptr ?? 0))
  return packed
}

/** Where `gemmF32` works, with that many rows: nowhere, where the matrices are float32. */
export function workspaceOf(planner: Planner, { ptr, isInt8 }: PackedMatrices, rows: number): Slot {
  return isInt8 ? productWorkspace(planner, ptr, rows) : { ptr: 0 }
}

/** @param layoutPtr the record of the layout */
function pack(
  { kernels }: Pick<Planner, 'kernels'>, layoutPtr: number, { count = 1, stride = 0 }: MatrixInputs, layout: MatrixLayout,
  packedPtr: number, weightPtr: number, biasPtr: number,
): void {
  const bytes = packedBytes({ kernels }, layout)
  for (let n = 0; n < count; n++) {
    kernels.packStridedF32(layoutPtr, packedPtr + n * bytes, weightPtr + n * stride * 4, biasPtr === 0 ? 0 : biasPtr + n * layout.columns * 4)
  }
}

/** A matrix of constants: element (row, column) of matrix `begin`. */
export interface ConstantMatrix {
  readonly data: ArrayLike['data']
  readonly rowStride: number
  readonly columnStride: number
}

/** Whether a product of constants is small enough to be done beforehand. */
export function isSmallProduct(multiplyAdds: number): boolean {
  return multiplyAdds <= FOLD_MULTIPLY_ADDS
}

/** out (m, n) = init (n) + a (m, k) @ b (k, n), in the order and with the roundings of simd.wasm. */
export function multiplyConstants(
  a: ConstantMatrix, aBegin: number, b: ConstantMatrix, bBegin: number, m: number, k: number, n: number, out: Float32Array, outBegin: number,
): void {
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let total = 0
      for (let begin = 0; begin < k; begin += SUM_LENGTH) {
        let sum = 0
        for (let i = begin; i < Math.min(k, begin + SUM_LENGTH); i++) {
          const x = a.data[aBegin + row * a.rowStride + i * a.columnStride] as number
          const y = b.data[bBegin + i * b.rowStride + column * b.columnStride] as number
          sum = Math.fround(Math.fround(x * y) + sum)
        }
        total = Math.fround(total + sum)
      }
      out[outBegin + row * n + column] = total
    }
  }
}
