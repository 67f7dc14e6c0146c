// Scores as an array of NumPy: [windows, columns]. Its header, which says how many windows there are, is written when they are.
import type { SchemaElement } from 'hyparquet'
import { LstmError } from '../../index.ts'
import { writeNpyHeader, type NpyElement } from '../../readers/npy.ts'
import { describe } from './columns.ts'
import type { OutputColumn, TableOutput, Values } from './table.ts'

/** Types that are numbers where nothing says what else they mean. */
const NUMBERS: readonly (string | undefined)[] = ['FLOAT', 'DOUBLE', 'INT32', 'INT64', 'BOOLEAN']
/** A whole number beyond is no float64 exactly. */
const EXACT = 2n ** 53n

export class NpyOutput implements TableOutput {
  readonly #columns: readonly OutputColumn[]
  readonly #descr: NpyElement

  /** @throws LstmError `UNSUPPORTED` for columns that are no numbers */
  constructor(columns: readonly OutputColumn[]) {
    const other = columns.find(({ element }) => !isNumber(element))
    if (other !== undefined) throw new LstmError('UNSUPPORTED', `--output: an .npy has numbers alone, and the column '${other.name}' holds ${describe(other.element)}: --keep names columns of numbers, --keep none none`)
    this.#columns = columns
    this.#descr = descrOf(columns)
  }

  begin(): Uint8Array {
    return this.head(0)
  }

  rows(columns: readonly Values[], count: number): { readonly bytes: Uint8Array } {
    const width = this.#columns.length
    const elements = this.#descr === '<f8' ? new Float64Array(count * width) : this.#descr === '<i4' ? new Int32Array(count * width) : new Float32Array(count * width)
    columns.forEach((values, column) => {
      for (let row = 0; row < count; row++) elements[row * width + column] = this.#number(values[row], column)
    })
    return { bytes: new Uint8Array(elements.buffer) }
  }

  resume(): void {
    // Rows know nothing of each other.
  }

  end(): Uint8Array {
    return new Uint8Array(0)
  }

  head(rows: number): Uint8Array {
    return writeNpyHeader(this.#descr, [rows, this.#columns.length])
  }

  #number(value: unknown, column: number): number {
    if (value === null || value === undefined) return NaN
    if (typeof value === 'bigint' && (value > EXACT || value < -EXACT)) {
      throw new LstmError('VALUE', `--output: ${value} of the column '${this.#columns[column]?.name ?? ''}' is no float64 exactly, which the .npy has for kept columns: write a .parquet`)
    }
    return Number(value)
  }
}

const isNumber = ({ type, converted_type: converted, logical_type: logical }: SchemaElement): boolean => (
  NUMBERS.includes(type) && (logical === undefined || logical.type === 'INTEGER') && (converted === undefined || converted.startsWith('INT_'))
)

/** float32 or int32 where all columns are, float64 for a mixture, as NumPy does it, and for columns that may have nulls: NaN. */
function descrOf(columns: readonly OutputColumn[]): NpyElement {
  if (columns.every(({ element: { type } }) => type === 'FLOAT')) return '<f4'
  return columns.every(({ element: { type, repetition_type: repetition } }) => type === 'INT32' && repetition === 'REQUIRED') ? '<i4' : '<f8'
}
