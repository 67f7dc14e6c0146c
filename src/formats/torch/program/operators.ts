// What each operator of PyTorch becomes. Arguments stand as in its schema: aten/src/ATen/native/native_functions.yaml of PyTorch.
import { RECURRENT, type RecurrentOp } from '../../../ops/recurrent/kinds.ts'
import { NdArray } from '../../../values/ndarray.ts'
import { recurrentTensors } from '../../pytorch-names.ts'
import { axisOf, hasZeros, integer, numberOf, shapeOf, single, type Emitter } from './arguments.ts'
import { CELL_CALLS, CHUNKS, EXTREMES, NamedTensor, NotFollowed, RECURRENT_CALLS, SIZES, Value, type Arg, type Call } from './calls.ts'
import { cell } from './cells.ts'
import type { Emission } from './emission.ts'
import { FUNCTIONS, IDENTITIES } from './functions.ts'
import { expand, filled, repeat, view } from './sizes.ts'
import { groupNorm, pad, pool } from './windows.ts'

/** The values that a call is made of. */
export function needsOf(e: Emission, { op, args, named }: Call): Value[] {
  const own = (Object.hasOwn(RECURRENT_CALLS, op) || Object.hasOwn(CELL_CALLS, op)) && hasZeros(e, args[1]) ? args.filter((_, n) => n !== 1) : args
  const found: Value[] = []
  const waiting: Arg[] = [...own, ...named.values()]
  for (let arg = waiting.pop(); waiting.length > 0 || arg !== undefined; arg = waiting.pop()) {
    const maker = e.producer(arg)
    // Of a size, the tensor whose it is.
    if (maker !== undefined && SIZES.includes(maker.op)) waiting.push(maker.args[0])
    else if (arg instanceof Value) found.push(arg)
    else if (Array.isArray(arg)) waiting.push(...arg as readonly Arg[])
  }
  return found
}

function checkDropout({ args }: Call): void {
  if (args[2] === true && args[1] !== 0) throw new NotFollowed('was saved in training mode (model.eval() is missing)')
}

const recurrent: Emitter = (e, call) => {
  const [op, activation] = RECURRENT_CALLS[call.op] as readonly [RecurrentOp, string?]
  const [x, initial, params, hasBias, layers, dropout, training, both, batchFirst] = call.args
  // Sequences that are packed have their lengths in the place of the states.
  if (!Array.isArray(params) || typeof batchFirst !== 'boolean') throw new NotFollowed('has a packed sequence')
  if (training === true && dropout !== 0) throw new NotFollowed('was saved in training mode (model.eval() is missing)')
  const weights = params as readonly Arg[]
  const [numLayers, bidirectional] = [integer(layers), both === true]
  const [hidden = 0, inputSize = 0] = shapeOf(weights[0])
  const { gates, states } = RECURRENT[op]
  const last = shapeOf(weights.at(-1))
  const projSize = weights.length === numLayers * (bidirectional ? 2 : 1) * (hasBias === true ? 5 : 3) ? last[0] : undefined
  const hiddenSize = hidden / gates
  if (numLayers > weights.length) throw new NotFollowed(`has ${weights.length} weights of ${call.op} for ${numLayers} layers`)
  const specs = recurrentTensors(op, { inputSize, hiddenSize, numLayers, bidirectional, bias: hasBias === true, projSize })
  if (specs.length !== weights.length) throw new NotFollowed(`has ${weights.length} weights of ${call.op}, where ${specs.length} are expected`)
  const given = hasZeros(e, initial) ? [] : (Array.isArray(initial) ? initial as readonly Arg[] : [initial]).map((state) => e.tensor(state))
  const directions = bidirectional ? 2 : 1
  return e.node(call, op, [e.tensor(x), ...given], {
    hiddenSize, numLayers, direction: bidirectional ? 'bidirectional' : 'forward', returnSequences: true,
    ...(!batchFirst && { timeMajor: true }), ...(projSize !== undefined && { projSize }),
    ...(activation !== undefined && { activations: Array.from({ length: directions }, () => activation) }),
  }, Object.fromEntries(specs.map(({ role }, n) => [role, e.weight(weights[n])])), 1 + states.length)
}

