// Matrices of files as constants of graphs.
import { Int8Weights } from '../../ops/products/narrow-weights.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import type { Weights } from './layers.ts'

/** Columns begin to end of matrices of the same size, stacked: [rows of all, end - begin]. */
export function columnsOf(matrices: readonly Weights[], begin: number, end: number, asInt8: boolean): ArrayLike {
  const { rows = 0, columns = 0 } = matrices[0] ?? {}
  const width = end - begin
  const shape = [rows * matrices.length, width]
  if (asInt8 && matrices.every(({ q }) => q !== undefined)) {
    const q = new Int8Array(rows * matrices.length * width)
    const scales = new Float32Array(rows * matrices.length)
    matrices.forEach((matrix, n) => {
      scales.set(matrix.scales, n * rows)
      for (let row = 0; row < rows; row++) q.set((matrix.q as Int8Array).subarray(row * columns + begin, row * columns + end), (n * rows + row) * width)
    })
    return new Int8Weights({ q, scales, axis: 0 }, shape)
  }
  const data = new Float32Array(rows * matrices.length * width)
  let at = 0
  for (const matrix of matrices) {
    for (let row = 0; row < rows; row++) for (let column = begin; column < end; column++) data[at++] = elementOf(matrix, row, column)
  }
  return new NdArray(data, shape)
}

/** The last columns: biases. */
export function vectorOf(...matrices: readonly Weights[]): NdArray {
  const data = matrices.flatMap((matrix) => Array.from({ length: matrix.rows }, (_, row) => elementOf(matrix, row, matrix.columns - 1)))
  return new NdArray(Float32Array.from(data), [data.length])
}

/** Windows of files have columns outside, then rows, then channels; here they are [outputs, channels, height, width]. */
export function convolutionWeights(weights: Weights, channels: number, width: number, height: number): NdArray {
  const data = new Float32Array(weights.rows * channels * height * width)
  let at = 0
  for (let row = 0; row < weights.rows; row++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data[at++] = elementOf(weights, row, (x * height + y) * channels + channel)
    }
  }
  return new NdArray(data, [weights.rows, channels, height, width])
}

function elementOf({ q, scales, floats, columns }: Weights, row: number, column: number): number {
  const at = row * columns + column
  return q === undefined ? floats[at] as number : (q[at] as number) * (scales[row] as number)
}
