// Every activation function of ONNX and Keras, and the other functions of one variable, by number.
// The same numbers stand in src/ops/elementwise/functions.ts and more-functions.ts, and test/functions.test.ts runs every one of them. The standard
// library's exp and log are not used: their tables would be more than there is room for below the first block.
import { exp, expm1OfNegative, log, log1p, sigmoid, tanh } from './exponential'
import { sinShifted } from './trigonometry'

export const LINEAR: i32 = 0
export const SIGMOID: i32 = 1
export const TANH: i32 = 2
const RELU: i32 = 3
const HARD_SIGMOID: i32 = 4
const LEAKY_RELU: i32 = 5
const THRESHOLD: i32 = 6
const ELU: i32 = 7
const SELU: i32 = 8
const SOFTPLUS: i32 = 9
const SOFTSIGN: i32 = 10
const AFFINE: i32 = 11
const SCALED_TANH: i32 = 12
const EXP: i32 = 13
const GELU: i32 = 14
const GELU_TANH: i32 = 15
const SILU: i32 = 16
const MISH: i32 = 17
const CLIP: i32 = 18
const HARD_SWISH: i32 = 19
const HARD_SHRINK: i32 = 20
const SOFT_SHRINK: i32 = 21
const TANH_SHRINK: i32 = 22
const LOG_SIGMOID: i32 = 23
const CELU: i32 = 24
const SQUAREPLUS: i32 = 25
const SPARSE_PLUS: i32 = 26
const LOG: i32 = 27
const SQRT: i32 = 28
const ABS: i32 = 29
const NEG: i32 = 30
const RECIPROCAL: i32 = 31
const FLOOR: i32 = 32
const CEIL: i32 = 33
const ROUND: i32 = 34
const SIGN: i32 = 35
const ERF: i32 = 36
const SQUARE: i32 = 37
const SIN: i32 = 38
const COS: i32 = 39
const ATAN: i32 = 40
/** From here on a function of a whole row. */
export const FIRST_OF_ROW: i32 = 64
export const SOFTMAX: i32 = 64
export const LOG_SOFTMAX: i32 = 65
export const SPARSEMAX: i32 = 66

/** out[n] = f(in[n]) for function `code`; `alpha` and `beta` as the function has them; out may be in. */
export function activateF32(code: i32, alpha: f32, beta: f32, inPtr: usize, outPtr: usize, length: i32): void {
  for (let n = 0; n < length; n += 4) {
    v128.store(outPtr + n * 4, activate(code, alpha, beta, v128.load(inPtr + n * 4)))
  }
}

/** max(low, min(high, x)); NaN stays NaN. */
// @ts-ignore: decorator
@inline
function clamp(x: v128, low: f32, high: f32): v128 {
  // pmax(a, b) is a < b ? b : a, and pmin(a, b) is b < a ? b : a: NaN in `a` passes.
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(low)), f32x4.splat(high))
}

/** x where the mask is set, `otherwise` elsewhere. */
// @ts-ignore: decorator
@inline
function where(mask: v128, x: v128, otherwise: v128): v128 {
  return v128.bitselect(x, otherwise, mask)
}

/** alpha (e^(x / scale) - 1) for x < 0, gain x otherwise. */
function exponentialLinear(x: v128, alpha: f32, scale: f32, gain: f32): v128 {
  const zero = f32x4.splat(0)
  const below = f32x4.mul(f32x4.splat(alpha), expm1OfNegative(f32x4.pmin(f32x4.div(x, f32x4.splat(scale)), zero)))
  return where(f32x4.lt(x, zero), below, f32x4.mul(x, f32x4.splat(gain)))
}

/** log(1 + e^x) = max(x, 0) + log1p(e^-|x|). */
function softplus(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), log1p(exp(f32x4.neg(f32x4.abs(x)))))
}

