// Products of matrices that are not the weights of a layer: packing for gemmF32, and the same sums in JavaScript.
import type { ArrayLike } from '../values/ndarray.ts'
import type { Packer, Planner, Slot } from './operator.ts'

/** How a matrix w (k, columns) lies in memory; k may be two axes, the first one slower. In elements. */
export interface MatrixLayout {
  readonly outer: number
  readonly inner: number
  readonly columns: number
  readonly outerStride: number
  readonly innerStride: number
  readonly columnStride: number
}

/** (k, columns), row by row; or stored as its transpose. */
export function matrixLayout(k: number, columns: number, transposed: boolean = false): MatrixLayout {
  return { outer: 1, inner: k, columns, outerStride: 0, innerStride: transposed ? 1 : columns, columnStride: transposed ? k : 1 }
}

/** Memory for constant matrices in packed form. They are packed when the first plan is made, because their addresses are known then. */
export interface PackedConstant {
  readonly packedPtr: number
  filled: boolean
}

/** Multiplications that are done beforehand when all operands are constants; larger products are left for run time. */
const FOLD_MULTIPLY_ADDS = 2 ** 22

/** Terms that are summed before the sum is added to the total, as in assembly/sums.ts. */
const SUM_LENGTH = 128

/** Allocates for `count` matrices, where they are constants. */
export function preparePacked(packer: Packer, position: number, layout: MatrixLayout, count: number = 1): PackedConstant | undefined {
  if (packer.value(position) === undefined) return undefined
  return { packedPtr: packer.allocate(count * packedBytes(packer, layout)), filled: false }
}

/** Bytes of one packed matrix, a multiple of 64. */
export function packedBytes({ kernels }: Pick<Planner, 'kernels'>, { outer, inner, columns }: MatrixLayout): number {
  return kernels.packedDenseBytes(outer * inner, columns)
}

/**
 * Packs `count` matrices that lie `stride` elements apart, with their biases: once where they are constants, at
 * every run into a workspace otherwise.
 */
export function planPacked(
  planner: Planner, weight: Slot, bias: Slot | undefined, layout: MatrixLayout, constant: PackedConstant | undefined,
  count: number = 1, stride: number = 0,
): Slot {
  const { packStridedF32 } = planner.kernels
  const { outer, inner, columns, outerStride, innerStride, columnStride } = layout
  const bytes = packedBytes(planner, layout)
  const packed = constant === undefined ? planner.workspace(count * bytes) : { ptr: constant.packedPtr }
  const pack = (): void => {
    for (let n = 0; n < count; n++) {
      packStridedF32(
        packed.ptr + n * bytes, weight.ptr + n * stride * 4, bias === undefined ? 0 : bias.ptr + n * columns * 4, outer, inner, columns,
        outerStride * 4, innerStride * 4, columnStride * 4,
      )
    }
  }
  if (constant === undefined) planner.step(pack)
  else if (!constant.filled) {
    pack()
    constant.filled = true
  }
  return packed
}

/** A matrix of constants: element (row, column) of matrix `begin`. */
export interface ConstantMatrix {
  readonly data: ArrayLike['data']
  readonly rowStride: number
  readonly columnStride: number
}

/** Whether a product of constants is small enough to be done beforehand. */
export function isFoldable(multiplyAdds: number): boolean {
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
