// Parquet files of pyarrow (test/python/golden_tables.py), page by page; and what is left of them when they are damaged.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { snappyUncompress } from 'hyparquet'
import { snappyCompress } from 'hyparquet-writer/src/snappy.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CsvOutput } from '../../src/cli/score/csv-output.ts'
import { unsnappy } from '../../src/cli/score/parquet-codecs.ts'
import { ParquetOutput } from '../../src/cli/score/parquet-output.ts'
import { readRuns } from '../../src/cli/score/parquet-runs.ts'
import { openParquet } from '../../src/cli/score/parquet-table.ts'
import type { Table, TableRows } from '../../src/cli/score/table.ts'
import { LstmError } from '../../src/errors.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

const GOLDEN = fileURLToPath(new URL('../golden/tables/', import.meta.url))
const { rows: ROWS, columns: expected } = JSON.parse(readFileSync(`${GOLDEN}expected.json`, 'utf8')) as { rows: number, columns: Readonly<Record<string, readonly unknown[]>> }
const FILES = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'plain', 'delta', 'int96']
const NUMBERS = ['double', 'float', 'half', 'int8', 'int32', 'int64', 'uint32', 'few', 'gaps', 'price']

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-parquet-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const indexOf = (table: Table, name: string): number => table.columns.findIndex((column) => column.name === name)

/** All groups of a file. */
async function groupsOf(table: Table, numbers: readonly string[], kept: readonly string[], groupRows: number): Promise<TableRows[]> {
  const groups: TableRows[] = []
  try {
    for await (const group of table.read(numbers.map((name) => indexOf(table, name)), kept.map((name) => indexOf(table, name)), groupRows)) groups.push(group)
  } finally {
    await table.close()
  }
  return groups
}

