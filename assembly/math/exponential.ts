// exp, sigmoid and tanh of four float32 lanes.
//
// Method, shared by all: y = n ln2 + r with n an integer and |r| <= ln2 / 2 (Cody and Waite: ln2 in
// two parts, the first with few bits so that n times it is exact), then the minimax polynomial of
// expf from the Cephes library (S. Moshier, public domain, netlib.org/cephes):
//     expm1(r) = r + r^2 P(r),   P of degree 5
// n comes from adding 1.5 * 2^23, which leaves it in the low mantissa bits: shifting these into the
// exponent field makes 2^n without a float-to-int conversion (slow on x86-64: it must saturate).
import { multiplyAdd } from '../simd'

// @ts-ignore: decorator
@inline
const LN2_HIGH: f32 = 0.693359375
// @ts-ignore: decorator
@inline
const LN2_LOW: f32 = -2.12194440e-4
// @ts-ignore: decorator
@inline
const ROUND: f32 = 12582912.0 // 1.5 * 2^23

/** Constants, four times each, for loops: V8 makes a vector constant anew at every use, by three instructions, and loads it by one. */
const TABLE: usize = memory.data<f32>([
  // 0: log2(e)
  1.44269504088896341, 1.44269504088896341, 1.44269504088896341, 1.44269504088896341,
  // 16: 1.5 * 2^23
  12582912, 12582912, 12582912, 12582912,
  // 32: -ln2, its first bits
  -0.693359375, -0.693359375, -0.693359375, -0.693359375,
  // 48: and the rest
  2.12194440e-4, 2.12194440e-4, 2.12194440e-4, 2.12194440e-4,
  // 64: to 144: P, from the highest term down
  1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4, 1.9875691500e-4,
  1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3, 1.3981999507e-3,
  8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3, 8.3334519073e-3,
  4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2, 4.1665795894e-2,
  1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1, 1.6666665459e-1,
  5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1, 5.0000001201e-1,
  1, 1, 1, 1,
  2, 2, 2, 2,
  // 192: -0: the sign bit
  -0.0, -0.0, -0.0, -0.0,
  // 208: e^y has rounded to 0
  -104, -104, -104, -104,
  // 224: e^y - 1 has rounded to -1
  -40, -40, -40, -40,
  // 240: 2^-24
  5.9604644775390625e-8, 5.9604644775390625e-8, 5.9604644775390625e-8, 5.9604644775390625e-8,
])

/** y / ln2 rounded to an integer n, as n + ROUND. */
// @ts-ignore: decorator
@inline
function roundedExponent(y: v128): v128 {
  return multiplyAdd(y, v128.load(TABLE), v128.load(TABLE, 16))
}

/** 2^(n + bias) from n + ROUND. */
// @ts-ignore: decorator
@inline
function powerOfTwo(rounded: v128, bias: i32): v128 {
  return i32x4.add(i32x4.shl(rounded, 23), i32x4.splat((127 + bias) << 23))
}

/** e^r - 1 for the remainder r of y, relative error below 1 ULP. */
// @ts-ignore: decorator
@inline
function remainderExpm1(y: v128, rounded: v128): v128 {
  const n = f32x4.sub(rounded, v128.load(TABLE, 16))
  let r = multiplyAdd(n, v128.load(TABLE, 32), y)
  r = multiplyAdd(n, v128.load(TABLE, 48), r)
  let p = multiplyAdd(v128.load(TABLE, 64), r, v128.load(TABLE, 80))
  p = multiplyAdd(p, r, v128.load(TABLE, 96))
  p = multiplyAdd(p, r, v128.load(TABLE, 112))
  p = multiplyAdd(p, r, v128.load(TABLE, 128))
  p = multiplyAdd(p, r, v128.load(TABLE, 144))
  return multiplyAdd(p, f32x4.mul(r, r), r)
}

/**
 * e^y for y <= 0, down to denormal results and 0; NaN stays NaN.
 * Clamped at -104 because e^-104 already rounds to 0. The power of two is applied in two factors,
 * 2^(n + 24) and 2^-24, so that denormal results are rounded once, at the end.
 */
// @ts-ignore: decorator
@inline
export function expOfNegative(y: v128): v128 {
  const clamped = f32x4.pmax(y, v128.load(TABLE, 208)) // pmax(NaN, b) is NaN: a < b is false
  const rounded = roundedExponent(clamped)
  const mantissa = f32x4.add(remainderExpm1(clamped, rounded), v128.load(TABLE, 160))
  return f32x4.mul(f32x4.mul(mantissa, powerOfTwo(rounded, 24)), v128.load(TABLE, 240))
}

/**
 * sigmoid(x) = 1 / (1 + e^-x), computed as e^-|x| / (1 + e^-|x|) for x < 0 so that small results
 * keep their precision.
 * Measured: at most 2 ULP from the correctly rounded value in simd.wasm, debug.wasm and
 * relaxed-simd.wasm, denormal results at most 1 (at every float32 with 2^-15 <= |x| < 128 in the two
 * release binaries; test/kernels/accuracy.test.ts samples all others).
 */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const e = expOfNegative(v128.or(x, v128.load(TABLE, 192)))
  const one = v128.load(TABLE, 160)
  const numerator = v128.bitselect(e, one, i32x4.shr_s(x, 31))
  return f32x4.div(numerator, f32x4.add(one, e))
}

