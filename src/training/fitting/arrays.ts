// What callers hand over: arrays of any kind become arrays with shapes, and batches are cut from them.
import { LstmError } from '../../errors.ts'
import { ARRAYS, createData, describeValue, dtypeOfData, isDType, type DataOf, type DType } from '../../values/dtype.ts'
import { dataOfNested, hasShape, narrowed, NdArray, type ArrayLike, type Nested } from '../../values/ndarray.ts'
import { copyShape, formatShape, lengthOf, shapeOfNested, type Shape } from '../../values/shape.ts'

/** Arrays that data may be: with a shape, nested numbers, or a flat list of one number a row. */
export type Data = ArrayLike | Float32Array | Int32Array | Uint8Array | Nested

/** Data by name, or the array of the only one. */
export type NamedData = Data | Readonly<Record<string, Data>>

/** Targets: those of one loss, or of several by the names of outputs. */
export type Targets = NamedData | Readonly<Record<string, NamedData>>

/** An array of the dtype that is wanted. @throws LstmError `VALUE` for what is no array, or elements that are no numbers of the dtype; `SHAPE` */
export function arrayOf(given: unknown, dtype: DType, what: string): ArrayLike {
  if (ArrayBuffer.isView(given) && !(given instanceof DataView)) return converted(narrowed(given, what), [(given as Float32Array).length], dtype, what)
  if (hasShape(given)) {
    const shape = copyShape(given.shape, what)
    const data: unknown = narrowed(given.data, what)
    if (!ArrayBuffer.isView(data) || (data as Float32Array).length !== lengthOf(shape)) {
      throw new LstmError('SHAPE', `${what}: expected ${lengthOf(shape)} elements for ${formatShape(shape)}, got ${describeValue(data)}`)
    }
    return converted(data, shape, dtype, what)
  }
  if (!Array.isArray(given)) throw new LstmError('VALUE', `${what}: expected an array with a shape, or nested arrays of numbers, got ${describeValue(given)}`)
  const shape = shapeOfNested(given, what)
  return new NdArray(dataOfNested(given, dtype, shape, what), shape)
}

function converted(data: unknown, shape: Shape, dtype: DType, what: string): ArrayLike {
  const own = dtypeOfData(data)
  if (own === dtype) return { dtype, shape, data: data as DataOf }
  if (own === undefined && !(data instanceof Float64Array)) throw new LstmError('VALUE', `${what}: expected ${dtype} elements, got ${describeValue(data)}`)
  const from = data as DataOf | Float64Array
  const to = createData(dtype, from.length)
  to.set(from)
  if (dtype !== 'float32') {
    const bad = to.findIndex((x, n) => x !== from[n])
    if (bad >= 0) throw new LstmError('VALUE', `${what}: expected ${dtype} elements, got ${from[bad] as number} at element ${bad}`)
  }
  return { dtype, shape, data: to }
}

/** @throws LstmError `VALUE` for NaN and Infinity: says in which row */
export function checkFinite({ dtype, shape, data }: ArrayLike, what: string): void {
  if (dtype !== 'float32') return
  for (let n = 0; n < data.length; n++) {
    const x = data[n] as number
    if (x - x === 0) continue
    const width = lengthOf(shape.slice(1))
    throw new LstmError('VALUE', `${what}: expected numbers, got ${x} in row ${Math.floor(n / width)}, at element ${n % width} of it`)
  }
}

/** Rows of up to so many elements are copied one by one: a view of each would be garbage. */
const MOST_COPIED = 2048

/** Rows of an array, copied into an array of its own that is used again. */
export class RowGatherer {
  readonly #from: ArrayLike
  readonly #width: number
  readonly #length: number
  readonly #data: DataOf
  #first: ArrayLike | undefined
  constructor(from: ArrayLike, mostRows: number) {
    this.#from = from
    this.#width = lengthOf(from.shape.slice(1))
    this.#length = lengthOf(from.shape)
    this.#data = new ARRAYS[from.dtype](mostRows * this.#width)
  }

  /** @param order rows of the whole; `[begin, end)` of it are taken. @throws LstmError `SHAPE` where the caller's array was resized or detached */
  take(order: Int32Array, begin: number, end: number): void {
    const { data: from } = this.#from
    const to = this.#data
    const width = this.#width
    if (from.length !== this.#length) throw new LstmError('SHAPE', `data had ${this.#length} elements at first, and ${from.length} now: inputs may not change until it is done`)
    for (let n = begin; n < end; n++) {
      const source = (order[n] as number) * width
      const target = (n - begin) * width
      if (width > MOST_COPIED) to.set(from.subarray(source, source + width), target)
      else for (let i = 0; i < width; i++) to[target + i] = from[source + i] as number
    }
  }

  /** The first rows of those that were taken last: a view, which the next ones overwrite. */
  first(rows: number): ArrayLike {
    if (this.#first?.shape[0] !== rows) {
      this.#first = { dtype: this.#from.dtype, shape: [rows, ...this.#from.shape.slice(1)], data: this.#data.subarray(0, rows * this.#width) }
    }
    return this.#first
  }
}

/** Rows [begin, end) of an array: the same memory. */
export function rowsOf({ dtype, shape, data }: ArrayLike, begin: number, end: number): ArrayLike {
  const width = lengthOf(shape.slice(1))
  return { dtype, shape: [end - begin, ...shape.slice(1)], data: data.subarray(begin * width, end * width) }
}

/** Arrays one after the other along the batch. */
export function joined(parts: readonly ArrayLike[]): NdArray {
  const [{ shape, data: first }] = parts as [ArrayLike]
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] as number), 0)
  const data = new (first.constructor as new (length: number) => ArrayLike['data'])(rows * lengthOf(shape.slice(1)))
  let position = 0
  for (const part of parts) {
    data.set(part.data, position)
    position += part.data.length
  }
  return new NdArray(data, [rows, ...shape.slice(1)])
}

/** Whether data are by name, not one array. */
export function isNamed<T = Data>(given: unknown): given is Readonly<Record<string, T>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given) && !ArrayBuffer.isView(given) && !hasShape(given) && !isDType((given as ArrayLike).dtype)
}
