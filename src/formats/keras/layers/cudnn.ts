// Weights in the layout of cuDNN: those of CuDNNLSTM and CuDNNGRU, and of LSTM and GRU layers in .h5 files of models that were once
// trained with them.
// The shapes are Keras's; each gate's block of a kernel holds the rows of what we multiply with, one after the other. Two
// biases stand in a row, which are added.
import { NdArray } from '../../../values/ndarray.ts'

/** Whether these are weights of cuDNN: by the number of biases, as Keras tells. @param columns gates x units of the cell */
export function isCudnn(bias: NdArray | undefined, columns: number): boolean {
  return bias?.shape.length === 1 && bias.shape[0] === 2 * columns
}

/** A kernel [from, gates x units] -> [gates x units, from], gate by gate. */
export function cudnnKernel({ data, shape }: NdArray, gates: number): NdArray {
  const [rows, columns] = shape as [number, number]
  const units = columns / gates
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const gate = Math.floor(column / units)
      result[gate * rows * units + row * units + column % units] = data[row * columns + column] as number
    }
  }
  return new NdArray(result, [columns, rows])
}

/** The biases of the inputs and of the recurrence, [gates x units] each. */
export function cudnnBiases({ data }: NdArray): [NdArray, NdArray] {
  const half = data.length / 2
  return [new NdArray(data.slice(0, half), [half]), new NdArray(data.slice(half), [half])]
}
