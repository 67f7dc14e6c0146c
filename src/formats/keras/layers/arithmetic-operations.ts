// Arithmetic of several operators of ours: keras.ops.arctan2, tf.math.divide_no_nan and so on.
import { notSupported, type LayerCall } from '../layer-call.ts'
import { axesOf, FIRST, operands, plain, tensorOf, type Operation } from './operation.ts'

/** 1 where x is negative, -0 included: whose reciprocal is -Infinity. */
function isNegative({ emit, path }: LayerCall, name: string, x: string): string {
  const zero = emit.number(0)
  const inverse = emit.node(`${path}/${name}Inverse`, 'reciprocal', [x])
  return emit.node(`${path}/${name}Negative`, 'or', [emit.node(`${path}/${name}Below`, 'less', [x, zero]), emit.node(`${path}/${name}Under`, 'less', [inverse, zero])])
}

/**
 * The angle of (x, y), from -pi to pi: a = atan(min(|x|, |y|) / max(|x|, |y|)), pi/2 - a where |y| is larger, pi less that where x is negative,
 * and the sign of y. Where both are as large, infinite or zero, the quotient is 1 or 0.
 */
const arctan2: Operation = {
  names: ['x1|y', 'x2|x'],
  emit(call, given) {
    const { emit, path } = call
    const node = (name: string, op: string, ...inputs: readonly string[]): string => emit.node(`${path}/${name}`, op, inputs)
    const [y, x] = operands(call, given) as [string, string]
    const [height, width] = [node('height', 'abs', y), node('width', 'abs', x)]
    const quotient = node('quotient', 'div', node('shorter', 'min', height, width), node('longer', 'max', height, width))
    const slope = node('slope', 'where', node('alike', 'equal', height, width), node('diagonal', 'sign', height), quotient)
    const angle = node('angle', 'atan', slope)
    const steep = node('steep', 'where', node('isSteep', 'greater', height, width), node('rest', 'sub', emit.number(Math.PI / 2), angle), angle)
    const turned = node('turned', 'where', isNegative(call, 'x', x), node('behind', 'sub', emit.number(Math.PI), steep), steep)
    return emit.node(path, 'where', [isNegative(call, 'y', y), node('below', 'neg', turned), turned])
  },
}

/** a / b, and 0 where b is 0. */
const divideNoNan: Operation = {
  names: [FIRST, 'y|x2|b'],
  emit(call, given) {
    const { emit, path } = call
    const [a, b] = operands(call, given) as [string, string]
    const zero = emit.number(0)
    return emit.node(path, 'where', [emit.node(`${path}/isZero`, 'equal', [b, zero]), zero, emit.node(`${path}/quotient`, 'div', [a, b])])
  },
}

/** f(x) times a constant. */
function scaled(op: string, factor: number): Operation {
  return {
    names: [FIRST],
    emit: (call, given) => call.emit.node(call.path, 'mul', [op === '' ? tensorOf(call, given) : call.emit.node(`${call.path}/${op}`, op, [tensorOf(call, given)]), call.emit.number(factor)]),
  }
}

/** 2^x */
const exp2: Operation = {
  names: [FIRST],
  emit: (call, given) => call.emit.node(call.path, 'pow', [call.emit.number(2), tensorOf(call, given)]),
}

/** sqrt(a^2 + b^2), by the larger of both, which does not overflow. */
const hypot: Operation = {
  names: [FIRST, 'y|x2'],
  emit(call, given) {
    const { emit, path } = call
    const node = (name: string, op: string, ...inputs: readonly string[]): string => emit.node(`${path}/${name}`, op, inputs)
    const [a, b] = operands(call, given).map((value, n) => node(`size${n}`, 'abs', value)) as [string, string]
    const longer = node('longer', 'max', a, b)
    // Of both zero, or both infinite, too.
    const quotient = node('quotient', 'where', node('alike', 'equal', a, b), emit.number(1), node('part', 'div', node('shorter', 'min', a, b), longer))
    return emit.node(path, 'mul', [longer, node('factor', 'sqrt', node('more', 'add', node('square', 'square', quotient), emit.number(1)))])
  },
}

/** Whether x is finite, or infinite: uint8. */
function bounded(isFinite: boolean): Operation {
  return {
    names: [FIRST],
    emit(call, given) {
      const { emit, path } = call
      const size = emit.node(`${path}/size`, 'abs', [tensorOf(call, given)])
      return emit.node(path, isFinite ? 'less' : 'equal', [size, emit.number(Infinity)])
    },
  }
}

/** True where one is, and not both. */
const logicalXor: Operation = {
  names: [FIRST, 'y|x2'],
  emit(call, given) {
    const { emit, path } = call
    const [a, b] = operands(call, given).map((value, n) => emit.truth(`${path}/truth${n}`, value)) as [string, string]
    const both = emit.node(`${path}/both`, 'and', [a, b])
    return emit.node(path, 'and', [emit.node(`${path}/any`, 'or', [a, b]), emit.node(`${path}/notBoth`, 'not', [both])])
  },
}

const tan: Operation = {
  names: [FIRST],
  emit(call, given) {
    const x = tensorOf(call, given)
    return call.emit.node(call.path, 'div', [call.emit.node(`${call.path}/sin`, 'sin', [x]), call.emit.node(`${call.path}/cos`, 'cos', [x])])
  },
}

/** The lengths of rows: by the sum of absolute values, the root of that of squares, or the largest. */
const norm: Operation = {
  names: [FIRST, 'ord', 'axis', 'keepdims'],
  emit(call, given) {
    const { emit, path, layer } = call
    const x = tensorOf(call, given)
    const order = plain(given[1]) ?? 2
    const axes = (plain(given[2]) ?? null) === null ? undefined : axesOf(call, given[2])
    // Of two axes, 1, 2 and Infinity are norms of matrices.
    const isVector = axes === undefined ? order === 2 || order === 'euclidean' : axes.length === 1
    const op = order === 'fro' || order === 'euclidean' || (order === 2 && (isVector || plain(given[1]) === undefined)) ? 'reduceL2' : isVector && order === 1 ? 'reduceL1' : undefined
    if (op === undefined) throw notSupported(`${layer.settings.what}: ord ${JSON.stringify(order)}`)
    return emit.node(path, op, [x, ...(axes === undefined ? [] : [emit.integers(...axes)])], { keepdims: plain(given[3]) === true })
  },
}

/** By Keras 3's class names, in lower case, and TensorFlow's function names. */
export const ARITHMETIC_FUNCTIONS: Readonly<Record<string, Operation>> = {
  arctan2, 'math.atan2': arctan2, 'dividenonan': divideNoNan, 'math.divide_no_nan': divideNoNan,
  'log2': scaled('log', Math.LOG2E), 'log10': scaled('log', Math.LOG10E), 'deg2rad': scaled('', Math.PI / 180), 'rad2deg': scaled('', 180 / Math.PI),
  exp2, hypot, 'isfinite': bounded(true), 'math.is_finite': bounded(true), 'isinf': bounded(false), 'math.is_inf': bounded(false),
  'logicalxor': logicalXor, 'math.logical_xor': logicalXor, tan, 'math.tan': tan, norm, 'linalg.norm': norm,
}
