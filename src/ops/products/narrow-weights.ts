// Weights of fewer bits, as constants of graphs.
import { Int8Gates } from '../../contract/products/int8/pack.ts'
import { MatrixLayout as LayoutFields } from '../../contract/products/matrix.ts'
import { LstmError } from '../../errors.ts'
import { formatShape, lengthOf, type Shape } from '../../values/shape.ts'
import { encodeRecord } from '../../values/record.ts'
import type { Constant, GatesToPack, Int8Values, Packing, PlacedTable, StoredPart } from '../constant.ts'
import type { Packer } from '../operator.ts'
import type { MatrixInputs, MatrixLayout, PackedConstant } from './matrices.ts'

/** Follows the name of weights of 8 bits: the tensor of their scales, which has ones for all axes but one. */
export const SCALE_SUFFIX = '.scale'
/** The same for weights that are multiplied as float32. */
export const WIDENING_SCALE_SUFFIX = '.widening_scale'

/** Weights of 8 bits: `q` times `scales`, one for each index along `axis`. */
export class Int8Weights implements Constant, Int8Values {
  readonly dtype = 'float32'
  readonly shape: Shape
  readonly q: Int8Array
  readonly scales: Float32Array
  readonly axis: number
  /** Whether layers multiply the integers; or else float32, which the weights are widened to when a model is made. */
  readonly isMultiplied: boolean

  /** @throws LstmError `SHAPE` unless there is a scale for each index of the axis, and an integer for each element */
  constructor({ q, scales, axis }: Pick<Int8Values, 'q' | 'scales' | 'axis'>, shape: Shape, isMultiplied: boolean = true) {
    if (q.length !== lengthOf(shape) || scales.length !== shape[axis]) {
      throw new LstmError('SHAPE', `weights of 8 bits ${formatShape(shape)}: expected ${lengthOf(shape)} integers and ${shape[axis]} scales for axis ${axis}, got ${q.length} and ${scales.length}`)
    }
    this.shape = shape
    this.q = q
    this.scales = scales
    this.axis = axis
    this.isMultiplied = isMultiplied
  }

  get int8(): Int8Values | undefined {
    return this.isMultiplied ? this : undefined
  }

  get storage(): string {
    return this.isMultiplied ? 'int8' : 'int8 widened'
  }

  get bytes(): number {
    return this.q.byteLength + this.scales.byteLength
  }

  /** The weights as float32: made anew each time. */
  get data(): Float32Array {
    const { q, scales, axis, shape } = this
    const inner = lengthOf(shape.slice(axis + 1))
    const data = new Float32Array(q.length)
    for (let begin = 0, index = 0; begin < q.length; begin += inner, index = index + 1 === scales.length ? 0 : index + 1) {
      const scale = scales[index] as number
      for (let at = begin; at < begin + inner; at++) data[at] = (q[at] as number) * scale
    }
    return data
  }

  get parts(): readonly StoredPart[] {
    const { q, scales, axis, shape, isMultiplied } = this
    return [
      { suffix: '', dtype: 'I8', shape, data: q },
      { suffix: isMultiplied ? SCALE_SUFFIX : WIDENING_SCALE_SUFFIX, dtype: 'F32', shape: shape.map((size, n) => (n === axis ? size : 1)), data: scales },
    ]
  }

  packGates({ kernels, allocate, uploadData }: Packing, k: number, { hiddenSize, begin, gates, biasPtr, secondBiasPtr, forgetBias }: GatesToPack): number {
    const from = begin * hiddenSize
    const kind = kernels.int8Kind(Number(this.q.includes(-128)))
    const packedPtr = allocate(kernels.packedInt8GatesBytes(k, hiddenSize, gates, kind))
    const [weightPtr, scalePtr] = [uploadData(this.q) + from * k, uploadData(this.scales) + from * 4]
    kernels.packGatesI8(uploadData(encodeRecord(Int8Gates, { k, hiddenSize, gates, forgetBias, kind })), packedPtr, weightPtr, scalePtr, biasPtr, secondBiasPtr)
    return packedPtr
  }

  packDense(packer: Packing, k: number, columns: number, biasPtr: number): number {
    const layout = { outer: 1, inner: k, columns, outerStride: 0, innerStride: 1, columnStride: k }
    return this.packMatrices(packer, {}, layout, biasPtr).packedPtr
  }

