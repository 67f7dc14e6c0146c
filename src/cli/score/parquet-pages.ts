// One column of a Parquet file, page by page: memory is that of a page, however large the row groups are.
import type { FileHandle } from 'node:fs/promises'
import type { ColumnMetaData, SchemaElement } from 'hyparquet'
import { parquetHeader } from 'hyparquet/src/column.js'
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js'
import { byteStreamSplit } from 'hyparquet/src/encoding.js'
import { readPlain } from 'hyparquet/src/plain.js'
import { LstmError } from '../../index.ts'
import { decompress } from './parquet-codecs.ts'
import { damaged, readRuns } from './parquet-runs.ts'
import type { Values } from './table.ts'
import { checkThrift } from './thrift.ts'

type Header = ReturnType<typeof parquetHeader>

/** Bytes of a page, compressed or not, and values in one, that are taken for a page; writers make 1 MB. */
const MOST_BYTES = 2 ** 28
const MOST_VALUES = 2 ** 24
/** Bytes read at once; a page that is longer is read whole. */
const WINDOW_BYTES = 2 ** 18
/** Least bytes of a value in PLAIN; those of a BYTE_ARRAY have their length in front. */
const PLAIN_BYTES: Readonly<Record<string, number>> = { BOOLEAN: 1 / 8, INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8, BYTE_ARRAY: 4 }

/** Bytes of a column chunk, read as they are needed. */
class ChunkBytes {
  readonly #file: FileHandle
  readonly #end: number
  #window: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** Where the window begins in the file. */
  #begin: number

  constructor(file: FileHandle, begin: number, end: number) {
    this.#file = file
    this.#begin = begin
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#begin
  }

  /** The next bytes: `bytes` of them, or more, or all that are left. */
  async ahead(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#window.length >= Math.min(bytes, this.left)) return this.#window
    const window = new Uint8Array(Math.min(this.left, Math.max(bytes, WINDOW_BYTES)))
    const { bytesRead } = await this.#file.read(window, 0, window.length, this.#begin)
    if (bytesRead < window.length) throw damaged(`expected ${window.length} bytes at ${this.#begin}, got ${bytesRead}`)
    this.#window = window
    return window
  }

  skip(bytes: number): void {
    this.#begin += bytes
    this.#window = this.#window.subarray(bytes)
  }
}

/** The pages of a column in one row group. */
export class ColumnPages {
  readonly #bytes: ChunkBytes
  readonly #meta: ColumnMetaData
  readonly #element: SchemaElement
  #dictionary: Values | undefined
  #valuesLeft: number

  /** @throws LstmError `FORMAT` for a chunk that is not in the file */
  constructor(file: FileHandle, fileBytes: number, meta: ColumnMetaData, element: SchemaElement, rows: number) {
    const first = Number(meta.dictionary_page_offset ?? meta.data_page_offset)
    const begin = first > 0 ? Math.min(first, Number(meta.data_page_offset)) : Number(meta.data_page_offset)
    const end = begin + Number(meta.total_compressed_size)
    if (!(begin >= 4 && end >= begin && end <= fileBytes)) throw damaged(`bytes ${begin} to ${end} of ${fileBytes}`)
    if (meta.type !== element.type) throw damaged(`a chunk of ${meta.type}, a column of ${element.type}`)
    this.#bytes = new ChunkBytes(file, begin, end)
    this.#meta = meta
    this.#element = element
    this.#valuesLeft = rows
  }

  /** Values of the next page, null where there is none; undefined after the last page. @throws LstmError */
  async next(): Promise<Values | undefined> {
    while (this.#valuesLeft > 0) {
      if (this.#bytes.left === 0) throw damaged(`${this.#valuesLeft} values are missing`)
      const { header, page } = await this.#page()
      const values = inFormat(() => this.#valuesOf(header, page))
      if (values === undefined) continue
      this.#valuesLeft -= values.length
      return values
    }
    return undefined
  }

  async #page(): Promise<{ readonly header: Header, readonly page: Uint8Array }> {
    const { header, headerBytes } = await this.#header()
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header
    const fits = (size: number, most: number): boolean => Number.isInteger(size) && size >= 0 && size <= most
    if (!fits(packed, Math.min(MOST_BYTES, this.#bytes.left - headerBytes)) || !fits(unpacked, MOST_BYTES)) {
      throw damaged(`a page of ${packed} bytes, unpacked ${unpacked}, where ${this.#bytes.left - headerBytes} are left`)
    }
    const ahead = await this.#bytes.ahead(headerBytes + packed)
    const page = ahead.subarray(headerBytes, headerBytes + packed)
    this.#bytes.skip(headerBytes + packed)
    return { header, page }
  }

  /** A header has no length of its own: where the bytes at hand do not hold it, more are read. */
  async #header(): Promise<{ readonly header: Header, readonly headerBytes: number }> {
    for (let bytes = WINDOW_BYTES; ; bytes *= 4) {
      const ahead = await this.#bytes.ahead(bytes)
      const reader = { view: new DataView(ahead.buffer, ahead.byteOffset, ahead.length), offset: 0 }
      try {
        checkThrift(ahead)
        return { header: parquetHeader(reader), headerBytes: reader.offset }
      } catch (cause) {
        if (bytes >= this.#bytes.left || bytes > MOST_BYTES) throw cause instanceof LstmError ? cause : damaged("a page's header")
      }
    }
  }

  #valuesOf(header: Header, page: Uint8Array): Values | undefined {
    const { data_page_header: first, data_page_header_v2: second, dictionary_page_header: dictionary, uncompressed_page_size: unpacked } = header
    const { codec } = this.#meta
    if (header.type === 'DICTIONARY_PAGE' && dictionary !== undefined) {
      this.#dictionary = this.#plain(decompress(codec, page, unpacked), dictionary.num_values)
      return undefined
    }
    if (header.type === 'DATA_PAGE' && first !== undefined) {
      const count = this.#checkCount(first.num_values)
      let bytes = decompress(codec, page, unpacked)
      let levels: Uint8Array | undefined
      if (this.#isOptional) {
        if (first.definition_level_encoding !== 'RLE') throw unsupportedEncoding(first.definition_level_encoding)
        const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true)
        levels = bytes.subarray(4, 4 + length)
        bytes = bytes.subarray(4 + length)
      }
      return this.#withNulls(levels, bytes, count, first.encoding)
    }
    if (header.type === 'DATA_PAGE_V2' && second !== undefined) {
      const count = this.#checkCount(second.num_values)
      const { definition_levels_byte_length: length, repetition_levels_byte_length: repetitions, is_compressed: isPacked } = second
      if (repetitions !== 0 || !(length >= 0 && length <= Math.min(page.length, unpacked))) throw damaged(`levels of ${repetitions} and ${length} bytes`)
      const rest = page.subarray(length)
      const bytes = isPacked === false || rest.length === 0 ? rest : decompress(codec, rest, unpacked - length)
      return this.#withNulls(this.#isOptional ? page.subarray(0, length) : undefined, bytes, count, second.encoding)
    }
    return undefined // an index page
  }

  get #isOptional(): boolean {
    return this.#element.repetition_type !== 'REQUIRED'
  }

