import { FunctionCode } from '../../contract/math/function-code.ts'
import { NdArray } from '../../values/ndarray.ts'
import { requireInput } from '../node/checks.ts'
import type { Operator } from '../operator.ts'
import { elementwise } from './activations.ts'
import { addFunctions, COMMON_FUNCTIONS, type BoundFunction, type CommonFunction, type FunctionDefaults, type FunctionName } from './functions.ts'

/**
 * Functions of one variable besides the common ones: every activation of ONNX and Keras among them. Each is an
 * operator of this name, with attributes `alpha` and `beta` where it has constants, and may be the activation of an LSTM. None of the
 * kernels' may be missing.
 */
const FUNCTIONS: Readonly<Record<Exclude<FunctionName, CommonFunction | keyof typeof ROW_FUNCTIONS>, FunctionDefaults>> = {
  /** max(0, min(1, alpha x + beta)): ONNX, Keras 2 and tfjs 0.2, 0.5; Keras 3 1/6, 0.5 */
  hardSigmoid: { onnx: 'HardSigmoid', alpha: 0.2, beta: 0.5 },
  /** alpha x below 0, else x */
  leakyRelu: { onnx: 'LeakyRelu', alpha: 0.01 },
  /** x above alpha, else beta */
  thresholdedRelu: { onnx: 'ThresholdedRelu', alpha: 1, beta: 0 },
  /** alpha (e^x - 1) below 0, else x */
  elu: { onnx: 'Elu', alpha: 1 },
  /** beta alpha (e^x - 1) below 0, else beta x; ONNX calls beta gamma */
  selu: { alpha: 1.6732632423543772, beta: 1.0507009873554805 },
  /** log(1 + e^x) */
  softplus: { onnx: 'Softplus' },
  /** x / (1 + |x|) */
  softsign: { onnx: 'Softsign' },
  /** alpha x + beta */
  affine: { alpha: 1, beta: 0 },
  /** alpha tanh(beta x) */
  scaledTanh: { alpha: 1, beta: 1 },
  exp: { onnx: 'Exp' },
  /** x Phi(x), exact */
  gelu: {},
  /** x Phi(x), by tanh */
  geluTanh: {},
  /** x sigmoid(x), also called swish */
  silu: {},
  /** x tanh(softplus(x)) */
  mish: { onnx: 'Mish' },
  /** max(alpha, min(beta, x)): relu6 is 0, 6; hard tanh -1, 1 */
  clipped: { alpha: -1, beta: 1 },
  /** x max(0, min(1, x / 6 + 0.5)) */
  hardSwish: { onnx: 'HardSwish' },
  /** 0 where |x| <= alpha, else x */
  hardShrink: { alpha: 0.5 },
  /** x moved towards 0 by alpha */
  softShrink: { alpha: 0.5 },
  /** x - tanh x */
  tanhShrink: {},
  logSigmoid: {},
  /** max(0, x) + min(0, alpha (e^(x / alpha) - 1)) */
  celu: { onnx: 'Celu', alpha: 1 },
  /** (x + sqrt(x^2 + alpha)) / 2 */
  squareplus: { alpha: 4 },
  /** 0 up to -1, (x + 1)^2 / 4 up to 1, then x */
  sparsePlus: {},
  log: { onnx: 'Log' },
  sqrt: { onnx: 'Sqrt' },
  abs: { onnx: 'Abs' },
  neg: { onnx: 'Neg' },
  reciprocal: { onnx: 'Reciprocal' },
  floor: { onnx: 'Floor' },
  ceil: { onnx: 'Ceil' },
  /** To the nearest whole number, halves to even. */
  round: { onnx: 'Round' },
  sign: { onnx: 'Sign' },
  erf: { onnx: 'Erf' },
  square: {},
  sin: { onnx: 'Sin' },
  cos: { onnx: 'Cos' },
  atan: { onnx: 'Atan' },
}

/** Functions of a whole row: activations of an LSTM over its units. As operators they have files of their own. */
const ROW_FUNCTIONS = { softmax: {}, logSoftmax: {}, sparsemax: {} }

/** Functions that weights and shapes are computed with before run time; the others wait for the kernel. */
const PLAIN: Readonly<Record<string, (x: number) => number>> = {
  linear: (x) => x, exp: Math.exp, log: Math.log, sqrt: Math.sqrt, abs: Math.abs, neg: (x) => -x, reciprocal: (x) => 1 / x,
  floor: Math.floor, ceil: Math.ceil, sign: Math.sign, square: (x) => x * x, relu: (x) => Math.max(0, x), tanh: Math.tanh,
  sin: Math.sin, cos: Math.cos, atan: Math.atan,
}

/** Whole numbers have a sign too: shapes are computed with it, and always folded. */
const OF_WHOLE_NUMBERS: readonly string[] = ['abs', 'neg', 'sign']

/** The operator of a function. With one of PLAIN, constants are folded. */
export function functionOperator(name: string): Operator<BoundFunction> {
  const operator = elementwise(name)
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined
  if (plain === undefined) return operator
  return {
    ...operator,
    infer(node, context) {
      const isFolded = context.value(0)?.dtype === 'int32' && OF_WHOLE_NUMBERS.includes(name)
      return [requireInput(node, context, 0, isFolded ? 'int32' : 'float32')]
    },
    evaluate(_node, context) {
      const x = context.value(0)
      return x && [new NdArray(x.data.map(plain), x.shape)]
    },
  }
}

/** Names of all functions of one variable. */
export const FUNCTION_NAMES: readonly string[] = [...COMMON_FUNCTIONS, ...Object.keys(FUNCTIONS)]

/** Makes all functions known. */
export function addAllFunctions(): void {
  const defaults: Partial<Record<FunctionName, FunctionDefaults>> = { ...FUNCTIONS, ...ROW_FUNCTIONS }
  for (const name of Object.keys(defaults) as FunctionName[]) addFunctions({ [name]: { ...defaults[name], code: FunctionCode[name] } })
}