const convolution: Emitter = (e, call) => {
  const [x, weight, bias, stride, padding, dilation, ...rest] = call.args
  const [transposed, groups] = call.op === 'conv1d' || call.op === '_convolution_mode' ? [false, rest[0]] : [rest[0], rest[2]]
  if (transposed === true) throw new NotFollowed('has a transposed convolution')
  const pad = typeof padding === 'string' ? 0 : single(padding, 0)
  if (typeof padding === 'string' && padding !== 'same' && padding !== 'valid') throw new NotFollowed(`has the padding ${padding}`)
  return e.node(call, 'conv', [e.tensor(x), e.weight(weight), ...(bias instanceof NamedTensor ? [e.weight(bias)] : [])], {
    strides: [single(stride, 1)], dilations: [single(dilation, 1)], group: single(groups, 1),
    ...(padding === 'same' ? { autoPad: 'SAME_UPPER' } : { pads: [pad, pad] }),
  })
}

/** Weight and bias of a normalisation over so many elements, ones and zeros where it has none. */
function scaleOf(e: Emission, weight: Arg, bias: Arg, shape: readonly number[]): [string, string] {
  const length = shape.reduce((product, size) => product * size, 1)
  const filled = (arg: Arg, value: number): string => {
    if (arg instanceof NamedTensor) return e.weight(arg)
    e.budget.copy(length, 4 * length, 'torch: a normalisation')
    return e.constant(new NdArray(new Float32Array(length).fill(value), shape))
  }
  return [filled(weight, 1), filled(bias, 0)]
}

const arithmetic = (op: string): Emitter => (e, call) => {
  const factor = call.args[2] ?? call.named.get('alpha') ?? 1
  if (factor !== 1 || call.named.has('rounding_mode')) throw new NotFollowed(`has torch.${call.op} with alpha or a rounding mode`)
  return e.node(call, op, [e.float(call.args[0]), e.float(call.args[1])])
}

const softmax = (op: string): Emitter => (e, call) => {
  const x = e.tensor(call.args[0])
  return e.node(call, op, [x], { axis: axisOf(call.args[1], e.shape(x).length) })
}

/** Axes of one element that go, or come. */
function reshaped(e: Emission, call: Call, op: 'squeeze' | 'unsqueeze', x: string, axes: readonly number[]): string | readonly string[] {
  return axes.length === 0 ? x : e.node(call, op, [x, e.integers(...axes)])
}

/** Over the axes that are named, or all of them. */
const reduction = (op: string): Emitter => (e, call) => {
  const x = e.tensor(call.args[0])
  const axes = call.args[1] ?? []
  const named = (Array.isArray(axes) ? axes as readonly Arg[] : [axes]).map((axis) => axisOf(axis, e.shape(x).length))
  return e.node(call, op, [x, ...(named.length > 0 ? [e.integers(...named)] : [])], { keepdims: call.args[2] === true })
}

