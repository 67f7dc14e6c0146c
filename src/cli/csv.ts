// Comma-separated numbers: a matrix of [rows, columns].
import { LstmError, NdArray, type ArrayLike, type DType } from '../index.ts'
import { storageOf, storeExactly } from './conversion.ts'
import { shortest } from './shortest.ts'

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const NOT_FINITE = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i

/** A number, infinity and NaN included; undefined for any other text. */
export function parseCell(cell: string): number | undefined {
  const text = cell.trim()
  if (NUMBER.test(text)) return Number(text)
  const [found, sign, nan] = NOT_FINITE.exec(text) ?? []
  if (found === undefined) return undefined
  return nan !== undefined ? NaN : sign === '-' ? -Infinity : Infinity
}

/**
 * Reads a matrix. A first line without a single number is a header, and skipped; empty lines at the end are, too.
 *
 * @throws LstmError `FORMAT` for a line of another length or a cell that is no number, `VALUE` for a number that is
 *   not one of the dtype; the message has the line
 */
export function parseCsv(text: string, dtype: DType): NdArray {
  const lines = text.replace(/^\ufeff/, '').trimEnd().split(/\r\n|\n|\r/).map((line) => line.split(','))
  const first = lines[0] as string[]
  const begin = first.some((cell) => parseCell(cell) !== undefined) ? 0 : 1
  const columns = lines[begin]?.length ?? 0
  if (columns === 0) throw new LstmError('FORMAT', `expected lines of numbers, got ${text.trim() === '' ? 'an empty file' : `one line without any: ${quote(first.join(','))}`}`)
  const data = storageOf(dtype, (lines.length - begin) * columns)
  let position = 0
  lines.slice(begin).forEach((cells, row) => {
    const line = begin + row + 1
    if (cells.length !== columns) {
      const got = cells.length === 1 && (cells[0] as string).trim() === '' ? 'an empty line' : cells.length
      throw new LstmError('FORMAT', `line ${line}: expected ${columns} ${columns === 1 ? 'column' : 'columns'} as in line ${begin + 1}, got ${got}`)
    }
    cells.forEach((cell, column) => {
      const where = `line ${line}, column ${column + 1}`
      const value = parseCell(cell)
      if (value === undefined) throw new LstmError('FORMAT', `${where}: expected a number, got ${cell.trim() === '' ? 'an empty cell' : quote(cell)}${separatorHint(cell)}`)
      storeExactly(data, position++, value, where)
    })
  })
  return new NdArray(data, [lines.length - begin, columns])
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

function separatorHint(cell: string): string {
  return /[;\t]|\S\s+\S/.test(cell) ? '; cells are separated by commas' : ''
}

/** Writes an array as a matrix: the last axis as columns, all others as rows. */
export function formatCsv({ dtype, shape, data }: ArrayLike): string {
  const columns = shape.at(-1) ?? 1
  let text = ''
  data.forEach((value, n) => {
    text += `${dtype === 'float32' ? shortest(value) : value}${(n + 1) % columns === 0 ? '\n' : ','}`
  })
  return text
}
