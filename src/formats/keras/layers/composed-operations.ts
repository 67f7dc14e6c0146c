// Functions that are several operators of ours: keras.ops.log1p, tf.einsum and so on.
import { notSupported } from '../layer-call.ts'
import { integerArgument, FIRST, operands, plain, tensorOf, axesOf, type Operation } from './operation.ts'
import { emitEinsum } from './einsum.ts'

/** A function of one of ours with constants. */
function fixed(op: string, attributes: (alpha: number) => Readonly<Record<string, number>>): Operation {
  return { names: [FIRST], emit: (call, given) => call.emit.node(call.path, op, [tensorOf(call, given)], attributes(call.dialect.hardSigmoidAlpha)) }
}

/** log(1 + x) and exp(x) - 1: exact to a rounding of 1 + x. */
const log1p: Operation = {
  names: [FIRST],
  emit: (call, given) => call.emit.node(call.path, 'log', [call.emit.node(`${call.path}/more`, 'add', [tensorOf(call, given), call.emit.number(1)])]),
}
const expm1: Operation = {
  names: [FIRST],
  emit: (call, given) => call.emit.node(call.path, 'sub', [call.emit.node(`${call.path}/exp`, 'exp', [tensorOf(call, given)]), call.emit.number(1)]),
}

/** (exp(x) + exp(-x)) / 2, or their difference. */
function hyperbolic(op: 'add' | 'sub'): Operation {
  return {
    names: [FIRST],
    emit(call, given) {
      const { emit, path } = call
      const x = tensorOf(call, given)
      const rising = emit.node(`${path}/rising`, 'exp', [x])
      const falling = emit.node(`${path}/falling`, 'exp', [emit.node(`${path}/negative`, 'neg', [x])])
      return emit.node(path, 'mul', [emit.node(`${path}/both`, op, [rising, falling]), emit.number(0.5)])
    },
  }
}

/** log(exp(a) + exp(b)) = max(a, b) + softplus(-|a - b|). */
const logAddExp: Operation = {
  names: [FIRST, 'y|x2'],
  emit(call, given) {
    const { emit, path } = call
    const [a, b] = operands(call, given) as [string, string]
    const apart = emit.node(`${path}/apart`, 'abs', [emit.node(`${path}/difference`, 'sub', [a, b])])
    const rest = emit.node(`${path}/rest`, 'softplus', [emit.node(`${path}/negative`, 'neg', [apart])])
    return emit.node(path, 'add', [emit.node(`${path}/larger`, 'max', [a, b]), rest])
  },
}

/** x / max(|x|, epsilon), with the length of rows. */
const normalize: Operation = {
  names: [FIRST, 'axis', 'order', 'epsilon'],
  emit(call, given) {
    const { emit, path, layer } = call
    const x = tensorOf(call, given)
    if ((plain(given[2]) ?? 2) !== 2) throw notSupported(`${layer.settings.what}: order ${JSON.stringify(plain(given[2]))}`)
    const axes = (plain(given[1]) ?? null) === null ? [-1] : axesOf(call, given[1])
    const squares = emit.node(`${path}/squares`, 'reduceSum', [emit.node(`${path}/square`, 'square', [x]), emit.integers(...axes)], { keepdims: true })
    const length = emit.node(`${path}/bounded`, 'max', [emit.node(`${path}/length`, 'sqrt', [squares]), emit.number(Number(plain(given[3]) ?? 1e-7))])
    return emit.node(path, 'div', [x, length])
  },
}

/** One triangle of matrices. */
function triangle(upper: number): Operation {
  return {
    names: [FIRST, 'k'],
    emit: (call, given) => call.emit.node(call.path, 'trilu', [tensorOf(call, given), call.emit.integers(integerArgument(call, given[1], 'k', 0))], { upper }),
  }
}

/** a sigmoid(b) for the two halves a and b of an axis. */
const glu: Operation = {
  names: [FIRST, 'axis'],
  emit(call, given) {
    const { emit, path } = call
    const [a, b] = emit.nodeWith(2, `${path}/halves`, 'split', [tensorOf(call, given)], { axis: integerArgument(call, given[1], 'axis', -1) }) as [string, string]
    return emit.node(path, 'mul', [a, emit.node(`${path}/gate`, 'sigmoid', [b])])
  },
}

const average: Operation = {
  names: [FIRST, 'axis', 'weights'],
  emit(call, given) {
    const { emit, path, layer } = call
    if (given[2] !== undefined && plain(given[2]) !== null) throw notSupported(`${layer.settings.what}: weights`)
    const axes = (plain(given[1]) ?? null) === null ? [] : [emit.integers(...axesOf(call, given[1]))]
    return emit.node(path, 'reduceMean', [tensorOf(call, given), ...axes], { keepdims: false })
  },
}

/** Keras 3 has the subscripts in its config, TensorFlow as the first argument. */
const einsum: Operation = {
  names: ['a', 'b', 'c'],
  emit(call, given) {
    const { layer } = call
    const own = layer.settings.json('subscripts')
    const subscripts = own ?? plain(given[0])
    const rest = own === undefined ? given.slice(1) : given
    if (typeof subscripts !== 'string') throw layer.settings.wrong('subscripts', 'an equation', subscripts)
    return emitEinsum(call, subscripts, operands(call, rest.filter((argument) => argument !== undefined)))
  },
}

/** By Keras 3's class names, in lower case, and TensorFlow's function names. */
export const COMPOSED_FUNCTIONS: Readonly<Record<string, Operation>> = {
  'log1p': log1p, 'math.log1p': log1p, 'expm1': expm1, 'math.expm1': expm1,
  'sinh': hyperbolic('sub'), 'math.sinh': hyperbolic('sub'), 'cosh': hyperbolic('add'), 'math.cosh': hyperbolic('add'),
  'logaddexp': logAddExp, normalize, glu, average, einsum, 'linalg.einsum': einsum,
  'tril': triangle(0), 'triu': triangle(1),
  'arctan': fixed('atan', () => ({})), 'math.atan': fixed('atan', () => ({})),
  'hardsilu': fixed('hardSwish', () => ({})), 'hardsigmoid': fixed('hardSigmoid', (alpha) => ({ alpha, beta: 0.5 })),
  'relu6': fixed('clipped', () => ({ alpha: 0, beta: 6 })), 'nn.relu6': fixed('clipped', () => ({ alpha: 0, beta: 6 })),
  'hardtanh': fixed('clipped', () => ({ alpha: -1, beta: 1 })), 'tanhshrink': fixed('tanhShrink', () => ({})), 'mish': fixed('mish', () => ({})),
}
