// Runs of the built `lstm-wasm score`: several workers, killed and taken up again, on a full disk, stopped.
import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { lstmWasm, type Result } from './in-process.ts'
import { parquetOf, rowsOfParquet, salesOf } from './tables.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const LENGTHS = [400, 3, 900, 1500, 77]
const ROWS = LENGTHS.reduce((sum, length) => sum + length, 0)
const WINDOWS = LENGTHS.reduce((sum, length) => sum + Math.max(0, length - 19), 0)
const GROUPS = Math.ceil(ROWS / 100)
const ARGS = ['score', 'lstm.safetensors', 'sales.parquet', '--timesteps', '20', '--columns', 'a,b,c', '--by', 'store', '--group-rows', '100', '--only', 'output', '--last', '--variant', 'simd']

let folder: string
const pathOf = (name: string): string => join(folder, name)
const built = (...args: string[]): Result => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...ARGS, ...args], { cwd: folder, encoding: 'utf8' })
  return { code: status, stdout, stderr }
}
const inThread = async (...args: string[]): Promise<Result> => lstmWasm(folder, [...ARGS, '--workers', '1', ...args])
/** Groups that are noted as written. */
const notedOf = (out: string): number => (existsSync(pathOf(`${out}.part.jsonl`)) ? readFileSync(pathOf(`${out}.part.jsonl`), 'utf8').split('\n').length - 2 : 0)

vi.setConfig({ testTimeout: 120_000 })
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-score-runs-'))
  copyFileSync(fileURLToPath(new URL('../golden/state-dicts/lstm-1layer.safetensors', import.meta.url)), pathOf('lstm.safetensors'))
  writeFileSync(pathOf('sales.parquet'), parquetOf(salesOf(LENGTHS).columns, 700))
  expect((await inThread('-o', 'whole.parquet')).stdout).toBe(`whole.parquet: ${WINDOWS.toLocaleString('en')} windows of ${ROWS.toLocaleString('en')} rows, 8 columns\n`)
  expect((await inThread('-o', 'whole.csv')).code).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true }))

const whole = (ending: string): Buffer => readFileSync(pathOf(`whole.${ending}`))

describe('the table of scores', () => {
  it.each([['2', 'parquet'], ['3', 'csv']])('of %s workers is that of one, byte for byte (.%s)', (workers, ending) => {
    expect(built('-o', `workers.${ending}`, '--workers', workers).stderr).toBe('')
    expect(readFileSync(pathOf(`workers.${ending}`))).toEqual(whole(ending))
    expect(readdirSync(folder).filter((name) => name.includes('.part'))).toEqual([])
  })

  it('has rows of every series', async () => {
    const rows = await rowsOfParquet(pathOf('whole.parquet'))
    expect(rows).toHaveLength(WINDOWS)
    expect(new Set(rows.map(({ store }) => store)).size).toBe(LENGTHS.filter((length) => length >= 20).length)
  })
})

