// Scores as comma-separated values, with a header.
import type { SchemaElement } from 'hyparquet'
import { shortest } from '../shortest.ts'
import type { OutputColumn, TableOutput, Values } from './table.ts'

export class CsvOutput implements TableOutput {
  readonly #columns: readonly OutputColumn[]
  readonly #texts: readonly ((value: unknown) => string)[]

  constructor(columns: readonly OutputColumn[]) {
    this.#columns = columns
    this.#texts = columns.map(({ element }) => textOf(element))
  }

  begin(): Uint8Array {
    return Buffer.from(`${this.#columns.map(({ name }) => quoted(name)).join(',')}\n`)
  }

  rows(columns: readonly Values[], count: number): { readonly bytes: Uint8Array } {
    const lines: string[] = []
    for (let row = 0; row < count; row++) {
      lines.push(columns.map((values, n) => {
        const value = values[row]
        return value === null || value === undefined ? '' : (this.#texts[n] as (value: unknown) => string)(value)
      }).join(','))
    }
    return { bytes: Buffer.from(lines.length === 0 ? '' : `${lines.join('\n')}\n`) }
  }

  resume(): void {
    // Lines know nothing of each other.
  }

  end(): Uint8Array {
    return new Uint8Array(0)
  }
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

const NANOS: Readonly<Record<string, bigint>> = { MILLIS: 1_000_000n, MICROS: 1000n, NANOS: 1n }

/** How a value of Parquet is written as text. */
function textOf({ type, converted_type: converted, logical_type: logical, scale = 0 }: SchemaElement): (value: unknown) => string {
  if (type === 'FLOAT') return (value) => String(shortest(value as number))
  if (converted === 'DECIMAL') return (value) => decimal(value as bigint, scale)
  if (converted === 'DATE' || logical?.type === 'DATE') return (value) => new Date((value as number) * 86_400_000).toISOString().slice(0, 10)
  const unit = logical?.type === 'TIMESTAMP' ? logical.unit : /^TIMESTAMP_(.*)$/.exec(converted ?? '')?.[1]
  if (unit !== undefined) return (value) => moment(value as bigint * (NANOS[unit] ?? 1n))
  if (converted === 'UTF8' || logical?.type === 'STRING' || converted === 'ENUM') return (value) => quoted(typeof value === 'string' ? value : Buffer.from(value as Uint8Array).toString())
  return (value) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value))
}

/** ISO 8601, with as many digits of a second as it has. */
function moment(nanoseconds: bigint): string {
  const second = 1_000_000_000n
  const fraction = ((nanoseconds % second) + second) % second
  const date = new Date(Number((nanoseconds - fraction) / 1_000_000n))
  if (Number.isNaN(date.getTime())) return String(nanoseconds)
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`
  return `${date.toISOString().slice(0, -5)}${digits}Z`
}

function decimal(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0')
  const sign = value < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
