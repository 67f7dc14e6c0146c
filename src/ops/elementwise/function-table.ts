import { addFunctions, COMMON_FUNCTIONS, type FunctionFacts } from './functions.ts'

/**
 * Functions of one variable besides the common ones: every activation of ONNX and Keras among them. Each is an
 * operator of this name, with attributes `alpha` and `beta` where it has constants, and may be the activation of an LSTM.
 */
const FUNCTIONS: Readonly<Record<string, FunctionFacts>> = {
  /** max(0, min(1, alpha x + beta)): ONNX, Keras 2 and tfjs 0.2, 0.5; Keras 3 1/6, 0.5 */
  hardSigmoid: { code: 4, onnx: 'HardSigmoid', alpha: 0.2, beta: 0.5 },
  /** alpha x below 0, else x */
  leakyRelu: { code: 5, onnx: 'LeakyRelu', alpha: 0.01 },
  /** x above alpha, else beta */
  thresholdedRelu: { code: 6, onnx: 'ThresholdedRelu', alpha: 1, beta: 0 },
  /** alpha (e^x - 1) below 0, else x */
  elu: { code: 7, onnx: 'Elu', alpha: 1 },
  /** beta alpha (e^x - 1) below 0, else beta x; ONNX calls beta gamma */
  selu: { code: 8, alpha: 1.6732632423543772, beta: 1.0507009873554805 },
  /** log(1 + e^x) */
  softplus: { code: 9, onnx: 'Softplus' },
  /** x / (1 + |x|) */
  softsign: { code: 10, onnx: 'Softsign' },
  /** alpha x + beta */
  affine: { code: 11, alpha: 1, beta: 0 },
  /** alpha tanh(beta x) */
  scaledTanh: { code: 12, alpha: 1, beta: 1 },
  exp: { code: 13, onnx: 'Exp' },
  /** x Phi(x), exact */
  gelu: { code: 14 },
  /** x Phi(x), by tanh */
  geluTanh: { code: 15 },
  /** x sigmoid(x), also called swish */
  silu: { code: 16 },
  /** x tanh(softplus(x)) */
  mish: { code: 17, onnx: 'Mish' },
  /** max(alpha, min(beta, x)): relu6 is 0, 6; hard tanh -1, 1 */
  clipped: { code: 18, alpha: -1, beta: 1 },
  /** x max(0, min(1, x / 6 + 0.5)) */
  hardSwish: { code: 19, onnx: 'HardSwish' },
  /** 0 where |x| <= alpha, else x */
  hardShrink: { code: 20, alpha: 0.5 },
  /** x moved towards 0 by alpha */
  softShrink: { code: 21, alpha: 0.5 },
  /** x - tanh x */
  tanhShrink: { code: 22 },
  logSigmoid: { code: 23 },
  /** max(0, x) + min(0, alpha (e^(x / alpha) - 1)) */
  celu: { code: 24, onnx: 'Celu', alpha: 1 },
  /** (x + sqrt(x^2 + alpha)) / 2 */
  squareplus: { code: 25, alpha: 4 },
  /** 0 up to -1, (x + 1)^2 / 4 up to 1, then x */
  sparsePlus: { code: 26 },
  log: { code: 27, onnx: 'Log' },
  sqrt: { code: 28, onnx: 'Sqrt' },
  abs: { code: 29, onnx: 'Abs' },
  neg: { code: 30, onnx: 'Neg' },
  reciprocal: { code: 31, onnx: 'Reciprocal' },
  floor: { code: 32, onnx: 'Floor' },
  ceil: { code: 33, onnx: 'Ceil' },
  /** To the nearest whole number, halves to even. */
  round: { code: 34, onnx: 'Round' },
  sign: { code: 35, onnx: 'Sign' },
  erf: { code: 36, onnx: 'Erf' },
  square: { code: 37 },
  sin: { code: 38, onnx: 'Sin' },
  cos: { code: 39, onnx: 'Cos' },
  atan: { code: 40, onnx: 'Atan' },
}

/** Functions of a whole row: activations of an LSTM over its units. As operators they have files of their own. */
const ROW_FUNCTIONS: Readonly<Record<string, FunctionFacts>> = {
  softmax: { code: 64 },
  logSoftmax: { code: 65 },
  sparsemax: { code: 66 },
}

/** Functions that weights and shapes are computed with before run time; the others wait for the kernel. */
const PLAIN: Readonly<Record<string, (x: number) => number>> = {
  linear: (x) => x, exp: Math.exp, log: Math.log, sqrt: Math.sqrt, abs: Math.abs, neg: (x) => -x, reciprocal: (x) => 1 / x,
  floor: Math.floor, ceil: Math.ceil, sign: Math.sign, square: (x) => x * x, relu: (x) => Math.max(0, x), tanh: Math.tanh,
  sin: Math.sin, cos: Math.cos, atan: Math.atan,
}

/** The function in plain JavaScript, where it is one that constants are folded with. */
export function plainFunction(name: string): ((x: number) => number) | undefined {
  return Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined
}

/** Names of all functions of one variable. */
export const FUNCTION_NAMES: readonly string[] = [...COMMON_FUNCTIONS, ...Object.keys(FUNCTIONS)]

/** Makes all functions known. */
export function addAllFunctions(): void {
  addFunctions({ ...FUNCTIONS, ...ROW_FUNCTIONS })
}
