// Layers without weights: words for activations that stand for another function, or for one with constants, and sizes of inputs.
import { expect, it } from 'vitest'
import { activation, input, lstm, sequential, type Activation } from '../src/layers/index.ts'
import { compile } from '../src/model/load.ts'
import { expectError } from './expect-error.ts'
import { pseudoRandom } from './random.ts'

const clip = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const geluTanh = (x: number): number => x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

it.each<[Activation, (x: number) => number]>([
  ['exponential', Math.exp], ['swish', (x) => x * sigmoid(x)], ['gelu_new', geluTanh], ['hardSilu', (x) => x * clip(x / 6 + 0.5, 0, 1)], ['relu6', (x) => clip(x, 0, 6)],
  ['hard_tanh', (x) => clip(x, -1, 1)], ['sparseSigmoid', (x) => clip((x + 1) / 2, 0, 1)],
  [{ name: 'hardSigmoid', keras: 2 }, (x) => clip(0.2 * x + 0.5, 0, 1)], [{ name: 'hardSigmoid', keras: 3 }, (x) => clip(x / 6 + 0.5, 0, 1)],
  [{ name: 'hardSigmoid', alpha: 0.3, beta: 0.4 }, (x) => clip(0.3 * x + 0.4, 0, 1)], [{ name: 'hardSigmoid', keras: 3, beta: 0.4 }, (x) => clip(x / 6 + 0.4, 0, 1)],
  [{ name: 'leakyRelu', keras: 2 }, (x) => (x < 0 ? 0.2 * x : x)], [{ name: 'leaky_relu', keras: 3 }, (x) => (x < 0 ? 0.2 * x : x)],
  [{ name: 'thresholdedRelu', keras: 2 }, (x) => (x > 1 ? x : 0)], [{ name: 'thresholdedRelu', keras: 3 }, (x) => (x > 1 ? x : 0)],
  [{ name: 'affine', alpha: 2, beta: -1 }, (x) => 2 * x - 1], [{ name: 'scaledTanh', alpha: 1.7, beta: 0.6 }, (x) => 1.7 * Math.tanh(0.6 * x)],
])('%j', async (word, expected) => {
  const x = Float32Array.from([...pseudoRandom(4, 200, 8), 0, 1, -1, 3, -3, 2.5, -2.5, 6, 5.999, 7])
  using model = await compile(sequential([input([x.length], { name: 'x' }), activation(word)], { output: 'y' }).loadStateDict(new Map()))
  const { y } = model.run({ x: { dtype: 'float32', shape: [1, x.length], data: x } })
  x.forEach((value, n) => {
    const wanted = expected(value)
    expect(Math.abs((y?.data[n] as number) - wanted), String(value)).toBeLessThanOrEqual(4e-7 * Math.max(1, Math.abs(wanted)))
  })
})

it('a list of activations is one of three or six, each by its name or with its constants', () => {
  for (const activations of [['sigmoid', 'tanh'], ['sigmoid', 'tanh', 5], [5, 6, 7], ['sigmoid', 'tanh', 'tanh', 'tanh'], 'tanh']) {
    expectError(() => lstm(3, { activations: activations as Activation[] }), 'VALUE', /^lstm: expected a list of three or six functions for 'activations', got /)
  }
  expect(() => lstm(3, { activations: ['sigmoid', { name: 'hardSigmoid', keras: 3 }, 'tanh'] })).not.toThrow()
})

it('an input has sizes that are names or whole numbers, all of them', () => {
  for (const shape of [[28, 0], [0, 28], [3, -1], ['steps', 1.5], ['steps', ''], ['', 3], [null, 3], [3, NaN]]) {
    expectError(() => input(shape as number[]), 'VALUE', /^input: expected sizes >= 1 or names, got \[/)
  }
  expectError(() => input(28 as unknown as number[]), 'VALUE', 'input: expected sizes >= 1 or names, got 28')
  expect(input(['steps', 1]).shape).toEqual(['steps', 1])
})
