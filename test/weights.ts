// State dicts with random weights, under PyTorch's names.
import { joinName, type LstmShape } from '../src/formats/pytorch-names.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lengthOf } from '../src/values/shape.ts'
import { randomLstm } from './lstm-graph.ts'
import { pseudoRandom } from './random.ts'

export function random(seed: number, ...shape: number[]): NdArray<'float32'> {
  return new NdArray(pseudoRandom(seed, lengthOf(shape), 1), shape)
}

/** Tensors of an LSTM of one layer and direction with biases, unless told otherwise. */
export function lstmWeights(prefix: string, inputSize: number, hiddenSize: number, more: Partial<LstmShape> = {}): [string, NdArray][] {
  const shape: LstmShape = { inputSize, hiddenSize, numLayers: 1, bidirectional: false, bias: true, ...more }
  return [...randomLstm(shape, inputSize * 100 + hiddenSize)].map(([name, tensor]) => [joinName(prefix, name), tensor])
}

export function denseWeights(prefix: string, inputSize: number, units: number): [string, NdArray][] {
  return [[`${prefix}.weight`, random(inputSize * 10 + units, units, inputSize)], [`${prefix}.bias`, random(units, units)]]
}