  placeTable({ place }: Pick<Packer, 'place'>): PlacedTable {
    return [place(this.q), place(this.scales)]
  }

  packMatrices(
    { kernels, allocate, uploadData }: Packing, { count = 1, stride = 0 }: Pick<MatrixInputs, 'count' | 'stride'>, layout: MatrixLayout, biasPtr: number,
  ): PackedConstant {
    const { outer, inner, columns } = layout
    const kind = kernels.int8Kind(Number(this.q.includes(-128)))
    const bytes = kernels.packedInt8Bytes(outer * inner, columns, kind)
    const packedPtr = allocate(count * bytes)
    const [layoutPtr, weightPtr, scalePtr] = [uploadData(encodeRecord(LayoutFields, layout)), uploadData(this.q), uploadData(this.scales)]
    for (let n = 0; n < count; n++) {
      kernels.packStridedI8(
        layoutPtr, packedPtr + n * bytes, weightPtr + n * stride, scalePtr + n * columns * 4, biasPtr === 0 ? 0 : biasPtr + n * columns * 4, kind,
      )
    }
    return { packedPtr, bytes, isInt8: true }
  }
}

/**
 * The integers from -127 to 127 that are nearest to numbers, and a scale for each index along an axis: its largest |x| / 127. Where a number is
 * not finite, neither is its scale.
 */
export function quantized(data: Float32Array, shape: Shape, axis: number): Pick<Int8Values, 'q' | 'scales' | 'axis'> {
  const count = shape[axis] as number
  const inner = lengthOf(shape.slice(axis + 1))
  const next = (index: number): number => (index + 1 === count ? 0 : index + 1)
  const scales = new Float32Array(count)
  for (let begin = 0, index = 0; begin < data.length; begin += inner, index = next(index)) {
    let most = scales[index] as number
    for (let at = begin; at < begin + inner; at++) {
      const size = Math.abs(data[at] as number)
      if (!(size <= most)) most = size
    }
    scales[index] = most
  }
  for (let index = 0; index < count; index++) scales[index] = (scales[index] as number) / 127
  const q = new Int8Array(data.length)
  for (let begin = 0, index = 0; begin < data.length; begin += inner, index = next(index)) {
    const scale = scales[index] as number
    if (scale === 0) continue
    // 127 times a rounded scale may be less than the largest, far less where the scale is no normal number.
    for (let at = begin; at < begin + inner; at++) q[at] = Math.max(-127, Math.min(127, Math.round((data[at] as number) / scale)))
  }
  return { q, scales, axis }
}

/** Weights of 16 bits (IEEE 754 half precision), and what they are as float32. */
export class HalfWeights implements Constant {
  readonly dtype = 'float32'
  readonly storage = 'float16'
  readonly shape: Shape
  readonly data: Float32Array

  /** @param data numbers that half precision has: see `roundToHalf` */
  constructor(data: Float32Array, shape: Shape) {
    this.shape = shape
    this.data = data
  }

  get bytes(): number {
    return 2 * this.data.length
  }

  get parts(): readonly StoredPart[] {
    const { buffer, byteOffset, length } = this.data
    const bits = new Uint32Array(buffer, byteOffset, length)
    const data = new Uint16Array(length)
    for (let n = 0; n < length; n++) data[n] = halfBits(this.data[n] as number, bits[n] as number)
    return [{ suffix: '', dtype: 'F16', shape: this.shape, data }]
  }
}

/** The half nearest to a number, to even where two are; beyond 65504, Infinity. */
export function roundToHalf(value: number): number {
  const size = Math.abs(value)
  if (!(size < 65520)) return Number.isNaN(value) ? NaN : Math.sign(value) * Infinity
  // Steps of halves: 2^-24 for the smallest, 2^-10 of the leading bit for the others. Adding 1.5 * 2^52 steps rounds to one.
  const step = Math.max(2 ** -24, 2 ** (Math.floor(Math.log2(size || 1)) - 10))
  const rounder = 1.5 * 2 ** 52
  const rounded = (size / step + rounder - rounder) * step
  return 1 / value < 0 ? -rounded : rounded
}

/** The bits of a number that half precision has, from those it has as a float32. */
function halfBits(value: number, bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size === Infinity) return sign | 0x7c00
  if (size < 2 ** -14) return sign | (size * 2 ** 24)
  return sign | (((bits >>> 13) & 0x3ffff) - (112 << 10))
}
