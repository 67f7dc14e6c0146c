// What each operator of ours is among Keras's layers.
import { bindFunction, type BoundFunction } from '../../ops/elementwise/functions.ts'
import { FUNCTION_NAMES } from '../../ops/elementwise/function-table.ts'
import { resolveAxis } from '../../ops/node/attributes.ts'
import { lengthOf, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { transposed } from '../turned.ts'
import { kerasActivation } from './activations.ts'
import type { KerasTensor } from './network.ts'
import type { LayerWriter, NodeLayers } from './node-layers.ts'
import { writeRecurrent } from './recurrent.ts'
import { WINDOW_LAYERS } from './windows.ts'

/** A product with a matrix [features, units], and a vector added to it. */
function dense(c: NodeLayers, kernel: ArrayLike, bias: ArrayLike | undefined): void {
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== kernel.shape[1])) throw c.unsupported('a bias that is no vector of its columns')
  c.only('Dense', {
    config: { units: kernel.shape[1], activation: 'linear', use_bias: bias !== undefined }, weights: { vars: bias === undefined ? [kernel] : [kernel, bias] },
  })
}

const linear: LayerWriter = (c) => dense(c, transposed(c.weight('weight') as ArrayLike), c.weight('bias'))

const gemm: LayerWriter<{ readonly alpha: number, readonly beta: number, readonly transA: boolean, readonly transB: boolean }> = (c) => {
  const { alpha, beta, transA, transB } = c.settings
  if (alpha !== 1 || beta !== 1 || transA) throw c.unsupported('alpha, beta or transA')
  const weight = c.fixed(1, 'a matrix')
  dense(c, transB ? transposed(weight) : weight, c.has(2) ? c.fixed(2, 'a bias') : undefined)
}

const matMul: LayerWriter = (c) => {
  const weight = c.fixed(1, 'a matrix')
  if (weight.shape.length !== 2) throw c.unsupported('a product with other things than one matrix')
  dense(c, weight, undefined)
}

function embedding(c: NodeLayers, table: ArrayLike, position: number): void {
  const attached = c.network.masks.ofIndices(c.node.inputs[position] as string)
  const config = { input_dim: table.shape[0], output_dim: table.shape[1], mask_zero: attached !== undefined }
  c.give(c.add('Embedding', [c.tensor(position)], c.outputType, { config, weights: { vars: [table] }, attached }))
}

/** The place of an axis that goes or comes, where it is the first one and the only one. */
function isFirstAxis(c: NodeLayers): boolean {
  const axes = c.value(1)
  const rank = Math.max(c.type(0).shape.length, c.outputType.shape.length)
  return axes?.data.length === 1 && ((axes.data[0] as number) + rank) % rank === 0
}

/** [batch, units] as a state [1, batch, units], and back. */
const unsqueeze: LayerWriter = (c) => (isFirstAxis(c) && c.type(0).shape.length === 2 ? c.lift([c.tensor(0)]) : reshape(c))
const squeeze: LayerWriter = (c) => {
  const states = c.lifted(0)
  if (states?.length === 1 && isFirstAxis(c)) c.give(states[0] as KerasTensor)
  else reshape(c)
}

/** A table whose rows are looked up, or the last step of a layer that gives all of them and is not asked for others. */
const gather: LayerWriter<number> = (c) => {
  const table = c.value(0)
  if (table?.shape.length === 2 && c.settings === 0 && table.dtype === 'float32') return embedding(c, table, 1)
  const index = c.value(1)
  const state = index?.shape.length === 0 && c.settings === 0 ? c.lifted(0)?.at(index.data[0] ?? 0) : undefined
  if (state !== undefined) return c.give(state)
  const isLast = index?.shape.length === 0 && index.data[0] === -1 && resolveAxis(c.node, c.settings, c.type(0).shape.length) === 1
  if (!isLast) throw c.unsupported('indices')
  takeLastStep(c)
}

/** [:, -1] and [:, -1:], where that is what `return_sequences` false gives. */
function takeLastStep(c: NodeLayers): void {
  const value = c.node.inputs[0] as string
  const layer = c.network.layers.find(({ name }) => name === c.network.tensors.get(value)?.layer)
  const isOwn = layer !== undefined && ['LSTM', 'GRU', 'SimpleRNN'].includes(layer.className) && layer.config.go_backwards === false && layer.config.zero_output_for_mask !== true && c.network.uses.get(value) === 1
  if (layer === undefined || !isOwn) throw c.unsupported('the last step of what is no recurrent layer that walks forwards, or of one whose other steps are wanted too')
  c.network.layers.splice(c.network.layers.indexOf(layer), 1, { ...layer, config: { ...layer.config, return_sequences: false } })
  c.give({ layer: layer.name, index: 0, ...c.outputType })
}

