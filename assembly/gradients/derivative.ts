// Derivatives of the functions of one variable. At kinks they are what PyTorch's are.
import { expOfNegative } from '../math/called'
import { FunctionCode } from '../math/function-code'
import { sigmoid, sinShifted, tanh } from './inference'

/** x where the mask is set, `otherwise` elsewhere. */
// @ts-ignore: decorator
@inline
function where(mask: v128, x: v128, otherwise: v128): v128 {
  return v128.bitselect(x, otherwise, mask)
}

/** 1 - y^2. */
// @ts-ignore: decorator
@inline
function oneMinusSquare(y: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(y, y))
}

/** e^min(x, 0) times `factor` up to 0, and `gain` above. */
// @ts-ignore: decorator
@inline
function exponentialLinear(x: v128, scale: f32, factor: f32, gain: f32): v128 {
  const zero = f32x4.splat(0)
  const below = f32x4.mul(f32x4.splat(factor), expOfNegative(f32x4.pmin(f32x4.div(x, f32x4.splat(scale)), zero)))
  return where(f32x4.gt(x, zero), f32x4.splat(gain), below)
}

/** y / x for y = x g(x), which is g(x); g(0) is given. */
// @ts-ignore: decorator
@inline
function factorOf(x: v128, y: v128, atZero: f32): v128 {
  return where(f32x4.eq(x, f32x4.splat(0)), f32x4.splat(atZero), f32x4.div(y, x))
}

/** sin(x + shift pi / 2) of four lanes. */
function sine(x: v128, shift: i32): v128 {
  let result = f32x4.splat(sinShifted(f32x4.extract_lane(x, 0), shift))
  result = f32x4.replace_lane(result, 1, sinShifted(f32x4.extract_lane(x, 1), shift))
  result = f32x4.replace_lane(result, 2, sinShifted(f32x4.extract_lane(x, 2), shift))
  return f32x4.replace_lane(result, 3, sinShifted(f32x4.extract_lane(x, 3), shift))
}

/** f'(x) of four lanes, for FunctionCode `code` with its constants, from x and y = f(x). Sigmoid, tanh and relu read y alone. */
export function derivative(code: i32, alpha: f32, beta: f32, x: v128, y: v128): v128 {
  const zero = f32x4.splat(0)
  const one = f32x4.splat(1)
  switch (code) {
    case FunctionCode.sigmoid: return f32x4.mul(y, f32x4.sub(one, y))
    case FunctionCode.tanh: return oneMinusSquare(y)
    case FunctionCode.relu: return v128.and(f32x4.gt(y, zero), one)
    case FunctionCode.hardSigmoid: return v128.and(v128.and(f32x4.gt(y, zero), f32x4.lt(y, one)), f32x4.splat(alpha))
    case FunctionCode.leakyRelu: return where(f32x4.gt(x, zero), one, f32x4.splat(alpha))
    case FunctionCode.thresholdedRelu: return v128.and(f32x4.gt(x, f32x4.splat(alpha)), one)
    case FunctionCode.elu: return exponentialLinear(x, 1, alpha, 1)
    case FunctionCode.selu: return exponentialLinear(x, 1, alpha * beta, beta)
    case FunctionCode.celu: return exponentialLinear(x, alpha, 1, 1)
    case FunctionCode.softplus: return sigmoid(x)
    case FunctionCode.logSigmoid: return sigmoid(f32x4.neg(x))
    case FunctionCode.softsign: {
      const size = f32x4.add(one, f32x4.abs(x))
      return f32x4.div(one, f32x4.mul(size, size))
    }
    case FunctionCode.affine: return f32x4.splat(alpha)
    case FunctionCode.scaledTanh: return f32x4.mul(f32x4.splat(alpha * beta), oneMinusSquare(tanh(f32x4.mul(x, f32x4.splat(beta)))))
    case FunctionCode.exp: return y
    case FunctionCode.gelu: {
      // Phi(x) + x phi(x)
      const density = f32x4.mul(expOfNegative(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5))), f32x4.splat(0.3989422804014327))
      return f32x4.add(factorOf(x, y, 0.5), f32x4.mul(x, density))
    }
    case FunctionCode.geluTanh: {
      const square = f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.044715))
      const scaled = f32x4.mul(x, f32x4.splat(0.7978845608028654))
      const t = tanh(f32x4.mul(scaled, f32x4.add(one, square)))
      const inner = f32x4.mul(scaled, f32x4.add(one, f32x4.mul(square, f32x4.splat(3))))
      return f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.add(one, t), f32x4.mul(oneMinusSquare(t), inner)))
    }
    case FunctionCode.silu: {
      const s = sigmoid(x)
      return f32x4.add(s, f32x4.mul(y, f32x4.sub(one, s)))
    }
    case FunctionCode.mish: {
      // t + x sigmoid(x) (1 - t^2) with t = tanh(softplus(x)); tanh(log 2) = 0.6.
      const t = factorOf(x, y, 0.6)
      return f32x4.add(t, f32x4.mul(f32x4.mul(x, sigmoid(x)), oneMinusSquare(t)))
    }
    case FunctionCode.clipped: return v128.and(v128.and(f32x4.gt(x, f32x4.splat(alpha)), f32x4.lt(x, f32x4.splat(beta))), one)
    case FunctionCode.hardSwish: {
      const middle = f32x4.add(f32x4.mul(x, f32x4.splat(1.0 / 3.0)), f32x4.splat(0.5))
      return where(f32x4.ge(x, f32x4.splat(3)), one, v128.and(f32x4.gt(x, f32x4.splat(-3)), middle))
    }
    case FunctionCode.hardShrink: case FunctionCode.softShrink: return v128.and(f32x4.gt(f32x4.abs(x), f32x4.splat(alpha)), one)
    case FunctionCode.tanhShrink: {
      const t = tanh(x)
      return f32x4.mul(t, t)
    }
    case FunctionCode.squareplus: {
      const root = f32x4.sqrt(f32x4.add(f32x4.mul(x, x), f32x4.splat(alpha)))
      return f32x4.mul(f32x4.splat(0.5), f32x4.add(one, f32x4.div(x, root)))
    }
    case FunctionCode.sparsePlus: {
      const half = f32x4.mul(f32x4.add(x, one), f32x4.splat(0.5))
      return f32x4.pmin(f32x4.pmax(half, zero), one)
    }
    case FunctionCode.log: return f32x4.div(one, x)
    case FunctionCode.sqrt: return f32x4.div(f32x4.splat(0.5), y)
    case FunctionCode.abs: {
      const signed = where(f32x4.gt(x, zero), one, where(f32x4.lt(x, zero), f32x4.splat(-1), zero))
      return where(f32x4.eq(x, x), signed, x)
    }
    case FunctionCode.neg: return f32x4.splat(-1)
    case FunctionCode.reciprocal: return f32x4.neg(f32x4.mul(y, y))
    case FunctionCode.floor: case FunctionCode.ceil: case FunctionCode.round: case FunctionCode.sign: return zero
    case FunctionCode.erf: return f32x4.mul(expOfNegative(f32x4.neg(f32x4.mul(x, x))), f32x4.splat(1.1283791670955126))
    case FunctionCode.square: return f32x4.add(x, x)
    case FunctionCode.sin: return sine(x, 1)
    case FunctionCode.cos: return f32x4.neg(sine(x, 0))
    case FunctionCode.atan: return f32x4.div(one, f32x4.add(one, f32x4.mul(x, x)))
    default: return one
  }
}