describe('a Parquet file', () => {
  it.each(FILES)('in %s has its numbers', async (file) => {
    for (const groupRows of [1, 17, 64, 1000]) {
      const groups = await groupsOf(await openParquet(`${GOLDEN}${file}.parquet`), [...NUMBERS, 'flag'], [], groupRows)
      expect(groups.map(({ count }) => count)).toEqual(Array.from({ length: Math.ceil(ROWS / groupRows) }, (_, n) => Math.min(groupRows, ROWS - n * groupRows)))
      for (const [n, name] of [...NUMBERS, 'flag'].entries()) {
        const values = groups.flatMap(({ numbers }) => [...numbers[n] ?? []])
        expect(values, name).toEqual((expected[name] ?? []).map((value) => (value === null ? NaN : Number(value))))
      }
    }
  })

  it.each(FILES)('in %s keeps its columns when it is written again', async (file) => {
    const names = [...NUMBERS, 'flag', 'name', 'text', 'moment', 'day']
    const table = await openParquet(`${GOLDEN}${file}.parquet`)
    const output = new ParquetOutput(names.map((name) => table.columns[indexOf(table, name)] as Table['columns'][number]))
    const parts = [output.begin()]
    for (const { kept, count } of await groupsOf(table, [], names, 30)) parts.push(output.rows(kept, count).bytes)
    const again = join(folder, `${file}.parquet`)
    writeFileSync(again, Buffer.concat([...parts, output.end()]))
    const copy = await openParquet(again)
    const csv = new CsvOutput(copy.columns)
    expect(copy.columns.map(({ name }) => name)).toEqual(names)
    const lines = (await groupsOf(copy, [], names, 1000)).map(({ kept, count }) => Buffer.from(csv.rows(kept, count).bytes).toString()).join('').trimEnd().split('\n')
    lines.forEach((line, row) => {
      const text = (name: string): string => {
        const value = expected[name]?.[row] as string | number | boolean | null
        if (value === null) return ''
        if (name === 'moment') return `${String(value).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')}Z`
        if (name === 'price') return Number(value).toFixed(2)
        if (name === 'text') return `"${String(value).replaceAll('"', '""')}"`
        return String(value)
      }
      expect(line.replace(/^[^,]*,[^,]*,/, ''), `row ${row}`).toBe(names.slice(2).map(text).join(','))
      expect(line.split(',').slice(0, 2).map((cell, n) => (n === 0 ? Number(cell) : Math.fround(Number(cell))))).toEqual([expected.double?.[row], expected.float?.[row]])
    })
  })

  it('tells numbers from what is none', async () => {
    const table = await openParquet(`${GOLDEN}snappy.parquet`)
    await table.close()
    const of = (wanted: string): string[] => table.columns.filter(({ kind }) => kind === wanted).map(({ name }) => name)
    expect([of('number'), of('flag'), of('other'), of('nested')]).toEqual([NUMBERS, ['flag'], ['name', 'text', 'moment', 'day'], ['list']])
  })

  it('in another compression is refused by its name', async () => {
    const table = await openParquet(`${GOLDEN}lz4.parquet`)
    await expectRejection(groupsOf(table, ['double'], [], 10), 'UNSUPPORTED', /^compression LZ4_RAW; supported are UNCOMPRESSED, SNAPPY, GZIP, BROTLI, ZSTD/)
  })

  it('that is cut short is no Parquet file', async () => {
    const whole = readFileSync(`${GOLDEN}zstd.parquet`)
    const cut = join(folder, 'cut.parquet')
    for (const size of [0, 8, 100, whole.length - 1]) {
      writeFileSync(cut, whole.subarray(0, size))
      await expectRejection(openParquet(cut), 'FORMAT', size < 12 ? /^expected a Parquet file, got \d bytes$/ : /^not a whole Parquet file: .* cut short\?$/)
    }
  })

  it.each<[string, readonly number[], RegExp]>([
    ['in an encoding that is not read', [0x15, 8, 0x15, 6, 0x15, 6], /^a page that is encoded as BIT_PACKED\. pyarrow writes the file anew as PLAIN/],
    ['in one that is newer', [0x15, 60, 0x15, 6, 0x15, 6], /^a page that is encoded by a newer rule\. pyarrow/],
    ['with levels that are bits', [0x15, 0, 0x15, 8, 0x15, 6], /^a page that is encoded as BIT_PACKED\. pyarrow/],
  ])('%s is refused', async (_what, header, message) => {
    const bytes = readFileSync(`${GOLDEN}plain.parquet`)
    // encoding PLAIN, levels RLE
    const place = bytes.indexOf(Buffer.from([0x15, 0, 0x15, 6, 0x15, 6]))
    bytes.set(header, place)
    const other = join(folder, 'other.parquet')
    writeFileSync(other, bytes)
    const table = await openParquet(other)
    await expectRejection(groupsOf(table, table.columns.flatMap(({ kind, name }) => (kind === 'nested' ? [] : [name])), [], 50), 'UNSUPPORTED', message)
  })

  it.each<[string, readonly number[], RegExp]>([
    // hyparquet makes room for 2^25 elements, 4000 times: gigabytes of a file of 20 kB
    ['lists in lists', Array.from({ length: 4000 }, () => [0x19, 0xf9, 0x80, 0x80, 0x80, 0x10]).flat(), /a list of 33554432, for which there are 23\d+ bytes/],
    ['lists of lists of one', [0x19, ...Array.from({ length: 5000 }, () => 0x19)], /a value of type 9/],
    ['structs in structs', Array.from({ length: 5000 }, () => 0x1c), /nested too deep/],
    ['a number of a thousand digits', [0x16, ...Array.from({ length: 1000 }, () => 0xff), 0], /a number of more than 64 bits/],
    ['bytes that are not there', [0x18, 0xff, 0xff, 0xff, 0xff, 0x0f], /4294967295 bytes, of which 0 are there/],
    ['no end', [0x15, 2], /ends too early/],
    ['another type', [0x1b, 0], /a value of type 11/],
    ['no schema', [0x15, 2, 0], /its footer does not describe a table/],
    ['numbers for its schema', [0x15, 2, 0x15, 2, 0], /its footer does not describe a table/],
  ])('whose footer has %s is refused', async (_what, description, message) => {
    const file = join(folder, 'hostile.parquet')
    const end = Buffer.from('....PAR1')
    end.writeUInt32LE(description.length)
    writeFileSync(file, Buffer.concat([Buffer.from('PAR1'), Buffer.from(description), end]))
    await expectRejection(openParquet(file), 'FORMAT', message)
    writeFileSync(file, Buffer.concat([Buffer.from('PAR1'), end]).fill(0xff, 4, 8))
    await expectRejection(openParquet(file), 'FORMAT', /^not a whole Parquet file: /)
  })

  it('that is damaged anywhere is read, or refused by an LstmError in our words', async () => {
    const damaged = join(folder, 'damaged.parquet')
    let refused = 0
    for (const file of ['none', 'snappy', 'delta']) {
      const whole = readFileSync(`${GOLDEN}${file}.parquet`)
      const footer = whole.length - 8 - whole.readUInt32LE(whole.length - 8)
      const places = pseudoRandom(file.length, 240, 1).map((value, n) => (
        n < 60 ? Math.floor(Math.abs(value) * whole.length) : footer + Math.floor(Math.abs(value) * (whole.length - 8 - footer))
      ))
      for (const [n, place] of places.entries()) {
        const bytes = Buffer.from(whole)
        bytes[place] = (bytes[place] as number) ^ (n % 2 === 0 ? 0xff : 1 << n % 8)
        writeFileSync(damaged, bytes)
        try {
          const table = await openParquet(damaged)
          const readable = table.columns.filter(({ kind }) => kind !== 'nested').map(({ name }) => name)
          await groupsOf(table, [], readable, 50)
        } catch (error) {
          if (!(error instanceof LstmError) || /TypeError|RangeError|is not a|Cannot|Invalid (array|typed)/.test(error.message)) throw new Error(`${file}, byte ${place}`, { cause: error })
          refused++
        }
      }
    }
    expect(refused).toBeGreaterThan(20)
  })
})