/** f of four lanes. */
export function activate(code: i32, alpha: f32, beta: f32, x: v128): v128 {
  const zero = f32x4.splat(0)
  const one = f32x4.splat(1)
  switch (code) {
    case SIGMOID: return sigmoid(x)
    case TANH: return tanh(x)
    case RELU: return f32x4.pmax(x, zero)
    case HARD_SIGMOID: return clamp(f32x4.add(f32x4.mul(x, f32x4.splat(alpha)), f32x4.splat(beta)), 0, 1)
    case LEAKY_RELU: return where(f32x4.lt(x, zero), f32x4.mul(x, f32x4.splat(alpha)), x)
    case THRESHOLD: return where(f32x4.le(x, f32x4.splat(alpha)), f32x4.splat(beta), x)
    case ELU: return exponentialLinear(x, alpha, 1, 1)
    case SELU: return exponentialLinear(x, alpha * beta, 1, beta)
    case CELU: return exponentialLinear(x, alpha, alpha, 1)
    case SOFTPLUS: return softplus(x)
    case LOG_SIGMOID: return f32x4.neg(softplus(f32x4.neg(x)))
    case SOFTSIGN: return f32x4.div(x, f32x4.add(one, f32x4.abs(x)))
    case AFFINE: return f32x4.add(f32x4.mul(x, f32x4.splat(alpha)), f32x4.splat(beta))
    case SCALED_TANH: return f32x4.mul(f32x4.splat(alpha), tanh(f32x4.mul(x, f32x4.splat(beta))))
    case EXP: return exp(x)
    case GELU: {
      const y = erf(f32x4.mul(x, f32x4.splat(0.7071067811865476)))
      return f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), f32x4.add(one, y))
    }
    case GELU_TANH: {
      const cubic = f32x4.mul(f32x4.mul(x, f32x4.mul(x, x)), f32x4.splat(0.044715))
      const inner = f32x4.mul(f32x4.splat(0.7978845608028654), f32x4.add(x, cubic))
      return f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), f32x4.add(one, tanh(inner)))
    }
    case SILU: return f32x4.mul(x, sigmoid(x))
    case MISH: return f32x4.mul(x, tanh(softplus(x)))
    case CLIP: return clamp(x, alpha, beta)
    case HARD_SWISH: return f32x4.mul(x, clamp(f32x4.add(f32x4.mul(x, f32x4.splat(1.0 / 6.0)), f32x4.splat(0.5)), 0, 1))
    case HARD_SHRINK: return where(f32x4.le(f32x4.abs(x), f32x4.splat(alpha)), zero, x)
    case SOFT_SHRINK: {
      const limit = f32x4.splat(alpha)
      return f32x4.sub(f32x4.pmax(f32x4.sub(x, limit), zero), f32x4.pmax(f32x4.sub(f32x4.neg(x), limit), zero))
    }
    case TANH_SHRINK: return f32x4.sub(x, tanh(x))
    case SQUAREPLUS: return f32x4.mul(f32x4.splat(0.5), f32x4.add(x, f32x4.sqrt(f32x4.add(f32x4.mul(x, x), f32x4.splat(alpha)))))
    case SPARSE_PLUS: {
      const half = f32x4.mul(f32x4.add(x, one), f32x4.splat(0.5))
      return where(f32x4.ge(x, one), x, where(f32x4.le(x, f32x4.splat(-1)), zero, f32x4.mul(half, half)))
    }
    case SQRT: return f32x4.sqrt(x)
    case ABS: return f32x4.abs(x)
    case NEG: return f32x4.neg(x)
    case RECIPROCAL: return f32x4.div(one, x)
    case FLOOR: return f32x4.floor(x)
    case CEIL: return f32x4.ceil(x)
    case ROUND: return f32x4.nearest(x)
    case SQUARE: return f32x4.mul(x, x)
    case SIGN: {
      // NaN is neither: it must stay.
      const signed = where(f32x4.gt(x, zero), one, where(f32x4.lt(x, zero), f32x4.splat(-1), zero))
      return where(f32x4.eq(x, x), signed, x)
    }
    case LOG: return log(x)
    case ERF: return erf(x)
    case SIN: case COS: case ATAN: return laneByLane(code, x)
    default: return x
  }
}

function erf(x: v128): v128 {
  return laneByLane(ERF, x)
}

