// Noise suppression: https://github.com/breizhn/DTLN. model.h5 has the weights of both models (save_weights), so the
// layers are written here; expected numbers are onnxruntime's for the ONNX files of the same models.
import { expect } from 'vitest'
import { keras, readKerasWeights } from '../../src/formats/keras/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { dense, lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { distance, itWithModels } from './model-folder.ts'

type Step = Readonly<Record<'mag' | 'mask' | 'state1' | 'frame' | 'out' | 'state2', readonly number[]>>
type Weights = ReadonlyMap<string, NdArray>

const array = (values: ArrayLike<number>, ...shape: number[]): NdArray => new NdArray(Float32Array.from(values), shape)

/** The tensors of some layers. */
function of(weights: Weights, ...layers: string[]): Map<string, NdArray> {
  return new Map([...weights].filter(([name]) => layers.includes(name.split('.')[0] as string)))
}

/** Two LSTMs of 128 units that hand their states on, and a sigmoid mask. */
function stack(weights: Weights, first: string, second: string, last: string, units: number): Promise<Model> {
  const options = { returnSequences: true, returnState: true, initialState: true }
  return compile(sequential([
    lstm(128, { name: first, ...options }), lstm(128, { name: second, ...options }), dense(units, { name: last, activation: 'sigmoid' }),
  ], { output: 'mask' }).loadStateDict(of(weights, first, second, last)))
}

/** Runs a stack with the states that DTLN keeps: [1, layers, 128, 2], h and c side by side. */
function runStack(model: Model, names: readonly string[], input: NdArray, state: Float32Array): { mask: NdArray, state: Float32Array } {
  const part = (layer: number, which: number): NdArray => (
    array(Array.from({ length: 128 }, (_, unit) => state[(layer * 128 + unit) * 2 + which] as number), 1, 1, 128)
  )
  const initial = names.flatMap((name, layer) => [[`${name}_h0`, part(layer, 0)], [`${name}_c0`, part(layer, 1)]] as const)
  const outputs = model.run({ input, ...Object.fromEntries(initial) })
  const next = new Float32Array(512)
  names.forEach((name, layer) => {
    for (let unit = 0; unit < 128; unit++) {
      next[(layer * 128 + unit) * 2] = outputs[`${name}_h`]?.data[unit] as number
      next[(layer * 128 + unit) * 2 + 1] = outputs[`${name}_c`]?.data[unit] as number
    }
  })
  return { mask: outputs.mask as NdArray, state: next }
}

/** A convolution over single timesteps is a product with its kernel [1, from, to]. */
function convolved(kernel: NdArray, input: ArrayLike<number>): Float32Array {
  const [, from, to] = kernel.shape as [number, number, number]
  return Float32Array.from({ length: to }, (_, column) => {
    let sum = 0
    for (let row = 0; row < from; row++) sum += (input[row] as number) * (kernel.data[row * to + column] as number)
    return sum
  })
}

/** DTLN's own layer normalisation: mean and variance of one frame, epsilon 1e-7. */
function normalised(x: Float32Array, gain: NdArray, shift: NdArray): Float32Array {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length
  return x.map((value, n) => (value - mean) / Math.sqrt(variance + 1e-7) * (gain.data[n] as number) + (shift.data[n] as number))
}

itWithModels('dtln', 'model.h5, weights for layers written by hand: 5 steps within 1e-5 of onnxruntime', async ({ read, json }) => {
  const { steps } = json('expected.json') as { steps: Step[] }
  const weights = readKerasWeights(read('model.h5'))
  using spectral = await stack(weights, 'lstm', 'lstm_1', 'dense', 257)
  using temporal = await stack(weights, 'lstm_2', 'lstm_3', 'dense_1', 256)
  const tensor = (name: string): NdArray => weights.get(name) as NdArray
  let [state1, state2] = [new Float32Array(512), new Float32Array(512)]
  for (const step of steps) {
    const first = runStack(spectral, ['lstm', 'lstm_1'], array(step.mag, 1, 1, 257), state1)
    expect(distance(first.mask.data, step.mask)).toBeLessThanOrEqual(1e-5)
    state1 = first.state as Float32Array<ArrayBuffer>
    expect(distance(state1, step.state1)).toBeLessThanOrEqual(1e-5)
    const encoded = convolved(tensor('conv1d.kernel'), step.frame)
    const norm = normalised(encoded, tensor('layer_normalization.gamma'), tensor('layer_normalization.beta'))
    const second = runStack(temporal, ['lstm_2', 'lstm_3'], array(norm, 1, 1, 256), state2)
    state2 = second.state as Float32Array<ArrayBuffer>
    expect(distance(state2, step.state2)).toBeLessThanOrEqual(1e-5)
    const masked = encoded.map((value, n) => value * (second.mask.data[n] as number))
    expect(distance(convolved(tensor('conv1d_1.kernel'), masked), step.out)).toBeLessThanOrEqual(1e-5)
  }
})

itWithModels('dtln', 'model.h5 alone says what it lacks', async ({ read }) => {
  await expectRejection(keras.read(onlyBytes(read('model.h5')), {}), 'UNSUPPORTED', /^this file holds weights, but not how they are connected[^]*lstm_1\.weight_ih_l0 float32 \[512, 128\]/)
})
