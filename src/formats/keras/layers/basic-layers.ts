// Dense, Embedding, Masking, activations, normalisation, and layers that do nothing at inference.
import { lengthOf, type Dimension } from '../../../values/shape.ts'
import { NdArray } from '../../../values/ndarray.ts'
import { activationLayer, emitActivation, readActivation } from './activation.ts'
import { transposed, type Emitter } from '../emitter.ts'
import { notSupported, onlyInput, wordsOf, type KerasTensor, type LayerCall, type LayerKind } from '../layer-call.ts'
import { loraOf } from '../lora.ts'
import { isList } from '../../json.ts'
import { quantizationOf } from '../policies.ts'
import { quantizedKernel, quantizedTable } from '../quantized.ts'
import { malformed, type Settings } from '../settings.ts'

/** x as it is: noise acts in training only. */
export const identity: LayerKind = {
  build: (call) => [onlyInput(call)],
}

/** The same, with the rate: who trains the model drops elements. */
export const dropout: LayerKind = {
  build(call) {
    const { layer: { settings }, emit, path } = call
    const x = onlyInput(call)
    const rate = settings.number('rate', 0)
    if (!emit.isFloat(x.value) || !(rate > 0 && rate <= 1)) return [x]
    const value = emit.node(path, 'dropout', [x.value], { rate })
    emit.takenMasks.same(value, x.value)
    return [{ value, mask: x.mask }]
  },
}

export const dense: LayerKind = {
  unsupported: ({ settings }, dialect) => wordsOf(() => readActivation(settings.json('activation'), dialect, 'activation')),
  build(call) {
    const { layer, emit, path, dialect } = call
    const { settings } = layer
    const x = onlyInput(call)
    const quantization = quantizationOf(layer)
    const { weight, bias } = quantization === undefined ? trainedKernel(call) : quantizedKernel(call, quantization, emit.shapeOf(x.value).at(-1))
    const linear = emit.node(path, 'linear', [x.value], {}, {
      weight,
      ...(bias !== undefined && { bias: emit.constant(`${path}/bias`, bias) }),
    })
    const activation = readActivation(settings.json('activation'), dialect, settings.what)
    return [{ value: emitActivation(call, activation, linear), mask: x.mask }]
  },
}

/** The kernel of a dense layer as a constant [outputs, inputs], and its bias. */
function trainedKernel(call: LayerCall): { weight: string, bias: NdArray | undefined } {
  const { layer: { settings }, emit, path, weights } = call
  const [kernel, bias] = weights.take(['kernel', ...(settings.flag('use_bias', true) ? ['bias'] : [])], settings.what)
  if (kernel?.shape.length !== 2) throw malformed(`${settings.what}: expected a kernel with two axes`)
  const lora = loraOf(call, 'kernel')
  return { weight: emit.constant(`${path}/weight`, kernel, (array) => transposed(lora(array))), bias }
}

/** The table of an embedding as a constant. */
function trainedTable(call: LayerCall): string {
  const { layer, emit, path, weights } = call
  const [table] = weights.take(['embeddings'], layer.settings.what) as [NdArray]
  return emit.constant(`${path}/weight`, table, loraOf(call, 'embeddings'))
}

export const embedding: LayerKind = {
  build(call) {
    const { layer, emit, path } = call
    const x = onlyInput(call)
    const quantization = quantizationOf(layer)
    const weight = quantization === undefined ? trainedTable(call) : quantizedTable(call, quantization)
    const value = emit.node(path, 'embedding', [indices(call, x.value)], {}, { weight })
    if (!layer.settings.flag('mask_zero', false)) return [{ value, mask: undefined }]
    const isPadding = emit.node(`${path}/padding`, 'equal', [indices(call, x.value), emit.integer(0)])
    return [{ value, mask: emit.node(`${path}/mask`, 'not', [isPadding]) }]
  },
}

/** Indices that the model was given as numbers of another type. */
function indices({ emit, path }: LayerCall, value: string): string {
  return emit.whole(`${path}/indices`, value)
}

