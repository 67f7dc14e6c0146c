// Comma-separated values as a table, read piece by piece. Cells may be quoted as RFC 4180 says.
import { open, type FileHandle } from 'node:fs/promises'
import type { SchemaElement } from 'hyparquet'
import { LstmError } from '../../index.ts'
import { parseCell } from '../csv.ts'
import type { Table, TableColumn, TableRows } from './table.ts'

/** Bytes read at once. */
const CHUNK_BYTES = 2 ** 20
/** Lines that tell columns of numbers. */
const SAMPLE_LINES = 1000
/** A line longer than this is no line of a table. */
const MOST_CHARACTERS = 2 ** 26
/** What stands where there is no value. */
const ABSENT = /^\s*(na|n\/a|null|none)?\s*$/i

/** @throws LstmError `FORMAT` for a file without a line, or that is no text in UTF-8 */
export async function openCsv(path: string): Promise<Table> {
  const file = await open(path)
  try {
    const lines = new CsvLines(file, (await file.stat()).size)
    const sample = await lines.peek(SAMPLE_LINES)
    const [first] = sample
    if (first === undefined) throw new LstmError('FORMAT', 'expected lines of cells, got an empty file')
    const hasHeader = first.every((cell) => parseCell(cell) === undefined)
    if (hasHeader) lines.skip()
    return new CsvTable(lines, columnsOf(hasHeader ? first : first.map((_, n) => String(n)), hasHeader ? sample.slice(1) : sample))
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Texts: a file of text does not say what they mean. */
const textElement = (name: string): SchemaElement => ({ name, type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL', converted_type: 'UTF8' })

function columnsOf(names: readonly string[], sample: readonly (readonly string[])[]): TableColumn[] {
  return names.map((name, n) => {
    const cells = sample.map((line) => line[n] ?? '').filter((cell) => !ABSENT.test(cell))
    const isNumber = (cells.length > 0 || sample.length === 0) && cells.every((cell) => parseCell(cell) !== undefined)
    return { name: name.trim(), kind: isNumber ? 'number' : 'other', element: textElement(name.trim()) }
  })
}

/** Lines of a file, as cells. */
class CsvLines {
  readonly file: FileHandle
  readonly size: number
  /** Bytes that are read, and the line that `next` gives, from 1. */
  bytes: number = 0
  line: number = 1
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #text: string = ''
  #at: number = 0
  readonly #ahead: string[][] = []
  #lineOfNext: number = 1

  constructor(file: FileHandle, size: number) {
    this.file = file
    this.size = size
  }

  /** The first lines, which `next` gives again. */
  async peek(count: number): Promise<readonly (readonly string[])[]> {
    while (this.#ahead.length < count) {
      const cells = await this.#parse()
      if (cells === undefined) break
      this.#ahead.push(cells)
    }
    return this.#ahead
  }

  skip(): void {
    this.#ahead.shift()
    this.line++
  }

  /** Cells of the next line; undefined after the last one. Empty lines are passed over. */
  async next(): Promise<readonly string[] | undefined> {
    const cells = this.#ahead.shift()
    if (cells !== undefined) {
      this.line++
      return cells
    }
    const parsed = await this.#parse()
    this.line = this.#lineOfNext
    return parsed
  }

  async #parse(): Promise<string[] | undefined> {
    for (;;) {
      const line = await this.#readLine()
      if (line === undefined) return undefined
      if (line !== '') return line.includes('"') ? this.#quoted(line) : line.split(',')
    }
  }

  async #readLine(): Promise<string | undefined> {
    for (let from = this.#at; ;) {
      const end = this.#text.indexOf('\n', from)
      if (end >= 0) {
        const line = this.#text.slice(this.#at, this.#text[end - 1] === '\r' && end > this.#at ? end - 1 : end)
        this.#at = end + 1
        this.#lineOfNext++
        return line
      }
      if (this.#text.length - this.#at > MOST_CHARACTERS) throw new LstmError('FORMAT', `line ${this.#lineOfNext} is longer than ${MOST_CHARACTERS} characters`)
      from = this.#text.length - this.#at
      if (!await this.#readChunk()) {
        const line = this.#text.replace(/\r$/, '')
        this.#text = ''
        return line === '' ? undefined : line
      }
    }
  }

  /** Whether there was more to read. */
  async #readChunk(): Promise<boolean> {
    const bytes = new Uint8Array(CHUNK_BYTES)
    const { bytesRead } = await this.file.read(bytes, 0, CHUNK_BYTES, this.bytes)
    this.bytes += bytesRead
    try {
      this.#text = this.#text.slice(this.#at) + this.#decoder.decode(bytes.subarray(0, bytesRead), { stream: bytesRead > 0 })
    } catch (cause) {
      throw new LstmError('FORMAT', 'expected text in UTF-8', { cause })
    }
    this.#at = 0
    return bytesRead > 0
  }

  /** Cells of a line with quotes; one of them may go on in the next lines. */
  async #quoted(first: string): Promise<string[]> {
    const begin = this.#lineOfNext - 1
    let line = first
    while ((line.split('"').length - 1) % 2 !== 0) {
      const more = await this.#readLine()
      if (more === undefined || line.length > MOST_CHARACTERS) throw new LstmError('FORMAT', `line ${begin}: a quote is not closed`)
      line += `\n${more}`
    }
    const cells: string[] = []
    const cell = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/gy
    for (;;) {
      const found = cell.exec(line)
      if (found === null) throw new LstmError('FORMAT', `line ${begin}: expected a comma behind a quoted cell`)
      cells.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
      if (found[3] === '') return cells
    }
  }
}

class CsvTable implements Table {
  readonly columns: readonly TableColumn[]
  readonly #lines: CsvLines

  constructor(lines: CsvLines, columns: readonly TableColumn[]) {
    this.#lines = lines
    this.columns = columns
  }

  progress(): { readonly done: number, readonly total: number } {
    return { done: this.#lines.bytes, total: this.#lines.size }
  }

  async* read(numbers: readonly number[], kept: readonly number[], groupRows: number): AsyncGenerator<TableRows, void, void> {
    for (let isLast = false; !isLast;) {
      const values = numbers.map(() => new Float64Array(groupRows))
      const texts: (string | null)[][] = kept.map(() => [])
      let count = 0
      while (count < groupRows) {
        const cells = await this.#lines.next()
        if (cells === undefined) {
          isLast = true
          break
        }
        if (cells.length !== this.columns.length) throw new LstmError('FORMAT', `line ${this.#lines.line - 1}: expected ${this.columns.length} cells, got ${cells.length}`)
        numbers.forEach((column, n) => ((values[n] as Float64Array)[count] = this.#number(cells[column] as string, column)))
        kept.forEach((column, n) => (texts[n] as (string | null)[]).push(cells[column] === '' ? null : cells[column] as string))
        count++
      }
      if (count > 0) yield { count, numbers: values.map((column) => column.subarray(0, count)), kept: texts }
    }
  }

  #number(cell: string, column: number): number {
    const value = parseCell(cell)
    if (value !== undefined) return value
    if (ABSENT.test(cell)) return NaN
    throw new LstmError('VALUE', `line ${this.#lines.line - 1}, column '${this.columns[column]?.name ?? ''}': expected a number, got ${JSON.stringify(cell.slice(0, 40))}`)
  }

  async close(): Promise<void> {
    await this.#lines.file.close()
  }
}
