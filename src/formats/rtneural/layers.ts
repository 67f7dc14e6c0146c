// Layers of RTNeural's JSON, as its Python script writes them from Keras: https://github.com/jatinchowdhury18/RTNeural
//   { in_shape: [null, null, features], layers: [{ type, activation, shape: [null, null, units], weights }] }
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { isObject, type JsonObject } from '../json.ts'
import { arrayOf, transpose } from '../json-weights.ts'
import { malformedFile } from '../malformed.ts'
import type { Network } from './network.ts'

const malformed = malformedFile('RTNeural')

/** Activations by RTNeural's names. */
const ACTIVATIONS: Readonly<Record<string, string>> = { tanh: 'tanh', relu: 'relu', sigmoid: 'sigmoid', softmax: 'softmax', elu: 'elu' }

/** A layer: checked, and ready to be added to a network. */
export interface Layer {
  /** `layer 2 (dense)` */
  readonly label: string
  readonly type: string
  readonly activation: string
  readonly units: number
  readonly json: JsonObject
}

function isRecurrent(type: string): boolean {
  return type === 'lstm' || type === 'gru'
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 2 ** 24
}

/** The last of [null, null, size]. */
export function lastSize(shape: unknown, what: string): number {
  const size: unknown = Array.isArray(shape) ? shape.at(-1) : undefined
  if (!isSize(size)) throw malformed(`${what}: expected a shape that ends with a size >= 1, got ${Array.isArray(shape) ? JSON.stringify(shape).slice(0, 60) : describeValue(shape)}`)
  return size
}

/** @throws LstmError `FORMAT`; `UNSUPPORTED` listing all layers that are of another type or have another activation */
export function readLayers(list: unknown): Layer[] {
  if (!Array.isArray(list) || list.length === 0) throw malformed(`expected 'layers' to be a list of at least one, got ${describeValue(list)}`)
  const unsupported: string[] = []
  const layers = list.map((json: unknown, n): Layer => {
    if (!isObject(json) || typeof json.type !== 'string') throw malformed(`expected layer ${n} to be an object with a type, got ${describeValue(json)}`)
    const label = `layer ${n} (${json.type.slice(0, 40)})`
    const activation = json.activation ?? ''
    if (typeof activation !== 'string') throw malformed(`${label}: expected the activation as text, got ${describeValue(activation)}`)
    if (!Object.hasOwn(BUILDERS, json.type)) unsupported.push(`layer ${n} is of type ${describeValue(json.type)}`)
    else if (activation !== '' && activation !== 'linear' && !Object.hasOwn(ACTIVATIONS, activation)) {
      unsupported.push(`${label} has the activation ${describeValue(activation)}`)
    } else if (isRecurrent(json.type) && activation !== '' && activation !== 'tanh') {
      unsupported.push(`${label} has the activation ${describeValue(activation)}, RTNeural's ${json.type.toUpperCase()} has tanh`)
    }
    return { label, type: json.type, activation, units: lastSize(json.shape, label), json }
  })
  if (unsupported.length > 0) {
    throw new LstmError('UNSUPPORTED', `RTNeural: ${unsupported.slice(0, 50).join('; ')}; supported are ${Object.keys(BUILDERS).join(', ')} with ${Object.keys(ACTIVATIONS).join(', ')} or no activation`)
  }
  return layers
}

/** Adds a layer to a network. @returns its features */
export function addLayer(network: Network, layer: Layer, features: number): number {
  const build = BUILDERS[layer.type] as Builder
  build(network, layer, features, new LayerWeights(layer))
  // That of a recurrent layer is inside it; that of a PReLU is the PReLU.
  if (!isRecurrent(layer.type) && Object.hasOwn(ACTIVATIONS, layer.activation)) network.add(ACTIVATIONS[layer.activation] as string)
  return layer.units
}

/** A layer's weights, each with the shape it must have. */
class LayerWeights {
  readonly #layer: Layer
  readonly #list: readonly unknown[]

  constructor(layer: Layer) {
    this.#layer = layer
    const weights = layer.json.weights ?? []
    if (!Array.isArray(weights)) throw malformed(`${layer.label}: expected 'weights' to be a list, got ${describeValue(weights)}`)
    this.#list = weights
  }