export const masking: LayerKind = {
  build(call) {
    const { layer, emit, path } = call
    const x = onlyInput(call)
    const differs = emit.node(`${path}/differs`, 'not', [
      emit.node(`${path}/equal`, 'equal', [x.value, emit.number(layer.settings.number('mask_value', 0))]),
    ])
    const any = emit.node(`${path}/any`, 'reduceMax', [emit.node(`${path}/float`, 'cast', [differs], { to: 'float32' }), emit.integers(-1)], { keepdims: true })
    const value = emit.node(path, 'mul', [x.value, any])
    const mask = emit.node(`${path}/mask`, 'cast', [emit.node(`${path}/steps`, 'squeeze', [any, emit.integers(-1)])], { to: 'uint8' })
    return [{ value, mask }]
  },
}

export const activation: LayerKind = {
  unsupported: ({ className, settings }, dialect) => wordsOf(() => activationLayer(className, settings, dialect)),
  build(call) {
    const { layer, dialect } = call
    const { settings } = layer
    const x = onlyInput(call)
    const known = activationLayer(layer.className, settings, dialect)
    const value = known === undefined ? emitRelu(call, x.value) : emitActivation(call, known, x.value)
    return [{ value, mask: x.mask }]
  },
}

/** ReLU with all its settings: max_value above, x from the threshold on, negative_slope (x - threshold) below it. */
function emitRelu({ layer, emit, path }: LayerCall, x: string): string {
  const { settings } = layer
  const slope = settings.number('negative_slope', 0)
  const threshold = settings.number('threshold', 0)
  const limit = settings.json('max_value') === undefined ? undefined : settings.number('max_value')
  // thresholdedRelu is x above the threshold: at it, Keras gives x as well.
  const isBelow = emit.node(`${path}/below`, 'less', [x, emit.number(threshold)])
  const above = limit === undefined ? x : emit.node(`${path}/limited`, 'min', [x, emit.number(limit)])
  const below = emit.node(`${path}/slope`, 'mul', [emit.node(`${path}/shifted`, 'sub', [x, emit.number(threshold)]), emit.number(slope)])
  return emit.node(path, 'where', [isBelow, below, above])
}

export const softmax: LayerKind = {
  build(call) {
    const { layer, emit, path, dialect } = call
    const x = onlyInput(call)
    const axes = lastAxes(layer.settings, emit.rankOf(x.value), 'axis')
    const valid = x.mask === undefined ? undefined : emit.truth(`${path}/valid`, x.mask)
    const value = valid === undefined ? x.value : emitHidden(call, x.value, valid)
    const result = emitSoftmax(call, value, axes)
    return [{ value: valid === undefined || !dialect.softmaxZeros ? result : emit.node(`${path}/zeroed`, 'where', [valid, result, emit.number(0)]), mask: x.mask }]
  },
}

function emitSoftmax({ emit, path }: LayerCall, x: string, axes: readonly number[]): string {
  if (axes.length === 1) return emit.node(path, 'softmax', [x], { axis: axes[0] as number })
  const all = emit.node(`${path}/all`, 'reduceLogSumExp', [x, emit.integers(...axes)], { keepdims: true })
  return emit.node(path, 'exp', [emit.node(`${path}/log`, 'sub', [x, all])])
}

/**
 * -1e9 is added where the mask says so.
 * @throws LstmError `UNSUPPORTED` for masks that Keras itself cannot add: along the last axes they fit by chance at best
 */
function emitHidden({ emit, path, layer }: LayerCall, x: string, valid: string): string {
  const [own, given] = [emit.shapeOf(x), emit.shapeOf(valid)]
  const fits = own.length === given.length && given.every((size, axis) => size === 1 || size === own[axis] || typeof size === 'string' || typeof own[axis] === 'string')
  if (!fits) {
    throw notSupported(`${layer.settings.what}: a mask [${given.join(', ')}] of [${own.join(', ')}], which has other axes: Keras wants one that broadcasts, such as ops.expand_dims(mask, -1) for an axis of 1`)
  }
  return emit.node(`${path}/hidden`, 'add', [x, emit.node(`${path}/adder`, 'where', [valid, emit.number(0), emit.number(-1e9)])])
}

/** Axes, negative ones counted from the end; default the last. */
export function lastAxes(settings: Settings, rank: number, key: string): number[] {
  return settings.integers(key, [-1]).map((axis) => {
    const positive = axis < 0 ? axis + rank : axis
    if (positive < 0 || positive >= rank) throw settings.wrong(key, `axes of ${rank}`, axis)
    return positive
  })
}

