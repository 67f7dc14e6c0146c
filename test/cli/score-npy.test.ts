// `lstm-wasm score` from and to arrays of NumPy. Files in column-major order are those that NumPy writes: a header that says so, and the transpose.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { readNpy, readNpyHeader, writeNpyHeader } from '../../src/readers/npy.ts'
import { lstmWasm, type Result } from './in-process.ts'
import { csvOf, parquetOf, salesOf } from './tables.ts'

const ROWS = 123
const { columns, numbers } = salesOf([ROWS])
const WINDOW = ['--timesteps', '20', '--only', 'output', '--last', '--variant', 'simd', '--workers', '1', '--group-rows', '17']

let folder: string
const pathOf = (name: string): string => join(folder, name)
const score = async (data: string, out: string, ...args: string[]): Promise<Result> => lstmWasm(folder, ['score', 'lstm.safetensors', data, '-o', out, ...WINDOW, ...args])
const write = (name: string, header: Uint8Array, data: ArrayBufferView): void => {
  writeFileSync(pathOf(name), Buffer.concat([header, new Uint8Array(data.buffer as ArrayBuffer)]))
}
const changed = (header: Uint8Array, from: string, to: string): Uint8Array => Buffer.from(Buffer.from(header).toString('latin1').replace(from, to), 'latin1')
const inColumns = (header: Uint8Array): Uint8Array => changed(header, 'False', 'True ')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-score-npy-'))
  copyFileSync(fileURLToPath(new URL('../golden/state-dicts/lstm-1layer.safetensors', import.meta.url)), pathOf('lstm.safetensors'))
  writeFileSync(pathOf('sales.csv'), csvOf(columns))
  writeFileSync(pathOf('sales.parquet'), parquetOf(columns))
  const rows = (length: number): Float64Array => Float64Array.from({ length: ROWS * length }, (_, n) => numbers[n % length]?.[Math.floor(n / length)] ?? 7)
  write('rows.npy', writeNpyHeader('<f8', [ROWS, 3]), rows(3))
  write('wide.npy', writeNpyHeader('<f8', [ROWS, 5]), rows(5))
  write('columns.npy', inColumns(writeNpyHeader('<f8', [ROWS, 3])), Float64Array.from(numbers.flatMap((column) => [...column])))
  expect((await score('sales.csv', 'whole.csv', '--columns', 'a,b,c', '--keep', 'none')).stderr).toBe('')
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => vi.restoreAllMocks())

describe('an .npy as a table', () => {
  it.each([['rows.npy', []], ['columns.npy', []], ['wide.npy', ['--columns', '0,1,2', '--keep', 'none']]])('gives what the same numbers give as text (%s)', async (data, args) => {
    const out = data.replace('npy', 'csv')
    expect(await score(data, out, ...args)).toMatchObject({ code: 0, stdout: `${out}: 104 windows of 123 rows, 5 columns\n` })
    expect(readFileSync(pathOf(out))).toEqual(readFileSync(pathOf('whole.csv')))
  })

  it.each([['row-major', false], ['column-major', true]])('of three axes has a window in each row (%s)', async (name, isFortran) => {
    const [windows, steps, features] = [9, 20, 3]
    const at = (window: number, step: number, feature: number): number => numbers[feature]?.[window + step] as number
    const data = new Float32Array(windows * steps * features)
    for (let w = 0; w < windows; w++) {
      for (let s = 0; s < steps; s++) {
        for (let f = 0; f < features; f++) data[isFortran ? w + windows * (s + steps * f) : (w * steps + s) * features + f] = at(w, s, f)
      }
    }
    const header = writeNpyHeader('<f4', [windows, steps, features])
    write(`${name}.npy`, isFortran ? inColumns(header) : header, data)
    expect((await score(`${name}.npy`, `${name}.csv`)).stderr).toMatch(/If a row holds a whole window: --wide\n$/)
    expect((await score(`${name}.npy`, `${name}.csv`, '--wide')).stderr).toBe('')
    expect(readFileSync(pathOf(`${name}.csv`), 'utf8').split('\n').slice(1, windows + 1)).toEqual(readFileSync(pathOf('whole.csv'), 'utf8').split('\n').slice(1, windows + 1))
  })

  it.each([
    ['int32', '<i4', Int32Array.of(5, -7, 2_000_000_000, 9)],
    ['int64', '<i8', BigInt64Array.of(5n, -7n, 1n << 40n, 9n)],
    ['uint8', '|u1', Uint8Array.of(5, 0, 255, 9)],
    ['bool', '|b1', Uint8Array.of(1, 0, 1, 1)],
    ['float16', '<f2', Uint16Array.of(0x3e00, 0xc000, 0x7bff, 0x3c00), [1.5, -2, 65504, 1]],
  ])('keeps columns of %s', async (name, descr, data, values: readonly (number | bigint)[] = [...data]) => {
    write(`${name}.npy`, changed(writeNpyHeader('<i4', [1, 4]), '<i4', descr), data)
    const out = `${name}-kept.csv`
    const args = ['--timesteps', '1', '--only', 'output', '--last', '--workers', '1', '--columns', '3,1,0', '--keep', '0,2,1']
    expect((await lstmWasm(folder, ['score', 'lstm.safetensors', `${name}.npy`, '-o', out, ...args])).stderr).toBe('')
    const [header, first] = readFileSync(pathOf(out), 'utf8').split('\n')
    expect(header).toMatch(/^0,2,1,output_0,/)
    expect(first?.split(',').slice(0, 3)).toEqual([values[0], values[2], values[1]].map(String))
  })

  it('is read by ranges: memory does not grow with it', async () => {
    const file = await open(pathOf('rows.npy'))
    const prototype = Object.getPrototypeOf(file) as { read: (...args: unknown[]) => unknown }
    await file.close()
    const { read } = prototype
    const lengths: number[] = []
    vi.spyOn(prototype, 'read').mockImplementation(async function (this: unknown, ...args: unknown[]) {
      lengths.push(args[2] as number)
      return read.apply(this, args)
    })
    expect((await score('rows.npy', 'ranges.csv')).code).toBe(0)
    expect(lengths.filter((length) => length === 17 * 3 * 8)).toHaveLength(Math.floor(ROWS / 17))
  })

  it.each([
    ['cut.npy', () => readFileSync(pathOf('rows.npy')).subarray(0, -8), /^lstm-wasm: cut.npy: npy: expected 2952 bytes of data for '<f8' \[123, 3\], got 2944\n$/],
    ['half.npy', () => Buffer.concat([changed(writeNpyHeader('<f4', [2, 3]), '<f4', '>f2'), Buffer.alloc(12)]), /^lstm-wasm: half.npy: npy: the dtype is '>f2' \(big-endian\); supported are '<f4', .*: convert it in Python with array.astype\('<f4'\)\n$/],
    ['scalar.npy', () => Buffer.concat([writeNpyHeader('<f4', []), Buffer.alloc(4)]), /^lstm-wasm: scalar.npy: expected an array with rows, got a single number\n$/],
    ['vast.npy', () => writeNpyHeader('<f4', [0, 2 ** 40]), /^lstm-wasm: .*1099511627776 numbers of a row are more than 32768\n$/],
    ['text.npy', () => Buffer.from('a,b\n1,2\n'), /^lstm-wasm: text.npy: npy: expected a file that begins with 93 4e/],
  ])('that is none is refused (%s)', async (name, bytes, message) => {
    writeFileSync(pathOf(name), bytes())
    const { code, stderr } = await score(name, 'no.csv')
    expect(stderr).toMatch(message)
    expect(code).toBe(1)
  })
})

