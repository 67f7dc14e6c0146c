// Quantised weights of a file: (integer - zero point) times a scale, as weights of 8 bits or as float32.
import { Int8Weights, quantized } from '../../ops/products/narrow-weights.ts'
import { NdArray } from '../../values/ndarray.ts'
import { lengthOf, type Shape } from '../../values/shape.ts'

/** Integers and what they are times. */
export interface ScaledIntegers {
  /** Whole numbers, row by row. */
  readonly q: ArrayLike<number>
  readonly shape: Shape
  /** One for all, one for each index along `axis`, or one for each block along it. */
  readonly scales: ArrayLike<number>
  /** As many as there are scales. Default: zeros. */
  readonly zeros?: ArrayLike<number> | undefined
  /** undefined where one scale is for all. */
  readonly axis: number | undefined
  /** How many elements along the axis share a scale, which then has an element for each index of the other axes. */
  readonly block?: number | undefined
}

/** Which scale an element has. */
function scaleIndex({ shape, axis, block }: ScaledIntegers): (element: number) => number {
  if (axis === undefined) return () => 0
  const size = shape[axis] as number
  const inner = lengthOf(shape.slice(axis + 1))
  if (block === undefined) return (n) => Math.floor(n / inner) % size
  const blocks = Math.ceil(size / block)
  return (n) => (Math.floor(n / (inner * size)) * blocks + Math.floor(Math.floor(n / inner) % size / block)) * inner + n % inner
}

/** As float32: the difference is rounded, then the product, as onnxruntime and PyTorch do. */
export function widened(source: ScaledIntegers): NdArray<'float32'> {
  const { q, shape, scales, zeros } = source
  const scaleOf = scaleIndex(source)
  const data = new Float32Array(q.length)
  for (let n = 0; n < data.length; n++) {
    const index = scaleOf(n)
    data[n] = Math.fround((q[n] as number) - (zeros?.[index] ?? 0)) * (scales[index] as number)
  }
  return new NdArray(data, shape)
}

/** The integers less their zero points, with the signs of their scales; undefined where one does not fit 8 bits. */
function centred(source: ScaledIntegers): Int8Array | undefined {
  const { q, scales, zeros } = source
  const scaleOf = scaleIndex(source)
  const result = new Int8Array(q.length)
  for (let n = 0; n < result.length; n++) {
    const index = scaleOf(n)
    const difference = (q[n] as number) - (zeros?.[index] ?? 0)
    const value = (scales[index] as number) < 0 ? 0 - difference : difference
    result[n] = value
    if (result[n] !== value) return undefined
  }
  return result
}

/** The same weights in 8 bits with a scale for each index along an axis; undefined where there are none that are equal. */
export function equalInt8(source: ScaledIntegers, axis: number): Int8Weights | undefined {
  const { shape, scales } = source
  const isAlong = source.axis === undefined || (source.axis === axis && source.block === undefined)
  const q = isAlong ? centred(source) : undefined
  if (q === undefined) return undefined
  const own = Float32Array.from({ length: shape[axis] as number }, (_, n) => Math.abs(scales[source.axis === undefined ? 0 : n] as number))
  return new Int8Weights({ q, scales: own, axis }, shape)
}

/** Weights of 8 bits, and how far the farthest of them is from what the file says. */
export interface NearestInt8 {
  readonly weights: Int8Weights
  /** 0 where they are equal. */
  readonly error: number
}

/** Weights of 8 bits with a scale for each index along an axis: equal ones where there are such, else quantised anew. */
export function nearestInt8(source: ScaledIntegers, axis: number): NearestInt8 {
  const equal = equalInt8(source, axis)
  if (equal !== undefined) return { weights: equal, error: 0 }
  const { data, shape } = widened(source)
  const weights = new Int8Weights(quantized(data, shape, axis), shape)
  const near = weights.data
  return { weights, error: data.reduce((error, value, n) => Math.max(error, Math.abs(value - (near[n] as number))), 0) }
}
