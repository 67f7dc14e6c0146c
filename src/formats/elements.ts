import { LstmError } from '../errors.ts'
import type { DataOf } from '../values/dtype.ts'

/** Element types found in files, all little-endian; the ones we do not compute with are converted when read. */
export type ElementType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'uint8'

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = {
  float32: 4, float64: 8, float16: 2, bfloat16: 2, int64: 8, int32: 4, uint8: 1,
}

/**
 * Bytes of a file as elements: float16, bfloat16 and float64 as float32, int64 as int32. Views of
 * the same bytes where type and alignment allow, copies otherwise.
 *
 * @throws LstmError `VALUE` for an int64 that does not fit int32
 */
export function decodeElements(bytes: Uint8Array, type: ElementType, what: string): DataOf {
  const length = bytes.length / ELEMENT_BYTES[type]
  if (type === 'uint8') return bytes
  // Typed arrays want offsets that are multiples of their element size. (`slice` of a Node Buffer would not copy.)
  const aligned = bytes.byteOffset % ELEMENT_BYTES[type] === 0 ? bytes : new Uint8Array(bytes)
  const { buffer, byteOffset } = aligned
  if (type === 'float32') return new Float32Array(buffer, byteOffset, length)
  if (type === 'int32') return new Int32Array(buffer, byteOffset, length)
  if (type === 'float64') return Float32Array.from(new Float64Array(buffer, byteOffset, length))
  if (type === 'int64') return int32FromInt64(new BigInt64Array(buffer, byteOffset, length), what)
  const halves = new Uint16Array(buffer, byteOffset, length)
  return type === 'bfloat16' ? float32FromBfloat16(halves) : float32FromFloat16(halves)
}

function int32FromInt64(source: BigInt64Array, what: string): Int32Array {
  const result = new Int32Array(source.length)
  source.forEach((value, index) => {
    if (BigInt.asIntN(32, value) !== value) {
      throw new LstmError('VALUE', `${what}: expected int64 elements that fit int32, got ${value} at element ${index}`)
    }
    result[index] = Number(value)
  })
  return result
}

/** bfloat16 is the upper half of a float32. */
function float32FromBfloat16(source: Uint16Array): Float32Array {
  const result = new Uint32Array(source.length)
  for (let n = 0; n < source.length; n++) result[n] = (source[n] as number) << 16
  return new Float32Array(result.buffer)
}

/** IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. Every one is a float32 exactly. */
function float32FromFloat16(source: Uint16Array): Float32Array {
  const result = new Float32Array(source.length)
  for (let n = 0; n < source.length; n++) {
    const half = source[n] as number
    const sign = half & 0x8000 ? -1 : 1
    const exponent = (half >> 10) & 0x1f
    const fraction = half & 0x3ff
    if (exponent === 0x1f) result[n] = fraction ? NaN : sign * Infinity
    else if (exponent === 0) result[n] = sign * fraction * 2 ** -24
    else result[n] = sign * (1024 + fraction) * 2 ** (exponent - 25)
  }
  return result
}
