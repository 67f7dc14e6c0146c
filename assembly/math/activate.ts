// Every activation function of ONNX and Keras, and the other functions of one variable, by number.
// test/functions.test.ts runs every one of them. The standard library's exp and log are not used: their tables
// do not fit below the first block.
import { exp, sigmoid, tanh } from './called'
import { expm1OfNegative, log, log1p, sigmoid as writtenSigmoid, tanh as writtenTanh } from './exponential'
import { FIRST_OF_ROW, FunctionCode } from './function-code'
import { sinShifted } from './trigonometry'

/**
 * out[n] = f(in[n]) for FunctionCode `code`; `alpha` and `beta` as the function has them; out may be in. Allocations are padded to whole vectors: lanes past
 * `length` are read and written inside the padding.
 */
export function activateF32(code: i32, alpha: f32, beta: f32, inPtr: usize, outPtr: usize, length: i32): void {
  activateVectors(code, alpha, beta, inPtr, outPtr, 16, length)
}

/** Vectors `strideBytes` apart, in both. The commonest functions have loops of their own, without a choice at every vector. */
function activateVectors(code: i32, alpha: f32, beta: f32, inPtr: usize, outPtr: usize, strideBytes: i32, length: i32): void {
  const endPtr = inPtr + ((length + 3) >> 2) * strideBytes
  if (code == FunctionCode.sigmoid) {
    for (; inPtr < endPtr; inPtr += strideBytes) {
      v128.store(outPtr, writtenSigmoid(v128.load(inPtr)))
      outPtr += strideBytes
    }
  } else if (code == FunctionCode.tanh) {
    for (; inPtr < endPtr; inPtr += strideBytes) {
      v128.store(outPtr, writtenTanh(v128.load(inPtr)))
      outPtr += strideBytes
    }
  } else if (code == FunctionCode.relu) {
    for (; inPtr < endPtr; inPtr += strideBytes) {
      v128.store(outPtr, relu(v128.load(inPtr)))
      outPtr += strideBytes
    }
  } else {
    for (; inPtr < endPtr; inPtr += strideBytes) {
      v128.store(outPtr, activate(code, alpha, beta, v128.load(inPtr)))
      outPtr += strideBytes
    }
  }
}

/** max(0, x); NaN stays NaN: pmax(x, 0) is x < 0 ? 0 : x. */
// @ts-ignore: decorator
@inline
function relu(x: v128): v128 {
  return f32x4.pmax(x, f32x4.splat(0))
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
    case FunctionCode.sigmoid: return sigmoid(x)
    case FunctionCode.tanh: return tanh(x)
    case FunctionCode.relu: return relu(x)
    case FunctionCode.hardSigmoid: return clamp(f32x4.add(f32x4.mul(x, f32x4.splat(alpha)), f32x4.splat(beta)), 0, 1)
    case FunctionCode.leakyRelu: return where(f32x4.lt(x, zero), f32x4.mul(x, f32x4.splat(alpha)), x)
    case FunctionCode.thresholdedRelu: return where(f32x4.le(x, f32x4.splat(alpha)), f32x4.splat(beta), x)
    case FunctionCode.elu: return exponentialLinear(x, alpha, 1, 1)
    case FunctionCode.selu: return exponentialLinear(x, alpha * beta, 1, beta)
    case FunctionCode.celu: return exponentialLinear(x, alpha, alpha, 1)
    case FunctionCode.softplus: return softplus(x)
    case FunctionCode.logSigmoid: return f32x4.neg(softplus(f32x4.neg(x)))
    case FunctionCode.softsign: return f32x4.div(x, f32x4.add(one, f32x4.abs(x)))
    case FunctionCode.affine: return f32x4.add(f32x4.mul(x, f32x4.splat(alpha)), f32x4.splat(beta))
    case FunctionCode.scaledTanh: return f32x4.mul(f32x4.splat(alpha), tanh(f32x4.mul(x, f32x4.splat(beta))))
    case FunctionCode.exp: return exp(x)
    case FunctionCode.gelu: {
      const y = erf(f32x4.mul(x, f32x4.splat(0.7071067811865476)))
      return f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), f32x4.add(one, y))
    }
    case FunctionCode.geluTanh: {
      const cubic = f32x4.mul(f32x4.mul(x, f32x4.mul(x, x)), f32x4.splat(0.044715))
      const inner = f32x4.mul(f32x4.splat(0.7978845608028654), f32x4.add(x, cubic))
      return f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), f32x4.add(one, tanh(inner)))
    }
    case FunctionCode.silu: return f32x4.mul(x, sigmoid(x))
    case FunctionCode.mish: return f32x4.mul(x, tanh(softplus(x)))
    case FunctionCode.clipped: return clamp(x, alpha, beta)
    case FunctionCode.hardSwish: return f32x4.mul(x, clamp(f32x4.add(f32x4.mul(x, f32x4.splat(1.0 / 6.0)), f32x4.splat(0.5)), 0, 1))
    case FunctionCode.hardShrink: return where(f32x4.le(f32x4.abs(x), f32x4.splat(alpha)), zero, x)
    case FunctionCode.softShrink: {
      const limit = f32x4.splat(alpha)
      return f32x4.sub(f32x4.pmax(f32x4.sub(x, limit), zero), f32x4.pmax(f32x4.sub(f32x4.neg(x), limit), zero))
    }
    case FunctionCode.tanhShrink: return f32x4.sub(x, tanh(x))
    case FunctionCode.squareplus: return f32x4.mul(f32x4.splat(0.5), f32x4.add(x, f32x4.sqrt(f32x4.add(f32x4.mul(x, x), f32x4.splat(alpha)))))
    case FunctionCode.sparsePlus: {
      const half = f32x4.mul(f32x4.add(x, one), f32x4.splat(0.5))
      return where(f32x4.ge(x, one), x, where(f32x4.le(x, f32x4.splat(-1)), zero, f32x4.mul(half, half)))
    }
    case FunctionCode.sqrt: return f32x4.sqrt(x)
    case FunctionCode.abs: return f32x4.abs(x)
    case FunctionCode.neg: return f32x4.neg(x)
    case FunctionCode.reciprocal: return f32x4.div(one, x)
    case FunctionCode.floor: return f32x4.floor(x)
    case FunctionCode.ceil: return f32x4.ceil(x)
    case FunctionCode.round: return f32x4.nearest(x)
    case FunctionCode.square: return f32x4.mul(x, x)
    case FunctionCode.sign: {
      // NaN is neither: it must stay.
      const signed = where(f32x4.gt(x, zero), one, where(f32x4.lt(x, zero), f32x4.splat(-1), zero))
      return where(f32x4.eq(x, x), signed, x)
    }
    case FunctionCode.log: return log(x)
    case FunctionCode.erf: return erf(x)
    case FunctionCode.sin: case FunctionCode.cos: case FunctionCode.atan: return laneByLane(code, x)
    default: return x
  }
}

function erf(x: v128): v128 {
  return laneByLane(FunctionCode.erf, x)
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
    case FunctionCode.sin: return sinShifted(x, 0)
    case FunctionCode.cos: return sinShifted(x, 1)
    case FunctionCode.atan: return NativeMathf.atan(x)
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
    activateVectors(code, alpha, beta, ptr, ptr, strideBytes, length)
  } else if (code == FunctionCode.sparsemax) {
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
    f32.store(at, (code == FunctionCode.softmax ? expOf(shifted) / sum : (shifted as f64) - logSum) as f32)
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