describe('an .npy of scores', () => {
  const scores = (): number[][] => readFileSync(pathOf('whole.csv'), 'utf8').trimEnd().split('\n').slice(1).map((line) => line.split(',').map(Number))

  it('has them as float32, [windows, columns]', async () => {
    expect(await score('rows.npy', 'scores.npy')).toMatchObject({ code: 0, stdout: 'scores.npy: 104 windows of 123 rows, 5 columns\n' })
    const { shape, dtype, data } = readNpy(readFileSync(pathOf('scores.npy')))
    expect([shape, dtype]).toEqual([[104, 5], 'float32'])
    expect([...data]).toEqual([...Float32Array.from(scores().flat())])
  })

  it('has kept numbers beside them as float64', async () => {
    expect((await score('sales.parquet', 'kept.npy', '--columns', 'a,b,c', '--keep', 'row,store')).stderr).toBe('')
    const bytes = readFileSync(pathOf('kept.npy'))
    const { descr, shape, dataBegin } = readNpyHeader(bytes)
    expect([descr, shape]).toEqual(['<f8', [104, 7]])
    const values = new Float64Array(new Uint8Array(bytes.subarray(dataBegin)).buffer)
    expect([...values]).toEqual(scores().flatMap((row, n) => [n + 19, 3, ...Float32Array.from(row)]))
  })

  it('goes on after a full disk, and is the same', async () => {
    expect((await score('rows.npy', 'once.npy')).code).toBe(0)
    const file = await open(pathOf('rows.npy'))
    const prototype = Object.getPrototypeOf(file) as { write: (...args: unknown[]) => unknown }
    await file.close()
    const { write: writes } = prototype
    let count = 0
    vi.spyOn(prototype, 'write').mockImplementation(async function (this: unknown, ...args: unknown[]) {
      if (++count > 4) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
      return writes.apply(this, args)
    })
    expect((await score('rows.npy', 'full.npy')).stderr).toMatch(/the disk is full/)
    vi.restoreAllMocks()
    expect((await score('rows.npy', 'full.npy')).code).toBe(0)
    expect(readFileSync(pathOf('full.npy'))).toEqual(readFileSync(pathOf('once.npy')))
  })

  it('has no text, and no whole number that is no float64', async () => {
    expect(await score('sales.parquet', 'texts.npy', '--columns', 'a,b,c')).toMatchObject({
      code: 1, stderr: "lstm-wasm: --output: an .npy has numbers alone, and the column 'label' holds text: --keep names columns of numbers, --keep none none\n",
    })
    const large = parquetOf([...columns.filter(({ name }) => name !== 'row'), { name: 'row', data: BigInt64Array.from({ length: ROWS }, (_, n) => BigInt(n) + 2n ** 53n), type: 'INT64' }])
    writeFileSync(pathOf('large.parquet'), large)
    expect((await score('large.parquet', 'large.npy', '--columns', 'a,b,c', '--keep', 'row')).stderr).toMatch(/9007199254741011 of the column 'row' is no float64 exactly/)
  })
})
