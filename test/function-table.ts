// Every function of one variable: what it is in float64, and how far the kernels may be from it. The source of docs/accuracy.md.
import { ACTIVATION_ULP } from './tolerance.ts'

export interface FunctionRow {
  /** In float64; constants as the kernel has them, rounded to float32. */
  readonly of: (x: number, alpha: number, beta: number) => number
  /** Constants besides the defaults that are tried, too. */
  readonly constants?: readonly (readonly [alpha: number, beta: number])[]
  /** Distance from the correctly rounded value, in float32 values between them. */
  readonly ulp: number
  /** Where the distance is larger, it is at most this as a number: results that are small beside what they are the difference of. */
  readonly absolute?: number
  /** Why it is not nearer. */
  readonly why?: string
  /** Where its results are compared; everywhere unless told otherwise. */
  readonly within?: readonly [least: number, most: number]
}

const SQRT_PI = Math.sqrt(Math.PI)

/** erfc(x) for x >= 2: a continued fraction, from its end. */
function erfcTail(x: number): number {
  let fraction = x
  for (let n = 60; n >= 1; n--) fraction = x + n / 2 / fraction
  return Math.exp(-x * x) / SQRT_PI / fraction
}

/** erf(x) for |x| < 2: its Taylor series times e^x^2, which has no signs that change. */
function erfSeries(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 1; n < 80; n++) {
    term *= 2 * x * x / (2 * n + 1)
    sum += term
  }
  return 2 / SQRT_PI * Math.exp(-x * x) * sum
}

const erfc = (x: number): number => (x >= 2 ? erfcTail(x) : x <= -2 ? 2 - erfcTail(-x) : 1 - erfSeries(x))
const erf = (x: number): number => (Math.abs(x) < 2 ? erfSeries(x) : x > 0 ? 1 - erfcTail(x) : erfcTail(-x) - 1)
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))
const clamp = (x: number, least: number, most: number): number => (Number.isNaN(x) ? x : Math.min(most, Math.max(least, x)))
const round = (x: number): number => {
  const down = Math.floor(x)
  if (!Number.isFinite(x) || x === down) return x
  const half = x - down
  const up = half > 0.5 || (half === 0.5 && down % 2 !== 0)
  return up ? (down + 1 === 0 ? -0 : down + 1) : down === 0 ? 0 : down
}

/** 1 - tanh y and 1 + tanh y without cancellation. */
const onePlusTanh = (y: number): number => 2 / (1 + Math.exp(-2 * y))
const GELU = 0.7978845608028654

