// Windows over rows: which rows end one, and what goes to the model. Rows come in groups; windows reach back into the groups before.
import { LstmError, type DataOf, type DType } from '../../index.ts'
import { storageOf } from '../conversion.ts'
import type { TableRows, Values } from './table.ts'
import type { InputWindows } from './windows.ts'

/** Rows of an input, [rows, features], and where in them windows end: what a worker scores. */
export interface ScoreJob {
  readonly inputs: readonly DataOf[]
  /** Index of the last row of each window. */
  readonly ends: Int32Array
}

/** The windows that end in a group of rows. */
export interface Framed {
  readonly job: ScoreJob
  /** For each of them the index of its last row in the group. */
  readonly rows: Int32Array
}

/** An input and where its features are among the numbers that are read. */
export interface FramedInput {
  readonly windows: InputWindows
  readonly columns: readonly number[]
}

export interface FramingOptions {
  readonly inputs: readonly FramedInput[]
  /** Names of the numbers that are read, for messages. */
  readonly names: readonly string[]
  readonly stride: number
  /** Whether windows with a row that lacks a number are left out; it is an error otherwise. */
  readonly skipsNulls: boolean
  /** Which of the kept columns tells series apart. */
  readonly by: number | undefined
}

/** Series that are remembered to see one that comes again. Beyond, series must be sorted. */
const MOST_SERIES = 1_000_000

export class Framing {
  readonly #options: FramingOptions
  /** Rows of the longest window. */
  readonly #timesteps: number
  /** For each input, the last rows of the groups before. */
  #tails: readonly DataOf[]
  #tailRows: number = 0
  /** Rows of the series so far, and how many of the last of them are whole. */
  #position: number = 0
  #whole: number = 0
  /** Rows of the groups before. */
  #rows: number = 0
  #series: SeriesOrder | undefined

  constructor(options: FramingOptions) {
    this.#options = options
    this.#timesteps = Math.max(...options.inputs.map(({ windows }) => windows.timesteps))
    this.#tails = options.inputs.map(({ windows }) => storageOf(windows.dtype, 0))
    if (options.by !== undefined) this.#series = new SeriesOrder()
  }

  /**
   * Goes on by a group of rows.
   * @throws LstmError `VALUE` for a number that is missing or does not fit the input, and for a series that comes again
   */
  next(group: TableRows): Framed {
    const { inputs, by } = this.#options
    const lacking = this.#lacking(group)
    const tailRows = this.#tailRows
    const rows = inputs.map((input, n) => this.#rowsOf(input, this.#tails[n] as DataOf, group, lacking))
    const ids = by === undefined ? undefined : group.kept[by]
    const ends: number[] = []
    for (let row = 0; row < group.count; row++) if (this.#endsWindow(row, ids, lacking)) ends.push(row)
    const total = tailRows + group.count
    this.#tailRows = Math.min(this.#timesteps - 1, total)
    this.#tails = inputs.map(({ windows: { features } }, n) => (rows[n] as DataOf).slice((total - this.#tailRows) * features))
    this.#rows += group.count
    return { job: { inputs: rows, ends: Int32Array.from(ends, (row) => tailRows + row) }, rows: Int32Array.from(ends) }
  }

  #endsWindow(row: number, ids: Values | undefined, lacking: Uint8Array | undefined): boolean {
    if (ids !== undefined && this.#series?.isNew(ids[row], this.#rows + row) === true) {
      this.#position = 0
      this.#whole = 0
    }
    this.#position++
    this.#whole = lacking?.[row] === 1 ? 0 : this.#whole + 1
    const beyond = this.#position - this.#timesteps
    return beyond >= 0 && beyond % this.#options.stride === 0 && this.#whole >= this.#timesteps
  }

  /** Rows that lack a number; undefined where none does. */
  #lacking({ numbers, count }: TableRows): Uint8Array | undefined {
    let lacking: Uint8Array | undefined
    numbers.forEach((column, n) => {
      for (let row = 0; row < count; row++) {
        if (!Number.isNaN(column[row])) continue
        if (!this.#options.skipsNulls) {
          throw new LstmError('VALUE', `row ${this.#rows + row} (the first is 0), column '${this.#options.names[n] ?? ''}': expected a number, got null or NaN. `
            + '--nulls skip leaves out the windows that have such a row')
        }
        lacking ??= new Uint8Array(count)
        lacking[row] = 1
      }
    })
    return lacking
  }

  /** [rows of the groups before and of this one, features] */
  #rowsOf({ windows: { dtype, features, name }, columns }: FramedInput, tail: DataOf, { numbers, count }: TableRows, lacking: Uint8Array | undefined): DataOf {
    const rows = storageOf(dtype, tail.length + count * features)
    rows.set(tail)
    columns.forEach((column, feature) => {
      const values = numbers[column] as Float64Array
      for (let row = 0, at = tail.length + feature; row < count; row++, at += features) {
        const value = values[row] as number
        rows[at] = value
        if (dtype !== 'float32' && rows[at] !== value && lacking?.[row] !== 1) throw this.#noInteger(value, row, column, name, dtype)
      }
    })
    return rows
  }

  #noInteger(value: number, row: number, column: number, input: string, dtype: DType): LstmError {
    return new LstmError('VALUE', `row ${this.#rows + row} (the first is 0), column '${this.#options.names[column] ?? ''}': the input '${input}' takes whole numbers (${dtype}), got ${value}`)
  }
}

/** Sees where a series begins, and that none comes again. */
class SeriesOrder {
  #last: string | undefined
  #seen: Set<string> | undefined = new Set()
  /** Sign of the order of all series so far; 0 where there is none. */
  #order: number | undefined

  /** @throws LstmError `VALUE` for a series that has been before */
  isNew(value: unknown, row: number): boolean {
    const id = value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length).toString() : String(value)
    if (id === this.#last) return false
    if (this.#last !== undefined) this.#check(id, this.#last, row)
    this.#last = id
    this.#seen?.add(id)
    return true
  }

  #check(id: string, last: string, row: number): void {
    const difference = Number(id) - Number(last)
    const sign = (Number.isNaN(difference) ? id > last : difference > 0) ? 1 : -1
    this.#order = this.#order === undefined || this.#order === sign ? sign : 0
    if (this.#order !== 0) {
      if ((this.#seen?.size ?? 0) >= MOST_SERIES) this.#seen = undefined
      return
    }
    if (this.#seen === undefined || this.#seen.size >= MOST_SERIES) throw new LstmError('VALUE', `row ${row} (the first is 0), --by: more than ${MOST_SERIES} series are not sorted. Sort the table by that column`)
    if (this.#seen.has(id)) throw new LstmError('VALUE', `row ${row} (the first is 0), --by: the series '${id.slice(0, 40)}' comes again after others. Sort the table by that column`)
  }
}
