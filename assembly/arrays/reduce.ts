// Reductions over the middle axis of (outer, length, inner).
//
// Every output is made in one order, however many there are beside it: four partial results, of the
// elements 0, 4, 8, ..., of 1, 5, 9, ... and so on, in float64, then (0 with 1) with (2 with 3).
import { storeLanes } from '../simd'

/** Reductions by number. */
export const enum ReductionCode {
  sum = 0,
  max = 1,
  min = 2,
  product = 3,
  /** A bit of its own, so that the squares are summed as the elements are. */
  sumOfSquares = 4,
}

/** What becomes of the result. */
export const enum FinishingCode {
  none = 0,
  /** It is divided by the number of elements. */
  divided = 1,
  /** Its square root is taken. */
  root = 2,
}

// @ts-ignore: decorator
@inline
function combine(code: i32, a: v128, b: v128): v128 {
  switch (code) {
    case ReductionCode.sum: return f64x2.add(a, b)
    case ReductionCode.max: return f64x2.max(a, b)
    case ReductionCode.min: return f64x2.min(a, b)
    default: return f64x2.mul(a, b)
  }
}

// @ts-ignore: decorator
@inline
function start(code: i32): v128 {
  switch (code) {
    case ReductionCode.sum: return f64x2.splat(0)
    case ReductionCode.max: return f64x2.splat(-Infinity)
    case ReductionCode.min: return f64x2.splat(Infinity)
    default: return f64x2.splat(1)
  }
}

// @ts-ignore: decorator
@inline
function lowHalf(x: v128, squares: i32): v128 {
  const wide = f64x2.promote_low_f32x4(x)
  return squares ? f64x2.mul(wide, wide) : wide
}

// @ts-ignore: decorator
@inline
function highHalf(x: v128, squares: i32): v128 {
  return lowHalf(i32x4.shuffle(x, x, 2, 3, 2, 3), squares)
}

// @ts-ignore: decorator
@inline
function finish(x: v128, finishing: i32, count: f64): v128 {
  if (finishing == FinishingCode.divided) return f64x2.div(x, f64x2.splat(count))
  if (finishing == FinishingCode.root) return f64x2.sqrt(x)
  return x
}

/**
 * out (outer, inner) = reduction of in (outer, length, inner): `code` is a ReductionCode, `finishing`
 * a FinishingCode, which may divide by `count`. NaN makes everything NaN.
 */
export function reduceF32(
  code: i32, finishing: i32, count: f64, inPtr: usize, outPtr: usize, outer: i32, length: i32, inner: i32,
): void {
  const squares = code & ReductionCode.sumOfSquares
  const f = code & 3
  for (let n = 0; n < outer; n++) {
    const fromPtr = inPtr + n * length * inner * 4
    const toPtr = outPtr + n * inner * 4
    if (inner == 1) {
      reduceRow(f, squares, finishing, count, fromPtr, toPtr, length)
    } else {
      for (let i = 0; i < inner; i += 4) reduceColumns(f, squares, finishing, count, fromPtr + i * 4, toPtr + i * 4, length, inner * 4, inner - i)
    }
  }
}

/** One row: the lanes are the partial results. */
function reduceRow(f: i32, squares: i32, finishing: i32, count: f64, inPtr: usize, outPtr: usize, length: i32): void {
  let low = start(f)
  let high = start(f)
  let n = 0
  for (; n + 4 <= length; n += 4) {
    const x = v128.load(inPtr + n * 4)
    low = combine(f, low, lowHalf(x, squares))
    high = combine(f, high, highHalf(x, squares))
  }
  if (n < length) {
    const x = v128.load(inPtr + n * 4)
    const left = length - n
    // Lanes past the end keep what they had.
    const newLow = combine(f, low, lowHalf(x, squares))
    const newHigh = combine(f, high, highHalf(x, squares))
    low = left > 1 ? newLow : f64x2.replace_lane(low, 0, f64x2.extract_lane(newLow, 0))
    if (left > 2) high = f64x2.replace_lane(high, 0, f64x2.extract_lane(newHigh, 0))
  }
  // (0 with 1) in lane 0 and (2 with 3) in lane 1.
  const pairs = combine(f, i64x2.shuffle(low, high, 0, 2), i64x2.shuffle(low, high, 1, 3))
  const result = combine(f, pairs, i64x2.shuffle(pairs, pairs, 1, 1))
  f32.store(outPtr, f64x2.extract_lane(finish(result, finishing, count), 0) as f32)
}

