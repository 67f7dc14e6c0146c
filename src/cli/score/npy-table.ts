// An array of NumPy as a table: rows along its first axis, a column for each place of the others. Read by ranges, so that it may be of any length.
import { open, type FileHandle } from 'node:fs/promises'
import type { SchemaElement } from 'hyparquet'
import { LstmError } from '../../index.ts'
import { readNpy, readNpyHeader, writeNpyHeader, type NpyHeader } from '../../readers/npy.ts'
import { indicesOf, lengthOf } from '../conversion.ts'
import type { Table, TableColumn, TableRows } from './table.ts'

/** The longest header that is read, with what stands in front of it. */
const HEADER_BYTES = 2 ** 16 + 12
/** More columns than that are no table: a group of rows would not fit in memory. */
const MOST_COLUMNS = 2 ** 15
/** Bytes read at once where rows stand together, of which only some columns may be wanted. */
const CHUNK_BYTES = 2 ** 20

type Element = TypedArray & ArrayLike<number | bigint>
type TypedArray = Float64Array | Float32Array | Int32Array | BigInt64Array | Uint8Array

interface Kind {
  readonly array: { new(from: ArrayBuffer | number): Element, readonly BYTES_PER_ELEMENT: number }
  readonly element: Omit<SchemaElement, 'name'>
  /** Where the file's elements are no array of JavaScript's: their bytes, and what makes one of them. */
  readonly stored?: { readonly bytes: number, readonly decode: (bytes: Uint8Array) => Element }
}

/** Elements of arrays as they are read, and what Parquet calls them. */
const KINDS: Readonly<Record<string, Kind>> = {
  '<f4': { array: Float32Array, element: { type: 'FLOAT', repetition_type: 'REQUIRED' } },
  '<f8': { array: Float64Array, element: { type: 'DOUBLE', repetition_type: 'REQUIRED' } },
  '<f2': {
    array: Float32Array, element: { type: 'FLOAT', repetition_type: 'REQUIRED' },
    stored: { bytes: 2, decode: (bytes) => readNpy(Buffer.concat([writeNpyHeader('<f2', [bytes.length / 2]), bytes])).data },
  },
  '<i4': { array: Int32Array, element: { type: 'INT32', repetition_type: 'REQUIRED' } },
  '<i8': { array: BigInt64Array, element: { type: 'INT64', repetition_type: 'REQUIRED' } },
  '|u1': { array: Uint8Array, element: { type: 'INT32', repetition_type: 'REQUIRED' } },
  '|b1': { array: Uint8Array, element: { type: 'INT32', repetition_type: 'REQUIRED' } },
}

/**
 * Opens an array. Columns are called by their indices: `3`, or `1_0` where there are more axes.
 * @throws LstmError `FORMAT` for what is no whole file, `UNSUPPORTED` for elements that are no numbers of these kinds
 */
export async function openNpy(path: string): Promise<Table> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const bytes = new Uint8Array(Math.min(HEADER_BYTES, size))
    await file.read(bytes, 0, bytes.length, 0)
    const header = readNpyHeader(bytes, size)
    const kind = KINDS[header.descr] as Kind // other elements have no header that is read
    return new NpyTable(file, header, kind)
  } catch (error) {
    await file.close()
    throw error
  }
}

class NpyTable implements Table {
  readonly columns: readonly TableColumn[]
  readonly #file: FileHandle
  readonly #header: NpyHeader
  readonly #kind: Kind
  readonly #rows: number
  #done: number = 0

  constructor(file: FileHandle, header: NpyHeader, kind: Kind) {
    const [rows, ...rest] = header.shape
    if (rows === undefined) throw new LstmError('FORMAT', 'expected an array with rows, got a single number')
    const width = lengthOf(rest)
    if (width > MOST_COLUMNS) throw new LstmError('UNSUPPORTED', `the array is [${header.shape.join(', ')}]: ${width} numbers of a row are more than ${MOST_COLUMNS}`)
    this.#file = file
    this.#header = header
    this.#kind = kind
    this.#rows = rows
    this.columns = Array.from({ length: width }, (_, n) => {
      const name = indicesOf(n, rest).join('_') || '0'
      return { name, kind: 'number', element: { name, ...kind.element } }
    })
  }

  progress(): { readonly done: number, readonly total: number } {
    return { done: this.#done, total: this.#rows }
  }

  async* read(numbers: readonly number[], kept: readonly number[], groupRows: number): AsyncGenerator<TableRows, void, void> {
    for (let begin = 0; begin < this.#rows; begin += groupRows) {
      const count = Math.min(groupRows, this.#rows - begin)
      const columns = await this.#columnsOf([...numbers, ...kept], begin, count)
      this.#done = begin + count
      const asNumbers = (values: Element): Float64Array => Float64Array.from(values as ArrayLike<number>, Number)
      yield { count, numbers: columns.slice(0, numbers.length).map(asNumbers), kept: columns.slice(numbers.length) }
    }
  }

  /** Some columns of some rows, each as an array of its own. */
  async #columnsOf(columns: readonly number[], begin: number, count: number): Promise<Element[]> {
    const width = this.columns.length
    if (this.#header.fortranOrder) {
      const places = columns.map((column) => fortranPlace(column, this.#header.shape.slice(1)))
      const read: Element[] = []
      for (const place of places) read.push(await this.#range(place * this.#rows + begin, count))
      return read
    }
    const read = columns.map(() => new this.#kind.array(count))
    const most = Math.max(1, Math.floor(CHUNK_BYTES / (width * this.#kind.array.BYTES_PER_ELEMENT)))
    for (let from = 0; from < count; from += most) {
      const some = Math.min(most, count - from)
      const rows = await this.#range((begin + from) * width, some * width)
      read.forEach((values, n) => {
        for (let row = 0, at = columns[n] as number; row < some; row++, at += width) values[from + row] = rows[at] as never
      })
    }
    return read
  }

  /** Elements that stand together in the file. */
  async #range(begin: number, length: number): Promise<Element> {
    const { array, stored } = this.#kind
    const width = stored?.bytes ?? array.BYTES_PER_ELEMENT
    const bytes = new Uint8Array(length * width)
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await this.#file.read(bytes, at, bytes.length - at, this.#header.dataBegin + begin * width + at)
      if (bytesRead === 0) throw new LstmError('FORMAT', 'the file has become shorter while it was read')
      at += bytesRead
    }
    return stored?.decode(bytes) ?? new array(bytes.buffer)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** Where the column that is the nth in row-major order stands in column-major order: the first axis runs fastest. */
function fortranPlace(column: number, shape: readonly number[]): number {
  return indicesOf(column, shape).reduce((place, index, axis) => place + index * lengthOf(shape.slice(0, axis)), 0)
}
