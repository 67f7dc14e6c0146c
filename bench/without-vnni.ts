// The rows of a processor without AVX-VNNI, in the same run: a second process of this engine, told not to use it.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { arch, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Row } from './measure.ts'
import type { Results } from './report/results.ts'

const FLAG = '--no-enable-avx-vnni'
const SUFFIX = ' without VNNI'
const ENGINES = ['lstm-wasm:relaxed-simd', 'lstm-wasm int8:relaxed-simd']

/** Whether there is a VNNI to do without: V8 on x86-64, not told so already. */
export function mayUseVnni() {
  return process.versions.v8 !== undefined && process.versions.bun === undefined && arch() === 'x64' && !process.execArgv.includes(FLAG)
}

/** @param cases by name */
export async function measureWithoutVnni(cases: readonly string[], quick: boolean, signal: AbortSignal): Promise<Pick<Results, 'rows' | 'skipped' | 'warnings'>> {
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-bench-'))
  try {
    const file = join(folder, 'rows.json')
    const script = fileURLToPath(new URL('run.js', import.meta.url))
    await promisify(execFile)(process.execPath, [
      FLAG, script, '--case', cases.join(), '--engine', ENGINES.join(), '--json', file, ...quick ? ['--quick'] : [],
    ], { signal })
    const { rows, skipped, warnings } = JSON.parse(await readFile(file, 'utf8')) as Results
    const named = <T extends { readonly engine: string }>(row: T): T => ({ ...row, engine: `${row.engine}${SUFFIX}` })
    return { rows: rows.map((row): Row => named(row)), skipped: skipped.map(named), warnings }
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
    return { rows: [], skipped: [{ engine: `lstm-wasm int8${SUFFIX}`, variant: 'relaxed-simd', reason }], warnings: [] }
  } finally {
    await rm(folder, { recursive: true })
  }
}
