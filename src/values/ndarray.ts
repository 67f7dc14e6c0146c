import { LstmError } from '../errors.ts'
import { arrayNameOf, createData, describeValue, dtypeOfData, storeChecked, type DataOf, type DType } from './dtype.ts'
import { tagOf } from './realm.ts'
import { checkShape, formatShape, lengthOf, shapeOfNested, type Shape } from './shape.ts'

/** Nested arrays of numbers, as deep as the shape has axes; a plain number for a scalar. */
export type Nested = number | readonly Nested[]

/** Anything with a dtype, a shape and the elements in row-major order. */
export interface ArrayLike {
  /** Type of the elements. */
  readonly dtype: DType
  /** Sizes, outermost first. */
  readonly shape: Shape
  /** The elements, row by row. */
  readonly data: DataOf
}

/** A tensor of onnxruntime, whose elements may be of 64 bits. */
export interface OrtTensor {
  /** Type of the elements: `float32`, `int64`, ... */
  readonly type: string
  /** Sizes, outermost first. */
  readonly dims: Shape
  /** The elements, row by row. */
  readonly data: unknown
}

/** An n-dimensional array on the JavaScript heap, row-major. Needs no WebAssembly and no disposal. */
export class NdArray<T extends DType = DType> implements ArrayLike {
  /** Type of the elements. */
  readonly dtype: T
  /** Sizes, outermost first. */
  readonly shape: Shape
  /** The elements, row by row. */
  readonly data: DataOf<T>

  /**
   * An array over elements that are there already.
   * @param data the elements, used as they are, not copied
   * @throws LstmError `VALUE` for an array type that is none of float32, int32, uint8;
   *   `SHAPE` when the shape does not hold exactly the elements given
   */
  constructor(data: DataOf<T>, shape: Shape) {
    const dtype = dtypeOfData(data)
    if (dtype === undefined) {
      throw new LstmError('VALUE', `NdArray: expected a Float32Array, Int32Array or Uint8Array, got ${describeValue(data)}`)
    }
    checkShape(shape, 'NdArray')
    if (lengthOf(shape) !== data.length) {
      throw new LstmError('SHAPE', `NdArray: expected ${lengthOf(shape)} elements for shape ${formatShape(shape)}, got ${data.length}`)
    }
    this.dtype = dtype as T
    this.shape = shape
    this.data = data
  }

  /**
   * From nested arrays of numbers.
   * @throws LstmError `SHAPE` for ragged arrays, `VALUE` for elements that are not numbers of the dtype
   */
  static from<T extends DType = 'float32'>(nested: Nested, dtype: T = 'float32' as T): NdArray<T> {
    const shape = shapeOfNested(nested, 'nested array')
    return new NdArray(dataOfNested(nested, dtype, shape, 'nested array'), shape)
  }

  /** Number of elements. */
  get length(): number {
    return this.data.length
  }

  /** The same elements with another shape; nothing is copied. */
  reshape(shape: Shape): NdArray<T> {
    return new NdArray(this.data, shape)
  }

  /** Nested arrays of numbers. */
  toArray(): Nested {
    return nest(this.data, this.shape)
  }

  /** The dtype, the shape, and the first and last elements of every axis. */
  toString(): string {
    return print(this)
  }
}

/** Whether a value has a shape and data, as tensors, NdArrays and plain objects of that form have. */
export function hasShape(value: unknown): value is ArrayLike {
  return typeof value === 'object' && value !== null && 'shape' in value && 'data' in value && Array.isArray(value.shape)
}

/**
 * The elements of nested arrays.
 * @throws LstmError `SHAPE` unless every level has the length that `shape` says, `VALUE` for elements that are no numbers of the dtype
 */
export function dataOfNested<T extends DType>(nested: unknown, dtype: T, shape: Shape, what: string): DataOf<T> {
  checkShape(shape, what)
  const data = createData(dtype, lengthOf(shape))
  let next = 0
  const visit = (level: unknown, axis: number): void => {
    if (axis === shape.length) {
      storeChecked(data, next, dtype, level, what)
      next++
      return
    }
    if (!Array.isArray(level) || level.length !== shape[axis]) {
      const got = Array.isArray(level) ? `${level.length}` : describeValue(level)
      throw new LstmError('SHAPE', `${what}: expected ${shape[axis]} elements along axis ${axis} of ${formatShape(shape)}, got ${got}`)
    }
    const size: number = level.length
    for (let n = 0; n < size; n++) visit(level[n], axis + 1)
  }
  visit(nested, 0)
  return data
}

/** Elements in row-major order -> nested arrays. */
export function nest(data: DataOf, shape: Shape): Nested {
  let next = 0
  const build = (axis: number): Nested => {
    if (axis === shape.length) return data[next++] as number
    return Array.from({ length: shape[axis] as number }, () => build(axis + 1))
  }
  return build(0)
}

/** `float32 [2, 3]` and the elements; of long axes three at each end. */
export function print({ dtype, shape, data }: ArrayLike): string {
  const element = (index: number): string => {
    const value = data[index] as number
    return dtype === 'float32' ? String(Number(value.toPrecision(5))) : String(value)
  }
  const rows = (axis: number, begin: number, indent: string): string => {
    if (axis === shape.length) return element(begin)
    const size = shape[axis] as number
    const stride = lengthOf(shape.slice(axis + 1))
    const shown = size > 6 ? [0, 1, 2, -1, size - 3, size - 2, size - 1] : [...Array(size).keys()]
    const last = axis === shape.length - 1
    const parts = shown.map((n) => (n < 0 ? '…' : rows(axis + 1, begin + n * stride, `${indent} `)))
    return `[${parts.join(last ? ', ' : `,\n${indent} `)}]`
  }
  return `${dtype} ${formatShape(shape)} ${rows(0, 0, '')}`
}

/** Elements of 64 bits as int32, copied; any other array as it is. @throws LstmError `VALUE` for one that is no int32 */
export function narrowed(data: unknown, what: string): unknown {
  return tagOf(data).startsWith('Big') ? dataOfNested(Array.from(data as BigInt64Array, Number), 'int32', [(data as BigInt64Array).length], what) : data
}

/** Checks that `data` is the array type of `dtype`. */
export function checkData(data: unknown, dtype: DType, what: string): void {
  if (dtypeOfData(data) !== dtype) {
    throw new LstmError('VALUE', `${what}: expected ${dtype} (${arrayNameOf(dtype)}), got ${describeValue(data)}`)
  }
}