/**
 * tanh(x) = -t / (2 + t) with t = expm1(-2 |x|), and the sign of x: no cancellation near 0.
 * Clamped at -2|x| = -40, where tanh has long rounded to 1 (from |x| = 9.02).
 * Measured: at most 2 ULP from the correctly rounded value in simd.wasm, debug.wasm and
 * relaxed-simd.wasm, denormal results exact (over the same values as sigmoid).
 */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const sign = v128.load(TABLE, 192)
  const negated = v128.or(x, sign)
  const t = expm1OfNegative(f32x4.add(negated, negated))
  const magnitude = f32x4.div(t, f32x4.add(v128.load(TABLE, 176), t))
  return v128.or(v128.andnot(magnitude, sign), v128.and(x, sign))
}

/**
 * e^y - 1 for y <= 0, without cancellation near 0. Clamped at -40, where the result has long rounded to -1.
 */
// @ts-ignore: decorator
@inline
export function expm1OfNegative(y: v128): v128 {
  const clamped = f32x4.pmax(y, v128.load(TABLE, 224))
  const rounded = roundedExponent(clamped)
  const scale = powerOfTwo(rounded, 0)
  return multiplyAdd(remainderExpm1(clamped, rounded), scale, f32x4.sub(scale, v128.load(TABLE, 160)))
}

/**
 * e^x for any x: 0 below -104, Infinity above 88.73; NaN stays NaN. The power of two is applied in two
 * factors, so that it may be larger or smaller than any normal float32.
 */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104.0)), f32x4.splat(89.0))
  const rounded = roundedExponent(clamped)
  const mantissa = f32x4.add(remainderExpm1(clamped, rounded), f32x4.splat(1.0))
  const exponent = i32x4.sub(rounded, f32x4.splat(ROUND))
  const half = i32x4.shr_s(exponent, 1)
  const bias = i32x4.splat(127)
  const first = i32x4.shl(i32x4.add(half, bias), 23)
  const second = i32x4.shl(i32x4.add(i32x4.sub(exponent, half), bias), 23)
  return f32x4.mul(f32x4.mul(mantissa, first), second)
}

/**
 * log(x): x = 2^n m with m in [sqrt(1/2), sqrt(2)), then the polynomial of logf from the Cephes library for
 * log(m) around 1. NaN for x < 0, -Infinity for 0; denormals are scaled up first.
 */
export function log(x: v128): v128 {
  const one = f32x4.splat(1.0)
  const denormal = f32x4.lt(x, f32x4.splat(1.17549435e-38))
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608.0)), x, denormal) // 2^23
  // Taking sqrt(1/2) off the exponent bits rounds the exponent so that m is near 1.
  const bits = i32x4.sub(scaled, i32x4.splat(0x3f3504f3))
  const n = i32x4.add(i32x4.shr_s(bits, 23), v128.and(denormal, i32x4.splat(-23)))
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3))
  const exponent = f32x4.convert_i32x4_s(n)
  const r = f32x4.sub(m, one)
  const square = f32x4.mul(r, r)
  let p = multiplyAdd(f32x4.splat(7.0376836292e-2), r, f32x4.splat(-1.1514610310e-1))
  p = multiplyAdd(p, r, f32x4.splat(1.1676998740e-1))
  p = multiplyAdd(p, r, f32x4.splat(-1.2420140846e-1))
  p = multiplyAdd(p, r, f32x4.splat(1.4249322787e-1))
  p = multiplyAdd(p, r, f32x4.splat(-1.6668057665e-1))
  p = multiplyAdd(p, r, f32x4.splat(2.0000714765e-1))
  p = multiplyAdd(p, r, f32x4.splat(-2.4999993993e-1))
  p = multiplyAdd(p, r, f32x4.splat(3.3333331174e-1))
  let y = f32x4.mul(f32x4.mul(p, r), square)
  y = multiplyAdd(exponent, f32x4.splat(LN2_LOW), y)
  y = multiplyAdd(square, f32x4.splat(-0.5), y)
  y = multiplyAdd(exponent, f32x4.splat(LN2_HIGH), f32x4.add(r, y))
  // Infinity and NaN are their own logarithms; below 0 there is none.
  y = v128.bitselect(y, x, f32x4.lt(x, f32x4.splat(Infinity)))
  y = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, f32x4.splat(0)))
  return v128.bitselect(f32x4.splat(NaN), y, f32x4.lt(x, f32x4.splat(0)))
}

/** log(1 + x) for 0 <= x <= 1: log of the rounded 1 + x, and what the rounding took. */
export function log1p(x: v128): v128 {
  const one = f32x4.splat(1.0)
  const sum = f32x4.add(one, x)
  const lost = f32x4.sub(x, f32x4.sub(sum, one))
  return f32x4.add(log(sum), f32x4.div(lost, sum))
}
