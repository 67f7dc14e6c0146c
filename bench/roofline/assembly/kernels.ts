// What this engine can do at all: independent multiply-adds out of registers, and 128-bit loads. Compiled twice, as the library is.

// @ts-ignore: decorator
@inline
function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/** What a turn of multiplyAdds() does: 14 vectors of 4 lanes, a multiplication and an addition each. */
export function flopsPerTurn(): i32 {
  return 14 * 4 * 2
}

/**
 * 14 chains of x = x a + a, which stays at 1 for a = 0.5. Unfused, a chain takes 3 + 3 cycles on current processors, two of each in
 * flight: 12 chains are just not enough. 15 and the constant leave no register free, and some engines then go through memory.
 */
export function multiplyAdds(turns: i32, from: usize): f32 {
  const a = v128.load(from)
  let x0 = v128.load(from, 16)
  let x1 = f32x4.add(x0, a)
  let x2 = f32x4.add(x1, a)
  let x3 = f32x4.add(x2, a)
  let x4 = f32x4.add(x3, a)
  let x5 = f32x4.add(x4, a)
  let x6 = f32x4.add(x5, a)
  let x7 = f32x4.add(x6, a)
  let x8 = f32x4.add(x7, a)
  let x9 = f32x4.add(x8, a)
  let x10 = f32x4.add(x9, a)
  let x11 = f32x4.add(x10, a)
  let x12 = f32x4.add(x11, a)
  let x13 = f32x4.add(x12, a)
  for (let n = 0; n < turns; n++) {
    x0 = multiplyAdd(x0, a, a)
    x1 = multiplyAdd(x1, a, a)
    x2 = multiplyAdd(x2, a, a)
    x3 = multiplyAdd(x3, a, a)
    x4 = multiplyAdd(x4, a, a)
    x5 = multiplyAdd(x5, a, a)
    x6 = multiplyAdd(x6, a, a)
    x7 = multiplyAdd(x7, a, a)
    x8 = multiplyAdd(x8, a, a)
    x9 = multiplyAdd(x9, a, a)
    x10 = multiplyAdd(x10, a, a)
    x11 = multiplyAdd(x11, a, a)
    x12 = multiplyAdd(x12, a, a)
    x13 = multiplyAdd(x13, a, a)
  }
  x0 = f32x4.add(x0, x1)
  x0 = f32x4.add(x0, x2)
  x0 = f32x4.add(x0, x3)
  x0 = f32x4.add(x0, x4)
  x0 = f32x4.add(x0, x5)
  x0 = f32x4.add(x0, x6)
  x0 = f32x4.add(x0, x7)
  x0 = f32x4.add(x0, x8)
  x0 = f32x4.add(x0, x9)
  x0 = f32x4.add(x0, x10)
  x0 = f32x4.add(x0, x11)
  x0 = f32x4.add(x0, x12)
  x0 = f32x4.add(x0, x13)
  return f32x4.extract_lane(x0, 0) + f32x4.extract_lane(x0, 1) + f32x4.extract_lane(x0, 2) + f32x4.extract_lane(x0, 3)
}

/** Loads `bytes` (a multiple of 128) from `from`, `turns` times. */
export function loads(from: usize, bytes: i32, turns: i32): f32 {
  let x0 = f32x4.splat(0)
  let x1 = x0
  let x2 = x0
  let x3 = x0
  let x4 = x0
  let x5 = x0
  let x6 = x0
  let x7 = x0
  for (let n = 0; n < turns; n++) {
    const end = from + <usize>bytes
    for (let ptr = from; ptr < end; ptr += 128) {
      x0 = v128.or(x0, v128.load(ptr))
      x1 = v128.or(x1, v128.load(ptr, 16))
      x2 = v128.or(x2, v128.load(ptr, 32))
      x3 = v128.or(x3, v128.load(ptr, 48))
      x4 = v128.or(x4, v128.load(ptr, 64))
      x5 = v128.or(x5, v128.load(ptr, 80))
      x6 = v128.or(x6, v128.load(ptr, 96))
      x7 = v128.or(x7, v128.load(ptr, 112))
    }
  }
  x0 = v128.or(v128.or(v128.or(x0, x1), v128.or(x2, x3)), v128.or(v128.or(x4, x5), v128.or(x6, x7)))
  return f32x4.extract_lane(x0, 0) + f32x4.extract_lane(x0, 1) + f32x4.extract_lane(x0, 2) + f32x4.extract_lane(x0, 3)
}
