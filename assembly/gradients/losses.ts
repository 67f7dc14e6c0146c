// Losses: for each row how far the prediction is from the target, and the gradient of that by the prediction, in one pass. What is not
// summed in vectors is float64.
import { expOfNegative } from '../math/exponential'
import { exp64, log64 } from './inference'
import { highestOf, loadRow } from '../arrays/row'
import { storeLanes } from '../simd'

/** What the loss of an element is. */
export enum ElementLossCode {
  /** (p - t)^2 */
  squared = 0,
  /** |p - t| */
  absolute = 1,
  /** e = p - t: e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2) */
  huber = 2,
  /** -t log p - (1 - t) log(1 - p), logarithms not below -100: PyTorch's BCELoss */
  binary = 3,
  /** The same of p = sigmoid(x): max(x, 0) - x t + log(1 + e^-|x|) */
  binaryLogits = 4,
}

/** Writes e^(x - highest) of a row to outPtr; returns the sum of them. */
// @ts-ignore: decorator
@inline
function exponentials(rowPtr: usize, outPtr: usize, columns: i32, highest: f32): f64 {
  let low = f64x2.splat(0)
  let high = f64x2.splat(0)
  for (let n = 0; n < columns; n += 4) {
    const e = expOfNegative(f32x4.sub(loadRow(rowPtr, n, columns), f32x4.splat(highest)))
    storeLanes(outPtr + n * 4, e, columns - n)
    low = f64x2.add(low, f64x2.promote_low_f32x4(e))
    high = f64x2.add(high, f64x2.promote_low_f32x4(i32x4.shuffle(e, e, 2, 3, 2, 3)))
  }
  const sums = f64x2.add(low, high)
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
}

/**
 * Cross-entropy of the softmax of each row with a class:
 *
 *     losses[r] = log(sum_n e^x[r, n]) - x[r, labels[r]]
 *     gradient[r, n] = e^x[r, n] / sum - (n == labels[r])
 *
 * x, gradient: (rows, columns). Rows whose label is `ignored` have a loss and gradient of 0. Returns the first row whose label is no column and not
 * `ignored`, or -1.
 */
export function sparseCrossEntropyF32(
  logitsPtr: usize, labelsPtr: usize, lossesPtr: usize, gradientPtr: usize, rows: i32, columns: i32, ignored: i32,
): i32 {
  for (let row = 0; row < rows; row++) {
    const fromPtr = logitsPtr + row * columns * 4
    const toPtr = gradientPtr + row * columns * 4
    const label = i32.load(labelsPtr + row * 4)
    if (label == ignored) {
      memory.fill(toPtr, 0, columns * 4)
      f32.store(lossesPtr + row * 4, 0)
      continue
    }
    if (<u32>label >= <u32>columns) return row
    const highest = highestOf(fromPtr, columns)
    const sum = exponentials(fromPtr, toPtr, columns, highest)
    f32.store(lossesPtr + row * 4, f32(log64(sum) + ((highest as f64) - (f32.load(fromPtr + label * 4) as f64))))
    // In float64: a probability near 1 keeps what is missing to it.
    const own = ((f32.load(toPtr + label * 4) as f64) - sum) / sum
    const by = f32x4.splat(f32(1 / sum))
    for (let n = 0; n < columns; n += 4) storeLanes(toPtr + n * 4, f32x4.mul(v128.load(toPtr + n * 4), by), columns - n)
    f32.store(toPtr + label * 4, f32(own))
  }
  return -1
}

/**
 * Cross-entropy of the softmax of each row with probabilities t of all classes:
 *
 *     losses[r] = sum_n t[r, n] (log(sum_m e^x[r, m]) - x[r, n])
 *     gradient[r, n] = e^x[r, n] / sum_m e^x[r, m] * sum_m t[r, m] - t[r, n]
 *
 * x, t, gradient: (rows, columns).
 */
export function crossEntropyF32(logitsPtr: usize, targetsPtr: usize, lossesPtr: usize, gradientPtr: usize, rows: i32, columns: i32): void {
  for (let row = 0; row < rows; row++) {
    const fromPtr = logitsPtr + row * columns * 4
    const targetPtr = targetsPtr + row * columns * 4
    const toPtr = gradientPtr + row * columns * 4
    const highest = highestOf(fromPtr, columns)
    const sum = exponentials(fromPtr, toPtr, columns, highest)
    const logSum = log64(sum)
    let loss: f64 = 0
    let targets: f64 = 0
    for (let n = 0; n < columns; n++) {
      const t = f32.load(targetPtr + n * 4) as f64
      targets += t
      // 0 times an infinite distance is 0.
      if (t != 0) loss += t * (logSum + ((highest as f64) - (f32.load(fromPtr + n * 4) as f64)))
    }
    f32.store(lossesPtr + row * 4, f32(loss))
    const by = targets / sum
    for (let n = 0; n < columns; n++) {
      f32.store(toPtr + n * 4, f32((f32.load(toPtr + n * 4) as f64) * by - (f32.load(targetPtr + n * 4) as f64)))
    }
  }
}

/**
 * losses[r] = mean over n of the loss of p[r, n] and t[r, n]; gradient[r, n] = its derivative by p[r, n].
 * p, t, gradient: (rows, columns).
 */
