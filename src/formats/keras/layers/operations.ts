// Functions that models call without a layer: tf.* in Keras 2 (TFOpLambda), keras.ops in Keras 3. The simple ones.
import { FUNCTION_MODULE, type LayerSpec } from '../config.ts'
import { notSupported, tensorsOf, type BoundArgument, type LayerCall, type LayerKind } from '../layer-call.ts'
import { emitSlices } from './slices.ts'
import { isList, malformed, type Json } from '../settings.ts'

type Emit = (call: LayerCall, given: readonly (BoundArgument | undefined)[]) => string

/** A function: the names of its parameters in order, those of one parameter with bars between, and its nodes. */
interface Operation {
  readonly names: readonly string[]
  readonly emit: Emit
  /** The first argument is a list of tensors, which Keras 2 writes as several arguments. */
  readonly takesList?: boolean
}

/** What the first argument is called, where it is named at all. */
const FIRST = 'x|x1|input|input_tensor|features|logits|tensor|a'
const LIST = 'xs|x|values|inputs|tensors'

/** JSON of an argument without tensors. */
function plain(argument: BoundArgument | undefined): Json | undefined {
  if (argument === undefined || 'tensor' in argument) return undefined
  if ('json' in argument) return argument.json
  const items = argument.list.map(plain)
  return items.every((item) => item !== undefined) ? items : undefined
}

/**
 * Arguments by parameter: in order, by name, or in the config of the layer.
 * @throws LstmError `UNSUPPORTED` for one that no parameter takes: nothing is left out
 */
function boundArguments({ args, kwargs, layer }: LayerCall, { names, takesList }: Operation): (BoundArgument | undefined)[] {
  const { what } = layer.settings
  const [first] = args
  const positional = takesList && first !== undefined && !('list' in first) ? [{ list: args }] : args
  if (positional.length > names.length) throw notSupported(`${what}: ${positional.length} arguments`)
  const known = new Set(['name', ...names.flatMap((name) => name.split('|'))])
  for (const [key, value] of kwargs) {
    const json = plain(value)
    if (!known.has(key) && json !== null && json !== false) throw notSupported(`${what}: its argument ${key}`)
  }
  return names.map((name, index) => {
    const keys = name.split('|')
    const key = keys.find((candidate) => kwargs.has(candidate))
    if (positional[index] !== undefined) return positional[index]
    if (key !== undefined) return kwargs.get(key)
    const setting = keys.map((candidate) => layer.settings.json(candidate)).find((json) => json !== undefined)
    return setting === undefined ? undefined : { json: setting }
  })
}

/** Tensors, and numbers as constants of the tensors' dtype. */
function operands(call: LayerCall, list: readonly (BoundArgument | undefined)[]): string[] {
  const [like] = list.flatMap(tensorsOf)
  const isInteger = call.emit.builder.types.get(like?.value ?? '')?.dtype === 'int32'
  return list.map((argument) => {
    if (argument !== undefined && 'tensor' in argument) return argument.tensor.value
    const number = plain(argument)
    if (typeof number !== 'number') throw malformed(`${call.layer.settings.what}: expected a tensor or a number`)
    return isInteger && Number.isInteger(number) ? call.emit.integer(number) : call.emit.number(number)
  })
}

function binary(op: string): Operation {
  return { names: [FIRST, 'y|x2|b'], emit: (call, given) => call.emit.node(call.path, op, operands(call, given)) }
}

function unary(op: string): Operation {
  return { names: [FIRST], emit: (call, given) => call.emit.node(call.path, op, operands(call, given)) }
}

const notEqual: Operation = {
  names: [FIRST, 'y|x2'],
  emit: (call, given) => call.emit.node(call.path, 'not', [call.emit.node(`${call.path}/equal`, 'equal', operands(call, given))]),
}

function axesOf({ layer }: LayerCall, argument: BoundArgument | undefined): number[] {
  const axis = plain(argument)
  const axes = isList(axis) ? axis : [axis]
  if (!axes.every((one) => typeof one === 'number' && Number.isSafeInteger(one))) throw layer.settings.wrong('axis', 'whole numbers', axis)
  return axes as number[]
}

function reduction(op: string): Operation {
  return {
    names: [FIRST, 'axis', 'keepdims'],
    emit(call, [x, axis, keepdims]) {
      const [value] = operands(call, [x]) as [string]
      return call.emit.node(call.path, op, [value, call.emit.integers(...axesOf(call, axis))], { keepdims: plain(keepdims) === true })
    },
  }
}

/** Whether any, or all, elements are true: uint8 again. */
function decision(op: 'reduceMax' | 'reduceMin'): Operation {
  return {
    names: [FIRST, 'axis', 'keepdims'],
    emit(call, [x, axis, keepdims]) {
      const { emit, path } = call
      const [value] = operands(call, [x]) as [string]
      const numbers = emit.node(`${path}/numbers`, 'cast', [value], { to: 'float32' })
      const reduced = emit.node(`${path}/reduced`, op, [numbers, emit.integers(...axesOf(call, axis))], { keepdims: plain(keepdims) === true })
      return emit.node(path, 'cast', [reduced], { to: 'uint8' })
    },
  }
}

function reaxed(op: 'unsqueeze' | 'squeeze'): Operation {
  return {
    names: [FIRST, 'axis'],
    emit(call, [x, axis]) {
      const [value] = operands(call, [x]) as [string]
      return call.emit.node(call.path, op, [value, call.emit.integers(...axesOf(call, axis))])
    },
  }
}

