import { expOfNegative } from '../math/exponential'
import { storeLanes } from '../simd'
import { loadRow } from './row'

/**
 * out (rows, columns) = e^(in - max) / sum(e^(in - max)), over each row; out may be in.
 * Rows lie close together, so the last vector of a row is finished lane by lane.
 */
export function softmaxF32(inPtr: usize, outPtr: usize, rowBegin: i32, rowEnd: i32, columns: i32): void {
  const rowBytes = columns * 4
  const negativeInfinity = f32x4.splat(-Infinity)
  for (let row = rowBegin; row < rowEnd; row++) {
    const fromPtr = inPtr + row * rowBytes
    const toPtr = outPtr + row * rowBytes
    let maxima = negativeInfinity
    for (let n = 0; n < columns; n += 4) maxima = f32x4.max(maxima, loadRow(fromPtr, n, columns))
    const highest = f32x4.splat(Mathf.max(
      Mathf.max(f32x4.extract_lane(maxima, 0), f32x4.extract_lane(maxima, 1)),
      Mathf.max(f32x4.extract_lane(maxima, 2), f32x4.extract_lane(maxima, 3)),
    ))
    let sums = f32x4.splat(0)
    for (let n = 0; n < columns; n += 4) {
      const e = expOfNegative(f32x4.sub(loadRow(fromPtr, n, columns), highest))
      sums = f32x4.add(sums, e)
      storeLanes(toPtr + n * 4, e, columns - n)
    }
    const sum = f32x4.splat(
      (f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1))
      + (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3)),
    )
    for (let n = 0; n < columns; n += 4) {
      storeLanes(toPtr + n * 4, f32x4.div(v128.load(toPtr + n * 4), sum), columns - n)
    }
  }
}
