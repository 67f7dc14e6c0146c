// From float32 to fewer bits.
import { MOST_TERMS } from '../contract/products/int8/layout.ts'
import type { Constant } from '../ops/constant.ts'
import { HalfWeights, Int8Weights, quantized, roundToHalf } from '../ops/products/narrow-weights.ts'
import { lengthOf } from '../values/shape.ts'

/** With fewer weights for each scale, there is little to gain. */
const LEAST_TERMS = 8

/** Weights of fewer bits, or why they stay as they are. */
export type Narrowed = { readonly weights: Constant & { readonly data: Float32Array } } | { readonly kept: string }

/** Integers from -127 to 127, with a scale for each index along `axis`: its largest |x| / 127. */
export function toInt8(constant: Constant, axis: number, isMultiplied: boolean): Narrowed {
  const { shape, storage } = constant
  if (storage !== undefined) return { kept: `is ${storage} already` }
  const terms = lengthOf(shape) / (shape[axis] as number)
  if (terms < LEAST_TERMS) return { kept: `has ${terms} weights an output: too few to gain from` }
  if (terms > MOST_TERMS) return { kept: `has ${terms} weights an output, at most ${MOST_TERMS} go` }
  const made = quantized(constant.data as Float32Array, shape, axis)
  if (!made.scales.every(Number.isFinite)) return { kept: 'has a weight that is not a finite number' }
  return { weights: new Int8Weights(made, shape, isMultiplied) }
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
  if (constant.storage !== undefined) return { kept: `is ${constant.storage} already` }
  const source = constant.data as Float32Array
  const data = new Float32Array(source.length)
  for (let n = 0; n < source.length; n++) {
    const value = data[n] = roundToHalf(source[n] as number)
    if (Math.abs(value) === Infinity && Number.isFinite(source[n])) return { kept: 'has a weight beyond 65504' }
  }
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
