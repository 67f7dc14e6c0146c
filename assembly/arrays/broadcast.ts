// Functions of two arrays whose sizes match or are 1, as in numpy. The same numbers stand in src/ops/layout/broadcast.ts.
import { powF32 } from '../math/power'
import { storeLanes } from '../simd'

const ADD: i32 = 0
const SUB: i32 = 1
const MUL: i32 = 2
const DIV: i32 = 3
const MIN: i32 = 4
const MAX: i32 = 5
const EQUAL: i32 = 6
const LESS: i32 = 7
const LESS_OR_EQUAL: i32 = 8
const POW: i32 = 9
// 10 is the remainder with the sign of a
const MOD: i32 = 11
const AND: i32 = 12
const OR: i32 = 13
const XOR: i32 = 14
const NOT: i32 = 15
const INT32: i32 = 16
const UINT8: i32 = 32

/**
 * out[i, j, n] = f(a[i, j, n], b[i, j, n]) for `outer` x `rows` x `length` elements; `out` is dense.
 *
 * The strides of a and b are in bytes and 0 along the axes they are repeated on, the last ones
 * (aBytes, bBytes) the size of an element or 0. `code` is the function, plus 16 for int32 and 32 for
 * uint8 elements; comparisons give uint8. out may be a or b where they have its shape.
 */
export function broadcastBinary(
  code: i32, aPtr: usize, aOuterBytes: i32, aRowBytes: i32, aBytes: i32,
  bPtr: usize, bOuterBytes: i32, bRowBytes: i32, bBytes: i32, outPtr: usize, outer: i32, rows: i32, length: i32,
): void {
  const f = code & 15
  const bytes = code >= UINT8 || (f >= EQUAL && f <= LESS_OR_EQUAL) ? 1 : 4
  for (let i = 0; i < outer; i++) {
    for (let row = 0; row < rows; row++) {
      const aRowPtr = aPtr + i * aOuterBytes + row * aRowBytes
      const bRowPtr = bPtr + i * bOuterBytes + row * bRowBytes
      if (code >= UINT8) rowU8(f, aRowPtr, aBytes, bRowPtr, bBytes, outPtr, length)
      else if (code >= INT32) rowI32(f, aRowPtr, aBytes, bRowPtr, bBytes, outPtr, length)
      else rowF32(f, aRowPtr, aBytes, bRowPtr, bBytes, outPtr, length)
      outPtr += length * bytes
    }
  }
}

/** Lanes of a comparison's mask as bytes 0 or 1. */
// @ts-ignore: decorator
@inline
function storeMask(ptr: usize, mask: v128, count: i32): void {
  const ones = v128.and(mask, i32x4.splat(1))
  const halves = i16x8.narrow_i32x4_u(ones, ones)
  const bytes = i8x16.narrow_i16x8_u(halves, halves)
  if (count >= 4) {
    v128.store32_lane(ptr, bytes, 0)
    return
  }
  i32.store8(ptr, i8x16.extract_lane_u(bytes, 0))
  if (count > 1) i32.store8(ptr, i8x16.extract_lane_u(bytes, 1), 1)
  if (count > 2) i32.store8(ptr, i8x16.extract_lane_u(bytes, 2), 2)
}

/** f is known where this is inlined, so that only its instructions are left. */
// @ts-ignore: decorator
@inline
function vectorsF32(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  const aSplat = v128.load32_splat(aPtr)
  const bSplat = v128.load32_splat(bPtr)
  for (let n = 0; n < length; n += 4) {
    const a = aBytes ? v128.load(aPtr + n * 4) : aSplat
    const b = bBytes ? v128.load(bPtr + n * 4) : bSplat
    if (f == ADD) storeLanes(outPtr + n * 4, f32x4.add(a, b), length - n)
    else if (f == SUB) storeLanes(outPtr + n * 4, f32x4.sub(a, b), length - n)
    else if (f == MUL) storeLanes(outPtr + n * 4, f32x4.mul(a, b), length - n)
    else if (f == DIV) storeLanes(outPtr + n * 4, f32x4.div(a, b), length - n)
    else if (f == MIN) storeLanes(outPtr + n * 4, f32x4.min(a, b), length - n)
    else if (f == MAX) storeLanes(outPtr + n * 4, f32x4.max(a, b), length - n)
    else if (f == EQUAL) storeMask(outPtr + n, f32x4.eq(a, b), length - n)
    else if (f == LESS) storeMask(outPtr + n, f32x4.lt(a, b), length - n)
    else storeMask(outPtr + n, f32x4.le(a, b), length - n)
  }
}

