// Tables for tests of `lstm-wasm score`: written and read by other code than that of the command.
import { readFileSync } from 'node:fs'
import { parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer'
import { pseudoRandom } from '../random.ts'

/** A Parquet file of these columns. */
export function parquetOf(columnData: ColumnSource[], rowGroupSize: number = 1000): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize, pageSize: 2048 }))
}

/** Rows of a Parquet file, by the names of its columns. */
export async function rowsOfParquet(path: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(path)
  const file = { byteLength: bytes.length, slice: (begin: number, end?: number) => new Uint8Array(bytes.subarray(begin, end)).buffer }
  return await parquetReadObjects({ file }) as Record<string, unknown>[]
}

interface Sales {
  readonly columns: ColumnSource[]
  readonly numbers: readonly Float64Array[]
  /** The series of each row. */
  readonly series: readonly number[]
}

/** Columns a, b and c of random numbers, a row number, a series of `lengths` rows each, and a name. */
export function salesOf(lengths: readonly number[], seed: number = 1): Sales {
  const series = lengths.flatMap((length, n) => new Array<number>(length).fill(n * n + 3))
  const numbers = [0, 1, 2].map((n) => Float64Array.from(pseudoRandom(seed + n, series.length, 1)))
  return {
    series, numbers,
    columns: [
      { name: 'row', data: BigInt64Array.from(series, (_, n) => BigInt(n)), type: 'INT64' },
      { name: 'store', data: Int32Array.from(series), type: 'INT32' },
      ...['a', 'b', 'c'].map((name, n): ColumnSource => ({ name, data: numbers[n] as Float64Array, type: 'DOUBLE' })),
      { name: 'label', data: series.map((id, n) => (n % 11 === 0 ? null : `s${id},"${n % 5}"`)), type: 'STRING', nullable: true },
    ],
  }
}

/** A table as comma-separated values. */
export function csvOf(columns: readonly ColumnSource[]): string {
  const cell = (text: string): string => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const rows = Array.from({ length: columns[0]?.data.length ?? 0 }, (_, row) => columns.map(({ data }) => cell(String(data[row] as string | number | null ?? ''))).join(','))
  return [columns.map(({ name }) => name).join(','), ...rows].join('\n') + '\n'
}
