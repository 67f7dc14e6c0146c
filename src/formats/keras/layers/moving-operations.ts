// Functions that move elements: tf.reshape, keras.ops.take and so on.
import { NdArray } from '../../../values/ndarray.ts'
import { notSupported, type BoundArgument, type LayerCall } from '../layer-call.ts'
import { isList } from '../../json.ts'
import { axesOf, axisArgument, FIRST, integerArgument, LIST, listed, operands, plain, tensorOf, type Given, type Operation } from './operation.ts'
import { emitSlices } from './slices.ts'

function reaxed(op: 'unsqueeze' | 'squeeze'): Operation {
  return {
    names: [FIRST, 'axis'],
    emit(call, [x, axis]) {
      const [value] = operands(call, [x]) as [string]
      return call.emit.node(call.path, op, [value, call.emit.integers(...axesOf(call, axis))])
    },
  }
}

const concatenation: Operation = {
  names: [LIST, 'axis'], takesList: true,
  emit(call, [list, axis]) {
    const values = listed(call, list)
    return values.length === 1 ? values[0] : call.emit.node(call.path, 'concat', values, { axis: axesOf(call, axis)[0] as number })
  },
}

/** Side by side along an axis of its own. */
const stack: Operation = {
  names: [LIST, 'axis'], takesList: true,
  emit(call, [list, given]) {
    const { emit, path } = call
    const values = listed(call, list)
    const [axis] = given === undefined ? [0] : axesOf(call, given) as [number]
    const at = axis < 0 ? axis + emit.rankOf(values[0]) + 1 : axis
    return emit.node(path, 'concat', values.map((value, index) => emit.node(`${path}/${index}`, 'unsqueeze', [value, emit.integers(at)])), { axis: at })
  },
}

/** The axis of the batch stays what it is; others are as wide as the shape says. */
const broadcastTo: Operation = {
  names: [FIRST, 'shape'],
  emit(call, [x, shape]) {
    const [value] = operands(call, [x]) as [string]
    const sizes = plain(shape)
    if (!isList(sizes) || !sizes.every((size) => size === null || typeof size === 'number')) throw call.layer.settings.wrong('shape', 'sizes', sizes)
    return call.emit.node(call.path, 'expand', [value, call.emit.integers(...sizes.map((size, axis) => (axis === 0 ? 1 : size ?? 1)))])
  },
}

const slices: Operation = {
  names: [FIRST, 'key|slice_spec'],
  emit: (call, [x, key]) => emitSlices(call, operands(call, [x])[0] as string, plain(key)),
}

/** Whole numbers of a list; null, an axis of any size, is -1. */
function sizesArgument(call: LayerCall, argument: BoundArgument | undefined, what: string): number[] {
  const sizes = plain(argument)
  if (sizes === undefined) throw notSupported(`${call.layer.settings.what}: sizes that are computed`)
  const list = (isList(sizes) ? sizes : [sizes]).map((size) => size ?? -1)
  if (!list.every((size) => Number.isSafeInteger(size))) throw call.layer.settings.wrong(what, 'whole numbers', sizes)
  return list as number[]
}

const reshape: Operation = {
  names: [FIRST, 'shape|newshape'],
  emit: (call, given) => call.emit.node(call.path, 'reshape', [tensorOf(call, given), call.emit.integers(...sizesArgument(call, given[1], 'shape'))]),
}

const transpose: Operation = {
  names: [FIRST, 'perm|axes', 'conjugate'],
  emit(call, given) {
    const x = tensorOf(call, given)
    const axes = plain(given[1])
    const rank = call.emit.rankOf(x)
    const perm = axes === undefined || axes === null ? Array.from({ length: rank }, (_, axis) => rank - 1 - axis) : axesOf(call, given[1])
    return call.emit.node(call.path, 'transpose', [x], { perm: perm.map((axis) => (axis < 0 ? axis + rank : axis)) })
  },
}

/** The axes in another order, which `move` makes of them. */
function reordered(names: readonly string[], move: (order: number[], from: number, to: number) => void): Operation {
  return {
    names: [FIRST, ...names],
    emit(call, given) {
      const x = tensorOf(call, given)
      const rank = call.emit.rankOf(x)
      const perm = Array.from({ length: rank }, (_, axis) => axis)
      move(perm, axisArgument(call, given[1], rank), axisArgument(call, given[2], rank))
      return call.emit.node(call.path, 'transpose', [x], { perm })
    },
  }
}

const swapAxes = reordered(['axis1', 'axis2'], (order, a, b) => {
  [order[a], order[b]] = [order[b] as number, order[a] as number]
})
const moveAxis = reordered(['source', 'destination'], (order, from, to) => {
  order.splice(to, 0, ...order.splice(from, 1))
})

/** Elements of a constant, or of a tensor of whole numbers, along an axis. */
const take: Operation = {
  names: [FIRST, 'indices', 'axis', 'validate_indices', 'batch_dims'],
  emit: (call, [x, indices, axis, , batch]) => taken(call, [x, indices, axis, batch]),
}

