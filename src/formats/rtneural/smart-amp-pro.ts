// GuitarML's SmartAmpPro: https://github.com/GuitarML/SmartAmpPro, train_smp.py and Source/lstm.cpp.
//   { conv1d: { "kernel:0": [taps, 1, channels], "bias:0" }, conv1d_1: [taps, channels, channels], lstm, dense, input_size, conv1d_stride, conv1d_1_stride }
// A Keras model over a window of the last `input_size` samples, run anew for every sample: two convolutions with padding 'same' that leave one
// timestep, one step of an LSTM from zeros, a dense layer.
import { LstmError } from '../../errors.ts'
import type { Graph } from '../../graph/graph.ts'
import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import type { Budget } from '../budget.ts'
import { isObject, type JsonObject } from '../json.ts'
import { arrayOf, transpose } from '../json-weights.ts'
import { malformedFile } from '../malformed.ts'
import { Network } from './network.ts'

const malformed = malformedFile('SmartAmpPro')

/** Samples of a window: training takes a few hundred at most. */
const MOST_SAMPLES = 2 ** 16

/** Whether a file is one. */
export function isSmartAmpPro(json: JsonObject): boolean {
  return ['conv1d', 'conv1d_1', 'lstm', 'dense', 'input_size'].every((key) => json[key] !== undefined)
}

/**
 * The graph over audio: input `input` [batch, timesteps, 1], output `output` [batch, timesteps, 1]; before the first sample there is silence. Both
 * convolutions are linear, and so one causal convolution over the window; the LSTM starts from zeros each time, so that nothing is carried.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for one whose convolutions leave several timesteps
 */
export function graphOfSmartAmpPro(json: JsonObject, budget: Budget): Graph {
  const samples = sizeOf(json, 'input_size', MOST_SAMPLES)
  const [first, second] = [convolutionOf(json, 'conv1d', 1), convolutionOf(json, 'conv1d_1', undefined)]
  const length = Math.ceil(samples / first.stride)
  const left = Math.ceil(length / second.stride)
  if (left !== 1) {
    throw new LstmError('UNSUPPORTED', `SmartAmpPro: the convolutions leave ${left} timesteps of ${samples} samples, and the plugin's LSTM makes one step; load the Keras model it was made of (.h5)`)
  }
  if (second.channels !== first.filters) throw malformed(`conv1d_1: expected a kernel for ${first.filters} channels, got ${second.channels}`)
  budget.copy(second.filters * samples, 12 * second.filters * samples, 'SmartAmpPro: the convolutions')
  budget.work(second.taps * second.channels * second.filters * first.taps, 'SmartAmpPro: the convolutions')
  const { kernel, bias } = composed(first, second, samples, length)
  const network = new Network(1, 1)
  network.add('conv', [network.constant('conv.weight', kernel), network.constant('conv.bias', bias)], { channelsLast: true, pads: [samples - 1, 0] })
  addStep(network, json, second.filters)
  return network.finish()
}

interface Convolution {
  readonly kernel: NdArray<'float32'> // (taps, channels, filters)
  readonly bias: NdArray<'float32'> // (filters)
  readonly taps: number
  readonly channels: number
  readonly filters: number
  readonly stride: number
}

function partOf(json: JsonObject, layer: string, name: string): NdArray<'float32'> {
  const part: unknown = json[layer]
  return arrayOf(isObject(part) ? part[`${name}:0`] : undefined, `SmartAmpPro: ${layer}: ${name}`)
}

function sizeOf(json: JsonObject, key: string, most: number): number {
  const value = json[key]
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > most) {
    throw malformed(`expected a whole number from 1 to ${most} for '${key}', got ${describeValue(value)}`)
  }
  return value
}

