// A Parquet file as a table. hyparquet reads its footer and what pages are encoded in; pages are walked here.
import { open, type FileHandle } from 'node:fs/promises'
import { parquetMetadata, type FileMetaData, type SchemaElement } from 'hyparquet'
import { parseDecimal, parseFloat16 } from 'hyparquet/src/convert.js'
import { LstmError } from '../../index.ts'
import { ColumnPages } from './parquet-pages.ts'
import { damaged } from './parquet-runs.ts'
import type { Table, TableColumn, TableRows, Values } from './table.ts'
import { checkThrift } from './thrift.ts'

/** A column of the file: where it stands among the chunks of a row group. */
interface FileColumn extends TableColumn {
  readonly chunk: number
  /** What its values are in this file; `element` is what they are written as. */
  readonly stored: SchemaElement
}

/**
 * Opens a Parquet file.
 * @throws LstmError `FORMAT` for what is none
 */
export async function openParquet(path: string): Promise<Table> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    return new ParquetTable(file, size, await readFooter(file, size))
  } catch (error) {
    await file.close()
    throw error
  }
}

async function readFooter(file: FileHandle, size: number): Promise<FileMetaData> {
  if (size < 12) throw new LstmError('FORMAT', `expected a Parquet file, got ${size} bytes`)
  const last = async (count: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(count)
    await file.read(bytes, 0, count, size - count)
    return bytes
  }
  const end = Buffer.from((await last(END_BYTES)).buffer)
  const footerBytes = end.readUInt32LE(0)
  if (end.toString('latin1', 4) !== 'PAR1') throw notWhole('it does not end with PAR1')
  if (footerBytes > size - END_BYTES) throw notWhole(`its footer is said to have ${footerBytes} bytes, and the file has ${size}`)
  const footer = await last(footerBytes + END_BYTES)
  try {
    checkThrift(footer.subarray(0, footerBytes))
    return parquetMetadata(footer, { geoparquet: false })
  } catch (cause) {
    throw notWhole(cause instanceof LstmError ? cause.message : 'its footer does not describe a table', cause)
  }
}

/** The length of the footer, and PAR1. */
const END_BYTES = 8

function notWhole(why: string, cause?: unknown): LstmError {
  return new LstmError('FORMAT', `not a whole Parquet file: ${why}. Was its writing or download cut short?`, { cause })
}

class ParquetTable implements Table {
  readonly columns: readonly FileColumn[]
  readonly #file: FileHandle
  readonly #size: number
  readonly #metadata: FileMetaData
  readonly #rows: number
  #done: number = 0

  constructor(file: FileHandle, size: number, metadata: FileMetaData) {
    this.#file = file
    this.#size = size
    this.#metadata = metadata
    this.columns = columnsOf(metadata.schema)
    this.#rows = metadata.row_groups.reduce((sum, { num_rows: rows }) => sum + rowsOf(rows), 0)
  }

