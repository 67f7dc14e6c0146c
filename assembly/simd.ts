// The only file that differs between binaries, by the instructions that they may use.

/** Whether `multiplyAdd` is one instruction: larger tiles then pay, since no register holds a product. */
// @ts-ignore: decorator
@inline
export const FUSED: bool = ASC_FEATURE_RELAXED_SIMD

/**
 * a * b + c in every lane.
 *
 * `relaxed-simd` fuses the two (one rounding) where the engine and the processor can; `simd` rounds
 * twice, everywhere alike, which is why the `simd` binary gives the same bits on every engine.
 */
// @ts-ignore: decorator
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/**
 * Whether `multiplyAdd` really rounds once: JavaScriptCore on x86-64 and processors without the instruction take a
 * product and a sum. (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: the last term is lost when the product is rounded.
 */
export function fusesHere(): bool {
  if (!FUSED) return false
  const a = f32x4.splat(1.000244140625)
  return f32x4.extract_lane(multiplyAdd(a, a, f32x4.splat(-1.00048828125)), 0) != 0
}

/** Whether there is a `dot`. */
// @ts-ignore: decorator
@inline
export const HAS_DOT: bool = ASC_FEATURE_RELAXED_SIMD

/**
 * sum + w a in every lane, of four bytes each: w signed, a with 8 bits as the engine takes them (products/int8/way.ts), or 0 to 127 everywhere.
 * Only where `HAS_DOT`.
 */
// @ts-ignore: decorator
@inline
export function dot(w: v128, a: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, a, sum)
  return unreachable()
}

/** Stores the first `count` (1 to 4) lanes of `value`: never writes past the last one. */
// @ts-ignore: decorator
@inline
export function storeLanes(ptr: usize, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(ptr, value)
    return
  }
  f32.store(ptr, f32x4.extract_lane(value, 0))
  if (count > 1) f32.store(ptr, f32x4.extract_lane(value, 1), 4)
  if (count > 2) f32.store(ptr, f32x4.extract_lane(value, 2), 8)
}