export function elementLossF32(
  code: ElementLossCode, delta: f64, predictionsPtr: usize, targetsPtr: usize, lossesPtr: usize, gradientPtr: usize, rows: i32, columns: i32,
): void {
  const share = 1 / (columns as f64)
  for (let row = 0; row < rows; row++) {
    let sum: f64 = 0
    for (let n = 0; n < columns; n++) {
      const p = f32.load(predictionsPtr) as f64
      const t = f32.load(targetsPtr) as f64
      let loss: f64
      let slope: f64
      if (code == ElementLossCode.binaryLogits) {
        const e = exp64(-abs(p))
        loss = max(p, 0) - p * t + log64(1 + e)
        slope = (p < 0 ? e : 1) / (1 + e) - t
      } else if (code == ElementLossCode.binary) {
        loss = -t * max(log64(p), -100) - (1 - t) * max(log64(1 - p), -100)
        slope = (p - t) / max(p * (1 - p), 1e-12)
      } else {
        const difference = p - t
        const distance = abs(difference)
        if (code == ElementLossCode.squared) {
          loss = difference * difference
          slope = 2 * difference
        } else if (code == ElementLossCode.huber && distance <= delta) {
          loss = 0.5 * difference * difference
          slope = difference
        } else {
          const scale = code == ElementLossCode.huber ? delta : 1
          loss = code == ElementLossCode.huber ? delta * (distance - 0.5 * delta) : distance
          slope = difference > 0 ? scale : difference < 0 ? -scale : difference // 0 and NaN are themselves
        }
      }
      sum += loss
      f32.store(gradientPtr, f32(slope * share))
      predictionsPtr += 4
      targetsPtr += 4
      gradientPtr += 4
    }
    f32.store(lossesPtr + row * 4, f32(sum * share))
  }
}

/** Numbers of the error-to-signal ratio. */
@unmanaged
export class SignalRatioCall {
  rows: i32
  steps: i32
  channels: i32
  /** a of the filter x[s] - a x[s - 1]. */
  preEmphasis: f64
  /** What the ratio of the filtered signals counts. */
  ratioWeight: f64
  /** What the ratio of the means counts. */
  meanWeight: f64
  epsilon: f64
}

/**
 * The error-to-signal ratio of amplifier models (Wright, Damskägg and Välimäki 2019): with e = p - t, d[s] = e[s] - a e[s - 1] and u the same of t, per row
 *
 *     losses[r] = ratioWeight mean(d^2) / (mean(u^2) + epsilon) + meanWeight mean_c(mean_s(e)^2) / (mean(t^2) + epsilon)
 *
 * and its gradient by p. p, t, gradient: (rows, steps, channels); before the first step all is 0.
 */
export function signalRatioF32(call: SignalRatioCall, predictionsPtr: usize, targetsPtr: usize, lossesPtr: usize, gradientPtr: usize): void {
  const steps = call.steps
  const channels = call.channels
  const a = call.preEmphasis
  const count = (steps as f64) * (channels as f64)
  const rowBytes = steps * channels * 4
  const strideBytes = channels * 4
  for (let row = 0; row < call.rows; row++) {
    const pPtr = predictionsPtr + row * rowBytes
    const tPtr = targetsPtr + row * rowBytes
    const gPtr = gradientPtr + row * rowBytes
    let errors: f64 = 0
    let signal: f64 = 0
    let energy: f64 = 0
    for (let c = 0; c < channels; c++) {
      let error: f64 = 0
      let before: f64 = 0
      for (let s = 0; s < steps; s++) {
        const at = (s * channels + c) * 4
        const t = f32.load(tPtr + at) as f64
        const e = (f32.load(pPtr + at) as f64) - t
        const d = e - a * error
        const u = t - a * before
        errors += d * d
        signal += u * u
        energy += t * t
        error = e
        before = t
      }
    }
    const byRatio = call.ratioWeight / (signal / count + call.epsilon) / count
    const byMean = call.meanWeight / (energy / count + call.epsilon)
    let loss = errors * byRatio
    for (let c = 0; c < channels; c++) {
      let sum: f64 = 0
      for (let s = 0; s < steps; s++) {
        const at = (s * channels + c) * 4
        sum += (f32.load(pPtr + at) as f64) - (f32.load(tPtr + at) as f64)
      }
      const mean = sum / (steps as f64)
      loss += byMean * mean * mean / (channels as f64)
      const byStep = 2 * byMean * mean / count
      // From the last step on: the gradient of e[s] is d[s] - a d[s + 1].
      let later: f64 = 0
      for (let s = steps - 1; s >= 0; s--) {
        const at = (s * channels + c) * 4
        const e = (f32.load(pPtr + at) as f64) - (f32.load(tPtr + at) as f64)
        const error = s == 0 ? 0 : (f32.load(pPtr + at - strideBytes) as f64) - (f32.load(tPtr + at - strideBytes) as f64)
        const d = e - a * error
        f32.store(gPtr + at, f32(2 * byRatio * (d - a * later) + byStep))
        later = d
      }
    }
    f32.store(lossesPtr + row * 4, f32(loss))
  }
}