  progress(): { readonly done: number, readonly total: number } {
    return { done: this.#done, total: this.#rows }
  }

  async* read(numbers: readonly number[], kept: readonly number[], groupRows: number): AsyncGenerator<TableRows, void, void> {
    const readers = [...numbers, ...kept].map((index) => new ColumnReader(this.#file, this.#size, this.#metadata, this.columns[index] as FileColumn))
    for (let begin = 0; begin < this.#rows; begin += groupRows) {
      const count = Math.min(groupRows, this.#rows - begin)
      const group: TableRows = { count, numbers: [], kept: [] }
      for (const [n, reader] of readers.entries()) {
        const pieces = await reader.take(count)
        if (n < numbers.length) (group.numbers as Float64Array[]).push(asNumbers(pieces, count, reader.column.stored))
        else (group.kept as Values[]).push(joined(pieces.map((piece) => asWritten(piece, reader.column.stored)), count))
      }
      this.#done = begin + count
      yield group
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

const rowsOf = (rows: bigint): number => {
  const count = Number(rows)
  if (!(Number.isSafeInteger(count) && count >= 0)) throw damaged(`a row group of ${rows} rows`)
  return count
}

/** One column through all row groups. */
class ColumnReader {
  readonly column: FileColumn
  readonly #groups: Iterator<ColumnPages>
  #pages: ColumnPages | undefined
  #page: Values = []
  #used: number = 0

  constructor(file: FileHandle, size: number, { row_groups: groups }: FileMetaData, column: FileColumn) {
    this.column = column
    this.#groups = (function* () {
      for (const { columns, num_rows: rows } of groups) {
        const meta = columns[column.chunk]?.meta_data
        if (meta === undefined) throw damaged(`no chunk of the column '${column.name}'`)
        yield new ColumnPages(file, size, meta, column.stored, rowsOf(rows))
      }
    })()
  }

  /** The next rows, in pieces of pages. */
  async take(rows: number): Promise<Values[]> {
    const pieces: Values[] = []
    for (let left = rows; left > 0;) {
      if (this.#used === this.#page.length) await this.#turn()
      const size = Math.min(left, this.#page.length - this.#used)
      pieces.push(part(this.#page, this.#used, this.#used + size))
      this.#used += size
      left -= size
    }
    return pieces
  }

  /** Goes on to the next page that has values. */
  async #turn(): Promise<void> {
    for (;;) {
      const page = await this.#pages?.next()
      if (page !== undefined && page.length > 0) {
        this.#page = page
        this.#used = 0
        return
      }
      if (page !== undefined) continue
      const { value, done } = this.#groups.next() as IteratorResult<ColumnPages, undefined>
      if (done === true) throw damaged(`rows of the column '${this.column.name}' are missing`)
      this.#pages = value
    }
  }
}

/** Without a copy, where the values are an array of numbers. */
const part = (values: Values, begin: number, end: number): Values => (
  ArrayBuffer.isView(values) ? (values as Float64Array).subarray(begin, end) : (values as unknown[]).slice(begin, end)
)

/** Types of arrays that values without nulls are in. */
const ARRAYS = [Float64Array, Float32Array, Int32Array, BigInt64Array] as const

/** Pieces as one; of one type where they all are. */
function joined(pieces: readonly Values[], count: number): Values {
  const [first] = pieces
  if (pieces.length === 1 && first !== undefined) return first
  const type = ARRAYS.find((array) => pieces.every((piece) => piece instanceof array))
  const all = type === undefined ? new Array<unknown>(count) : new type(count)
  let at = 0
  for (const piece of pieces) for (let n = 0; n < piece.length; n++) (all as unknown[])[at++] = piece[n]
  return all
}

function asNumbers(pieces: readonly Values[], count: number, element: SchemaElement): Float64Array {
  const numbers = new Float64Array(count)
  const numberOf = decoderOf(element)
  let at = 0
  for (const piece of pieces) {
    if (numberOf === undefined && (piece instanceof Float64Array || piece instanceof Float32Array || piece instanceof Int32Array)) {
      numbers.set(piece, at)
      at += piece.length
      continue
    }
    for (let n = 0; n < piece.length; n++) {
      const value = piece[n]
      numbers[at++] = value === null || value === undefined ? NaN : numberOf?.(value) ?? Number(value)
    }
  }
  return numbers
}

/** How a value of Parquet becomes a number, where that is not `Number`. */
function decoderOf({ converted_type: converted, logical_type: logical, scale = 0 }: SchemaElement): ((value: unknown) => number) | undefined {
  if (logical?.type === 'FLOAT16') return (value) => parseFloat16(value as Uint8Array) ?? NaN
  if (converted === 'DECIMAL') return (value) => (value instanceof Uint8Array ? parseDecimal(value) : Number(value)) / 10 ** scale
  if (converted === 'UINT_32') return (value) => (value as number) >>> 0
  if (converted === 'UINT_64') return (value) => Number(BigInt.asUintN(64, value as bigint))
  return undefined
}

/** Values as hyparquet-writer takes them to write the same bytes again. */
function asWritten(values: Values, element: SchemaElement): Values {
  const { type, converted_type: converted, logical_type: logical } = element
  const change = (map: (value: unknown) => unknown): unknown[] => Array.from(values, (value) => (value === null || value === undefined ? value : map(value)))
  if (logical?.type === 'FLOAT16') return change((value) => parseFloat16(value as Uint8Array))
  if (converted === 'DECIMAL') return change((value) => (value instanceof Uint8Array ? signed(value) : BigInt(value as number)))
  if (converted === 'UINT_32') return change((value) => (value as number) >>> 0)
  if (converted === 'UINT_64') return change((value) => BigInt.asUintN(64, value as bigint))
  if (type === 'INT96') return change((value) => nanosecondsOf(value as bigint))
  return values
}

/** A number of two's complement, the highest byte first. */
function signed(bytes: Uint8Array): bigint {
  const hex = Buffer.from(bytes).toString('hex')
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex === '' ? '0' : hex}`))
}

/** The columns at the root of the schema, which is a tree written in depth-first order. */
function columnsOf(schema: readonly SchemaElement[]): FileColumn[] {
  const columns: FileColumn[] = []
  let [at, chunk] = [1, 0]
  /** Passes over what is in a node; how many leaves it has. */
  const leavesOf = (children: number): number => {
    let leaves = 0
    for (let n = 0; n < children; n++) {
      const element = schema[at++]
      if (element === undefined) throw damaged('its schema ends too early')
      leaves += element.num_children === undefined || element.num_children === 0 ? 1 : leavesOf(element.num_children)
    }
    return leaves
  }
  const { num_children: roots = 0 } = schema[0] ?? {}
  for (let n = 0; n < roots; n++) {
    const element = schema[at++]
    if (element === undefined) throw damaged('its schema ends too early')
    const leaves = element.num_children === undefined || element.num_children === 0 ? 1 : leavesOf(element.num_children)
    columns.push({ name: element.name, kind: kindOf(element), element: writtenElement(element), stored: element, chunk })
    chunk += leaves
  }
  return columns
}

const NUMBERS: readonly (string | undefined)[] = ['INT32', 'INT64', 'FLOAT', 'DOUBLE']
/** Dates and times: numbers to Parquet, none to a model. */
const TIMES = /^(DATE|TIME|TIMESTAMP)/

function kindOf({ type, num_children: children, repetition_type: repetition, converted_type: converted, logical_type: logical }: SchemaElement): TableColumn['kind'] {
  if ((children ?? 0) > 0 || repetition === 'REPEATED' || converted === 'INTERVAL' || converted === 'BSON' || /^(GEO|VARIANT)/.test(logical?.type ?? '')) return 'nested'
  if (type === 'BOOLEAN') return 'flag'
  if (converted === 'DECIMAL' || logical?.type === 'FLOAT16') return 'number'
  return NUMBERS.includes(type) && !TIMES.test(converted ?? logical?.type ?? '') ? 'number' : 'other'
}

/** What a column is written as: JSON as the text it is, INT96 as the nanoseconds that it means. */
function writtenElement(element: SchemaElement): SchemaElement {
  const { name, type, repetition_type, converted_type: converted, logical_type: logical } = element
  const repetition = repetition_type === undefined ? {} : { repetition_type }
  if (type === 'INT96') return { name, type: 'INT64', ...repetition, logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'NANOS' } }
  return type !== undefined && (converted === 'JSON' || logical?.type === 'JSON') ? { name, type, ...repetition, converted_type: 'UTF8' } : element
}

/** A moment in INT96: nanoseconds of the day in 64 bits, and the Julian day above them. */
function nanosecondsOf(value: bigint): bigint {
  const [day, unixDay] = [86_400_000_000_000n, 2_440_588n]
  return ((value >> 64n) - unixDay) * day + BigInt.asUintN(64, value)
}
