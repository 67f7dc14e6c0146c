// Moves elements to or from places that other elements name. Callers that take indices from outside
// checks all of them before the first element is written.
import { Box } from './box'

/** Whether -size <= index < size: negative indices count from the end. */
// @ts-ignore: decorator
@inline
function within(index: i32, size: i32): bool {
  return index >= -size && index < size
}

// @ts-ignore: decorator
@inline
function fromEnd(index: i32, size: i32): i32 {
  return index < 0 ? index + size : index
}

/** The position of the first of `length` indices outside -size <= index < size, or -1 when there is none. */
export function findBadIndex(indexPtr: usize, length: i32, size: i32): i32 {
  for (let n = 0; n < length; n++) if (!within(i32.load(indexPtr + n * 4), size)) return n
  return -1
}

/**
 * to (outer, length, row) = from (outer, size, row) [o, index[n]], rows of `rowBytes` bytes, for o from
 * outerBegin to outerEnd. The indices must be good: see `findBadIndex`.
 */
export function gatherRows(
  indexPtr: usize, length: i32, fromPtr: usize, size: i32, rowBytes: i32, toPtr: usize, outerBegin: i32, outerEnd: i32,
): void {
  let to = toPtr + outerBegin * length * rowBytes
  for (let outer = outerBegin; outer < outerEnd; outer++) {
    const from = fromPtr + outer * size * rowBytes
    for (let n = 0; n < length; n++) {
      const index = fromEnd(i32.load(indexPtr + n * 4), size)
      if (rowBytes == 4) i32.store(to, i32.load(from + index * 4))
      else memory.copy(to, from + index * rowBytes, rowBytes)
      to += rowBytes
    }
  }
}

/** Where the element at position n of a box lies on its first side, in bytes. */
// @ts-ignore: decorator
@inline
function placeOf(box: Box, n: i32): i32 {
  let place = 0
  for (let axis = box.rank - 1; axis >= 0; axis--) {
    const axisSize = box.size(axis) as i32
    place += n % axisSize * box.stride(0, axis)
    n /= axisSize
  }
  return place
}

/**
 * to[n] = from[.., index[n], ..], elements begin to end: the place in `from` is that of `n` in the
 * indices' own box, but for one axis of `size` elements `axisBytes` apart, where the index says it.
 * The box has the sizes of the indices and the strides of `from`, 0 along that axis. The indices must be good: see `findBadIndex`.
 */
export function gatherElements(
  box: Box, indexPtr: usize, fromPtr: usize, toPtr: usize, size: i32, axisBytes: i32, begin: i32, end: i32,
): void {
  const elementBytes = box.elementBytes
  for (let n = begin; n < end; n++) {
    const from = fromPtr + fromEnd(i32.load(indexPtr + n * 4), size) * axisBytes + placeOf(box, n)
    if (elementBytes == 4) i32.store(toPtr + n * 4, i32.load(from))
    else i32.store8(toPtr + n, i32.load8_u(from))
  }
}

/** What becomes of an element that another one is scattered to. */
export const enum ScatterCode {
  /** It is replaced. */
  none = 0,
  add = 1,
  mul = 2,
  max = 3,
  min = 4,
}

@unmanaged
export class ScatterElementsCall {
  code: ScatterCode
  /** 1: the elements are int32. */
  isInt: i32
  /** Of the axis that the indices are of. */
  size: i32
  axisBytes: i32
  /** How many indices there are. */
  length: i32
}

/**
 * to[.., index[n], ..] = from[n], the later one of two for the same place: the way back of `gatherElements`, with the same
 * box, of `to`. With a code the two are combined.
 */
export function scatterElements(call: ScatterElementsCall, box: Box, indexPtr: usize, fromPtr: usize, toPtr: usize): void {
  const code = call.code
  const isInt = call.isInt
  const elementBytes = box.elementBytes
  for (let n = 0; n < call.length; n++) {
    const to = toPtr + fromEnd(i32.load(indexPtr + n * 4), call.size) * call.axisBytes + placeOf(box, n)
    const from = fromPtr + n * elementBytes
    if (elementBytes == 1) i32.store8(to, i32.load8_u(from))
    else if (code == 0) i32.store(to, i32.load(from))
    else if (isInt) i32.store(to, combineI32(code, i32.load(to), i32.load(from)))
    else f32.store(to, combineF32(code, f32.load(to), f32.load(from)))
  }
}

