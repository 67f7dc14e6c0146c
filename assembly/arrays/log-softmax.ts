import { expOfNegative } from '../math/exponential'
import { log64 } from '../math/power'
import { storeLanes } from '../simd'
import { highestOf, loadRow } from './row'

/**
 * out (rows, columns) = x - max - log(sum(e^(x - max))), over each row; out may be in. e^x is taken in float32
 * (below 1 ULP), summed in float64, and all the rest is float64, so the error is that of the float32 input and output.
 */
export function logSoftmaxF32(inPtr: usize, outPtr: usize, rowBegin: i32, rowEnd: i32, columns: i32): void {
  const rowBytes = columns * 4
  for (let row = rowBegin; row < rowEnd; row++) {
    const fromPtr = inPtr + row * rowBytes
    const toPtr = outPtr + row * rowBytes
    const highest = highestOf(fromPtr, columns)
    let low = f64x2.splat(0)
    let high = f64x2.splat(0)
    for (let n = 0; n < columns; n += 4) {
      const e = expOfNegative(f32x4.sub(loadRow(fromPtr, n, columns), f32x4.splat(highest)))
      low = f64x2.add(low, f64x2.promote_low_f32x4(e))
      high = f64x2.add(high, f64x2.promote_low_f32x4(i32x4.shuffle(e, e, 2, 3, 2, 3)))
    }
    const sums = f64x2.add(low, high)
    const shift = f64x2.splat((highest as f64) + log64(f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)))
    for (let n = 0; n < columns; n += 4) {
      const x = v128.load(fromPtr + n * 4)
      const first = f32x4.demote_f64x2_zero(f64x2.sub(f64x2.promote_low_f32x4(x), shift))
      const second = f32x4.demote_f64x2_zero(f64x2.sub(f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3)), shift))
      storeLanes(toPtr + n * 4, i64x2.shuffle(first, second, 0, 2), columns - n)
    }
  }
}
