// Gradients of what was gathered: rows that are added to the places they came from, in the order they stand in.

/**
 * to (outer, size, row) = 0, but for to[o, index[n]] += from[o, n], from (outer, count, row), rows of `length` float32, n ascending. Negative
 * indices count from the end. The indices must be good: see `findBadIndex`. `to` is overwritten.
 */
export function scatterAddF32(indexPtr: usize, count: i32, fromPtr: usize, outer: i32, size: i32, length: i32, toPtr: usize): void {
  memory.fill(toPtr, 0, outer * size * length * 4)
  const whole = length & ~3
  for (let o = 0; o < outer; o++) {
    for (let n = 0; n < count; n++) {
      const index = i32.load(indexPtr + n * 4)
      let to = toPtr + (o * size + (index < 0 ? index + size : index)) * length * 4
      let i = 0
      for (; i < whole; i += 4) {
        v128.store(to, f32x4.add(v128.load(to), v128.load(fromPtr)))
        to += 16
        fromPtr += 16
      }
      for (; i < length; i++) {
        f32.store(to, f32.load(to) + f32.load(fromPtr))
        to += 4
        fromPtr += 4
      }
    }
  }
}