/** One number everywhere, with the shape of the argument. */
function filledLike(number: number): Operation {
  return {
    names: [FIRST, 'dtype'],
    emit(call, [x, given]) {
      const { emit, path } = call
      const [value] = operands(call, [x]) as [string]
      const dtype = plain(given) === 'bool' ? 'uint8' : emit.builder.types.get(value)?.dtype ?? 'float32'
      return emit.node(path, 'constantOfShape', [emit.node(`${path}/shape`, 'shape', [value])], { value: number, dtype })
    },
  }
}

/** All tensors of a list. @throws LstmError `UNSUPPORTED` for a constant among them */
function listed({ layer }: LayerCall, argument: BoundArgument | undefined): [string, ...string[]] {
  const items = argument !== undefined && 'list' in argument ? argument.list : []
  const [first, ...more] = items.map((item) => {
    if (!('tensor' in item)) throw notSupported(`${layer.settings.what}: a constant in its list`)
    return item.tensor.value
  })
  if (first === undefined) throw malformed(`${layer.settings.what}: expected a list of tensors`)
  return [first, ...more]
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

const sumOfList: Operation = {
  names: [LIST], takesList: true, emit: (call, [list]) => listed(call, list).reduce((a, b) => call.emit.node(call.path, 'add', [a, b])),
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

/** By Keras 3's class names, in lower case, and TensorFlow's function names. */
const FUNCTIONS: Readonly<Record<string, Operation>> = {
  'add': binary('add'), 'math.add': binary('add'), '__operators__.add': binary('add'),
  'subtract': binary('sub'), 'math.subtract': binary('sub'),
  'multiply': binary('mul'), 'math.multiply': binary('mul'),
  'divide': binary('div'), 'truedivide': binary('div'), 'math.divide': binary('div'), 'math.truediv': binary('div'),
  'maximum': binary('max'), 'math.maximum': binary('max'),
  'minimum': binary('min'), 'math.minimum': binary('min'),
  'power': binary('pow'), 'math.pow': binary('pow'),
  'sigmoid': unary('sigmoid'), 'math.sigmoid': unary('sigmoid'), 'nn.sigmoid': unary('sigmoid'),
  'tanh': unary('tanh'), 'math.tanh': unary('tanh'), 'nn.tanh': unary('tanh'),
  'relu': unary('relu'), 'nn.relu': unary('relu'),
  'exp': unary('exp'), 'math.exp': unary('exp'),
  'log': unary('log'), 'math.log': unary('log'),
  'sqrt': unary('sqrt'), 'math.sqrt': unary('sqrt'),
  'square': unary('square'), 'math.square': unary('square'),
  'abs': unary('abs'), 'absolute': unary('abs'), 'math.abs': unary('abs'),
  'negative': unary('neg'), 'math.negative': unary('neg'),
  'mean': reduction('reduceMean'), 'math.reduce_mean': reduction('reduceMean'),
  'sum': reduction('reduceSum'), 'math.reduce_sum': reduction('reduceSum'),
  'max': reduction('reduceMax'), 'math.reduce_max': reduction('reduceMax'),
  'min': reduction('reduceMin'), 'math.reduce_min': reduction('reduceMin'),
  'equal': binary('equal'), 'math.equal': binary('equal'),
  'notequal': notEqual, 'math.not_equal': notEqual,
  'greater': binary('greater'), 'math.greater': binary('greater'), 'less': binary('less'), 'math.less': binary('less'),
  'logicalor': binary('or'), 'math.logical_or': binary('or'), 'logicaland': binary('and'), 'math.logical_and': binary('and'),
  'logicalnot': unary('not'), 'math.logical_not': unary('not'),
  'any': decision('reduceMax'), 'math.reduce_any': decision('reduceMax'), 'all': decision('reduceMin'), 'math.reduce_all': decision('reduceMin'),
  'zeroslike': filledLike(0), 'oneslike': filledLike(1),
  'converttotensor': unary('identity'),
  'concatenate': concatenation, 'concat': concatenation, 'stack': stack, 'math.add_n': sumOfList,
  'broadcastto': broadcastTo, 'broadcast_to': broadcastTo,
  'getitem': slices, '__operators__.getitem': slices,
  'expanddims': reaxed('unsqueeze'), 'expand_dims': reaxed('unsqueeze'),
  'squeeze': reaxed('squeeze'),
}

/** The function a layer stands for; undefined for a layer that is one. */
function functionName({ className, module, settings }: LayerSpec): string | undefined {
  if (className === 'TFOpLambda' || className === 'SlicingOpLambda') return settings.text('function', '').replace(/^(tf\.)?(compat\.v1\.)?/, '')
  return module?.startsWith(FUNCTION_MODULE) || module?.startsWith('keras.ops') ? className.toLowerCase() : undefined
}

/** Whether a layer is a function in disguise. */
export function isOperation(layer: LayerSpec): boolean {
  return functionName(layer) !== undefined
}

export const operation: LayerKind = {
  unsupported(layer) {
    const name = functionName(layer) ?? ''
    return Object.hasOwn(FUNCTIONS, name) ? [] : [`the function ${JSON.stringify(name)}`]
  },
  build: (call) => {
    const known = FUNCTIONS[functionName(call.layer) ?? ''] as Operation
    return [{ value: known.emit(call, boundArguments(call, known)), mask: undefined }]
  },
}
