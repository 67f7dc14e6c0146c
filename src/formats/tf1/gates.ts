// Kernels of TensorFlow 1 as weights of ours.
import { NdArray } from '../../values/ndarray.ts'

/**
 * Rows `begin` and on of a kernel (rows, gates hiddenSize), columns as gates -> [gates hiddenSize, rows], gates stacked.
 * @param order the gate of the kernel for each of ours; -1 for zeros
 */
export function stackGates(kernel: Float32Array, columns: number, hiddenSize: number, order: readonly number[], begin: number, rows: number): NdArray<'float32'> {
  const result = new Float32Array(order.length * hiddenSize * rows)
  order.forEach((gate, position) => {
    if (gate < 0) return
    for (let unit = 0; unit < hiddenSize; unit++) {
      const to = (position * hiddenSize + unit) * rows
      const from = begin * columns + gate * hiddenSize + unit
      for (let row = 0; row < rows; row++) result[to + row] = kernel[from + row * columns] as number
    }
  })
  return new NdArray(result, [order.length * hiddenSize, rows])
}

/** Parts of so many elements one after the other, zeros for those that are absent. */
export function joined(parts: readonly (Float32Array | undefined)[], length: number): Float32Array {
  const result = new Float32Array(parts.length * length)
  parts.forEach((part, n) => {
    if (part !== undefined) result.set(part, n * length)
  })
  return result
}

/** (rows, columns) -> (columns, rows) */
export function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column] as number
  }
  return result
}
