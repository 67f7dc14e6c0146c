// Which columns of a table are features, and which are kept.
import type { SchemaElement } from 'hyparquet'
import { LstmError } from '../../index.ts'
import { nearest } from '../../options.ts'
import { listed } from '../inputs.ts'
import type { Table } from './table.ts'

/** A message names so many columns. */
const MOST_LISTED = 30
/** pandas names columns of an index so, which it writes with the others. */
const PANDAS_INDEX = /^__index_level_\d+__$/

/**
 * Indices of columns by their names.
 * @param what the option that names them
 * @throws LstmError `VALUE` for a name that there is not, with the nearest that there is, or that is given twice
 */
export function columnsNamed({ columns }: Table, names: readonly string[], what: string): number[] {
  const known = columns.map(({ name }) => name)
  const indices = names.map((name) => {
    const index = known.indexOf(name)
    if (index >= 0) return index
    const near = nearest(name, known)
    throw new LstmError('VALUE', `${what}: no column '${name}'${near === undefined ? '' : ` (did you mean '${near}'?)`}; columns are ${columnsListed(known)}`)
  })
  const twice = names.find((name, n) => names.indexOf(name) !== n)
  if (twice !== undefined) throw new LstmError('VALUE', `${what}: the column '${twice}' is given twice`)
  return indices
}

/** Columns of numbers that are features unless some are named: without an index of pandas, and without those that are for something else. */
export function numberColumns({ columns }: Table, others: readonly string[]): number[] {
  return [...columns.keys()].filter((n) => columns[n]?.kind === 'number' && !others.includes(columns[n].name) && !PANDAS_INDEX.test(columns[n].name))
}

/**
 * The columns by name that are features.
 * @throws LstmError `VALUE` for those that hold no numbers
 */
export function featuresNamed(table: Table, names: readonly string[], what: string): number[] {
  const indices = columnsNamed(table, names, what)
  for (const index of indices) {
    const column = table.columns[index]
    if (column?.kind === 'other' || column?.kind === 'nested') throw new LstmError('VALUE', `${what}: the column '${column.name}' holds no numbers: ${describe(column.element)}`)
  }
  return indices
}

/** Columns that are written beside the outputs unless some are named: all that are no features, in order. */
export function otherColumns({ columns }: Table, features: ReadonlySet<number>): { readonly kept: number[], readonly nested: string[] } {
  const others = [...columns.keys()].filter((n) => !features.has(n))
  const isNested = (n: number): boolean => columns[n]?.kind === 'nested'
  return { kept: others.filter((n) => !isNested(n)), nested: others.filter(isNested).map((n) => columns[n]?.name ?? '') }
}

/** @throws LstmError `VALUE` for lists and structs */
export function keptNamed(table: Table, names: readonly string[]): number[] {
  const indices = columnsNamed(table, names, '--keep')
  const nested = indices.map((n) => table.columns[n]).find((column) => column?.kind === 'nested')
  if (nested !== undefined) throw new LstmError('UNSUPPORTED', `--keep: the column '${nested.name}' holds ${describe(nested.element)}, which is not written`)
  return indices
}

/** What a column holds, in Parquet's words; UTF8 are its words for text. */
export function describe({ converted_type: converted, logical_type: logical, type }: SchemaElement): string {
  return converted === 'UTF8' || logical?.type === 'STRING' ? 'text' : converted ?? logical?.type ?? type ?? 'lists or structs'
}

/** Names of columns, of which a table may have thousands. */
export const columnsListed = (names: readonly string[]): string => listed(names, MOST_LISTED)
