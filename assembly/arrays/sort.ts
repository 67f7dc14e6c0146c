// The largest or smallest elements, in order.

/** As an integer in the same order: -0 is 0, NaN is above all other numbers. */
// @ts-ignore: decorator
@inline
function keyOf(isInt: i32, smallest: i32, ptr: usize): i32 {
  let key: i32
  if (isInt) {
    key = i32.load(ptr)
  } else {
    const x = f32.load(ptr)
    const bits = reinterpret<i32>(x + 0)
    key = isNaN(x) ? i32.MAX_VALUE : bits ^ (bits >> 31 & i32.MAX_VALUE)
  }
  return smallest ? ~key : key
}

@unmanaged
export class TopKCall {
  /** 1: the smallest elements, the smallest first. */
  smallest: i32
  /** 1: the elements are int32. */
  isInt: i32
  outer: i32
  length: i32
  inner: i32
  k: i32
}

/**
 * values and indices (outer, k, inner) = the k largest elements of in (outer, length, inner) along the middle axis,
 * the largest first, of equals the one in front. NaN counts as larger than Infinity. Values or indices may be 0: not wanted. The
 * workspace is (3, length) int32.
 *
 * A merge sort: n log n comparisons whatever the order is, and equals stay in theirs.
 */
export function topK(call: TopKCall, inPtr: usize, valuesPtr: usize, indicesPtr: usize, workspacePtr: usize): void {
  const length = call.length
  const inner = call.inner
  const k = call.k
  assert(k >= 0 && k <= length)
  const keysPtr = workspacePtr
  for (let n = 0; n < call.outer; n++) {
    for (let i = 0; i < inner; i++) {
      let fromPtr = workspacePtr + length * 4
      let toPtr = fromPtr + length * 4
      for (let j = 0; j < length; j++) {
        i32.store(keysPtr + j * 4, keyOf(call.isInt, call.smallest, inPtr + ((n * length + j) * inner + i) * 4))
        i32.store(fromPtr + j * 4, j)
      }
      for (let run = 1; run < length; run *= 2) {
        for (let begin = 0; begin < length; begin += 2 * run) {
          merge(keysPtr, fromPtr, toPtr, begin, min(begin + run, length), min(begin + 2 * run, length))
        }
        const sortedPtr = toPtr
        toPtr = fromPtr
        fromPtr = sortedPtr
      }
      for (let j = 0; j < k; j++) {
        const index = i32.load(fromPtr + j * 4)
        const at = ((n * k + j) * inner + i) * 4
        if (indicesPtr) i32.store(indicesPtr + at, index)
        if (valuesPtr) i32.store(valuesPtr + at, i32.load(inPtr + ((n * length + index) * inner + i) * 4))
      }
    }
  }
}

/** to[begin..end) = from[begin..middle) and from[middle..end), both by falling keys, as one run; of equals those of the first come first. */
function merge(keysPtr: usize, fromPtr: usize, toPtr: usize, begin: i32, middle: i32, end: i32): void {
  let left = begin
  let right = middle
  for (let n = begin; n < end; n++) {
    const isRight = left == middle || (right < end && keyAt(keysPtr, fromPtr, right) > keyAt(keysPtr, fromPtr, left))
    i32.store(toPtr + n * 4, i32.load(fromPtr + (isRight ? right : left) * 4))
    if (isRight) right++
    else left++
  }
}

// @ts-ignore: decorator
@inline
function keyAt(keysPtr: usize, indicesPtr: usize, position: i32): i32 {
  return i32.load(keysPtr + i32.load(indicesPtr + position * 4) * 4)
}
