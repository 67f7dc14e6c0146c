// Matrices of files as constants of graphs.
import { Int8Weights } from '../../ops/products/narrow-weights.ts'
import { NdArray } from '../../values/ndarray.ts'
import type { Weights } from './layers.ts'

/** Columns begin to end of matrices, one below the other: [rows of all, end - begin]. */
export function columnsOf(matrices: readonly Weights[], begin: number, end: number, asInt8: boolean): Int8Weights | NdArray {
  const rows = matrices.flatMap(({ rows: length, columns, data, scales }) => Array.from({ length }, (_, row) => (
    { values: data.subarray(row * columns + begin, row * columns + end), scale: scales?.[row] ?? 1 }
  )))
  const width = end - begin
  const shape = [rows.length, width]
  const isInt8 = asInt8 && matrices.every(({ scales }) => scales)
  const data = new (isInt8 ? Int8Array : Float32Array)(rows.length * width)
  rows.forEach(({ values, scale }, n) => data.set(isInt8 ? values : Float32Array.from(values, (value) => value * scale), n * width))
  if (data instanceof Float32Array) return new NdArray(data, shape)
  return new Int8Weights({ q: data, scales: Float32Array.from(rows, ({ scale }) => scale), axis: 0 }, shape)
}