describe('a run that ends in the middle', () => {
  afterEach(() => vi.restoreAllMocks())

  it.each(['parquet', 'csv'])('by SIGKILL goes on where it was, with another number of workers (.%s)', async (ending) => {
    const out = `killed.${ending}`
    // As slow as one window a run, so that the middle is not missed.
    const slow = ['-o', out, '--batch', '1']
    const process = spawn(globalThis.process.execPath, [CLI, ...ARGS, ...slow, '--workers', '2'], { cwd: folder, stdio: 'ignore' })
    const ended = new Promise((resolve) => process.on('exit', (_, signal) => resolve(signal)))
    while (notedOf(out) < 1 && process.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2))
    process.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
    expect(existsSync(pathOf(out))).toBe(false)
    const before = notedOf(out)
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(GROUPS)
    expect(built(...slow, '--workers', '1').code).toBe(0)
    expect(readFileSync(pathOf(out))).toEqual(whole(ending))
  })

  /** Writes to files fail from the `after`th on. */
  async function failingWrites(after: number, code: string): Promise<void> {
    const file = await open(pathOf('sales.parquet'))
    const prototype = Object.getPrototypeOf(file) as { write: (...args: unknown[]) => unknown }
    await file.close()
    const write = prototype.write
    let writes = 0
    vi.spyOn(prototype, 'write').mockImplementation(async function (this: unknown, ...args: unknown[]) {
      if (++writes > after) throw Object.assign(new Error(code), { code })
      return write.apply(this, args)
    })
  }

  it.each([3, 8, 21])('by a full disk says so, and goes on (write %i)', async (after) => {
    const out = `full-${after}.parquet`
    await failingWrites(after, 'ENOSPC')
    const { code, stderr } = await inThread('-o', out)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^lstm-wasm: cannot write 'full-\d+\.parquet\.part': the disk is full\. \d+ rows are written; the same command goes on/)
    vi.restoreAllMocks()
    expect((await inThread('-o', out)).code).toBe(0)
    expect(readFileSync(pathOf(out))).toEqual(whole('parquet'))
  })

  it('whose last notes are torn, or whose bytes are not all there, goes on from what is whole', async () => {
    const out = 'torn.parquet'
    await failingWrites(30, 'EIO')
    vi.spyOn(performance, 'now').mockReturnValue(0) // syncing takes no time: every piece is noted at once
    expect((await inThread('-o', out)).code).toBe(1)
    vi.restoreAllMocks()
    const notes = readFileSync(pathOf(`${out}.part.jsonl`), 'utf8').trimEnd().split('\n')
    expect(notes.length).toBeGreaterThan(4)
    writeFileSync(pathOf(`${out}.part.jsonl`), `${notes.slice(0, -1).join('\n')}\n${notes.at(-1)?.slice(0, 20) ?? ''}`)
    truncateSync(pathOf(`${out}.part`), (JSON.parse(notes.at(-3) ?? '') as { bytes: number }).bytes + 5)
    expect((await inThread('-o', out)).code).toBe(0)
    expect(readFileSync(pathOf(out))).toEqual(whole('parquet'))
  })

  it.skipIf(process.platform === 'win32')('by Ctrl-C leaves what is written, and goes on', async () => {
    const out = 'stopped.csv'
    const process = spawn(globalThis.process.execPath, [CLI, ...ARGS, '-o', out, '--batch', '1', '--workers', '1'], { cwd: folder })
    let stderr = ''
    process.stderr.on('data', (text) => (stderr += String(text)))
    const ended = new Promise((resolve) => process.on('exit', resolve))
    while (notedOf(out) < 1 && process.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 2))
    process.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(stderr).toMatch(/^[\d,]+ rows are written; the same command goes on from there\nlstm-wasm: stopped\n$/)
    expect(existsSync(pathOf(out))).toBe(false)
    expect(built('-o', out, '--batch', '1', '--workers', '2').code).toBe(0)
    expect(readFileSync(pathOf(out))).toEqual(whole('csv'))
  })

  it('is not gone on with by another command, and a finished file is not written again', async () => {
    const out = 'mine.parquet'
    await failingWrites(9, 'ENOSPC')
    await inThread('-o', out)
    vi.restoreAllMocks()
    const bytes = statSync(pathOf(`${out}.part`)).size
    expect((await inThread('-o', out, '--stride', '2')).stderr).toBe(`lstm-wasm: '${out}.part' is left of a run with other options: --force begins anew\n`)
    copyFileSync(pathOf('sales.parquet'), pathOf('copy.parquet'))
    writeFileSync(pathOf('copy.parquet'), parquetOf(salesOf(LENGTHS, 9).columns, 700))
    const [, , , ...rest] = ARGS
    expect((await lstmWasm(folder, ['score', 'lstm.safetensors', 'copy.parquet', ...rest, '--workers', '1', '-o', out])).stderr).toMatch(/is left of a run with other data: --force begins anew/)
    expect(statSync(pathOf(`${out}.part`)).size).toBe(bytes)
    rmSync(pathOf(`${out}.part.jsonl`))
    expect((await inThread('-o', out)).stderr).toMatch(/is left of a run with no notes of it: --force begins anew/)
    expect((await inThread('-o', out, '--force')).code).toBe(0)
    expect(readFileSync(pathOf(out))).toEqual(whole('parquet'))
    expect((await inThread('-o', out)).stderr).toBe(`lstm-wasm: '${out}' is there already: --force writes it anew\n`)
  })
})

describe('what a worker throws', () => {
  it('ends the run as it does in one thread', () => {
    const { code, stderr } = built('-o', 'no/folder/x.csv', '--workers', '2')
    expect([code, stderr]).toEqual([1, "lstm-wasm: cannot write 'no/folder/x.csv.part': no such folder\n"])
  })
})