  #checkCount(count: number): number {
    if (!(Number.isInteger(count) && count >= 0 && count <= Math.min(MOST_VALUES, this.#valuesLeft))) throw damaged(`a page of ${count} values where ${this.#valuesLeft} are left`)
    return count
  }

  /** @param levels 1 where there is a value, 0 where there is none; undefined where there are values everywhere */
  #withNulls(levels: Uint8Array | undefined, bytes: Uint8Array, count: number, encoding: string): Values {
    if (levels === undefined) return this.#decoded(bytes, count, encoding)
    const defined = readRuns(levels, 1, new Uint8Array(count))
    let there = 0
    for (let n = 0; n < count; n++) there += defined[n] as number
    const values = this.#decoded(bytes, there, encoding)
    if (there === count) return values
    let next = 0
    return Array.from(defined, (bit) => (bit === 1 ? values[next++] : null))
  }

  #decoded(bytes: Uint8Array, count: number, encoding: string): Values {
    if (count === 0) return []
    const { type, type_length: length } = this.#element
    const reader = { view: new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length), offset: 0 }
    switch (encoding) {
      case 'PLAIN':
        return this.#plain(bytes, count)
      case 'PLAIN_DICTIONARY':
      case 'RLE_DICTIONARY':
        return this.#looked(readRuns(bytes.subarray(1), bytes[0] as number, new Uint32Array(count)))
      case 'RLE':
        return Array.from(readRuns(bytes.subarray(4), 1, new Uint8Array(count)), (bit) => bit === 1)
      case 'DELTA_BINARY_PACKED': {
        const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count)
        deltaBinaryUnpack(reader, count, values)
        return values
      }
      case 'DELTA_LENGTH_BYTE_ARRAY':
      case 'DELTA_BYTE_ARRAY': {
        const values: Uint8Array[] = []
        const unpack = encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray
        unpack(reader, count, values)
        return values
      }
      case 'BYTE_STREAM_SPLIT':
        return byteStreamSplit(reader, count, type ?? 'FLOAT', length)
      default:
        throw unsupportedEncoding(encoding)
    }
  }

  #plain(bytes: Uint8Array, count: number): Values {
    const { type = 'INT32', type_length: length } = this.#element
    const least = type === 'FIXED_LEN_BYTE_ARRAY' ? length ?? 0 : PLAIN_BYTES[type] as number
    if (!(least > 0 && count >= 0 && count * least <= bytes.length)) throw damaged(`${count} values of ${type} in ${bytes.length} bytes`)
    return readPlain({ view: new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length), offset: 0 }, type, count, length)
  }

  /** Values of the dictionary by their indices. */
  #looked(indices: Uint32Array): Values {
    const dictionary = this.#dictionary
    if (dictionary === undefined) throw damaged('a dictionary is missing')
    for (const index of indices) if (index >= dictionary.length) throw damaged(`entry ${index} of a dictionary of ${dictionary.length}`)
    if (dictionary instanceof Float64Array) return Float64Array.from(indices, (index) => dictionary[index] as number)
    if (dictionary instanceof Float32Array) return Float32Array.from(indices, (index) => dictionary[index] as number)
    return Array.from(indices, (index) => dictionary[index])
  }
}

function unsupportedEncoding(encoding: string | undefined): LstmError {
  const what = encoding === undefined ? 'by a newer rule' : `as ${encoding}`
  return new LstmError('UNSUPPORTED', `a page that is encoded ${what}. pyarrow writes the file anew as PLAIN: pyarrow.parquet.write_table(pyarrow.parquet.read_table('IN.parquet'), 'OUT.parquet', use_dictionary=False)`)
}

/** What hyparquet throws of bytes that end too early is an error of the file. */
function inFormat<T>(decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    if (cause instanceof LstmError) throw cause
    throw new LstmError('FORMAT', 'the Parquet file is damaged: a page does not hold the values that it claims', { cause })
  }
}
