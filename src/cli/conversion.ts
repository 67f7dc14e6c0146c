import { LstmError, NdArray, type DataOf, type DType } from '../index.ts'

/** Every whole number up to here is a float32; above, some are not. */
const EXACT_FLOAT32 = 2 ** 24

/** How many elements an array of these sizes has. */
export const lengthOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** Indices of the nth place of an array in row-major order. */
export function indicesOf(place: number, shape: readonly number[]): number[] {
  let rest = place
  return [...shape].reverse().map((size) => {
    const index = rest % size
    rest = Math.floor(rest / size)
    return index
  }).reverse()
}

/** An array of zeros. */
export function storageOf(dtype: DType, length: number): DataOf {
  if (dtype === 'float32') return new Float32Array(length)
  return dtype === 'int32' ? new Int32Array(length) : new Uint8Array(length)
}

/**
 * Stores a number; float32 rounds it, the others take whole numbers in their range only.
 * @throws LstmError `VALUE`
 */
export function storeExactly(data: DataOf, index: number, value: number, where: string): void {
  data[index] = value
  if (!(data instanceof Float32Array) && data[index] !== value) {
    throw new LstmError('VALUE', `${where}: expected a whole number (${data instanceof Int32Array ? 'int32' : 'uint8, 0 to 255'}), got ${value}`)
  }
}

/**
 * The same numbers as elements of another dtype.
 * @throws LstmError `VALUE` for a number that is no element of the dtype, or may have been rounded before it came here
 */
export function convert({ data, shape, dtype: from }: NdArray, dtype: DType): NdArray {
  if (from === dtype) return new NdArray(data, shape)
  const result = storageOf(dtype, data.length)
  data.forEach((value, index) => {
    storeExactly(result, index, value, `element ${index}`)
    if (from === 'float32' && Math.abs(value) > EXACT_FLOAT32) {
      throw new LstmError('VALUE', `element ${index}: expected whole numbers up to ${EXACT_FLOAT32} in an array of floats, got ${value}; save it as int32`)
    }
  })
  return new NdArray(result, shape)
}
