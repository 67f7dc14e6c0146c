// The one file that knows which instructions a binary may use. Everything else is written once.

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