/** Four neighbouring columns, `columns` of them valid: each lane is an output, with four partial results of its own. */
function reduceColumns(
  f: i32, squares: i32, finishing: i32, count: f64, inPtr: usize, outPtr: usize, length: i32, strideBytes: i32, columns: i32,
): void {
  let low0 = start(f), low1 = start(f), low2 = start(f), low3 = start(f)
  let high0 = start(f), high1 = start(f), high2 = start(f), high3 = start(f)
  for (let n = 0; n < length; n += 4) {
    let x = v128.load(inPtr)
    low0 = combine(f, low0, lowHalf(x, squares))
    high0 = combine(f, high0, highHalf(x, squares))
    if (n + 1 < length) {
      x = v128.load(inPtr + strideBytes)
      low1 = combine(f, low1, lowHalf(x, squares))
      high1 = combine(f, high1, highHalf(x, squares))
    }
    if (n + 2 < length) {
      x = v128.load(inPtr + 2 * strideBytes)
      low2 = combine(f, low2, lowHalf(x, squares))
      high2 = combine(f, high2, highHalf(x, squares))
    }
    if (n + 3 < length) {
      x = v128.load(inPtr + 3 * strideBytes)
      low3 = combine(f, low3, lowHalf(x, squares))
      high3 = combine(f, high3, highHalf(x, squares))
    }
    inPtr += 4 * strideBytes
  }
  const low = finish(combine(f, combine(f, low0, low1), combine(f, low2, low3)), finishing, count)
  const high = finish(combine(f, combine(f, high0, high1), combine(f, high2, high3)), finishing, count)
  const result = i64x2.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2)
  storeLanes(outPtr, result, columns)
}

/** The same of int32, which wraps; not of squares. */
export function reduceI32(code: i32, inPtr: usize, outPtr: usize, outer: i32, length: i32, inner: i32): void {
  for (let n = 0; n < outer; n++) {
    for (let i = 0; i < inner; i++) {
      let result: i32 = code == ReductionCode.sum ? 0 : code == ReductionCode.max ? i32.MIN_VALUE : code == ReductionCode.min ? i32.MAX_VALUE : 1
      for (let j = 0; j < length; j++) {
        const x = i32.load(inPtr + ((n * length + j) * inner + i) * 4)
        result = code == ReductionCode.sum ? result + x : code == ReductionCode.max ? max(result, x) : code == ReductionCode.min ? min(result, x) : result * x
      }
      i32.store(outPtr + (n * inner + i) * 4, result)
    }
  }
}

/**
 * out int32 (outer, inner) = position of the largest element of in (outer, length, inner) along the middle
 * axis; of the smallest with `least`; the last one of equals with `last`. NaN counts as Infinity, or as
 * -Infinity with `least`. `isInt`: the elements are int32.
 */
export function argF32(least: i32, last: i32, isInt: i32, inPtr: usize, outPtr: usize, outer: i32, length: i32, inner: i32): void {
  for (let n = 0; n < outer; n++) {
    for (let i = 0; i < inner; i++) {
      let best: f64 = 0
      let position = 0
      for (let j = 0; j < length; j++) {
        const at = inPtr + ((n * length + j) * inner + i) * 4
        let x: f64 = isInt ? i32.load(at) as f64 : f32.load(at) as f64
        if (isNaN(x)) x = Infinity
        else if (least) x = -x
        if (j == 0 || x > best || (last && x == best)) {
          best = x
          position = j
        }
      }
      i32.store(outPtr + (n * inner + i) * 4, position)
    }
  }
}

/**
 * out (outer, length, inner) = sums of in up to and with each element of the middle axis; without it where
 * `exclusive`; from the end where `reverse`. float32 is summed in float64, int32 wraps (`isInt`).
 */
export function cumSum(isInt: i32, exclusive: i32, reverse: i32, inPtr: usize, outPtr: usize, outer: i32, length: i32, inner: i32): void {
  for (let n = 0; n < outer; n++) {
    for (let i = 0; i < inner; i++) {
      let sum: f64 = 0
      let whole: i32 = 0
      for (let j = 0; j < length; j++) {
        const at = ((n * length + (reverse ? length - 1 - j : j)) * inner + i) * 4
        if (exclusive) storeSum(isInt, outPtr + at, sum, whole)
        if (isInt) whole += i32.load(inPtr + at)
        else sum += f32.load(inPtr + at) as f64
        if (!exclusive) storeSum(isInt, outPtr + at, sum, whole)
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function storeSum(isInt: i32, ptr: usize, sum: f64, whole: i32): void {
  if (isInt) i32.store(ptr, whole)
  else f32.store(ptr, sum as f32)
}