/** The mean of squares of what is apart from the mean, by one less than how many there are unless it says otherwise; of `root`, the root. */
const variance = (root: boolean): Emitter => (e, call) => {
  const x = e.tensor(call.args[0])
  const shape = e.shape(x)
  const [, second, third, fourth] = call.args
  const given = typeof second === 'boolean' || second === undefined || second === null ? [] : (Array.isArray(second) ? second as readonly Arg[] : [second])
  const axes = (given.length > 0 ? given : shape.map((_, axis) => axis)).map((axis) => axisOf(axis, shape.length))
  const unbiased = typeof second === 'boolean' ? second : third ?? call.named.get('unbiased') ?? true
  const correction = call.named.get('correction') ?? Number(unbiased)
  const keepdims = (typeof second === 'boolean' ? third : fourth ?? call.named.get('keepdim')) === true
  const count = axes.reduce((product, axis) => product * Number(shape[axis]), 1)
  if (typeof correction !== 'number' || (correction !== 0 && !(count > correction))) throw new NotFollowed(`has torch.${call.op} of an unknown number of elements, which it divides by less 1`)
  const [along, mean] = [e.integers(...axes), (value: string, keeps: boolean) => e.node(call, 'reduceMean', [value, along], { keepdims: keeps })]
  const [squares] = e.node(call, 'square', e.node(call, 'sub', [x, ...mean(x, true)])) as [string]
  const [of] = mean(squares, keepdims) as [string]
  const [corrected] = correction === 0 ? [of] : e.node(call, 'mul', [of, e.constant(new NdArray(Float32Array.of(count / (count - correction)), []))])
  return root ? e.node(call, 'sqrt', [corrected as string]) : corrected as string
}

/** The largest or smallest of two tensors; or along an axis, and where it is. */
const extreme = (op: 'max' | 'min'): Emitter => (e, call) => {
  const [x, axis, keeps] = call.args
  const value = e.tensor(x)
  if (call.results.length === 1) return axis === undefined ? e.node(call, op === 'max' ? 'reduceMax' : 'reduceMin', [value], { keepdims: false }) : e.node(call, op, [e.float(x), e.float(axis)])
  const at = axisOf(axis, e.shape(value).length)
  const keepdims = keeps === true
  return [
    ...e.node(call, op === 'max' ? 'reduceMax' : 'reduceMin', [value, e.integers(at)], { keepdims }),
    ...e.node(call, op === 'max' ? 'argMax' : 'argMin', [value], { axis: at, keepdims }),
  ]
}

const product: Emitter = (e, call) => e.node(call, 'matMul', [e.tensor(call.args[0]), e.tensor(call.args[1])])

/** Arguments that some of these read by name; all others stand at their places. */
export const READ_BY_NAME: readonly string[] = ['alpha', 'approximate', 'correction', 'keepdim', 'rounding_mode', 'unbiased']