const activation: LayerWriter<BoundFunction> = (c) => {
  const bound = bindFunction(c.node.op, c.settings.alpha, c.settings.beta, c.node.op)
  const name = kerasActivation(bound)
  if (name !== undefined) return c.only('Activation', { config: { activation: name } })
  const { alpha, beta } = bound
  switch (bound.name) {
    case 'leakyRelu': return c.only('LeakyReLU', { config: { negative_slope: alpha } })
    case 'elu': return c.only('ELU', { config: { alpha } })
    case 'affine': return c.only('Rescaling', { config: { scale: alpha, offset: beta } })
    case 'thresholdedRelu': if (beta === 0) return c.only('ReLU', { config: { max_value: null, negative_slope: 0, threshold: alpha } })
      break
    case 'clipped': if (alpha === 0) return c.only('ReLU', { config: { max_value: beta, negative_slope: 0, threshold: 0 } })
      break
    case 'neg': return c.only('Rescaling', { config: { scale: -1, offset: 0 } })
    default:
  }
  throw c.unsupported('no layer of Keras computes it, with these constants')
}

const softmax = (name: string): LayerWriter<number> => (c) => {
  const rank = c.type(0).shape.length
  const axis = resolveAxis(c.node, c.settings, rank)
  if (axis === 0) throw c.unsupported('an axis that is the batch')
  if (axis === rank - 1) return c.only('Activation', { config: { activation: name } })
  if (name !== 'softmax' || c.tensor(0).mask !== undefined) throw c.unsupported('another axis than the last')
  c.only('Softmax', { config: { axis } })
}

const sameSize = (a: Dimension | undefined, b: Dimension | undefined): boolean => a !== undefined && a === b

const sameSizes = (a: SymbolicShape, b: SymbolicShape): boolean => a.length === b.length && a.every((size, axis) => size === b[axis])

/** Anything that keeps the elements in order and the batch in front. */
const reshape: LayerWriter = (c) => {
  const [from, to] = [c.type(0).shape, c.outputType.shape]
  if (sameSizes(from, to)) return c.give(c.tensor(0))
  const rest = to.slice(1)
  const open = rest.filter((size) => typeof size === 'string').length
  if (!sameSize(from[0], to[0]) || open > 1) throw c.unsupported(`a shape that moves the batch, or leaves two sizes open: [${from.join(', ')}] to [${to.join(', ')}]`)
  c.only('Reshape', { config: { target_shape: rest.map((size) => (typeof size === 'string' ? -1 : size)) } })
}

const transpose: LayerWriter = (c) => {
  const rank = c.type(0).shape.length
  const perm = (c.node.attributes.perm as readonly number[] | undefined) ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  if (perm[0] !== 0) throw c.unsupported('a transpose that moves the batch')
  c.only('Permute', { config: { dims: perm.slice(1) } })
}

const batchNormalization: LayerWriter<{ readonly epsilon: number, readonly channelsLast: boolean }> = (c) => {
  const vars = ['scale', 'bias', 'mean', 'variance'].map((what, n) => c.fixed(1 + n, `a ${what}`))
  c.only('BatchNormalization', { config: { axis: c.settings.channelsLast ? -1 : 1, momentum: 0.99, epsilon: c.settings.epsilon, center: true, scale: true }, weights: { vars } })
}

const layerNormalization: LayerWriter<{ readonly given: number, readonly epsilon: number }> = (c) => {
  const rank = c.type(0).shape.length
  const first = resolveAxis(c.node, c.settings.given, rank)
  if (first === 0) throw c.unsupported('an axis that is the batch')
  const axis = Array.from({ length: rank - first }, (_, n) => first + n)
  const vars = [c.fixed(1, 'a scale'), ...(c.has(2) ? [c.fixed(2, 'a bias')] : [])]
  c.only('LayerNormalization', { config: { axis, epsilon: c.settings.epsilon, center: vars.length === 2, scale: true }, weights: { vars } })
}

const broadcasts = (a: SymbolicShape, b: SymbolicShape): boolean => (
  a.length === b.length && a.every((size, axis) => size === b[axis] || size === 1 || b[axis] === 1)
)

/** The axis along which a constant has elements, if it is one only and not the batch. */
function alongOneAxis({ data, shape }: ArrayLike, whole: SymbolicShape): { readonly axis: number, readonly data: ArrayLike['data'] } | undefined {
  const lead = whole.length - shape.length
  const axes = shape.flatMap((size, n) => (size === 1 ? [] : [n + lead]))
  return axes.length === 1 && (axes[0] as number) > 0 && whole[axes[0] as number] === data.length ? { axis: axes[0] as number, data } : undefined
}

