// What a table is to those who read, score and write it, whatever its format.
import type { SchemaElement } from 'hyparquet'

/** Values of a column, one a row; null or undefined where there is none. */
export type Values = ArrayLike<unknown>

/** A column as its file describes it. */
export interface TableColumn {
  readonly name: string
  /** `number`: a feature unless columns are chosen; `flag`: true and false, 0 and 1 when chosen; `nested`: lists and structs, which are not read. */
  readonly kind: 'number' | 'flag' | 'other' | 'nested'
  /** What its values are, in Parquet's words. */
  readonly element: SchemaElement
}

/** Some rows, column by column. */
export interface TableRows {
  readonly count: number
  /** Of the columns asked for as numbers; NaN where there is none. */
  readonly numbers: readonly Float64Array[]
  /** Of the columns asked for as they are. */
  readonly kept: readonly Values[]
}

/** A table in a file, read from its beginning to its end. */
export interface Table {
  readonly columns: readonly TableColumn[]
  /** How far the reader is, and of how much: rows, or bytes where rows are not counted in the file. */
  progress(): { readonly done: number, readonly total: number }
  /**
   * All rows, in groups.
   * @param numbers indices of columns to read as numbers
   * @param kept indices of columns to read as they are
   * @param groupRows rows of each group but the last
   * @throws LstmError `FORMAT` for what is no such file, `VALUE` for a cell that is no number
   */
  read(numbers: readonly number[], kept: readonly number[], groupRows: number): AsyncGenerator<TableRows, void, void>
  close(): Promise<void>
}

/** Where a table is written, row group by row group. */
export interface TableOutput {
  /** Bytes of some rows, and what of them is needed to go on after them. */
  rows(columns: readonly Values[], count: number): { readonly bytes: Uint8Array, readonly group?: unknown }
  /** Goes on after rows that a run before has written. */
  resume(groups: readonly unknown[], bytes: number): void
  /** What stands in front of all rows. */
  begin(): Uint8Array
  /** What stands behind them. */
  end(): Uint8Array
  /** What stands in front of all rows when it is known how many there are: as many bytes as before. */
  head?(rows: number): Uint8Array
}

/** A column that is written. */
export interface OutputColumn {
  readonly name: string
  readonly element: SchemaElement
}
