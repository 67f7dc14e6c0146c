// Operators that no layer of Keras computes, as functions of keras.ops. Truth is bool there.
import { resolveAxis } from '../../ops/node/attributes.ts'
import type { DType } from '../../values/dtype.ts'
import { nest, type ArrayLike } from '../../values/ndarray.ts'
import { WHOLE, type KerasOperation, type KerasTensor } from './network.ts'
import type { LayerWriter, NodeLayers } from './node-layers.ts'

type Type = Pick<KerasTensor, 'dtype' | 'shape'>
type Facts = Partial<Pick<KerasOperation, 'module'>> & { readonly config?: Readonly<Record<string, unknown>> }

/** A constant as an argument: a number, or an array. */
function constantArgument(c: NodeLayers, { data, shape, dtype }: ArrayLike): unknown {
  if (!data.every(Number.isFinite)) throw c.unsupported('a constant that is NaN or infinite')
  if (shape.length === 0) return data[0]
  return { class_name: '__numpy__', config: { value: nest(data, shape), dtype } }
}

/** Adds a function of inputs of the node, constants among them. */
function call(c: NodeLayers, className: string, positions: readonly number[], type: Type, facts: Facts = {}): KerasTensor {
  const args = positions.map((n) => {
    const value = c.value(n)
    return value && constantArgument(c, value)
  })
  const tensors = positions.flatMap((n) => (c.value(n) === undefined ? [c.tensor(n)] : []))
  if (tensors.length === 0) throw c.unsupported('a function of constants')
  return c.operation(className, tensors, type, { ...facts, args })
}

const truth = (c: NodeLayers): Type => ({ dtype: 'bool', shape: c.outputType.shape })

/** A tensor as bool. */
export function truthOf(c: NodeLayers, tensor: KerasTensor): KerasTensor {
  return tensor.dtype === 'bool' ? tensor : c.operation('Cast', [tensor], { dtype: 'bool', shape: tensor.shape }, { module: 'core', config: { dtype: 'bool' } })
}

function requireNumbers(c: NodeLayers, dtypes: readonly DType[] = ['float32', 'int32']): void {
  if (!dtypes.includes(c.outputType.dtype)) throw c.unsupported(`arithmetic of ${c.outputType.dtype}`)
}

/** Of any number of inputs, from left to right. */
const arithmetic = (className: string, dtypes?: readonly DType[]): LayerWriter => (c) => {
  requireNumbers(c, dtypes)
  const count = c.node.inputs.length
  let sum = count === 1 ? c.tensor(0) : call(c, className, [0, 1], c.outputType)
  for (let n = 2; n < count; n++) {
    const value = c.value(n)
    const [others, args] = value === undefined ? [[c.tensor(n)], undefined] : [[], constantArgument(c, value)]
    sum = c.operation(className, [sum, ...others], c.outputType, { args: [undefined, args] })
  }
  c.give(sum)
}

const relation = (className: string): LayerWriter => (c) => c.give(call(c, className, c.node.inputs.map((_, n) => n), truth(c)))

const unary = (className: string, module: KerasOperation['module'] = 'numpy'): LayerWriter => (c) => {
  requireNumbers(c)
  c.give(call(c, className, [0], c.outputType, { module }))
}

const where: LayerWriter = (c) => {
  const [condition] = c.value(0) === undefined ? [truthOf(c, c.tensor(0))] : []
  if (condition === undefined) throw c.unsupported('a constant condition')
  const values = [1, 2].map((n) => c.value(n))
  const tensors = [1, 2].flatMap((n) => (c.value(n) === undefined ? [c.tensor(n)] : []))
  c.give(c.operation('Where', [condition, ...tensors], c.outputType, { args: [undefined, ...values.map((value) => value && constantArgument(c, value))] }))
}

const cast: LayerWriter = (c) => {
  const to = c.attribute('to') as string
  if (to === 'bool') return c.give(truthOf(c, c.tensor(0)))
  c.give(c.operation('Cast', [c.tensor(0)], c.outputType, { module: 'core', config: { dtype: to } }))
}

/** Numbers of a constant input. */
const numbersOf = (c: NodeLayers, position: number, what: string): number[] => Array.from(c.fixed(position, what).data)

