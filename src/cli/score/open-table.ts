// Tables by the endings of their files. What reads and writes Parquet is loaded when a file of it is named.
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { LstmError } from '../../index.ts'
import { alternatives, UsageError } from '../arguments.ts'
import { cannotRead } from '../file-errors.ts'
import { openCsv } from './csv-table.ts'
import { CsvOutput } from './csv-output.ts'
import type { OutputColumn, Table, TableOutput } from './table.ts'

const READERS: Readonly<Record<string, (path: string) => Promise<Table>>> = {
  '.parquet': async (path) => (await import('./parquet-table.ts')).openParquet(path),
  '.csv': openCsv,
  '.npy': async (path) => (await import('./npy-table.ts')).openNpy(path),
}

const WRITERS: Readonly<Record<string, (columns: readonly OutputColumn[]) => Promise<TableOutput>>> = {
  '.parquet': async (columns) => new (await import('./parquet-output.ts')).ParquetOutput(columns),
  '.csv': async (columns) => new CsvOutput(columns),
  '.npy': async (columns) => new (await import('./npy-output.ts')).NpyOutput(columns),
}

function endingOf(file: string, known: object, what: string): string {
  const ending = extname(file).toLowerCase()
  if (!Object.hasOwn(known, ending)) throw new UsageError(`${what}: expected a name that ends in ${alternatives(Object.keys(known))}, got '${file}'`)
  return ending
}

/** @throws UsageError for names of other files */
export function checkEndings(data: string, out: string): void {
  endingOf(data, READERS, 'DATA')
  endingOf(out, WRITERS, '--output')
}

/** @throws LstmError `ENVIRONMENT` for a file that cannot be read, with the file in front of what its reader says */
export async function openTable(file: string): Promise<Table> {
  const open = READERS[endingOf(file, READERS, 'DATA')] as (path: string) => Promise<Table>
  await stat(file).then((found) => {
    if (!found.isFile()) throw new LstmError('ENVIRONMENT', `cannot read '${file}': it is no file`)
  }, (cause: unknown) => {
    throw cannotRead(`'${file}'`, cause)
  })
  return open(file).catch((cause: unknown) => {
    if (!(cause instanceof LstmError) || cause.code !== 'UNSUPPORTED') throw cause
    throw new LstmError('UNSUPPORTED', `${file}: ${cause.message}`, { cause })
  })
}

export async function outputFor(file: string, columns: readonly OutputColumn[]): Promise<TableOutput> {
  return (WRITERS[endingOf(file, WRITERS, '--output')] as (typeof WRITERS)[string])(columns)
}
