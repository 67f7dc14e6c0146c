// sin and cos of one float32, in float64, for any x. (AssemblyScript's own are wrong by 1 from 2^64 on.)

// @ts-ignore: decorator
@inline
const PI_2_HIGH: f64 = 1.57079631090164184570 // 25 bits of pi / 2: a whole number of up to 28 bits times it is exact
// @ts-ignore: decorator
@inline
const PI_2_LOW: f64 = 1.58932547735281966916e-8
/** The bits of 2 / pi after the point. */
const TWO_OVER_PI: usize = memory.data<u32>([0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561])

/** 32 bits of 2 / pi after the first `skipped`. */
// @ts-ignore: decorator
@inline
function bitsOf(skipped: i32): u64 {
  const ptr = TWO_OVER_PI + (skipped >> 5) * 4
  return ((load<u32>(ptr) as u64) << 32 | (load<u32>(ptr, 4) as u64)) << (skipped & 31) >> 32
}

/**
 * sin(x + shift pi / 2), with `shift` 0 for sin and 1 for cos. With n the whole number next to x / (pi / 2) and r the rest, it is the sine or
 * the cosine of r, by the polynomials of musl's __sindf and __cosdf (FreeBSD's k_sinf.c and k_cosf.c). Below 2^28, pi / 2 in two parts
 * (Cody and Waite); from there on (Payne and Hanek), x = m 2^e is multiplied by as many bits of 2 / pi as count: those before are
 * whole turns. At most 1 ULP from the correctly rounded value.
 */
export function sinShifted(x: f32, shift: i32): f32 {
  const bits = reinterpret<u32>(x)
  const exponent = i32(bits >> 23 & 255) - 150
  if (exponent == 105) return NaN // infinite, or no number
  if (shift == 0 && abs(x) < 0.000244140625) return x // 2^-12
  let quadrant = shift
  let r: f64
  if (exponent < 5) {
    const n = nearest((x as f64) * 0.63661977236758134308)
    r = (x as f64) - n * PI_2_HIGH - n * PI_2_LOW
    quadrant += n as i32
  } else {
    const m = (bits & 0x7fffff | 0x800000) as u64
    // In quarters of 2^64, of a turn.
    const turn = m * (bitsOf(exponent - 2) << 32 | bitsOf(exponent + 30)) + (m * bitsOf(exponent + 62) >> 32)
    const n = turn + (1 << 61) >> 62
    r = ((turn - (n << 62)) as i64 as f64) * 3.4061215800865545e-19 // pi / 2 / 2^62
    if (x < 0) {
      quadrant -= n as i32
      r = -r
    } else {
      quadrant += n as i32
    }
  }
  const z = r * r
  let result: f64
  if (quadrant & 1) {
    result = 1 + z * -0.499999997251031003120 + z * z * 0.0416666233237390631894 + z * z * z * (-0.00138867637746099294692 + z * 0.0000243904487962774090654)
  } else {
    result = r + z * r * (-0.166666666416265235595 + z * 0.0083333293858894631756)
      + z * r * z * z * (-0.000198393348360966317347 + z * 0.0000027183114939898219064)
  }
  return (quadrant & 2 ? -result : result) as f32
}
