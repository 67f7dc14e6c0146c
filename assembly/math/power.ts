// log, exp and pow in float64, without tables: a binary has no data section, because the address its
// tables would have is where the allocator begins.

// @ts-ignore: decorator
@inline
const LN2_HIGH: f64 = 6.93147180369123816490e-01
// @ts-ignore: decorator
@inline
const LN2_LOW: f64 = 1.90821492927058770002e-10

/**
 * log(x). With x = m 2^e and sqrt(1/2) < m <= sqrt(2):  e ln2 + 2 atanh(s),  s = (m - 1) / (m + 1), by the
 * series of atanh up to s^21 (|s| < 0.172: the rest is below 1e-17). x is a float32 or a sum of some, so it
 * is no denormal float64. NaN below 0, -Infinity at 0.
 */
export function log64(x: f64): f64 {
  if (!(x > 0)) return x == 0 ? -Infinity : NaN
  if (x == Infinity) return x
  // Exponent such that the mantissa lies around 1: 0x3fe6a09e is the upper half of sqrt(1/2).
  const bits = reinterpret<i64>(x)
  const exponent = (bits - 0x3fe6a09e00000000) >> 52
  const m = reinterpret<f64>(bits - (exponent << 52))
  const s = (m - 1) / (m + 1)
  const z = s * s
  let p: f64 = 1.0 / 21.0
  p = p * z + 1.0 / 19.0
  p = p * z + 1.0 / 17.0
  p = p * z + 1.0 / 15.0
  p = p * z + 1.0 / 13.0
  p = p * z + 1.0 / 11.0
  p = p * z + 1.0 / 9.0
  p = p * z + 1.0 / 7.0
  p = p * z + 1.0 / 5.0
  p = p * z + 1.0 / 3.0
  const e = exponent as f64
  return e * LN2_HIGH + (2 * s + (2 * s * z * p + e * LN2_LOW))
}

/**
 * e^x for results in the range of float32: n ln2 + r, |r| <= ln2 / 2, and the Taylor series up to r^13
 * (the rest is below 2e-16). Clamped at +-200, where float32 has long overflowed or become 0; NaN stays NaN.
 */
export function exp64(x: f64): f64 {
  const clamped = x > 200 ? 200 : x < -200 ? -200 : x
  const n = nearest(clamped * 1.4426950408889634)
  const r = clamped - n * LN2_HIGH - n * LN2_LOW
  let p: f64 = 1.0 / 6227020800.0
  p = p * r + 1.0 / 479001600.0
  p = p * r + 1.0 / 39916800.0
  p = p * r + 1.0 / 3628800.0
  p = p * r + 1.0 / 362880.0
  p = p * r + 1.0 / 40320.0
  p = p * r + 1.0 / 5040.0
  p = p * r + 1.0 / 720.0
  p = p * r + 1.0 / 120.0
  p = p * r + 1.0 / 24.0
  p = p * r + 1.0 / 6.0
  p = p * r + 0.5
  p = p * r + 1
  p = p * r + 1
  // NaN must not be converted to an integer.
  const scale = !isNaN(n) ? reinterpret<f64>(((n as i64) + 1023) << 52) : 1
  return p * scale
}

/**
 * x^y as C's pow: 1 for y = 0 and x = 1, also beside NaN. The common exponents are single operations in
 * float64; all others are e^(y log|x|) with some 1e-13 of relative error, so the float32 is the correctly
 * rounded one but for ties as rare as that.
 */
export function powF32(x: f32, y: f32): f32 {
  const wide = x as f64
  if (y == 1) return x
  if (y == 2) return x * x
  if (y == 3) return (wide * wide * wide) as f32
  if (y == -1) return 1 / x
  if (y == 0 || x == 1) return 1
  if (isNaN(x) || isNaN(y)) return NaN
  if (y == Infinity || y == -Infinity) {
    const size = abs(x)
    if (size == 1) return 1
    return (size > 1) == (y > 0) ? Infinity : 0
  }
  const whole = floor(y) == y
  // From 2^24 on every float32 is even.
  const odd = whole && abs(y) < 16777216 && ((y as i32) & 1) != 0
  const magnitude: f32 = powOfMagnitude(abs(wide), y as f64) as f32
  if (x < 0 && !whole) return x == -Infinity ? magnitude : NaN
  return odd ? copysign(magnitude, x) : magnitude
}

/** x^y for x >= 0 and finite y other than 0. */
function powOfMagnitude(x: f64, y: f64): f64 {
  if (x == 0 || x == Infinity) return (x == 0) == (y > 0) ? 0 : Infinity
  if (y == 0.5) return sqrt(x)
  if (y == -0.5) return 1 / sqrt(x)
  return exp64(y * log64(x))
}