/**
 * rows[n] = the number of the row that index[n, :] names, one index for each axis of the box, whose strides count rows. Returns the
 * position of the first index outside its axis, or -1: what it has written is not to be used then.
 */
export function flattenIndices(box: Box, indexPtr: usize, count: i32, rowPtr: usize): i32 {
  const depth = box.rank
  for (let n = 0; n < count; n++) {
    let row = 0
    for (let axis = 0; axis < depth; axis++) {
      const size = box.size(axis) as i32
      const index = i32.load(indexPtr + (n * depth + axis) * 4)
      if (!within(index, size)) return n * depth + axis
      row += fromEnd(index, size) * box.stride(0, axis)
    }
    i32.store(rowPtr + n * 4, row)
  }
  return -1
}

/**
 * to[row[n]] = from[n], whole rows of `axisBytes` bytes, the later one of two for the same place; with a code the two are combined,
 * element by element. The numbers of the rows must be good: see `flattenIndices`.
 */
export function scatterRows(call: ScatterElementsCall, rowPtr: usize, fromPtr: usize, toPtr: usize): void {
  const code = call.code
  const isInt = call.isInt
  const rowBytes = call.axisBytes
  for (let n = 0; n < call.length; n++) {
    const from = fromPtr + n * rowBytes
    const to = toPtr + i32.load(rowPtr + n * 4) * rowBytes
    if (code == 0) memory.copy(to, from, rowBytes)
    else {
      for (let at = 0; at < rowBytes; at += 4) {
        if (isInt) i32.store(to + at, combineI32(code, i32.load(to + at), i32.load(from + at)))
        else f32.store(to + at, combineF32(code, f32.load(to + at), f32.load(from + at)))
      }
    }
  }
}

function combineF32(code: i32, a: f32, b: f32): f32 {
  return code == ScatterCode.add ? a + b : code == ScatterCode.mul ? a * b : code == ScatterCode.max ? max(a, b) : min(a, b)
}

function combineI32(code: i32, a: i32, b: i32): i32 {
  return code == ScatterCode.add ? a + b : code == ScatterCode.mul ? a * b : code == ScatterCode.max ? max(a, b) : min(a, b)
}

/**
 * to (.., depth, inner)[n / inner, index[n], n % inner] = value, for every index within the depth; the
 * rest of `to` stays. Negative indices count from the end.
 */
export function placeOneHot(
  indexPtr: usize, begin: i32, end: i32, depth: i32, inner: i32, valuePtr: usize, toPtr: usize, elementBytes: i32,
): void {
  const value = elementBytes == 4 ? i32.load(valuePtr) : i32.load8_u(valuePtr)
  for (let n = begin; n < end; n++) {
    const index = i32.load(indexPtr + n * 4)
    if (!within(index, depth)) continue
    const to = toPtr + ((n / inner * depth + fromEnd(index, depth)) * inner + n % inner) * elementBytes
    if (elementBytes == 4) i32.store(to, value)
    else i32.store8(to, value)
  }
}

/**
 * Every sequence's first lengths[row] steps backwards, the others as they are: steps of `stepBytes`
 * bytes, `timeBytes` apart, in sequences `rowStride` bytes apart. Returns the position of the first length
 * outside 0 <= length <= timesteps, before anything is written, or -1 when there is none.
 */
export function reverseSequence(
  fromPtr: usize, toPtr: usize, lengthsPtr: usize, rows: i32, timesteps: i32, rowStride: i32, timeStride: i32, stepBytes: i32,
): i32 {
  for (let row = 0; row < rows; row++) {
    if (i32.load(lengthsPtr + row * 4) as u32 > (timesteps as u32)) return row
  }
  for (let row = 0; row < rows; row++) {
    const length = i32.load(lengthsPtr + row * 4)
    const from = fromPtr + row * rowStride
    const to = toPtr + row * rowStride
    for (let step = 0; step < timesteps; step++) {
      const source = step < length ? length - 1 - step : step
      memory.copy(to + step * timeStride, from + source * timeStride, stepBytes)
    }
  }
  return -1
}
