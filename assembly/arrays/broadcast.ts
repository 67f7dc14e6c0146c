// Functions of two arrays whose sizes match or are 1, as in numpy.
import { powF32 } from '../math/power'
import { storeLanes } from '../simd'

/** Functions of two elements: append, never renumber. */
export const enum BinaryCode {
  add = 0,
  sub = 1,
  mul = 2,
  div = 3,
  min = 4,
  max = 5,
  equal = 6,
  less = 7,
  lessOrEqual = 8,
  pow = 9,
  /** With the sign of a. */
  remainder = 10,
  /** With the sign of b. */
  modulo = 11,
  and = 12,
  or = 13,
  xor = 14,
  not = 15,
}

/** The dtype of the elements: added to the function. */
export const enum BinaryElements {
  float32 = 0,
  int32 = 16,
  uint8 = 32,
}

/** Strides are in bytes, and 0 along the axes an operand is repeated on. */
@unmanaged
export class BroadcastCall {
  /** A BinaryCode plus a BinaryElements. */
  code: i32
  outer: i32
  rows: i32
  length: i32
  aOuterBytes: i32
  aRowBytes: i32
  /** The size of an element, or 0. */
  aBytes: i32
  bOuterBytes: i32
  bRowBytes: i32
  bBytes: i32
}

/**
 * out[i, j, n] = f(a[i, j, n], b[i, j, n]) for `outer` x `rows` x `length` elements; `out` is dense.
 * Comparisons give uint8. out may be a or b where they have its shape.
 */
