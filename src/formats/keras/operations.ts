// Functions that models call without a layer: tf.* in Keras 2 (TFOpLambda), keras.ops in Keras 3. The simple ones.
import { FUNCTION_MODULE, type LayerSpec } from './config.ts'
import { tensorsOf, type BoundArgument, type LayerCall, type LayerKind } from './layer-call.ts'
import { isList, malformed, type Json } from './settings.ts'

type Emit = (call: LayerCall) => string

/** Positional arguments, then those of these names. */
function given(call: LayerCall, names: readonly string[]): BoundArgument[] {
  return [...call.args, ...names.map((name) => call.kwargs.get(name)).filter((argument) => argument !== undefined)].slice(0, names.length)
}

/** Tensors, and numbers as constants of the tensors' dtype. */
function operands(call: LayerCall, names: readonly string[]): string[] {
  const list = given(call, names)
  if (list.length !== names.length) throw malformed(`${call.layer.settings.what}: expected ${names.length} arguments, got ${list.length}`)
  const [like] = list.flatMap(tensorsOf)
  const isInteger = call.emit.builder.types.get(like?.value ?? '')?.dtype === 'int32'
  return list.map((argument) => {
    const [tensor] = tensorsOf(argument)
    if (tensor !== undefined) return tensor.value
    const number = 'json' in argument ? argument.json : undefined
    if (typeof number !== 'number') throw malformed(`${call.layer.settings.what}: expected a tensor or a number`)
    return isInteger && Number.isInteger(number) ? call.emit.integer(number) : call.emit.number(number)
  })
}

function binary(op: string): Emit {
  return (call) => call.emit.node(call.path, op, operands(call, ['x', 'y']))
}

function unary(op: string): Emit {
  return (call) => call.emit.node(call.path, op, operands(call, ['x']))
}

function notEqual({ emit, path, ...call }: LayerCall): string {
  return emit.node(path, 'not', [emit.node(`${path}/equal`, 'equal', operands({ emit, path, ...call }, ['x', 'y']))])
}

/** A setting of a function, among its arguments or in its config. */
function option({ kwargs, args, layer }: LayerCall, key: string): Json | undefined {
  const given = kwargs.get(key)
  if (given !== undefined) return 'json' in given ? given.json : undefined
  const positional = args[1]
  if (key === 'axis' && positional !== undefined && 'json' in positional) return positional.json
  return layer.settings.json(key)
}

function axesOf(call: LayerCall): number[] {
  const axis = option(call, 'axis')
  const axes = isList(axis) ? axis : [axis]
  if (!axes.every((one) => typeof one === 'number' && Number.isSafeInteger(one))) throw call.layer.settings.wrong('axis', 'whole numbers', axis)
  return axes as number[]
}

function reduction(op: string): Emit {
  return (call) => {
    const [value] = operands(call, ['x']) as [string]
    return call.emit.node(call.path, op, [value, call.emit.integers(...axesOf(call))], { keepdims: option(call, 'keepdims') === true })
  }
}

/** Whether any, or all, elements are true: uint8 again. */
function decision(op: 'reduceMax' | 'reduceMin'): Emit {
  return (call) => {
    const { emit, path } = call
    const [value] = operands(call, ['x']) as [string]
    const numbers = emit.node(`${path}/numbers`, 'cast', [value], { to: 'float32' })
    const reduced = emit.node(`${path}/reduced`, op, [numbers, emit.integers(...axesOf(call))], { keepdims: option(call, 'keepdims') === true })
    return emit.node(path, 'cast', [reduced], { to: 'uint8' })
  }
}

function reaxed(op: 'unsqueeze' | 'squeeze'): Emit {
  return (call) => {
    const [value] = operands(call, ['x']) as [string]
    return call.emit.node(call.path, op, [value, call.emit.integers(...axesOf(call))])
  }
}

/** One number everywhere, with the shape of the argument. */
function filledLike(number: number): Emit {
  return (call) => {
    const { emit, path } = call
    const [value] = operands(call, ['x']) as [string]
    const dtype = option(call, 'dtype') === 'bool' ? 'uint8' : emit.builder.types.get(value)?.dtype ?? 'float32'
    return emit.node(path, 'constantOfShape', [emit.node(`${path}/shape`, 'shape', [value])], { value: number, dtype })
  }
}

function joined(call: LayerCall): string {
  const values = tensorsOf(call.args[0] ?? call.kwargs.get('xs')).map(({ value }) => value)
  const [axis] = axesOf(call) as [number]
  return call.emit.node(call.path, 'concat', values, { axis })
}

/** By Keras 3's class names, in lower case, and TensorFlow's function names. */
const FUNCTIONS: Readonly<Record<string, Emit>> = {
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
  'concatenate': joined, 'concat': joined,
  'expanddims': reaxed('unsqueeze'), 'expand_dims': reaxed('unsqueeze'),
  'squeeze': reaxed('squeeze'),
}

/** The function a layer stands for; undefined for a layer that is one. */
function functionName({ className, module, settings }: LayerSpec): string | undefined {
  if (className === 'TFOpLambda') return settings.text('function', '').replace(/^tf\./, '')
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
    const emit = FUNCTIONS[functionName(call.layer) ?? ''] as Emit
    return [{ value: emit(call), mask: undefined }]
  },
}
