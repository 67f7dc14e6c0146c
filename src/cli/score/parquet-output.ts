// A Parquet file, written row group by row group by hyparquet-writer. What it knows of them can be kept in a line of JSON and taken up again.
import type { RowGroup } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { OutputColumn, TableOutput, Values } from './table.ts'

/** Types whose least and greatest values are written: those by which people look for rows. */
const WITH_STATISTICS: readonly (string | undefined)[] = ['INT32', 'INT64', 'BYTE_ARRAY']

export class ParquetOutput implements TableOutput {
  readonly #bytes: ByteWriter = new ByteWriter(2 ** 20)
  readonly #writer: ParquetWriter
  readonly #columns: readonly OutputColumn[]

  constructor(columns: readonly OutputColumn[]) {
    this.#columns = columns
    const root = { name: 'root', num_children: columns.length }
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema: [root, ...columns.map(({ element }) => withoutId(element))], createdBy: 'lstm-wasm' })
  }

  begin(): Uint8Array {
    return this.#taken()
  }

  rows(columns: readonly Values[], count: number): { readonly bytes: Uint8Array, readonly group: unknown } {
    const columnData = this.#columns.map(({ name, element }, n) => ({
      name, data: columns[n] as Float32Array, offsetIndex: false,
      statistics: WITH_STATISTICS.includes(element.type),
      // Numbers of a model do not repeat: nothing is gained by packing them.
      ...element.type === 'FLOAT' && { codec: 'UNCOMPRESSED' as const, encoding: 'PLAIN' as const },
    }))
    void this.#writer.write({ columnData, rowGroupSize: count })
    this.#writer.pendingIndexes.length = 0 // none is written
    return { bytes: this.#taken(), group: JSON.parse(JSON.stringify(this.#writer.row_groups.at(-1), toJson)) as unknown }
  }

  resume(groups: readonly unknown[], bytes: number): void {
    this.#bytes.index = 0
    this.#bytes.offset = bytes
    for (const group of groups) {
      const known = JSON.parse(JSON.stringify(group), fromJson) as RowGroup
      this.#writer.row_groups.push(known)
      this.#writer.num_rows += known.num_rows
    }
  }

  end(): Uint8Array {
    void this.#writer.finish()
    return this.#taken()
  }

  #taken(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice()
    this.#bytes.index = 0
    return bytes
  }
}

/** A number of a column in the schema it came from means nothing here. */
function withoutId(element: OutputColumn['element']): OutputColumn['element'] {
  return Object.fromEntries(Object.entries(element).filter(([name]) => name !== 'field_id')) as unknown as OutputColumn['element']
}

// What JSON has no words for, with a word of its own.
function toJson(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) }
  return value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value
}

function fromJson(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('bigint' in value) return BigInt(value.bigint as string)
  return 'bytes' in value ? new Uint8Array(Buffer.from(value.bytes as string, 'base64')) : value
}