/** Functions that are computed one by one. */
function laneByLane(code: i32, x: v128): v128 {
  let result = f32x4.splat(scalar(code, f32x4.extract_lane(x, 0)))
  result = f32x4.replace_lane(result, 1, scalar(code, f32x4.extract_lane(x, 1)))
  result = f32x4.replace_lane(result, 2, scalar(code, f32x4.extract_lane(x, 2)))
  return f32x4.replace_lane(result, 3, scalar(code, f32x4.extract_lane(x, 3)))
}

function scalar(code: i32, x: f32): f32 {
  switch (code) {
    case SIN: return sinShifted(x, 0)
    case COS: return sinShifted(x, 1)
    case ATAN: return NativeMathf.atan(x)
    default: return erfOf(x)
  }
}

/**
 * erf(x) = 2 / sqrt(pi) * sum (-1)^n x^(2n+1) / (n! (2n+1)), its Taylor series, in float64.
 * For |x| < 4 its largest term is below 10^6, so it keeps 9 digits; from 4 on erf rounds to 1.
 */
function erfOf(x: f32): f32 {
  if (x >= 4) return 1
  if (x <= -4) return -1
  const square = (x as f64) * (x as f64)
  let power: f64 = x
  let sum: f64 = x
  for (let n: f64 = 1; n < 80; n += 1) {
    power *= -square / n
    sum += power / (2 * n + 1)
  }
  return (sum * 1.1283791670955126) as f32
}

// Row functions, over elements that lie in vectors `strideBytes` apart: units in the blocks of LSTM gates.

/** Address of element `n` of a row in vectors `strideBytes` apart. */
// @ts-ignore: decorator
@inline
export function elementPtr(ptr: usize, strideBytes: i32, n: i32): usize {
  return ptr + (n >> 2) * strideBytes + (n & 3) * 4
}

/** Applies function `code` to a row of `length` elements in place; padding lanes get any value. */
export function activateRow(code: i32, alpha: f32, beta: f32, ptr: usize, strideBytes: i32, length: i32): void {
  if (code < FIRST_OF_ROW) {
    for (let n = 0; n < length; n += 4) {
      const vectorPtr = ptr + (n >> 2) * strideBytes
      v128.store(vectorPtr, activate(code, alpha, beta, v128.load(vectorPtr)))
    }
  } else if (code == SPARSEMAX) {
    sparsemaxRow(ptr, strideBytes, length)
  } else {
    softmaxRow(code, ptr, strideBytes, length)
  }
}

function expOf(x: f32): f64 {
  return f32x4.extract_lane(exp(f32x4.splat(x)), 0) as f64
}

function softmaxRow(code: i32, ptr: usize, strideBytes: i32, length: i32): void {
  let highest = -Infinity as f32
  for (let n = 0; n < length; n++) highest = max(highest, f32.load(elementPtr(ptr, strideBytes, n)))
  let sum: f64 = 0
  for (let n = 0; n < length; n++) sum += expOf(f32.load(elementPtr(ptr, strideBytes, n)) - highest)
  const logSum = f32x4.extract_lane(log(f32x4.splat(sum as f32)), 0) as f64
  for (let n = 0; n < length; n++) {
    const at = elementPtr(ptr, strideBytes, n)
    const shifted = f32.load(at) - highest
    f32.store(at, (code == SOFTMAX ? expOf(shifted) / sum : (shifted as f64) - logSum) as f32)
  }
}

/**
 * Sparsemax (Martins and Astudillo 2016): max(0, x - tau) with tau such that the sum is 1. tau is found
 * by iterating over the elements still above it, which only ever get fewer.
 */
function sparsemaxRow(ptr: usize, strideBytes: i32, length: i32): void {
  let tau = -Infinity as f64
  for (let round = 0; round < length; round++) {
    let sum: f64 = 0
    let count = 0
    for (let n = 0; n < length; n++) {
      const x = f32.load(elementPtr(ptr, strideBytes, n)) as f64
      if (x > tau) {
        sum += x
        count++
      }
    }
    const next = (sum - 1) / (count as f64)
    if (!(next > tau)) break
    tau = next
  }
  for (let n = 0; n < length; n++) {
    const at = elementPtr(ptr, strideBytes, n)
    f32.store(at, max(0 as f64, (f32.load(at) as f64) - tau) as f32)
  }
}
