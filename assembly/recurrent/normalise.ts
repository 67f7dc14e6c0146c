// Layer normalisation (Ba et al. 2016) over the units of a row, in float64: (x - mean) / sqrt(variance + epsilon) * gain + shift.
import { elementPtr } from '../math/activate'

/** The mean of `length` elements of a row, whose vectors lie `strideBytes` apart. */
export function meanOf(ptr: usize, strideBytes: i32, length: i32): f64 {
  let sum: f64 = 0
  for (let n = 0; n < length; n++) sum += f32.load(elementPtr(ptr, strideBytes, n))
  return sum / length
}

/** 1 / sqrt(variance + epsilon) of the same. */
export function scaleOf(ptr: usize, strideBytes: i32, length: i32, mean: f64, epsilon: f32): f64 {
  let sum: f64 = 0
  for (let n = 0; n < length; n++) {
    const difference = f32.load(elementPtr(ptr, strideBytes, n)) as f64 - mean
    sum += difference * difference
  }
  return 1 / Math.sqrt(sum / length + (epsilon as f64))
}

/** Normalises a row in place. gain, shift: `length` elements each, side by side. */
export function normaliseRow(gainPtr: usize, shiftPtr: usize, epsilon: f32, ptr: usize, strideBytes: i32, length: i32): void {
  const mean = meanOf(ptr, strideBytes, length)
  const scale = scaleOf(ptr, strideBytes, length, mean, epsilon)
  for (let n = 0; n < length; n++) {
    const atPtr = elementPtr(ptr, strideBytes, n)
    const normal = (f32.load(atPtr) as f64 - mean) * scale
    f32.store(atPtr, (normal * (f32.load(gainPtr + n * 4) as f64) + (f32.load(shiftPtr + n * 4) as f64)) as f32)
  }
}