function convolutionOf(json: JsonObject, layer: string, inputs: number | undefined): Convolution {
  const [kernel, bias] = [partOf(json, layer, 'kernel'), partOf(json, layer, 'bias')]
  const [taps = 0, channels = 0, filters = 0] = kernel.shape
  if (kernel.shape.length !== 3 || (inputs ?? channels) !== channels || formatShape(bias.shape) !== `[${filters}]`) {
    throw malformed(`${layer}: expected a kernel [taps, ${inputs ?? 'channels'}, filters] and a bias [filters], got ${formatShape(kernel.shape)} and ${formatShape(bias.shape)}`)
  }
  return { kernel, bias, taps, channels, filters, stride: sizeOf(json, `${layer}_stride`, MOST_SAMPLES) }
}

/** Zeros before a sequence of `length`, of which a convolution with padding 'same' makes `count` windows. */
function zerosBefore({ taps, stride }: Convolution, length: number, count: number): number {
  return Math.floor(Math.max((count - 1) * stride + taps - length, 0) / 2)
}

/** Both convolutions as one over the window: kernel (filters, 1, samples), bias (filters). `length` timesteps stand between them, one comes out. */
function composed(first: Convolution, second: Convolution, samples: number, length: number): { kernel: NdArray, bias: NdArray } {
  const { filters, taps, channels } = second
  const kernel = new Float64Array(filters * samples)
  const bias = Float64Array.from(second.bias.data)
  const [before, between] = [zerosBefore(first, samples, length), zerosBefore(second, length, 1)]
  for (let tap = 0; tap < taps; tap++) {
    const step = tap - between
    if (step < 0 || step >= length) continue
    for (let channel = 0; channel < channels; channel++) {
      for (let filter = 0; filter < filters; filter++) {
        const weight = second.kernel.data[(tap * channels + channel) * filters + filter] as number
        bias[filter] = (bias[filter] as number) + weight * (first.bias.data[channel] as number)
        for (let inner = 0; inner < first.taps; inner++) {
          const sample = step * first.stride + inner - before
          if (sample < 0 || sample >= samples) continue
          const at = filter * samples + sample
          kernel[at] = (kernel[at] as number) + weight * (first.kernel.data[inner * channels + channel] as number)
        }
      }
    }
  }
  return { kernel: new NdArray(Float32Array.from(kernel), [filters, 1, samples]), bias: new NdArray(Float32Array.from(bias), [filters]) }
}

/** One step of an LSTM from zeros, h = o tanh(i g), and the dense layer. Gates stand as in Keras: i, f, c, o. */
function addStep(network: Network, json: JsonObject, features: number): void {
  const [kernel, bias, dense, denseBias] = [partOf(json, 'lstm', 'kernel'), partOf(json, 'lstm', 'bias'), partOf(json, 'dense', 'kernel'), partOf(json, 'dense', 'bias')]
  const units = (bias.shape[0] ?? 0) / 4
  const fits = Number.isInteger(units) && formatShape(kernel.shape) === `[${features}, ${4 * units}]` && formatShape(dense.shape) === `[${units}, 1]` && formatShape(denseBias.shape) === '[1]'
  if (!fits) {
    throw malformed(`expected lstm kernels [${features}, 4 units], a bias [4 units] and a dense kernel [units, 1], got ${[kernel, bias, dense].map(({ shape }) => formatShape(shape)).join(', ')}`)
  }
  const x = network.value
  const weights = transpose(kernel)
  const gate = (index: number, name: string, op: string): string => {
    const rows = weights.data.subarray(index * units * features, (index + 1) * units * features)
    const parameters = {
      weight: network.constant(`lstm.${name}.weight`, new NdArray(rows, [units, features])),
      bias: network.constant(`lstm.${name}.bias`, new NdArray(bias.data.subarray(index * units, (index + 1) * units), [units])),
    }
    network.add('linear', [], {}, parameters, x)
    network.add(op)
    return network.value
  }
  const [input, output] = [gate(0, 'i', 'sigmoid'), gate(3, 'o', 'sigmoid')]
  gate(2, 'g', 'tanh')
  network.add('mul', [input])
  network.add('tanh')
  network.add('mul', [output])
  network.dense('dense', transpose(dense), denseBias)
}
