// Weights in the layout of cuDNN: those of CuDNNLSTM, and of LSTM layers in .h5 files of models that were once trained with it.
// The shapes are Keras's; each gate's block of a kernel holds the rows of what we multiply with, one after the other. Two
// biases stand in a row, which are added.
import { NdArray } from '../../../values/ndarray.ts'

/** Whether these are weights of cuDNN: by the number of biases, as Keras tells. @param units of the cell */
export function isCudnn(bias: NdArray | undefined, units: number): boolean {
  return bias?.shape.length === 1 && bias.shape[0] === 8 * units
}

/** A kernel [from, 4 units] -> [4 units, from], gate by gate. */
export function cudnnKernel({ data, shape }: NdArray): NdArray {
  const [rows, columns] = shape as [number, number]
  const units = columns / 4
  const result = new Float32Array(data.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const gate = Math.floor(column / units)
      result[gate * rows * units + row * units + column % units] = data[row * columns + column] as number
    }
  }
  return new NdArray(result, [columns, rows])
}

/** The biases of the inputs and of the recurrence, [4 units] each. */
export function cudnnBiases({ data }: NdArray): [NdArray, NdArray] {
  const half = data.length / 2
  return [new NdArray(data.slice(0, half), [half]), new NdArray(data.slice(half), [half])]
}

/** Their sum. */
export function cudnnBias(bias: NdArray): NdArray {
  const [input, recurrent] = cudnnBiases(bias)
  return new NdArray(Float32Array.from(input.data, (value, index) => value + (recurrent.data[index] as number)), input.shape)
}