/** The nodes of each operator: the name of its result, or of all. */
export const EMITTERS: Readonly<Record<string, Emitter>> = {
  ...Object.fromEntries(Object.entries(FUNCTIONS).map(([name, { op, alpha, beta, must = {} }]): [string, Emitter] => [name, (e, call) => {
    const constants = Object.entries({ alpha, beta }).flatMap(([constant, known]) => (
      known === undefined ? [] : [[constant, known[0] === undefined ? known[1] : numberOf(call.args[known[0]], known[1])] as const]
    ))
    for (const [position, value] of Object.entries(must)) {
      if ((call.args[Number(position)] ?? value) !== value) throw new NotFollowed(`has torch.${name} with ${JSON.stringify(call.args[Number(position)])}`)
    }
    return e.node(call, op, [e.tensor(call.args[0])], Object.fromEntries(constants))
  }])),
  ...Object.fromEntries(IDENTITIES.map((name): [string, Emitter] => [name, (e, call) => {
    if (name.includes('dropout')) checkDropout(call)
    return e.tensor(call.args[0])
  }])),
  dropout(e, call) {
    checkDropout(call)
    const [x, rate] = [e.tensor(call.args[0]), numberOf(call.args[1], 0)]
    return rate > 0 && rate <= 1 ? e.node(call, 'dropout', [x], { rate }) : x
  },
  gelu: (e, call) => e.node(call, (call.named.get('approximate') ?? call.args[1]) === 'tanh' ? 'geluTanh' : 'gelu', [e.tensor(call.args[0])]),
  lstm_cell: cell, gru_cell: cell, rnn_tanh_cell: cell, rnn_relu_cell: cell,
  avg_pool1d: pool('averagePool'), max_pool1d: pool('maxPool'), pad, group_norm: groupNorm, view, reshape: view,
  constant_pad_nd: (e, call) => pad(e, { ...call, args: [call.args[0], call.args[1], 'constant', call.args[2]] }),
  adaptive_avg_pool1d(e, call) {
    if (single(call.args[1], 0) !== 1) throw new NotFollowed('has torch.adaptive_avg_pool1d to several parts')
    return e.node(call, 'reduceMean', [e.tensor(call.args[0]), e.integers(-1)], { keepdims: true })
  },
  lstm: recurrent, gru: recurrent, rnn_tanh: recurrent, rnn_relu: recurrent,
  conv1d: convolution, _convolution_mode: convolution, convolution, _convolution: convolution,
  linear(e, call) {
    const [x, weight, bias] = call.args
    return e.node(call, 'linear', [e.tensor(x)], {}, { weight: e.weight(weight), ...(bias instanceof NamedTensor && { bias: e.weight(bias) }) })
  },
  embedding: (e, call) => e.node(call, 'embedding', [e.tensor(call.args[1])], {}, { weight: e.weight(call.args[0]) }),
  layer_norm(e, call) {
    const [x, shape, weight, bias, epsilon] = call.args
    const sizes = (Array.isArray(shape) ? shape as readonly Arg[] : [shape]).map(integer)
    return e.node(call, 'layerNormalization', [e.tensor(x), ...scaleOf(e, weight, bias, sizes)], { axis: -sizes.length, epsilon: numberOf(epsilon, 1e-5) })
  },
  batch_norm(e, call) {
    const [x, weight, bias, mean, variance, training] = call.args
    if (training === true || !(mean instanceof NamedTensor)) throw new NotFollowed('has a batch normalisation by the batch it is given')
    return e.node(call, 'batchNormalization', [e.tensor(x), ...scaleOf(e, weight, bias, mean.tensor.shape), e.weight(mean), e.weight(variance)], {
      epsilon: numberOf(call.args[7], 1e-5),
    })
  },
  prelu(e, call) {
    const [x, weight] = [e.tensor(call.args[0]), call.args[1]]
    const [count = 1] = shapeOf(weight)
    // A slope for each channel, which is the second axis.
    const rank = e.shape(x).length
    const slope = e.weight(weight)
    const column = count === 1 || rank < 3 ? slope : e.node(call, 'reshape', [slope, e.integers(count, ...Array.from({ length: rank - 2 }, () => 1))])[0] as string
    const isNegative = e.node(call, 'less', [x, e.constant(new NdArray(Float32Array.of(0), []))])
    return e.node(call, 'where', [...isNegative, ...e.node(call, 'mul', [x, column]), x])
  },
  add: arithmetic('add'), sub: arithmetic('sub'), mul: arithmetic('mul'), div: arithmetic('div'),
  softmax: softmax('softmax'), log_softmax: softmax('logSoftmax'),
  mean: reduction('reduceMean'), sum: reduction('reduceSum'), amax: reduction('reduceMax'), amin: reduction('reduceMin'), matmul: product, bmm: product,
  cat(e, call) {
    const parts = (Array.isArray(call.args[0]) ? call.args[0] as readonly Arg[] : []).map((part) => e.tensor(part))
    return e.node(call, 'concat', parts, { axis: axisOf(call.args[1] ?? 0, e.shape(parts[0] ?? '').length) })
  },
  stack(e, call) {
    const parts = (Array.isArray(call.args[0]) ? call.args[0] as readonly Arg[] : []).map((part) => e.tensor(part))
    const axis = axisOf(call.args[1] ?? 0, e.shape(parts[0] ?? '').length + 1)
    const at = e.integers(axis)
    return e.node(call, 'concat', parts.map((part) => e.node(call, 'unsqueeze', [part, at])[0] as string), { axis })
  },
  ...Object.fromEntries(CHUNKS.map((name): [string, Emitter] => [name, (e, call) => {
    const x = e.tensor(call.args[0])
    const axis = axisOf(call.args[2] ?? 0, e.shape(x).length)
    const size = e.shape(x)[axis]
    const count = call.results.length
    if (typeof size !== 'number' || size % count !== 0) throw new NotFollowed(`has torch.${name} of an axis of ${size}, which ${count} parts do not share evenly`)
    return e.node(call, 'split', [x, e.integers(...Array.from({ length: count }, () => size / count))], { axis }, {}, count)
  }])),
  zeros: filled(0), ones: filled(1), expand, repeat, var: variance(false), std: variance(true),
  ...Object.fromEntries(EXTREMES.map((op) => [op, extreme(op as 'max' | 'min')])),
  topk(e, call) {
    const x = e.tensor(call.args[0])
    const largest = call.args[3] !== false
    return e.node(call, 'topK', [x, e.integers(integer(call.args[1]))], { axis: axisOf(call.args[2] ?? -1, e.shape(x).length), largest: Number(largest) }, {}, 2)
  },
  clamp(e, call) {
    const bounds = [call.args[1], call.args[2]].map((bound) => (bound === undefined || bound === null ? '' : e.float(bound)))
    return e.node(call, 'clip', [e.tensor(call.args[0]), ...bounds])
  },
  argmax(e, call) {
    const x = e.tensor(call.args[0])
    return e.node(call, 'argMax', [x], { axis: axisOf(call.args[1], e.shape(x).length), keepdims: call.args[2] === true })
  },
  transpose(e, call) {
    const x = e.tensor(call.args[0])
    const perm = e.shape(x).map((_, axis) => axis)
    const [a, b] = [axisOf(call.args[1], perm.length), axisOf(call.args[2], perm.length)]
    perm[a] = b
    perm[b] = a
    return e.node(call, 'transpose', [x], { perm })
  },
  permute(e, call) {
    const x = e.tensor(call.args[0])
    const axes = Array.isArray(call.args[1]) ? call.args[1] as readonly Arg[] : []
    return e.node(call, 'transpose', [x], { perm: axes.map((axis) => axisOf(axis, e.shape(x).length)) })
  },
  select(e, call) {
    const x = e.tensor(call.args[0])
    return e.node(call, 'gather', [x, e.constant(new NdArray(Int32Array.of(integer(call.args[2])), []))], { axis: axisOf(call.args[1], e.shape(x).length) })
  },
  slice(e, call) {
    const x = e.tensor(call.args[0])
    const [axis, start, end, step] = [call.args[1] ?? 0, call.args[2] ?? 0, call.args[3] ?? END, call.args[4] ?? 1]
    if (start === 0 && step === 1 && integer(end) >= END) return x
    return e.node(call, 'slice', [x, ...[integer(start), Math.min(integer(end), END), axisOf(axis, e.shape(x).length), integer(step)].map((value) => e.integers(value))])
  },
  squeeze(e, call) {
    const x = e.tensor(call.args[0])
    if (call.args[1] === undefined) e.builder.note('torch.squeeze() takes away axes that have one element by what the file says: never the batch, nor timesteps')
    const shape = e.shape(x)
    const asked = call.args[1] === undefined ? shape.map((_, axis) => axis) : [axisOf(call.args[1], shape.length)]
    return reshaped(e, call, 'squeeze', x, asked.filter((axis) => shape[axis] === 1))
  },
  unsqueeze(e, call) {
    const x = e.tensor(call.args[0])
    return reshaped(e, call, 'unsqueeze', x, [axisOf(call.args[1], e.shape(x).length + 1)])
  },
  flatten(e, call) {
    const x = e.tensor(call.args[0])
    const rank = e.shape(x).length
    const [begin, end] = [axisOf(call.args[1] ?? 0, rank), axisOf(call.args[2] ?? -1, rank)]
    if (begin !== 1 || end !== rank - 1) throw new NotFollowed('flattens other axes than all behind the batch')
    return e.node(call, 'flatten', [x], { axis: 1 })
  },
}

/** Of int32: beyond every end. */
const END = 2 ** 31 - 1