function rowF32(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  switch (f) {
    case ADD: return vectorsF32(ADD, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case SUB: return vectorsF32(SUB, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case MUL: return vectorsF32(MUL, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case DIV: return vectorsF32(DIV, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case MIN: return vectorsF32(MIN, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case MAX: return vectorsF32(MAX, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case EQUAL: return vectorsF32(EQUAL, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case LESS: return vectorsF32(LESS, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case LESS_OR_EQUAL: return vectorsF32(LESS_OR_EQUAL, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case POW: {
      if (bBytes == 0 && f32.load(bPtr) == 2) return vectorsF32(MUL, aPtr, aBytes, aPtr, aBytes, outPtr, length)
    }
  }
  for (let n = 0; n < length; n++) {
    const a = f32.load(aPtr + n * aBytes)
    const b = f32.load(bPtr + n * bBytes)
    f32.store(outPtr + n * 4, f == POW ? powF32(a, b) : moduloF32(f, a, b))
  }
}

/** The remainder of a / b: with the sign of a (10), or of b as Python's % has it (MOD). */
function moduloF32(f: i32, a: f32, b: f32): f32 {
  const remainder = NativeMathf.mod(a, b)
  return f == MOD && remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
}

// @ts-ignore: decorator
@inline
function vectorsI32(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  const aSplat = v128.load32_splat(aPtr)
  const bSplat = v128.load32_splat(bPtr)
  for (let n = 0; n < length; n += 4) {
    const a = aBytes ? v128.load(aPtr + n * 4) : aSplat
    const b = bBytes ? v128.load(bPtr + n * 4) : bSplat
    if (f == ADD) storeLanes(outPtr + n * 4, i32x4.add(a, b), length - n)
    else if (f == SUB) storeLanes(outPtr + n * 4, i32x4.sub(a, b), length - n)
    else if (f == MUL) storeLanes(outPtr + n * 4, i32x4.mul(a, b), length - n)
    else if (f == MIN) storeLanes(outPtr + n * 4, i32x4.min_s(a, b), length - n)
    else if (f == MAX) storeLanes(outPtr + n * 4, i32x4.max_s(a, b), length - n)
    else if (f == EQUAL) storeMask(outPtr + n, i32x4.eq(a, b), length - n)
    else if (f == LESS) storeMask(outPtr + n, i32x4.lt_s(a, b), length - n)
    else storeMask(outPtr + n, i32x4.le_s(a, b), length - n)
  }
}

function rowI32(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  switch (f) {
    case ADD: return vectorsI32(ADD, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case SUB: return vectorsI32(SUB, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case MUL: return vectorsI32(MUL, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case MIN: return vectorsI32(MIN, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case MAX: return vectorsI32(MAX, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case EQUAL: return vectorsI32(EQUAL, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case LESS: return vectorsI32(LESS, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case LESS_OR_EQUAL: return vectorsI32(LESS_OR_EQUAL, aPtr, aBytes, bPtr, bBytes, outPtr, length)
  }
  for (let n = 0; n < length; n++) {
    i32.store(outPtr + n * 4, divideI32(f, i32.load(aPtr + n * aBytes), i32.load(bPtr + n * bBytes)))
  }
}

/** a / b towards zero, or its remainder; 0 where b is 0, which would end the program. */
function divideI32(f: i32, a: i32, b: i32): i32 {
  if (b == 0) return 0
  if (b == -1) return f == DIV ? -a : 0 // the smallest integer has no opposite: it stays
  if (f == DIV) return a / b
  const remainder = a % b
  return f == MOD && remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
}

/** Logic: every element other than 0 is true. EQUAL compares the bytes themselves; NOT looks at a only. */
function rowU8(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  for (let n = 0; n < length; n++) {
    const a = i32.load8_u(aPtr + n * aBytes)
    const b = i32.load8_u(bPtr + n * bBytes)
    const p = a != 0
    const q = b != 0
    let result = false
    if (f == EQUAL) result = a == b
    else if (f == AND) result = p && q
    else if (f == OR) result = p || q
    else if (f == XOR) result = p != q
    else if (f == NOT) result = !p
    i32.store8(outPtr + n, result as i32)
  }
}
