// Rows of floats -> rows of integers from -127 to 127, and the scale of each.
import { INT8_UNSIGNED, INT8_WIDE, ROW_HEAD_BYTES } from './layout'

/** Adding 1.5 * 2^23 rounds to a whole number, half to even, and leaves it in the low bits. */
const ROUND: f32 = 12582912
const ROUND_BITS: i32 = 0x4b400000
/** The bits of Infinity: those of NaN are more, of all other |x| less. */
const INFINITE_BITS: i32 = 0x7f800000
const ABS_MASK: i32 = 0x7fffffff
/** Rows of smaller numbers are zeros: 127 / max would not be finite. */
const LEAST: f32 = 1e-36
const LEVELS: f32 = 127

/** max |x| as its bits. Bits of numbers that are not negative are in the numbers' order. */
function largestBits(xPtr: usize, k: i32): i32 {
  const mask = i32x4.splat(ABS_MASK)
  let m0 = i32x4.splat(0)
  let m1 = m0
  let m2 = m0
  let m3 = m0
  for (; k >= 16; k -= 16) {
    m0 = i32x4.max_s(m0, v128.and(v128.load(xPtr), mask))
    m1 = i32x4.max_s(m1, v128.and(v128.load(xPtr, 16), mask))
    m2 = i32x4.max_s(m2, v128.and(v128.load(xPtr, 32), mask))
    m3 = i32x4.max_s(m3, v128.and(v128.load(xPtr, 48), mask))
    xPtr += 64
  }
  for (; k >= 4; k -= 4) {
    m0 = i32x4.max_s(m0, v128.and(v128.load(xPtr), mask))
    xPtr += 16
  }
  m0 = i32x4.max_s(i32x4.max_s(m0, m1), i32x4.max_s(m2, m3))
  let most = max(max(i32x4.extract_lane(m0, 0), i32x4.extract_lane(m0, 1)), max(i32x4.extract_lane(m0, 2), i32x4.extract_lane(m0, 3)))
  for (; k > 0; k--) {
    most = max(most, load<i32>(xPtr) & ABS_MASK)
    xPtr += 4
  }
  return most
}

// @ts-ignore: decorator
@inline
function quantised(xPtr: usize, inverse: v128, base: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(v128.load(xPtr), inverse), f32x4.splat(ROUND)), base)
}

// @ts-ignore: decorator
@inline
function narrowed(words: v128, other: v128, isUnsigned: bool): v128 {
  return isUnsigned ? i8x16.narrow_i16x8_u(words, other) : i8x16.narrow_i16x8_s(words, other)
}

/**
 * One row of k floats at xPtr -> its scale at toPtr, and its integers behind ROW_HEAD_BYTES, as `kind` wants them; what follows them is
 * multiplied by zeros. A row with a NaN or an infinite number has the scale NaN, and so makes NaN of all it is multiplied by.
 */
export function quantiseRow(kind: i32, k: i32, xPtr: usize, toPtr: usize): void {
  const bits = largestBits(xPtr, k)
  const most: f32 = bits >= INFINITE_BITS ? f32(NaN) : reinterpret<f32>(bits)
  let scale: f32 = 0
  let factor: f32 = 0
  // NaN is not less than anything.
  if (!(most < LEAST)) {
    scale = most / LEVELS
    factor = LEVELS / most
  }
  f32.store(toPtr, scale)
  const inverse = f32x4.splat(factor)
  toPtr += ROW_HEAD_BYTES
  if (kind == INT8_WIDE) quantiseWords(k, xPtr, inverse, toPtr)
  else quantiseBytes(k, xPtr, inverse, kind == INT8_UNSIGNED, toPtr)
}

function quantiseBytes(k: i32, xPtr: usize, inverse: v128, isUnsigned: bool, toPtr: usize): void {
  const zero = isUnsigned ? 128 : 0
  const base = i32x4.splat(ROUND_BITS - zero)
  for (; k >= 16; k -= 16) {
    const low = i16x8.narrow_i32x4_s(quantised(xPtr, inverse, base), quantised(xPtr + 16, inverse, base))
    const high = i16x8.narrow_i32x4_s(quantised(xPtr + 32, inverse, base), quantised(xPtr + 48, inverse, base))
    v128.store(toPtr, narrowed(low, high, isUnsigned))
    xPtr += 64
    toPtr += 16
  }
  for (; k >= 4; k -= 4) {
    const words = i16x8.narrow_i32x4_s(quantised(xPtr, inverse, base), base)
    v128.store32_lane(toPtr, narrowed(words, words, isUnsigned), 0)
    xPtr += 16
    toPtr += 4
  }
  const factor = f32x4.extract_lane(inverse, 0)
  for (; k > 0; k--) {
    store<i8>(toPtr, i8(rounded(xPtr, factor) + zero))
    xPtr += 4
    toPtr++
  }
}

function quantiseWords(k: i32, xPtr: usize, inverse: v128, toPtr: usize): void {
  const base = i32x4.splat(ROUND_BITS)
  for (; k >= 8; k -= 8) {
    v128.store(toPtr, i16x8.narrow_i32x4_s(quantised(xPtr, inverse, base), quantised(xPtr + 16, inverse, base)))
    xPtr += 32
    toPtr += 16
  }
  const factor = f32x4.extract_lane(inverse, 0)
  for (; k > 0; k--) {
    store<i16>(toPtr, i16(rounded(xPtr, factor)))
    xPtr += 4
    toPtr += 2
  }
}

/** As `quantised`, of one number. */
// @ts-ignore: decorator
@inline
function rounded(xPtr: usize, inverse: f32): i32 {
  return reinterpret<i32>(f32.load(xPtr) * inverse + ROUND) - ROUND_BITS
}
