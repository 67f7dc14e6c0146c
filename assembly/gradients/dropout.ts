// Dropout, by a generator without a state: every number follows from a seed, the step, and its place.
import { storeLanes } from '../simd'

/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; 2011): four words from a counter of four and a key of
 * two, of which the second is 0. As `philox` in src/ops/random/philox.ts.
 */
function philox(place: u32, run: u32, stream: u32, attempt: u32, seed: u32): v128 {
  let second: u32 = 0
  for (let round = 0; round < 10; round++) {
    const left = (place as u64) * 0xd2511f53
    const right = (stream as u64) * 0xcd9e8d57
    place = ((right >> 32) as u32) ^ run ^ seed
    run = right as u32
    stream = ((left >> 32) as u32) ^ attempt ^ second
    attempt = left as u32
    seed += 0x9e3779b9
    second += 0xbb67ae85
  }
  return i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(place), 1, run), 2, stream), 3, attempt)
}

/**
 * out (rows, columns) = 0 with the probability `rate`, and in / (1 - rate) otherwise; out may be in. seedPtr: int32 [3], the seed, the number of
 * the step, and the number of the first row in its batch: a batch that is taken in parts drops what the whole of it would. `stream` tells
 * nodes from each other. A word decides for each element.
 */
export function dropoutF32(rate: f64, stream: i32, seedPtr: usize, inPtr: usize, outPtr: usize, rows: i32, columns: i32): void {
  const seed = load<u32>(seedPtr)
  const step = load<u32>(seedPtr, 4)
  const first = load<u32>(seedPtr, 8)
  const gain = f32x4.splat(rate < 1 ? (1 / (1 - rate)) as f32 : 0)
  // Words from here on are kept.
  const least = i32x4.splat(rate < 1 ? (rate * 4294967296.0) as u64 as u32 : 0xffffffff)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column += 4) {
      const kept = i32x4.ge_u(philox(column >> 2, step, stream, first + row, seed), least)
      const at = (row * columns + column) * 4
      storeLanes(outPtr + at, v128.and(kept, f32x4.mul(v128.load(inPtr + at), gain)), columns - column)
    }
  }
}