  /** @throws LstmError `FORMAT` unless there are so many, or one of these numbers */
  expect(...counts: readonly number[]): void {
    if (!counts.includes(this.#list.length)) throw malformed(`${this.#layer.label}: expected ${counts.join(' or ')} weights, got ${this.#list.length}`)
  }

  get count(): number {
    return this.#list.length
  }

  at(index: number, what: string, ...shape: readonly number[]): NdArray<'float32'> {
    return arrayOf(this.#list[index], `RTNeural: ${this.#layer.label} with ${this.#layer.units} units: its ${what}`, shape)
  }

  raw(index: number): unknown {
    return this.#list[index]
  }
}

type Builder = (network: Network, layer: Layer, features: number, weights: LayerWeights) => void

function requireSame({ label, units }: Layer, features: number): void {
  if (units !== features) throw malformed(`${label}: expected as many features as come in, ${features}, got ${units}`)
}

/** kernel [features, units], bias [units] */
const dense: Builder = (network, { label, units }, features, weights) => {
  weights.expect(1, 2)
  network.dense(label, transpose(weights.at(0, 'kernel', features, units)), weights.count === 2 ? weights.at(1, 'bias', units) : undefined)
}

/** A number of a layer that may stand in a list: `"dilation": [2]`. */
function setting({ json, label }: Layer, name: string, otherwise?: number): number {
  const value: unknown = Array.isArray(json[name]) ? (json[name] as unknown[])[0] : json[name] ?? otherwise
  if (!isSize(value)) throw malformed(`${label}: expected a whole number >= 1 for '${name}', got ${describeValue(value)}`)
  return value
}

/** Gates z, r, h along the first axis -> r, z, h. */
function resetFirst({ data, shape }: NdArray<'float32'>): NdArray<'float32'> {
  const block = data.length / 3
  const result = data.slice()
  result.set(data.subarray(block, 2 * block))
  result.set(data.subarray(0, block), block)
  return new NdArray(result, shape)
}

const BUILDERS: Readonly<Record<string, Builder>> = {
  'dense': dense,
  'time-distributed-dense': dense,
  /** kernel [features, 4 units], recurrent kernel [units, 4 units], bias [4 units]; gates i, f, c, o. */
  'lstm': (network, { units }, features, weights) => {
    weights.expect(2, 3)
    network.recurrent('lstm', [{
      inputWeights: transpose(weights.at(0, 'kernel', features, 4 * units)),
      recurrentWeights: transpose(weights.at(1, 'recurrent kernel', units, 4 * units)),
      biases: weights.count === 3 ? [weights.at(2, 'bias', 4 * units)] : [],
    }])
  },
  /** kernel [features, 3 units], recurrent kernel [units, 3 units], biases [2, 3 units]; gates z, r, h, the reset after the recurrent product. */
  'gru': (network, { units }, features, weights) => {
    weights.expect(2, 3)
    const biases = weights.count === 3 ? weights.at(2, 'biases', 2, 3 * units) : undefined
    const rows = biases === undefined ? [] : [biases.data.subarray(0, 3 * units), biases.data.subarray(3 * units)]
    network.recurrent('gru', [{
      inputWeights: resetFirst(transpose(weights.at(0, 'kernel', features, 3 * units))),
      recurrentWeights: resetFirst(transpose(weights.at(1, 'recurrent kernel', units, 3 * units))),
      biases: rows.map((row) => resetFirst(new NdArray(row, [3 * units]))),
    }])
  },
  'activation': (_, layer, features) => requireSame(layer, features),
  /** Slopes [..., 1 or features] below 0. */
  'prelu': (network, layer, features, weights) => {
    requireSame(layer, features)
    weights.expect(1)
    let slopes = weights.raw(0)
    while (Array.isArray(slopes) && slopes.length === 1 && Array.isArray(slopes[0])) slopes = slopes[0] as unknown
    const found = arrayOf(slopes, `RTNeural: ${layer.label}: its slopes`)
    if (found.shape.length !== 1 || (found.length !== 1 && found.length !== features)) throw malformed(`${layer.label}: expected 1 or ${features} slopes, got ${found.length}`)
    const input = network.value
    network.add('relu')
    const positive = network.value
    network.add('sub', [positive], {}, {}, input)
    network.add('mul', [network.constant(`${layer.label}.slopes`, found)])
    network.add('add', [positive])
  },
  /** kernel [window, features / groups, units], bias [units]; causal: the past is zeros. */
  'conv1d': (network, layer, features, weights) => {
    weights.expect(1, 2)
    const [window, dilation, groups] = [setting(layer, 'kernel_size'), setting(layer, 'dilation', 1), setting(layer, 'groups', 1)]
    if (features % groups !== 0 || layer.units % groups !== 0) throw malformed(`${layer.label}: ${groups} groups do not divide ${features} features and ${layer.units} units`)
    const perGroup = features / groups
    const kernel = weights.at(0, 'kernel', window, perGroup, layer.units)
    // [window, features, units] -> [units, features, window]
    const turned = new Float32Array(kernel.length)
    for (let n = 0; n < kernel.length; n++) {
      const [unit, feature, step] = [n % layer.units, Math.floor(n / layer.units) % perGroup, Math.floor(n / (layer.units * perGroup))]
      turned[(unit * perGroup + feature) * window + step] = kernel.data[n] as number
    }
    const inputs = [network.constant(`${layer.label}.kernel`, new NdArray(turned, [layer.units, perGroup, window]))]
    if (weights.count === 2) inputs.push(network.constant(`${layer.label}.bias`, weights.at(1, 'bias', layer.units)))
    network.add('conv', inputs, { pads: [(window - 1) * dilation, 0], dilations: [dilation], group: groups, channelsLast: true })
  },
  /** gain and shift, where it has them, mean and variance; all [features]. */
  'batchnorm': (network, layer, features, weights) => {
    requireSame(layer, features)
    weights.expect(2, 4)
    const epsilon = layer.json.epsilon ?? 0.001
    if (typeof epsilon !== 'number' || !(epsilon >= 0)) throw malformed(`${layer.label}: expected a number for 'epsilon', got ${describeValue(epsilon)}`)
    const moments = ['mean', 'variance'].map((what, n) => weights.at(weights.count - 2 + n, what, features))
    const affine = weights.count === 4
      ? [weights.at(0, 'gamma', features), weights.at(1, 'beta', features)]
      : [new NdArray(new Float32Array(features).fill(1), [features]), new NdArray(new Float32Array(features), [features])]
    const inputs = [...affine, ...moments].map((array, n) => network.constant(`${layer.label}.${n}`, array))
    network.add('batchNormalization', inputs, { epsilon, channelsLast: true })
  },
}
