// SmartAmpPro's files against what its plugin computes, sample by sample in float64: a window, two Keras convolutions, an LSTM's step from zeros.
import { describe, expect, it } from 'vitest'
import { load } from '../../src/model/load.ts'
import type { Nested } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

let seed = 1
function nested(...shape: number[]): Nested {
  const [size, ...rest] = shape
  if (size === undefined) return pseudoRandom(seed++, 1, 1)[0] as number
  return Array.from({ length: size }, () => nested(...rest))
}

type Matrix = number[][]
interface File {
  readonly [key: string]: unknown
  readonly conv1d: { 'kernel:0': number[][][], 'bias:0': number[] }
  readonly conv1d_1: { 'kernel:0': number[][][], 'bias:0': number[] }
  readonly lstm: { 'kernel:0': Matrix, 'bias:0': number[] }
  readonly dense: { 'kernel:0': Matrix, 'bias:0': number[] }
}

/** 10 samples, windows of 3: 4 timesteps, zeros at both ends; of these one of 5, zeros behind. */
const FILE = {
  conv1d: { 'kernel:0': nested(3, 1, 2), 'bias:0': nested(2) }, conv1d_1: { 'kernel:0': nested(5, 2, 3), 'bias:0': nested(3) },
  lstm: { 'kernel:0': nested(3, 16), 'recurrent_kernel:0': nested(4, 16), 'bias:0': nested(16) }, dense: { 'kernel:0': nested(4, 1), 'bias:0': nested(1) },
  input_size: 10, conv1d_stride: 3, conv1d_1_stride: 5,
} as unknown as File

/** A convolution with padding 'same'. */
function convolved(x: Matrix, { 'kernel:0': kernel, 'bias:0': bias }: File['conv1d'], stride: number): Matrix {
  const count = Math.ceil(x.length / stride)
  const before = Math.floor(Math.max((count - 1) * stride + kernel.length - x.length, 0) / 2)
  return Array.from({ length: count }, (_, n) => bias.map((start, filter) => kernel.reduce((sum, channels, tap) => (
    channels.reduce((inner, weights, channel) => inner + (x[n * stride + tap - before]?.[channel] ?? 0) * (weights[filter] as number), sum)
  ), start)))
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const times = (x: readonly number[], { 'kernel:0': kernel, 'bias:0': bias }: File['dense']): number[] => (
  bias.map((start, column) => x.reduce((sum, value, row) => sum + value * (kernel[row]?.[column] as number), start))
)

/** The plugin's output for the last sample of a window. */
function answer(window: number[]): number {
  const [x = []] = convolved(convolved(window.map((value) => [value]), FILE.conv1d, 3), FILE.conv1d_1, 5)
  const gates = times(x, FILE.lstm)
  const h = [0, 1, 2, 3].map((n) => sigmoid(gates[12 + n] as number) * Math.tanh(sigmoid(gates[n] as number) * Math.tanh(gates[8 + n] as number)))
  return times(h, FILE.dense)[0] as number
}

const bytesOf = (json: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(json))

describe('SmartAmpPro', () => {
  it('computes every sample from the window before it, in runs and streams', async () => {
    using model = await load(bytesOf(FILE))
    const audio = pseudoRandom(99, 25, 1)
    const output = model.run({ input: { dtype: 'float32', shape: [1, 25, 1], data: audio } }).output?.data as Float32Array
    const silence = [...Array.from({ length: 9 }, () => 0), ...audio]
    output.forEach((value, n) => expect(Math.abs(value - answer(silence.slice(n, n + 10)))).toBeLessThan(1e-6))
    using stream = model.stream()
    const sample = new Float32Array(1)
    output.forEach((value, n) => {
      stream.step(audio.subarray(n, n + 1), sample)
      expect(sample[0]).toBe(value)
    })
  })

  it.each([
    [{ input_size: 30 }, 'UNSUPPORTED', /^SmartAmpPro: the convolutions leave 2 timesteps of 30 samples, .*\.h5\)$/],
    [{ input_size: 0.5 }, 'FORMAT', /^SmartAmpPro: expected a whole number from 1 to 65536 for 'input_size', got 0\.5$/],
    [{ conv1d_stride: null }, 'FORMAT', /for 'conv1d_stride', got null$/],
    [{ conv1d: { 'kernel:0': nested(3, 2, 2), 'bias:0': nested(2) } }, 'FORMAT', /^SmartAmpPro: conv1d: expected a kernel \[taps, 1, filters\] and a bias \[filters\], got \[3, 2, 2\] and \[2\]$/],
    [{ conv1d_1: { 'kernel:0': nested(5, 3, 3), 'bias:0': nested(3) } }, 'FORMAT', /^SmartAmpPro: conv1d_1: expected a kernel for 2 channels, got 3$/],
    [{ lstm: { 'kernel:0': nested(3, 15), 'bias:0': nested(15) } }, 'FORMAT', /^SmartAmpPro: expected lstm kernels \[3, 4 units\]/],
    [{ dense: {} }, 'FORMAT', /^SmartAmpPro: dense: kernel: expected nested lists of numbers, got undefined$/],
  ] as const)('refuses %j', async (change, code, message) => {
    await expectRejection(load(bytesOf({ ...FILE, ...change })), code, message)
  })

  it('takes no more memory than a file of its size may', async () => {
    const filters = 400
    const wide = { ...FILE, conv1d_1: { 'kernel:0': [[new Array(filters).fill(0), new Array(filters).fill(0)]], 'bias:0': new Array(filters).fill(0) }, input_size: 65536, conv1d_stride: 65536, conv1d_1_stride: 1 }
    await expectRejection(load(bytesOf(wide)), 'FORMAT', /^SmartAmpPro: the convolutions: a file of \d+ bytes that unpacks to more than/)
  })

  it('has no correction for other sample rates', async () => {
    await expectRejection(load(bytesOf(FILE), { sampleRate: 96000, trainingSampleRate: 48000 }), 'UNSUPPORTED', /^SmartAmpPro: 'sampleRate' cannot be corrected for/)
  })
})

it('a sample rate may be written as text', async () => {
  const lstm = { type: 'lstm', activation: '', shape: [null, null, 4], weights: [nested(1, 16), nested(4, 16), nested(16)] }
  const file = (samplerate: unknown): Uint8Array => bytesOf({ in_shape: [null, null, 1], layers: [lstm], samplerate })
  for (const options of [{ sampleRate: 96000 }, { sampleRate: 96000, sampleRateCorrection: 'NoInterp' } as const]) {
    using number = await load(file(48000), options)
    for (const written of ['48000', ' 48000.0 ']) {
      using text = await load(file(written), options)
      expect(text.toGraph().nodes).toEqual(number.toGraph().nodes)
    }
  }
  await expectRejection(load(file('48 kHz'), { sampleRate: 96000 }), 'VALUE', /^RTNeural: expected a number of Hz for 'trainingSampleRate', got "48 kHz"/)
})