const reduction = (className: string, module: KerasOperation['module'] = 'numpy'): LayerWriter => (c) => {
  requireNumbers(c)
  const rank = c.type(0).shape.length
  const given = c.has(1) ? numbersOf(c, 1, 'axes') : []
  if (given.length === 0 && Number(c.attribute('noopWithEmptyAxes') ?? 0) === 1) throw c.unsupported('a reduction over no axes')
  const axes = given.length === 0 ? Array.from({ length: rank }, (_, axis) => axis) : given
  const x = c.tensor(0)
  if (x.dtype === 'bool') throw c.unsupported('a reduction of truth')
  c.give(c.operation(className, [x], c.outputType, { module, config: { axis: axes, keepdims: Number(c.attribute('keepdims') ?? 1) !== 0 } }))
}

const argument = (className: string): LayerWriter => (c) => {
  if (Number(c.attribute('selectLastIndex') ?? 0) !== 0) throw c.unsupported('the last of equal elements')
  const axis = resolveAxis(c.node, Number(c.attribute('axis') ?? 0), c.type(0).shape.length)
  c.give(c.operation(className, [c.tensor(0)], c.outputType, { config: { axis, keepdims: Number(c.attribute('keepdims') ?? 1) !== 0 } }))
}

const rowwise = (className: string): LayerWriter<number> => (c) => (
  c.give(c.operation(className, [c.tensor(0)], c.outputType, { module: 'nn', config: { axis: resolveAxis(c.node, c.settings, c.type(0).shape.length) } }))
)

const matMul: LayerWriter = (c) => {
  requireNumbers(c, ['float32'])
  c.give(call(c, 'Matmul', [0, 1], c.outputType))
}

/** Axes of one element that come, or go: the farthest that goes first, the nearest that comes. */
const axes = (className: 'ExpandDims' | 'Squeeze'): LayerWriter => (c) => {
  const isNew = className === 'ExpandDims'
  const rank = isNew ? c.outputType.shape.length : c.type(0).shape.length
  const places = numbersOf(c, 1, 'axes').map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => (isNew ? a - b : b - a))
  let made = c.tensor(0)
  for (const axis of places) {
    const shape = [...made.shape]
    shape.splice(axis, isNew ? 0 : 1, ...isNew ? [1] : [])
    made = c.operation(className, [made], { dtype: made.dtype, shape }, { config: { axis } })
  }
  c.give(made)
}

const transpose: LayerWriter = (c) => {
  const rank = c.type(0).shape.length
  const perm = (c.attribute('perm') as readonly number[] | undefined) ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  c.give(c.operation('Transpose', [c.tensor(0)], { ...c.outputType, dtype: c.tensor(0).dtype }, { config: { axes: perm } }))
}

const reshape: LayerWriter = (c) => {
  const [from, to] = [c.type(0).shape, c.outputType.shape]
  const open = to.filter((size) => typeof size === 'string').length
  if (open > 1) throw c.unsupported(`a shape that leaves two sizes open: [${from.join(', ')}] to [${to.join(', ')}]`)
  c.give(c.operation('Reshape', [c.tensor(0)], { ...c.outputType, dtype: c.tensor(0).dtype }, { config: { newshape: to.map((size) => (typeof size === 'string' ? -1 : size)) } }))
}

const concat: LayerWriter<number> = (c) => {
  const tensors = c.node.inputs.map((_, n) => c.tensor(n))
  c.give(c.operation('Concatenate', tensors, c.outputType, { takesList: true, config: { axis: resolveAxis(c.node, c.settings, c.outputType.shape.length) } }))
}

/** Elements of an axis, by constant indices or by those of a tensor. */
const gather: LayerWriter<number> = (c) => {
  const rank = c.type(0).shape.length
  const axis = resolveAxis(c.node, c.settings, rank)
  const index = c.value(1)
  if (index === undefined) return c.give(call(c, 'Take', [0, 1], c.outputType, { config: { axis } }))
  if (index.shape.length > 1) throw c.unsupported('indices with several axes')
  const x = c.tensor(0)
  c.give(c.operation('Take', [x], { ...c.outputType, dtype: x.dtype }, { args: [undefined, index.shape.length === 0 ? index.data[0] : Array.from(index.data)], config: { axis } }))
}

/** Bounds beyond these mean the end. */
const FAR = 2 ** 31 - 1

