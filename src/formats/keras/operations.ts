// Functions that models call without a layer: tf.* in Keras 2 (TFOpLambda), keras.ops in Keras 3. The simple ones.
import type { LayerSpec } from './config.ts'
import { tensorsOf, type BoundArgument, type LayerCall, type LayerKind } from './layer-call.ts'
import { isList, malformed, type Json } from './settings.ts'

type Emit = (call: LayerCall) => string

/** A number or tensor that a function is given. */
function operand(call: LayerCall, argument: BoundArgument | undefined): string {
  const [tensor] = tensorsOf(argument)
  if (tensor !== undefined) return tensor.value
  if (argument !== undefined && 'json' in argument && typeof argument.json === 'number') return call.emit.number(argument.json)
  throw malformed(`${call.layer.settings.what}: expected a tensor or a number`)
}

/** Positional arguments, then those of these names. */
function operands(call: LayerCall, names: readonly string[]): string[] {
  const given = [...call.args, ...names.map((name) => call.kwargs.get(name)).filter((argument) => argument !== undefined)]
  return given.slice(0, names.length).map((argument) => operand(call, argument))
}

function binary(op: string): Emit {
  return (call) => {
    const values = operands(call, ['x', 'y'])
    if (values.length !== 2) throw malformed(`${call.layer.settings.what}: expected two arguments, got ${values.length}`)
    return call.emit.node(call.path, op, values)
  }
}

function unary(op: string): Emit {
  return (call) => {
    const [value] = operands(call, ['x'])
    if (value === undefined) throw malformed(`${call.layer.settings.what}: expected an argument, got none`)
    return call.emit.node(call.path, op, [value])
  }
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

function reaxed(op: 'unsqueeze' | 'squeeze'): Emit {
  return (call) => {
    const [value] = operands(call, ['x']) as [string]
    return call.emit.node(call.path, op, [value, call.emit.integers(...axesOf(call))])
  }
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
  'expanddims': reaxed('unsqueeze'), 'expand_dims': reaxed('unsqueeze'),
  'squeeze': reaxed('squeeze'),
}

/** The function a layer stands for; undefined for a layer that is one. */
function functionName({ className, module, settings }: LayerSpec): string | undefined {
  if (className === 'TFOpLambda') return settings.text('function', '').replace(/^tf\./, '')
  return module?.startsWith('keras.src.ops') || module?.startsWith('keras.ops') ? className.toLowerCase() : undefined
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