/** The same of a function whose argument was clamped to +-limit before: 0 beyond it. A limit of 0 is none. */
// @ts-ignore: decorator
@inline
export function derivativeWithin(limit: f32, code: i32, alpha: f32, beta: f32, x: v128, y: v128): v128 {
  const slope = derivative(code, alpha, beta, x, y)
  return limit == 0 ? slope : v128.and(isWithin(x, limit), slope)
}

/** Lanes that +-limit leaves as they are: all bits set. */
// @ts-ignore: decorator
@inline
export function isWithin(x: v128, limit: f32): v128 {
  return f32x4.le(f32x4.abs(x), f32x4.splat(limit))
}

/**
 * out[n] = gradient[n] f'(x[n]), for FunctionCode `code` with its constants and y = f(x); out may be any of the others. Allocations are padded
 * to whole vectors, as for `activateF32`.
 */
export function activationGradientF32(
  code: i32, alpha: f32, beta: f32, gradientPtr: usize, xPtr: usize, yPtr: usize, outPtr: usize, length: i32,
): void {
  const bytes = length * 4
  // The commonest have loops of their own, without a choice at every vector.
  if (code == FunctionCode.sigmoid) {
    for (let n = 0; n < bytes; n += 16) {
      const y = v128.load(yPtr + n)
      v128.store(outPtr + n, f32x4.mul(v128.load(gradientPtr + n), f32x4.mul(y, f32x4.sub(f32x4.splat(1), y))))
    }
  } else if (code == FunctionCode.tanh) {
    for (let n = 0; n < bytes; n += 16) v128.store(outPtr + n, f32x4.mul(v128.load(gradientPtr + n), oneMinusSquare(v128.load(yPtr + n))))
  } else if (code == FunctionCode.relu) {
    for (let n = 0; n < bytes; n += 16) v128.store(outPtr + n, v128.and(v128.load(gradientPtr + n), f32x4.gt(v128.load(yPtr + n), f32x4.splat(0))))
  } else {
    for (let n = 0; n < bytes; n += 16) {
      v128.store(outPtr + n, f32x4.mul(v128.load(gradientPtr + n), derivative(code, alpha, beta, v128.load(xPtr + n), v128.load(yPtr + n))))
    }
  }
}
