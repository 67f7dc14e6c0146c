import { NdArray, type ArrayLike } from '../values/ndarray.ts'

/** A matrix [rows, columns] as [columns, rows]. */
export function transposed({ data, shape }: Pick<ArrayLike, 'data' | 'shape'>): NdArray {
  const [rows, columns] = shape as [number, number]
  const out = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) out[column * rows + row] = data[row * columns + column] as number
  return new NdArray(out, [columns, rows])
}
