// Normalisation: of each row by its own mean and variance, and of channels by given ones.
import { storeLanes } from '../simd'

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3))
}

/** Sum of x - mean, or of its squares, over a row, in float64: a lane for every fourth element. */
// @ts-ignore: decorator
@inline
function rowSum(ptr: usize, columns: i32, mean: f64, squares: bool): f64 {
  const shift = f64x2.splat(mean)
  let low = f64x2.splat(0)
  let upper = f64x2.splat(0)
  let n = 0
  for (; n + 4 <= columns; n += 4) {
    const x = v128.load(ptr + n * 4)
    const a = f64x2.sub(f64x2.promote_low_f32x4(x), shift)
    const b = f64x2.sub(high(x), shift)
    low = f64x2.add(low, squares ? f64x2.mul(a, a) : a)
    upper = f64x2.add(upper, squares ? f64x2.mul(b, b) : b)
  }
  let sum = (f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1)) + (f64x2.extract_lane(upper, 0) + f64x2.extract_lane(upper, 1))
  for (; n < columns; n++) {
    const d = (f32.load(ptr + n * 4) as f64) - mean
    sum += squares ? d * d : d
  }
  return sum
}

@unmanaged
export class NormalizeCall {
  /** 0: the mean is taken to be 0 (RMS normalisation). */
  centred: i32
  rows: i32
  columns: i32
  /** 0: scale and bias (columns), one for each element of a row; otherwise (channels), one for each row, repeating. */
  channels: i32
  epsilon: f64
}

/**
 * out = (x - mean) / sqrt(variance + epsilon) * scale + bias, over each row. bias may be 0: none. Mean and variance are
 * float64; out may be in.
 */
export function normalizeF32(call: NormalizeCall, inPtr: usize, outPtr: usize, scalePtr: usize, biasPtr: usize): void {
  const centred = call.centred
  const columns = call.columns
  const channels = call.channels
  const epsilon = call.epsilon
  const length = columns as f64
  for (let row = 0; row < call.rows; row++) {
    const fromPtr = inPtr + row * columns * 4
    const toPtr = outPtr + row * columns * 4
    const mean: f64 = centred ? rowSum(fromPtr, columns, 0, false) / length : 0
    const factor = f64x2.splat(1 / sqrt(rowSum(fromPtr, columns, mean, true) / length + epsilon))
    const shift = f64x2.splat(mean)
    const channel = channels ? row % channels : 0
    const rowScale = v128.load32_splat(scalePtr + channel * 4)
    const rowBias = biasPtr ? v128.load32_splat(biasPtr + channel * 4) : f32x4.splat(0)
    for (let n = 0; n < columns; n += 4) {
      const x = v128.load(fromPtr + n * 4)
      const first = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(x), shift), factor))
      const second = f32x4.demote_f64x2_zero(f64x2.mul(f64x2.sub(high(x), shift), factor))
      const scale = channels ? rowScale : v128.load(scalePtr + n * 4)
      const bias = channels || !biasPtr ? rowBias : v128.load(biasPtr + n * 4)
      const y = f32x4.add(f32x4.mul(i64x2.shuffle(first, second, 0, 2), scale), bias)
      storeLanes(toPtr + n * 4, y, columns - n)
    }
  }
}

@unmanaged
export class BatchNormCall {
  outer: i32
  channels: i32
  inner: i32
  epsilon: f64
}

/**
 * y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c] for x (outer, channels, inner). The factors
 * scale / sqrt(variance + epsilon) and bias - mean factor are computed in float64 and rounded, once a call, to
 * `factorsPtr` (2 x channels, each part padded to 64 bytes).
 */
export function batchNormF32(
  call: BatchNormCall, inPtr: usize, outPtr: usize, scalePtr: usize, biasPtr: usize, meanPtr: usize, variancePtr: usize, factorsPtr: usize,
): void {
  const channels = call.channels
  const inner = call.inner
  const shiftsPtr = factorsPtr + ((channels + 15) & ~15) * 4
  for (let c = 0; c < channels; c++) {
    const scale: f64 = f32.load(scalePtr + c * 4)
    const bias: f64 = f32.load(biasPtr + c * 4)
    const mean: f64 = f32.load(meanPtr + c * 4)
    const variance: f64 = f32.load(variancePtr + c * 4)
    const factor = scale / sqrt(variance + call.epsilon)
    f32.store(factorsPtr + c * 4, factor as f32)
    f32.store(shiftsPtr + c * 4, (bias - mean * factor) as f32)
  }
  const length = inner == 1 ? channels : inner
  const rows = inner == 1 ? call.outer : call.outer * channels
  for (let row = 0; row < rows; row++) {
    const channel = row % channels
    const rowFactor = v128.load32_splat(factorsPtr + channel * 4)
    const rowShift = v128.load32_splat(shiftsPtr + channel * 4)
    for (let n = 0; n < length; n += 4) {
      const at = (row * length + n) * 4
      const factor = inner == 1 ? v128.load(factorsPtr + n * 4) : rowFactor
      const shift = inner == 1 ? v128.load(shiftsPtr + n * 4) : rowShift
      storeLanes(outPtr + at, f32x4.add(f32x4.mul(v128.load(inPtr + at), factor), shift), length - n)
    }
  }
}