describe('what pages are packed in', () => {
  it('Snappy unpacks as hyparquet does, literals and copies of every length', () => {
    for (const [n, length] of [0, 1, 5, 60, 61, 300, 70_000].entries()) {
      const bytes = Uint8Array.from(pseudoRandom(n, length, 1), (value, at) => (at % 97 < 50 ? at >> 5 : value * 1000))
      const packed = snappyCompress(bytes)
      const other = new Uint8Array(length)
      if (length > 0) snappyUncompress(packed, other)
      expect(unsnappy(packed, length)).toEqual(bytes)
      expect(other).toEqual(bytes)
    }
  })

  it('Snappy that reaches outside is refused', () => {
    expectError(() => unsnappy(Uint8Array.of(4, 12, 1, 2), 4), 'FORMAT', /a literal is too long/)
    expectError(() => unsnappy(Uint8Array.of(8, 0, 9, 1, 5), 8), 'FORMAT', /a copy from outside/)
    expectError(() => unsnappy(Uint8Array.of(8, 0, 9, 1), 8), 'FORMAT', /ends too early/)
  })

  it('runs of any width give their integers, and end where their bytes end', () => {
    // 3 times 5; then 8 values of 3 bits, 0 to 7, as in Parquet's own example.
    expect([...readRuns(Uint8Array.of(6, 5, 3, 0b10001000, 0b11000110, 0b11111010), 3, new Uint32Array(11))]).toEqual([5, 5, 5, 0, 1, 2, 3, 4, 5, 6, 7])
    expect([...readRuns(Uint8Array.of(4, 1, 2, 3, 4), 32, new Uint32Array(2))]).toEqual([0x04030201, 0x04030201])
    expect([...readRuns(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 1), 1, new Uint8Array(4))]).toEqual([1, 1, 1, 1])
    expectError(() => readRuns(Uint8Array.of(6, 5), 3, new Uint32Array(4)), 'FORMAT', /4 values, of which 3 are there/)
    expectError(() => readRuns(Uint8Array.of(0, 0), 33, new Uint32Array(4)), 'FORMAT', /integers of 33 bits/)
  })
})
