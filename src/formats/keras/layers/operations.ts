// Functions that models call without a layer: tf.* in Keras 2 (TFOpLambda), keras.ops in Keras 3. Arithmetic, reductions, and the list of all.
import { FUNCTION_MODULE, type LayerSpec } from '../config.ts'
import type { LayerCall, LayerKind } from '../layer-call.ts'
import { ARITHMETIC_FUNCTIONS } from './arithmetic-operations.ts'
import { emitUnit } from './basic-layers.ts'
import { COMPOSED_FUNCTIONS } from './composed-operations.ts'
import { MOVING_FUNCTIONS } from './moving-operations.ts'
import { NORMALIZING_FUNCTIONS } from './normalizing-operations.ts'
import { ORDERING_FUNCTIONS } from './ordering-operations.ts'
import { axesOf, boundArguments, FIRST, integerArgument, LIST, listed, operands, plain, tensorOf, type Given, type Operation } from './operation.ts'

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

/** Over some axes, or all where none is named. */
function reduced(call: LayerCall, path: string, op: string, value: string, [, axis, keepdims]: Given, keeps = plain(keepdims) === true): string {
  const axes = (plain(axis) ?? null) === null ? [] : [call.emit.integers(...axesOf(call, axis))]
  return call.emit.node(path, op, [value, ...axes], { keepdims: keeps })
}

function reduction(op: string): Operation {
  return { names: [FIRST, 'axis', 'keepdims', 'dtype'], emit: (call, given) => reduced(call, call.path, op, tensorOf(call, given), given) }
}

/** Mean of the squares of the distances from the mean; with `root`, its root. */
function variance(root: boolean): Operation {
  return {
    names: [FIRST, 'axis', 'keepdims'],
    emit(call, given) {
      const { emit, path } = call
      const x = tensorOf(call, given)
      const mean = reduced(call, `${path}/mean`, 'reduceMean', x, given, true)
      const squares = emit.node(`${path}/squares`, 'square', [emit.node(`${path}/apart`, 'sub', [x, mean])])
      const result = reduced(call, root ? `${path}/variance` : path, 'reduceMean', squares, given)
      return root ? emit.node(path, 'sqrt', [result]) : result
    },
  }
}

/** Where the largest or the smallest element is. */
function position(op: 'argMax' | 'argMin'): Operation {
  return {
    names: [FIRST, 'axis', 'keepdims', 'output_type', 'dimension'],
    emit(call, given) {
      const axis = integerArgument(call, given[1], 'axis', call.layer.className === 'TFOpLambda' ? 0 : undefined)
      return call.emit.node(call.path, op, [tensorOf(call, given)], { axis, keepdims: plain(given[2]) === true })
    },
  }
}

/** A function of a row along one axis. */
function rowwise(op: string): Operation {
  return { names: [FIRST, 'axis'], emit: (call, given) => call.emit.node(call.path, op, [tensorOf(call, given)], { axis: integerArgument(call, given[1], 'axis', -1) }) }
}

/** A function with a constant. */
function shaped(op: string, parameter: string, otherwise: number): Operation {
  return {
    names: [FIRST, parameter],
    emit: (call, given) => call.emit.node(call.path, op, [tensorOf(call, given)], { alpha: Number(plain(given[1]) ?? otherwise) }),
  }
}

/** One function after the other. */
function inTurn(first: string, second: string): Operation {
  return {
    names: [FIRST, 'y|x2|b'],
    emit(call, given) {
      const inputs = operands(call, given.filter((argument) => argument !== undefined))
      return call.emit.node(call.path, second, [call.emit.node(`${call.path}/${first}`, first, inputs)])
    },
  }
}

const gelu: Operation = {
  names: [FIRST, 'approximate'],
  emit(call, given) {
    const isApproximate = plain(given[1]) ?? call.layer.className !== 'TFOpLambda'
    return call.emit.node(call.path, isApproximate === true ? 'geluTanh' : 'gelu', [tensorOf(call, given)])
  },
}

/** The last two axes of a and b, exchanged where it says so. */
const matmul: Operation = {
  names: [FIRST, 'y|x2|b', 'transpose_a', 'transpose_b'],
  emit(call, given) {
    const { emit, path } = call
    const sides = operands(call, given.slice(0, 2)).map((value, n) => {
      if (plain(given[n + 2]) !== true) return value
      const rank = emit.rankOf(value)
      const perm = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
      return emit.node(`${path}/turned${n}`, 'transpose', [value], { perm })
    })
    return emit.node(path, 'matMul', sides)
  },
}

/** min and max may be tensors. */
const clip: Operation = {
  names: [FIRST, 'clip_value_min|x_min', 'clip_value_max|x_max'],
  emit(call, given) {
    const [x, least, most] = operands(call, given) as [string, string, string]
    return call.emit.node(call.path, 'min', [call.emit.node(`${call.path}/least`, 'max', [x, least]), most])
  },
}

const cumulativeSum: Operation = {
  names: [FIRST, 'axis', 'exclusive', 'reverse', 'dtype'],
  emit: (call, given) => call.emit.node(call.path, 'cumSum', [tensorOf(call, given), call.emit.integer(integerArgument(call, given[1], 'axis', 0))], {
    exclusive: plain(given[2]) === true, reverse: plain(given[3]) === true,
  }),
}

/** x / |x|. */
const unit: Operation = {
  names: [FIRST, 'axis', 'epsilon'],
  emit: (call, given) => emitUnit(call.emit, call.path, tensorOf(call, given), axesOf(call, given[1])),
}

