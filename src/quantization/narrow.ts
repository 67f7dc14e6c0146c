// From float32 to fewer bits.
import type { Constant } from '../ops/constant.ts'
import { HalfWeights, Int8Weights, roundToHalf } from '../ops/products/narrow-weights.ts'
import { lengthOf } from '../values/shape.ts'

/** Sums of 8 x 8 bits fit 32 up to so many terms: MOST_TERMS in assembly/products/int8/layout.ts. */
const MOST_TERMS = 131_072
/** With fewer weights for each scale, there is little to gain. */
const LEAST_TERMS = 8

/** Weights of fewer bits, or why they stay as they are. */
export type Narrowed = { readonly weights: Constant & { readonly data: Float32Array } } | { readonly kept: string }

function whyNot(constant: Constant): string | undefined {
  if (constant.storage !== undefined) return `is ${constant.storage} already`
  return undefined
}

/** The largest |x| of each index along an axis. */
function largest(data: Float32Array, count: number, inner: number): Float32Array {
  const most = new Float32Array(count)
  for (let begin = 0, n = 0; begin < data.length; begin += inner, n = n + 1 === count ? 0 : n + 1) {
    let size = most[n] as number
    for (let at = begin; at < begin + inner; at++) {
      const x = Math.abs(data[at] as number)
      if (!(x <= size)) size = x
    }
    most[n] = size
  }
  return most
}

/** Integers from -127 to 127, with a scale for each index along `axis`: its largest |x| / 127. */
export function toInt8(constant: Constant, axis: number, isMultiplied: boolean): Narrowed {
  const kept = whyNot(constant)
  if (kept !== undefined) return { kept }
  const { shape } = constant
  const data = constant.data as Float32Array
  const count = shape[axis] as number
  const terms = data.length / count
  if (terms < LEAST_TERMS) return { kept: `has ${terms} weights an output: too few to gain from` }
  if (terms > MOST_TERMS) return { kept: `has ${terms} weights an output, at most ${MOST_TERMS} go` }
  const inner = lengthOf(shape.slice(axis + 1))
  const scales = largest(data, count, inner).map((most) => most / 127)
  if (!scales.every(Number.isFinite)) return { kept: 'has a weight that is not a finite number' }
  const q = new Int8Array(data.length)
  for (let begin = 0, n = 0; begin < data.length; begin += inner, n = n + 1 === count ? 0 : n + 1) {
    const scale = scales[n] as number
    if (scale === 0) continue
    for (let at = begin; at < begin + inner; at++) q[at] = Math.round((data[at] as number) / scale)
  }
  return { weights: new Int8Weights({ q, scales, axis }, shape, isMultiplied) }
}

/** With fewer weights, a kilobyte is not won. */
const LEAST_STORED = 1024

/**
 * Weights of a convolution that are stored narrow and multiplied as float32: 8 bits; half precision where it has one channel, and so filters
 * the signal itself, whose quiet parts 8 bits would drown: with them, the Fourier transform in Silero VAD moves its probabilities more than
 * all other layers together.
 */
export function toStored(constant: Constant): Narrowed {
  const length = lengthOf(constant.shape)
  if (length < LEAST_STORED) return { kept: `has ${length} weights: too few to gain from` }
  return constant.shape[1] === 1 ? toHalf(constant) : toInt8(constant, 0, false)
}

/** Half precision, each number rounded to the nearest. */
export function toHalf(constant: Constant): Narrowed {
  const kept = whyNot(constant)
  if (kept !== undefined) return { kept }
  const source = constant.data as Float32Array
  const data = source.map(roundToHalf)
  if (data.some((value, n) => Math.abs(value) === Infinity && Number.isFinite(source[n]))) return { kept: 'has a weight beyond 65504' }
  return { weights: new HalfWeights(data, constant.shape) }
}

/** How far weights moved: the root of the mean square of the change, relative to that of the weights. */
export function weightError(from: Float32Array, to: Float32Array): number {
  let [change, size] = [0, 0]
  for (let n = 0; n < from.length; n++) {
    const x = from[n] as number
    change += (x - (to[n] as number)) ** 2
    size += x * x
  }
  return size === 0 ? 0 : Math.sqrt(change / size)
}