/** By name, in the order of their numbers. */
export const FUNCTION_TABLE: Readonly<Record<string, FunctionRow>> = {
  linear: { of: (x) => x, ulp: 0 },
  sigmoid: { of: sigmoid, ulp: ACTIVATION_ULP },
  tanh: { of: Math.tanh, ulp: ACTIVATION_ULP },
  relu: { of: (x) => (x < 0 ? 0 : x), ulp: 0 },
  hardSigmoid: { of: (x, alpha, beta) => clamp(alpha * x + beta, 0, 1), constants: [[1 / 6, 0.5]], ulp: 1, absolute: 3e-8, why: 'x alpha + beta is near 0' },
  leakyRelu: { of: (x, alpha) => (x < 0 ? alpha * x : x), constants: [[0.3, 0]], ulp: 0 },
  thresholdedRelu: { of: (x, alpha, beta) => (x <= alpha ? beta : x), constants: [[-0.5, 2]], ulp: 0 },
  elu: { of: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x), constants: [[0.3, 0]], ulp: 2 },
  selu: { of: (x, alpha, beta) => (x < 0 ? beta * alpha * Math.expm1(x) : beta * x), constants: [[1.5, 2]], ulp: 2 },
  softplus: { of: softplus, ulp: 3 },
  softsign: { of: (x) => x / (1 + Math.abs(x)), ulp: 1, within: [-3e38, 3e38] },
  affine: { of: (x, alpha, beta) => alpha * x + beta, constants: [[0.7, -0.3]], ulp: 1, absolute: 6e-8, why: 'x alpha + beta is near 0' },
  scaledTanh: { of: (x, alpha, beta) => alpha * Math.tanh(beta * x), constants: [[1.7159, 0.6666667]], ulp: 5 },
  exp: { of: Math.exp, ulp: 2 },
  gelu: {
    of: (x) => (x === -Infinity ? NaN : x * 0.5 * erfc(-x * Math.SQRT1_2)), ulp: 3, absolute: 2e-7,
    why: '1 + erf where erf is near -1, as in PyTorch and TensorFlow',
  },
  geluTanh: {
    of: (x) => (x === -Infinity ? NaN : 0.5 * x * onePlusTanh(GELU * (x + 0.044715 * x * x * x))), ulp: 4, absolute: 4e-7,
    why: '1 + tanh where tanh is near -1, as in PyTorch and TensorFlow',
  },
  silu: { of: (x) => (x === -Infinity ? NaN : x * sigmoid(x)), ulp: 5, absolute: 2e-43, why: 'sigmoid(x) is denormal' },
  mish: { of: (x) => (x === -Infinity ? NaN : x * Math.tanh(softplus(x))), ulp: 8, absolute: 2e-43, why: 'softplus(x) is denormal' },
  clipped: { of: (x, alpha, beta) => clamp(x, alpha, beta), constants: [[0, 6]], ulp: 0 },
  hardSwish: { of: (x) => (x === -Infinity ? NaN : x * clamp(x / 6 + 0.5, 0, 1)), ulp: 3, absolute: 2e-7, why: 'x / 6 + 0.5 is near 0' },
  hardShrink: { of: (x, alpha) => (Math.abs(x) <= alpha ? 0 : x), constants: [[1, 0]], ulp: 0 },
  softShrink: { of: (x, alpha) => (x > alpha ? x - alpha : x < -alpha ? x + alpha : Number.isNaN(x) ? x : 0), constants: [[1, 0]], ulp: 0 },
  tanhShrink: {
    of: (x) => (Math.abs(x) < 0.02 ? x ** 3 / 3 - 2 / 15 * x ** 5 + 17 / 315 * x ** 7 : x - Math.tanh(x)), ulp: 3, absolute: 2e-7,
    why: 'x - tanh x near 0, as in the frameworks', within: [-3e38, 3e38],
  },
  logSigmoid: { of: (x) => -softplus(-x), ulp: 3 },
  celu: { of: (x, alpha) => (x < 0 ? alpha * Math.expm1(x / alpha) : x), constants: [[2.5, 0]], ulp: 3 },
  squareplus: {
    of: (x, alpha) => (x < 0 ? alpha / 2 / (Math.sqrt(x * x + alpha) - x) : (x + Math.sqrt(x * x + alpha)) / 2), constants: [[0.25, 0]], ulp: 2,
    within: [-1e3, 1e18], absolute: 7e-5, why: 'x + sqrt(x^2 + alpha) below 0: up to 2^-24 |x|',
  },
  sparsePlus: { of: (x) => (x >= 1 ? x : x <= -1 ? 0 : ((x + 1) / 2) ** 2), ulp: 3 },
  log: { of: Math.log, ulp: 2 },
  sqrt: { of: Math.sqrt, ulp: 0 },
  abs: { of: Math.abs, ulp: 0 },
  neg: { of: (x) => -x, ulp: 0 },
  reciprocal: { of: (x) => 1 / x, ulp: 0 },
  floor: { of: Math.floor, ulp: 0 },
  ceil: { of: Math.ceil, ulp: 0 },
  round: { of: round, ulp: 0 },
  sign: { of: Math.sign, ulp: 0 },
  erf: { of: erf, ulp: 1 },
  square: { of: (x) => x * x, ulp: 0 },
  sin: { of: Math.sin, ulp: 1 },
  cos: { of: Math.cos, ulp: 1 },
  atan: { of: Math.atan, ulp: 1 },
}

/** The page, as Markdown. */
export function accuracyPage(formulas: ReadonlyMap<string, string>): string {
  const rows = Object.entries(FUNCTION_TABLE).map(([name, { ulp, absolute, why = '', within }]) => {
    const where = within === undefined ? '' : `${within[0]} to ${within[1]}`
    return `| \`${name}\` | ${formulas.get(name) ?? ''} | ${ulp} | ${absolute ?? ''} | ${why} | ${where} |`
  })
  return [
    '# How exact the functions are',
    '',
    '<!-- Written by `npm run docs:accuracy` from test/function-table.ts; a test compares it, and every function with float64. -->',
    '',
    'Every function of one variable is an operator of its name, and may be an activation of an LSTM. It is compared with float64 at',
    'every 16,381st float32 and around its corners, in every binary, as an operator and as an activation (`EXHAUSTIVE=1 npx vitest run',
    'test/functions.test.ts`: at every float32). The distance is counted in float32 values between the result and the correctly rounded',
    'one (ULP). Where a result is small beside the numbers it is the difference of, it may be farther, but no more than the absolute',
    'distance: there the formulas are those of the frameworks, and lose as many digits as theirs.',
    '',
    '| function | | ULP | or absolute | where, and why | range |',
    '| --- | --- | ---: | ---: | --- | --- |',
    ...rows,
    '',
    'softmax, log-softmax and sparsemax are of whole rows; test/kernels/softmax.test.ts and test/functions.test.ts bound them by the row.',
    '',
  ].join('\n')
}