const slice: LayerWriter = (c) => {
  const rank = c.type(0).shape.length
  const [starts, ends] = [numbersOf(c, 1, 'starts'), numbersOf(c, 2, 'ends')]
  const along = c.has(3) ? numbersOf(c, 3, 'axes') : starts.map((_, n) => n)
  const steps = c.has(4) ? numbersOf(c, 4, 'steps') : starts.map(() => 1)
  const key = Array.from({ length: rank }, () => ({ start: null as number | null, stop: null as number | null, step: null as number | null }))
  const turned: number[] = []
  along.forEach((given, n) => {
    const axis = resolveAxis(c.node, given, rank)
    const [start, end, step] = [starts[n] as number, ends[n] as number, steps[n] as number]
    const isTurned = step === -1 && (start === -1 || start >= FAR) && end <= -FAR
    if (step < 0 && !isTurned) throw c.unsupported('a part of an axis backwards')
    if (isTurned) turned.push(axis)
    else key[axis] = { start, stop: end >= FAR ? null : end, step: step === 1 ? null : step }
  })
  const x = c.tensor(0)
  const type: Type = { ...c.outputType, dtype: x.dtype }
  const isPart = key.some(({ start, stop }) => start !== null || stop !== null)
  const part = isPart ? c.operation('GetItem', [x], type, { args: [undefined, key.map((config) => ({ class_name: '__slice__', config }))] }) : x
  c.give(turned.length === 0 ? part : c.operation('Flip', [part], type, { config: { axis: turned.length === 1 ? turned[0] : turned } }))
}

const cumSum: LayerWriter = (c) => {
  if (Number(c.attribute('exclusive') ?? 0) !== 0 || Number(c.attribute('reverse') ?? 0) !== 0) throw c.unsupported('exclusive or reverse')
  const axis = resolveAxis(c.node, numbersOf(c, 1, 'an axis')[0] as number, c.type(0).shape.length)
  c.give(c.operation('Cumsum', [c.tensor(0)], c.outputType, { config: { axis } }))
}

/** 0 or 1 everywhere, as wide as another tensor or as the first of its axes. */
const filled: LayerWriter = (c) => {
  const value = Number(c.attribute('value') ?? 0)
  const sizes = c.network.typed.graph.nodes.find(({ op, outputs }) => op === 'shape' && outputs[0] === c.node.inputs[0])
  const like = c.network.tensors.get(sizes?.inputs[0] ?? '')
  const axes = c.outputType.shape.length
  const isFirst = Number(sizes?.attributes.start ?? 0) === 0
  if (like === undefined || !isFirst || (value !== 0 && value !== 1)) throw c.unsupported('a size that is no tensor\'s, or another number than 0 and 1')
  const type: Type = { dtype: c.outputType.dtype, shape: c.outputType.shape }
  const rest = like.shape.length - axes
  const part = rest === 0 ? like : c.operation('GetItem', [like], { ...type, dtype: like.dtype }, { args: [undefined, like.shape.map((_, axis) => (axis < axes ? WHOLE : 0))] })
  c.give(c.operation(value === 0 ? 'ZerosLike' : 'OnesLike', [part], type, { config: { dtype: type.dtype } }))
}

/** By the names of ours. Of those that a layer computes too, what the layer does not. */
export const OPERATIONS: Readonly<Record<string, LayerWriter<never>>> = {
  add: arithmetic('Add'), sum: arithmetic('Add'), sub: arithmetic('Subtract'), mul: arithmetic('Multiply'), max: arithmetic('Maximum'), min: arithmetic('Minimum'),
  div: arithmetic('Divide', ['float32']), pow: arithmetic('Power', ['float32']),
  equal: relation('Equal'), less: relation('Less'), lessOrEqual: relation('LessEqual'), greater: relation('Greater'), greaterOrEqual: relation('GreaterEqual'),
  and: relation('LogicalAnd'), or: relation('LogicalOr'), not: relation('LogicalNot'),
  abs: unary('Absolute'), neg: unary('Negative'), exp: unary('Exp'), log: unary('Log'), sqrt: unary('Sqrt'), square: unary('Square'), sin: unary('Sin'), cos: unary('Cos'),
  floor: unary('Floor'), ceil: unary('Ceil'), round: unary('Round'), sign: unary('Sign'), reciprocal: unary('Reciprocal'), erf: unary('Erf', 'math'),
  reduceMean: reduction('Mean'), reduceSum: reduction('Sum'), reduceMax: reduction('Max'), reduceMin: reduction('Min'), reduceProd: reduction('Prod'),
  reduceLogSumExp: reduction('Logsumexp', 'math'),
  argMax: argument('Argmax'), argMin: argument('Argmin'), softmax: rowwise('Softmax'), logSoftmax: rowwise('LogSoftmax'),
  matMul, where, cast, unsqueeze: axes('ExpandDims'), squeeze: axes('Squeeze'), transpose, reshape, flatten: reshape, concat, gather, slice, cumSum, constantOfShape: filled,
}