export function broadcastBinary(call: BroadcastCall, aPtr: usize, bPtr: usize, outPtr: usize): void {
  const code = call.code
  const length = call.length
  const aBytes = call.aBytes
  const bBytes = call.bBytes
  const f = code & 15
  const bytes = code >= BinaryElements.uint8 || (f >= BinaryCode.equal && f <= BinaryCode.lessOrEqual) ? 1 : 4
  for (let i = 0; i < call.outer; i++) {
    for (let row = 0; row < call.rows; row++) {
      const aRowPtr = aPtr + i * call.aOuterBytes + row * call.aRowBytes
      const bRowPtr = bPtr + i * call.bOuterBytes + row * call.bRowBytes
      if (code >= BinaryElements.uint8) rowU8(f, aRowPtr, aBytes, bRowPtr, bBytes, outPtr, length)
      else if (code >= BinaryElements.int32) rowI32(f, aRowPtr, aBytes, bRowPtr, bBytes, outPtr, length)
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
    if (f == BinaryCode.add) storeLanes(outPtr + n * 4, f32x4.add(a, b), length - n)
    else if (f == BinaryCode.sub) storeLanes(outPtr + n * 4, f32x4.sub(a, b), length - n)
    else if (f == BinaryCode.mul) storeLanes(outPtr + n * 4, f32x4.mul(a, b), length - n)
    else if (f == BinaryCode.div) storeLanes(outPtr + n * 4, f32x4.div(a, b), length - n)
    else if (f == BinaryCode.min) storeLanes(outPtr + n * 4, f32x4.min(a, b), length - n)
    else if (f == BinaryCode.max) storeLanes(outPtr + n * 4, f32x4.max(a, b), length - n)
    else if (f == BinaryCode.equal) storeMask(outPtr + n, f32x4.eq(a, b), length - n)
    else if (f == BinaryCode.less) storeMask(outPtr + n, f32x4.lt(a, b), length - n)
    else storeMask(outPtr + n, f32x4.le(a, b), length - n)
  }
}

function rowF32(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  switch (f) {
    case BinaryCode.add: return vectorsF32(BinaryCode.add, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.sub: return vectorsF32(BinaryCode.sub, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.mul: return vectorsF32(BinaryCode.mul, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.div: return vectorsF32(BinaryCode.div, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.min: return vectorsF32(BinaryCode.min, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.max: return vectorsF32(BinaryCode.max, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.equal: return vectorsF32(BinaryCode.equal, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.less: return vectorsF32(BinaryCode.less, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.lessOrEqual: return vectorsF32(BinaryCode.lessOrEqual, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.pow: {
      if (bBytes == 0 && f32.load(bPtr) == 2) return vectorsF32(BinaryCode.mul, aPtr, aBytes, aPtr, aBytes, outPtr, length)
    }
  }
  for (let n = 0; n < length; n++) {
    const a = f32.load(aPtr + n * aBytes)
    const b = f32.load(bPtr + n * bBytes)
    f32.store(outPtr + n * 4, f == BinaryCode.pow ? powF32(a, b) : moduloF32(f, a, b))
  }
}

/** The remainder of a / b: with the sign of a, or of b as Python's % has it (`modulo`). */
function moduloF32(f: i32, a: f32, b: f32): f32 {
  const remainder = NativeMathf.mod(a, b)
  return f == BinaryCode.modulo && remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
}

// @ts-ignore: decorator
@inline
function vectorsI32(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  const aSplat = v128.load32_splat(aPtr)
  const bSplat = v128.load32_splat(bPtr)
  for (let n = 0; n < length; n += 4) {
    const a = aBytes ? v128.load(aPtr + n * 4) : aSplat
    const b = bBytes ? v128.load(bPtr + n * 4) : bSplat
    if (f == BinaryCode.add) storeLanes(outPtr + n * 4, i32x4.add(a, b), length - n)
    else if (f == BinaryCode.sub) storeLanes(outPtr + n * 4, i32x4.sub(a, b), length - n)
    else if (f == BinaryCode.mul) storeLanes(outPtr + n * 4, i32x4.mul(a, b), length - n)
    else if (f == BinaryCode.min) storeLanes(outPtr + n * 4, i32x4.min_s(a, b), length - n)
    else if (f == BinaryCode.max) storeLanes(outPtr + n * 4, i32x4.max_s(a, b), length - n)
    else if (f == BinaryCode.equal) storeMask(outPtr + n, i32x4.eq(a, b), length - n)
    else if (f == BinaryCode.less) storeMask(outPtr + n, i32x4.lt_s(a, b), length - n)
    else storeMask(outPtr + n, i32x4.le_s(a, b), length - n)
  }
}

function rowI32(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  switch (f) {
    case BinaryCode.add: return vectorsI32(BinaryCode.add, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.sub: return vectorsI32(BinaryCode.sub, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.mul: return vectorsI32(BinaryCode.mul, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.min: return vectorsI32(BinaryCode.min, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.max: return vectorsI32(BinaryCode.max, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.equal: return vectorsI32(BinaryCode.equal, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.less: return vectorsI32(BinaryCode.less, aPtr, aBytes, bPtr, bBytes, outPtr, length)
    case BinaryCode.lessOrEqual: return vectorsI32(BinaryCode.lessOrEqual, aPtr, aBytes, bPtr, bBytes, outPtr, length)
  }
  for (let n = 0; n < length; n++) {
    i32.store(outPtr + n * 4, divideI32(f, i32.load(aPtr + n * aBytes), i32.load(bPtr + n * bBytes)))
  }
}

/** a / b towards zero, or its remainder; 0 where b is 0, which would end the program. */
function divideI32(f: i32, a: i32, b: i32): i32 {
  if (b == 0) return 0
  if (b == -1) return f == BinaryCode.div ? -a : 0 // the smallest integer has no opposite: it stays
  if (f == BinaryCode.div) return a / b
  const remainder = a % b
  return f == BinaryCode.modulo && remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
}

/** Logic: every element other than 0 is true. `equal` compares the bytes themselves; `not` looks at a only. */
function rowU8(f: i32, aPtr: usize, aBytes: i32, bPtr: usize, bBytes: i32, outPtr: usize, length: i32): void {
  for (let n = 0; n < length; n++) {
    const a = i32.load8_u(aPtr + n * aBytes)
    const b = i32.load8_u(bPtr + n * bBytes)
    const p = a != 0
    const q = b != 0
    let result = false
    if (f == BinaryCode.equal) result = a == b
    else if (f == BinaryCode.and) result = p && q
    else if (f == BinaryCode.or) result = p || q
    else if (f == BinaryCode.xor) result = p != q
    else if (f == BinaryCode.not) result = !p
    i32.store8(outPtr + n, result as i32)
  }
}