/** x times, or plus, a number for each index of an axis: what batch normalisation does with mean 0 and variance 1. */
function perChannel(c: NodeLayers, position: number, { axis, data }: { readonly axis: number, readonly data: ArrayLike['data'] }): void {
  const filled = (value: number): NdArray => new NdArray(new Float32Array(data.length).fill(value), [data.length])
  const own = new NdArray(data, [data.length])
  const vars = c.node.op === 'mul' ? [own, filled(0), filled(0), filled(1)] : [filled(1), own, filled(0), filled(1)]
  c.give(c.add('BatchNormalization', [c.tensor(position)], c.outputType, { config: { axis, momentum: 0.99, epsilon: 0, center: true, scale: true }, weights: { vars } }))
}

/** What a function of a tensor and a number is as scale x + offset; undefined where it is none. */
type Rescale = (value: number, isFirst: boolean) => { readonly scale: number, readonly offset: number } | undefined

/** A layer that merges tensors; with a number, Rescaling. */
const merging = (className: string, withNumber?: Rescale): LayerWriter => (c) => {
  const positions = c.node.inputs.map((_, n) => n)
  const fixed = positions.findIndex((n) => c.value(n) !== undefined)
  if (c.outputType.dtype !== 'float32') throw c.unsupported('arithmetic of whole numbers')
  if (fixed >= 0) {
    const value = c.value(fixed) as ArrayLike
    const vector = positions.length === 2 && (c.node.op === 'mul' || c.node.op === 'add') ? alongOneAxis(value, c.outputType.shape) : undefined
    if (vector !== undefined && sameSizes(c.type(1 - fixed).shape, c.outputType.shape)) return perChannel(c, 1 - fixed, vector)
    const rescaling = positions.length === 2 && lengthOf(value.shape) === 1 ? withNumber?.(value.data[0] as number, fixed === 0) : undefined
    if (rescaling === undefined) throw c.unsupported('arithmetic with a constant that is more than one number')
    return c.give(c.add('Rescaling', [c.tensor(1 - fixed)], c.outputType, { config: rescaling }))
  }
  if (positions.length === 1) return c.give(c.tensor(0))
  const [first, ...others] = positions.map((n) => c.type(n).shape) as [SymbolicShape, ...SymbolicShape[]]
  const isMasked = positions.some((n) => c.tensor(n).mask !== undefined)
  if (isMasked || className === '' || !others.every((other) => broadcasts(first, other))) throw c.unsupported('arithmetic of tensors with other numbers of axes')
  c.give(c.add(className, positions.map((n) => c.tensor(n)), c.outputType, { takesList: true }))
}

const multiply = merging('Multiply', (scale) => ({ scale, offset: 0 }))
const product: LayerWriter = (c) => {
  const masking = c.network.masks.ofProduct(c.node)
  if (masking === undefined) multiply(c)
  else c.only('Masking', { config: { mask_value: masking.value }, attached: masking.mask })
}

const concat: LayerWriter<number> = (c) => {
  const axis = resolveAxis(c.node, c.settings, c.outputType.shape.length)
  const states = c.node.inputs.map((_, n) => c.lifted(n))
  if (axis === 0 && states.every((one) => one !== undefined)) return c.lift(states.flat())
  if (axis === 0) throw c.unsupported('an axis that is the batch')
  if (c.node.inputs.some((_, n) => c.tensor(n).mask !== undefined)) throw c.unsupported('tensors with masks')
  c.give(c.add('Concatenate', c.node.inputs.map((_, n): KerasTensor => c.tensor(n)), c.outputType, { takesList: true, config: { axis } }))
}

/** How nodes of each operator are written. */
export function layerWriters(): Readonly<Record<string, LayerWriter<never>>> {
  return {
    ...Object.fromEntries(FUNCTION_NAMES.filter((name) => name !== 'linear').map((name) => [name, activation])),
    ...WINDOW_LAYERS,
    linear, gemm, matMul, gather, transpose, batchNormalization, layerNormalization, concat,
    embedding: (c: NodeLayers) => embedding(c, c.weight('weight') as ArrayLike, 0),
    softmax: softmax('softmax'), logSoftmax: softmax('log_softmax'),
    reshape, flatten: reshape, squeeze, unsqueeze,
    add: merging('Add', (offset) => ({ scale: 1, offset })), sum: merging('Add'), max: merging('Maximum'), min: merging('Minimum'),
    sub: merging('Subtract', (value, isFirst) => (isFirst ? { scale: -1, offset: value } : { scale: 1, offset: -value })),
    mul: product,
    div: merging('', (value, isFirst) => (isFirst ? undefined : { scale: 1 / value, offset: 0 })),
    dropout: (c: NodeLayers<number>) => c.only('Dropout', { config: { rate: c.settings, seed: null, noise_shape: null } }),
    identity: (c: NodeLayers) => c.give(c.tensor(0)),
    lstm: writeRecurrent, gru: writeRecurrent, rnn: writeRecurrent,
  }
}