export const prelu: LayerKind = {
  build(call) {
    const { layer, emit, path, weights } = call
    const x = onlyInput(call)
    const [alpha] = weights.take(['alpha'], layer.settings.what) as [NdArray]
    const positive = emit.node(`${path}/positive`, 'relu', [x.value])
    const negative = emit.node(`${path}/negative`, 'min', [x.value, emit.number(0)])
    const sloped = emit.node(`${path}/sloped`, 'mul', [negative, emit.constant(`${path}/alpha`, alpha)])
    return [{ value: emit.node(path, 'add', [positive, sloped]), mask: x.mask }]
  },
}

/** A list of numbers along one axis of `rank`, for broadcasting. */
function along(numbers: Float32Array, axis: number, rank: number): NdArray {
  return new NdArray(numbers, axis === rank - 1 ? [numbers.length] : [numbers.length, ...Array.from({ length: rank - 1 - axis }, () => 1)])
}

/** gamma (x - mean) / sqrt(variance + epsilon) + beta, with fixed mean and variance: a product and a sum. */
export const batchNormalization: LayerKind = {
  build(call) {
    const { layer, emit, path, weights } = call
    const { settings } = layer
    const x = onlyInput(call)
    const rank = emit.rankOf(x.value)
    const [axis, ...more] = lastAxes(settings, rank, 'axis') as [number]
    if (more.length > 0) throw notSupported(`${settings.what}: several axes`)
    const [scales, centers] = [settings.flag('scale', true), settings.flag('center', true)]
    const names = [...(scales ? ['gamma'] : []), ...(centers ? ['beta'] : []), 'moving_mean', 'moving_variance']
    const tensors = new Map(weights.take(names, settings.what).map((tensor, index) => [names[index], tensor]))
    const mean = tensors.get('moving_mean') as NdArray
    const epsilon = settings.number('epsilon', 1e-3)
    const at = (name: string, index: number, otherwise: number): number => tensors.get(name)?.data[index] ?? otherwise
    const scale = Float32Array.from(mean.data, (_, n) => at('gamma', n, 1) / Math.sqrt(at('moving_variance', n, 1) + epsilon))
    const shift = Float32Array.from(mean.data, (value, n) => at('beta', n, 0) - value * (at('gamma', n, 1) / Math.sqrt(at('moving_variance', n, 1) + epsilon)))
    const scaled = emit.node(`${path}/scaled`, 'mul', [x.value, emit.constant(`${path}/scale`, along(scale, axis, rank))])
    return [{ value: emit.node(path, 'add', [scaled, emit.constant(`${path}/shift`, along(shift, axis, rank))]), mask: x.mask }]
  },
}

export const layerNormalization: LayerKind = {
  unsupported: ({ settings }) => (settings.flag('rms_scaling', false) ? ['rms_scaling'] : []),
  build(call) {
    const { layer, emit, path, weights } = call
    const { settings } = layer
    const x = onlyInput(call)
    const rank = emit.rankOf(x.value)
    const axes = lastAxes(settings, rank, 'axis').sort((a, b) => a - b)
    const first = axes[0] as number
    if (axes.some((axis, index) => axis !== first + index) || axes.at(-1) !== rank - 1) {
      throw notSupported(`${settings.what}: axes that are not the last ones`)
    }
    const [scales, centers] = [settings.flag('scale', true), settings.flag('center', true)]
    const tensors = weights.take([...(scales ? ['gamma'] : []), ...(centers ? ['beta'] : [])], settings.what)
    const gamma = scales ? tensors[0] as NdArray : ones(tensors[0], emit.shapeOf(x.value).slice(first), call)
    const beta = centers ? tensors.at(-1) : undefined
    const inputs = [x.value, emit.constant(`${path}/gamma`, gamma), ...(beta === undefined ? [] : [emit.constant(`${path}/beta`, beta)])]
    return [{ value: emit.node(path, 'layerNormalization', inputs, { axis: first, epsilon: settings.number('epsilon', 1e-3) }), mask: x.mask }]
  },
}

function ones(like: NdArray | undefined, sizes: readonly Dimension[], { layer }: LayerCall): NdArray {
  const shape = like?.shape ?? sizes
  if (!shape.every((size) => typeof size === 'number')) throw notSupported(`${layer.settings.what}: an axis of unknown size without weights`)
  return new NdArray(new Float32Array(lengthOf(shape)).fill(1), shape)
}