/** TensorFlow's order of the arguments. */
const gather: Operation = {
  names: [FIRST, 'indices', 'validate_indices', 'axis', 'batch_dims'],
  emit: (call, [x, indices, , axis = { json: 0 }, batch]) => taken(call, [x, indices, axis, batch]),
}

function taken(call: LayerCall, [x, indices, given, batch]: Given): string {
  const { emit, path, layer } = call
  const value = tensorOf(call, [x])
  if ((plain(batch) ?? 0) !== 0) throw notSupported(`${layer.settings.what}: batch_dims`)
  if ((plain(given) ?? null) === null) throw notSupported(`${layer.settings.what}: no axis`)
  const axis = axisArgument(call, given, emit.rankOf(value))
  if (indices !== undefined && 'tensor' in indices) {
    return emit.node(path, 'gather', [value, emit.whole(`${path}/indices`, indices.tensor.value)], { axis })
  }
  const list = sizesArgument(call, indices, 'indices')
  const constant = isList(plain(indices)) ? emit.integers(...list) : emit.integer(list[0] as number)
  return emit.node(path, 'gather', [value, constant], { axis })
}

/** TensorFlow: so many parts of one size, or parts of these sizes, one of which may be -1. Keras 3: so many parts, or parts that begin at these indices. */
const split: Operation = {
  names: [FIRST, 'num_or_size_splits', 'axis', 'num', 'indices_or_sections'],
  emit(call, given) {
    const atIndices = given[4] !== undefined
    const numbers = sizesArgument(call, given[atIndices ? 4 : 1], 'num_or_size_splits')
    if (!isList(plain(given[atIndices ? 4 : 1]))) return equalParts(call, given, numbers[0] as number)
    return parts(call, given, atIndices ? [...numbers.map((index, n) => index - (numbers[n - 1] ?? 0)), -1] : numbers)
  },
}

const splitAxis = (call: LayerCall, given: Given): number => axisArgument(call, given[2], call.emit.rankOf(tensorOf(call, given)), 0)

function equalParts(call: LayerCall, given: Given, count: number): readonly string[] {
  if (count < 1 || count > MOST_PARTS) throw call.layer.settings.wrong('num_or_size_splits', `parts from 1 to ${MOST_PARTS}`, count)
  return call.emit.nodeWith(count, call.path, 'split', [tensorOf(call, given)], { axis: splitAxis(call, given) })
}

function parts(call: LayerCall, given: Given, sizes: readonly number[]): readonly string[] {
  const x = tensorOf(call, given)
  const axis = splitAxis(call, given)
  const whole = call.emit.shapeOf(x)[axis]
  const rest = sizes.reduce((sum, size) => sum + Math.max(size, 0), 0)
  if (sizes.includes(-1) && typeof whole !== 'number') throw notSupported(`${call.layer.settings.what}: parts of an axis of unknown size`)
  const own = sizes.map((size) => (size === -1 ? whole as number - rest : size))
  return call.emit.nodeWith(own.length, call.path, 'split', [x, call.emit.integers(...own)], { axis })
}

/** Outputs of one function: more than any model has. */
const MOST_PARTS = 1024

/** Each element of an axis by itself. */
const unstack: Operation = {
  names: [FIRST, 'num', 'axis'],
  emit(call, given) {
    const { emit, path, layer } = call
    const x = tensorOf(call, given)
    const axis = axisArgument(call, given[2], emit.rankOf(x), 0)
    const size = emit.shapeOf(x)[axis]
    if (typeof size !== 'number' || size < 1 || size > MOST_PARTS) throw notSupported(`${layer.settings.what}: an axis of ${size} elements`)
    return emit.nodeWith(size, `${path}/parts`, 'split', [x], { axis })
      .map((part, n) => emit.node(n === 0 ? path : `${path}.${n}`, 'squeeze', [part, emit.integers(axis)]))
  },
}

const tile: Operation = {
  names: [FIRST, 'multiples|repeats', 'name'],
  emit: (call, given) => call.emit.node(call.path, 'tile', [tensorOf(call, given), call.emit.integers(...sizesArgument(call, given[1], 'repeats'))]),
}

/** Every element of an axis several times. */
const repeat: Operation = {
  names: [FIRST, 'repeats', 'axis'],
  emit(call, given) {
    const { emit, path, layer } = call
    const x = tensorOf(call, given)
    const axis = axisArgument(call, given[2], emit.rankOf(x))
    const size = emit.shapeOf(x)[axis]
    const times = integerArgument(call, given[1], 'repeats')
    if (typeof size !== 'number' || times < 1 || times * size > MOST_REPEATED) throw notSupported(`${layer.settings.what}: ${times} times an axis of ${size} elements`)
    return emit.node(path, 'gather', [x, emit.integers(...Array.from({ length: times * size }, (_, n) => Math.floor(n / times)))], { axis })
  },
}