/** Whether any, or all, elements are true: uint8 again. */
function decision(op: 'reduceMax' | 'reduceMin'): Operation {
  return {
    names: [FIRST, 'axis', 'keepdims'],
    emit(call, given) {
      const { emit, path } = call
      const numbers = emit.node(`${path}/numbers`, 'cast', [tensorOf(call, given)], { to: 'float32' })
      return emit.node(path, 'cast', [reduced(call, `${path}/reduced`, op, numbers, given)], { to: 'uint8' })
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

const sumOfList: Operation = {
  names: [LIST], takesList: true, emit: (call, [list]) => listed(call, list).reduce((a, b) => call.emit.node(call.path, 'add', [a, b])),
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
  'amax': reduction('reduceMax'), 'amin': reduction('reduceMin'), 'min': reduction('reduceMin'), 'math.reduce_min': reduction('reduceMin'),
  'equal': binary('equal'), 'math.equal': binary('equal'),
  'notequal': notEqual, 'math.not_equal': notEqual,
  'greater': binary('greater'), 'math.greater': binary('greater'), 'less': binary('less'), 'math.less': binary('less'),
  'logicalor': binary('or'), 'math.logical_or': binary('or'), 'logicaland': binary('and'), 'math.logical_and': binary('and'),
  'logicalnot': unary('not'), 'math.logical_not': unary('not'),
  'any': decision('reduceMax'), 'math.reduce_any': decision('reduceMax'), 'all': decision('reduceMin'), 'math.reduce_all': decision('reduceMin'),
  'zeroslike': filledLike(0), 'oneslike': filledLike(1),
  'greaterequal': binary('greaterOrEqual'), 'math.greater_equal': binary('greaterOrEqual'),
  'lessequal': binary('lessOrEqual'), 'math.less_equal': binary('lessOrEqual'),
  'mod': binary('mod'), 'math.floormod': binary('mod'),
  'math.squared_difference': inTurn('sub', 'square'), 'rsqrt': inTurn('sqrt', 'reciprocal'), 'math.rsqrt': inTurn('sqrt', 'reciprocal'),
  'reciprocal': unary('reciprocal'), 'math.reciprocal': unary('reciprocal'),
  'floor': unary('floor'), 'math.floor': unary('floor'), 'ceil': unary('ceil'), 'math.ceil': unary('ceil'), 'round': unary('round'), 'math.round': unary('round'),
  'sign': unary('sign'), 'math.sign': unary('sign'), 'sin': unary('sin'), 'math.sin': unary('sin'), 'cos': unary('cos'), 'math.cos': unary('cos'),
  'erf': unary('erf'), 'math.erf': unary('erf'),
  'softplus': unary('softplus'), 'math.softplus': unary('softplus'), 'softsign': unary('softsign'), 'nn.softsign': unary('softsign'),
  'silu': unary('silu'), 'nn.silu': unary('silu'), 'selu': unary('selu'), 'nn.selu': unary('selu'), 'logsigmoid': unary('logSigmoid'),
  'celu': shaped('celu', 'alpha', 1), 'softshrink': shaped('softShrink', 'threshold', 0.5), 'hardshrink': shaped('hardShrink', 'threshold', 0.5),
  'floordivide': inTurn('div', 'floor'), 'math.floordiv': inTurn('div', 'floor'), 'floordiv': inTurn('div', 'floor'),
  'elu': shaped('elu', 'alpha', 1), 'nn.elu': shaped('elu', 'alpha', 1),
  'leakyrelu': shaped('leakyRelu', 'negative_slope', 0.2), 'nn.leaky_relu': shaped('leakyRelu', 'alpha', 0.2), gelu, 'nn.gelu': gelu,
  'softmax': rowwise('softmax'), 'nn.softmax': rowwise('softmax'), 'logsoftmax': rowwise('logSoftmax'), 'nn.log_softmax': rowwise('logSoftmax'),
  matmul, 'linalg.matmul': matmul, clip, 'clip_by_value': clip,
  'prod': reduction('reduceProd'), 'math.reduce_prod': reduction('reduceProd'),
  'logsumexp': reduction('reduceLogSumExp'), 'math.reduce_logsumexp': reduction('reduceLogSumExp'),
  'var': variance(false), 'math.reduce_variance': variance(false), 'std': variance(true), 'math.reduce_std': variance(true),
  'argmax': position('argMax'), 'math.argmax': position('argMax'), 'argmin': position('argMin'), 'math.argmin': position('argMin'),
  'cumsum': cumulativeSum, 'math.cumsum': cumulativeSum, 'nn.l2_normalize': unit, 'math.l2_normalize': unit,
  'converttotensor': unary('identity'), 'identity': unary('identity'), 'stopgradient': unary('identity'), 'stop_gradient': unary('identity'),
  'math.add_n': sumOfList,
  'arctan': unary('atan'), 'math.atan': unary('atan'), 'isnan': unary('isNaN'), 'math.is_nan': unary('isNaN'),
  ...MOVING_FUNCTIONS, ...COMPOSED_FUNCTIONS, ...ORDERING_FUNCTIONS, ...ARITHMETIC_FUNCTIONS, ...NORMALIZING_FUNCTIONS,
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
    return [known.emit(call, boundArguments(call, known))].flat().map((value) => ({ value, mask: undefined }))
  },
}