/** x / |x| along the last axis, or those given. */
export const unitNormalization: LayerKind = {
  build(call) {
    const { layer, emit, path } = call
    const x = onlyInput(call)
    return [{ value: emitUnit(emit, path, x.value, lastAxes(layer.settings, emit.rankOf(x.value), 'axis')), mask: x.mask }]
  },
}

/** x / sqrt(max(sum x^2, 1e-12)), as TensorFlow's l2_normalize. */
export function emitUnit(emit: Emitter, path: string, x: string, axes: readonly number[]): string {
  const squares = emit.node(`${path}/squares`, 'reduceSum', [emit.node(`${path}/square`, 'square', [x]), emit.integers(...axes)], { keepdims: true })
  const length = emit.node(`${path}/length`, 'sqrt', [emit.node(`${path}/bounded`, 'max', [squares, emit.number(1e-12)])])
  return emit.node(path, 'div', [x, length])
}

/** scale x + offset; either may be a list along the last axis. */
export const rescaling: LayerKind = {
  build(call) {
    const { layer, emit, path } = call
    const x = onlyInput(call)
    const numbers = (key: string, otherwise: number): string => {
      const value = layer.settings.json(key)
      if (!isList(value)) return emit.number(layer.settings.number(key, otherwise))
      if (!value.every((number) => typeof number === 'number')) throw layer.settings.wrong(key, 'numbers', value)
      return emit.constant(`${path}/${key}`, new NdArray(Float32Array.from(value), [value.length]))
    }
    const scaled = emit.node(`${path}/scaled`, 'mul', [x.value, numbers('scale', 1)])
    const result: KerasTensor = { value: emit.node(path, 'add', [scaled, numbers('offset', 0)]), mask: x.mask }
    return [result]
  },
}

/** The least deviation that is divided by. */
const LEAST_DEVIATION = 1e-7

/** (x - mean) / sqrt(variance) along some axes, with mean and variance of the data or as they are given; or the other way round. */
export const normalization: LayerKind = {
  build(call) {
    const { layer, emit, path, weights } = call
    const { settings } = layer
    const x = onlyInput(call)
    const shape = emit.shapeOf(x.value)
    const kept = settings.has('axis') && settings.json('axis') === undefined ? [] : lastAxes(settings, shape.length, 'axis')
    const sizes = shape.map((size, axis) => (kept.includes(axis) ? size : 1))
    if (!sizes.every((size) => typeof size === 'number')) throw notSupported(`${settings.what}: an axis of unknown size`)
    const isGiven = settings.json('mean') !== undefined
    const own = isGiven ? ['mean', 'variance'].map((key) => numbersOf(settings, key)) : weights.take(['mean', 'variance', 'count'], settings.what)
    const spread = ({ data }: { readonly data: ArrayLike<number> }): number[] => {
      if (data.length !== 1 && data.length !== lengthOf(sizes)) throw malformed(`${settings.what}: expected ${lengthOf(sizes)} means and variances, got ${data.length}`)
      return Array.from({ length: lengthOf(sizes) }, (_, n) => data[data.length === 1 ? 0 : n] as number)
    }
    const [mean, variance] = own.slice(0, 2).map(spread) as [number[], number[]]
    const constant = (name: string, values: readonly number[]): string => emit.constant(`${path}/${name}`, new NdArray(Float32Array.from(values), sizes))
    const deviation = constant('deviation', variance.map((value) => Math.max(Math.sqrt(value), LEAST_DEVIATION)))
    const value = settings.flag('invert', false)
      ? emit.node(path, 'add', [emit.node(`${path}/scaled`, 'mul', [x.value, deviation]), constant('mean', mean)])
      : emit.node(path, 'div', [emit.node(`${path}/centred`, 'sub', [x.value, constant('mean', mean)]), deviation])
    return [{ value, mask: x.mask }]
  },
}

/** Numbers of a setting, however they are nested. */
function numbersOf(settings: Settings, key: string): { readonly data: readonly number[] } {
  const data = [settings.json(key)].flat(8)
  if (!data.every((value) => typeof value === 'number')) throw settings.wrong(key, 'numbers', settings.json(key))
  return { data }
}