const MOST_REPEATED = 65_536

/** The other way round along axes. */
const flip: Operation = {
  names: [FIRST, 'axis'],
  emit(call, given) {
    const { emit } = call
    const x = tensorOf(call, given)
    const isAll = (plain(given[1]) ?? null) === null
    const axes = isAll ? Array.from({ length: emit.rankOf(x) }, (_, axis) => axis) : axesOf(call, given[1])
    const all = (value: number): string => emit.integers(...axes.map(() => value))
    return emit.node(call.path, 'slice', [x, all(-1), all(-(2 ** 31)), emit.integers(...axes), all(-1)])
  },
}

const pad: Operation = {
  names: [FIRST, 'paddings|pad_width', 'mode', 'constant_values'],
  emit(call, given) {
    const { emit, layer } = call
    const x = tensorOf(call, given)
    const pairs = plain(given[1])
    const isPairs = isList(pairs) && pairs.length === emit.rankOf(x)
      && pairs.every((pair) => isList(pair) && pair.length === 2 && pair.every((count) => Number.isSafeInteger(count)))
    if (!isPairs) throw layer.settings.wrong('paddings', 'two whole numbers for each axis', pairs)
    const both = pairs as readonly (readonly [number, number])[]
    const spelling = plain(given[2]) ?? 'constant'
    const mode = typeof spelling === 'string' ? spelling.toLowerCase() : ''
    if (mode !== 'constant' && mode !== 'reflect') throw notSupported(`${layer.settings.what}: mode ${JSON.stringify(mode)}`)
    const value = plain(given[3]) ?? 0
    if (typeof value !== 'number') throw layer.settings.wrong('constant_values', 'a number', value)
    const counts = emit.integers(...both.map(([before]) => before), ...both.map(([, after]) => after))
    return emit.node(call.path, 'pad', [x, counts, ...(value === 0 ? [] : [emit.number(value)])], { mode })
  },
}

const TARGETS: readonly (readonly [RegExp, string])[] = [[/^b?float/, 'float32'], [/^bool$/, 'bool'], [/^uint8$/, 'uint8'], [/^u?int/, 'int32']]

const cast: Operation = {
  names: [FIRST, 'dtype'],
  emit(call, given) {
    const dtype = plain(given[1])
    const target = typeof dtype === 'string' ? TARGETS.find(([pattern]) => pattern.test(dtype))?.[1] : undefined
    if (target === undefined) throw notSupported(`${call.layer.settings.what}: the dtype ${JSON.stringify(dtype ?? null)}`)
    return call.emit.node(call.path, 'cast', [tensorOf(call, given)], { to: target })
  },
}

const oneHot: Operation = {
  names: ['x|indices|inputs', 'depth|num_classes', 'on_value', 'off_value', 'axis', 'dtype'],
  emit(call, given) {
    const { emit, path } = call
    const indices = emit.whole(`${path}/indices`, tensorOf(call, given))
    const depth = emit.integer(integerArgument(call, given[1], 'depth'))
    // Our oneHot counts indices below zero from the end, as ONNX does; in TensorFlow they are none, as those beyond the depth.
    const isNone = emit.node(`${path}/isNone`, 'less', [indices, emit.integer(0)])
    const counted = emit.node(`${path}/counted`, 'where', [isNone, depth, indices])
    const values = [given[3], given[2]].map((one, n) => plain(one) ?? n).map(Number)
    const table = emit.constant(`${path}/values`, new NdArray(Float32Array.from(values), [2]))
    const axis = integerArgument(call, given[4], 'axis', -1)
    return emit.node(path, 'oneHot', [counted, depth, table], { axis })
  },
}

const where: Operation = {
  names: ['condition', 'x|x1', 'y|x2'],
  emit(call, given) {
    const { emit, path, layer } = call
    if (given[1] === undefined || given[2] === undefined) throw notSupported(`${layer.settings.what}: the indices of what is true`)
    const truth = emit.truth(`${path}/condition`, tensorOf(call, given))
    return emit.node(path, 'where', [truth, ...operands(call, given.slice(1))])
  },
}

/** By Keras 3's class names, in lower case, and TensorFlow's function names. */
export const MOVING_FUNCTIONS: Readonly<Record<string, Operation>> = {
  'concatenate': concatenation, 'concat': concatenation, 'stack': stack,
  'broadcastto': broadcastTo, 'broadcast_to': broadcastTo,
  'getitem': slices, '__operators__.getitem': slices,
  'expanddims': reaxed('unsqueeze'), 'expand_dims': reaxed('unsqueeze'),
  'squeeze': reaxed('squeeze'),
  reshape, transpose, 'swapaxes': swapAxes, 'moveaxis': moveAxis,
  take, gather,
  split, unstack,
  tile, repeat, flip, 'reverse': flip, pad, cast, 'onehot': oneHot, 'one_hot': oneHot, where,
}
