// New processes that run an engine once: time to the first result, and memory.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ROOT } from '../places.ts'

/** Compiled, so that every Node starts it as it is. */
const CHILD = fileURLToPath(new URL('build/bench/cold/child.js', ROOT))
const run = promisify(execFile)

/**
 * @param engine its name, or `none` for the runtime alone
 * @param sizes batch, timesteps, features, units
 */
export async function runProcess(
  engine: string,
  sizes: readonly number[],
  { calls = 1, timeoutMs = 120_000, env = {} }: { calls?: number, timeoutMs?: number, env?: Record<string, string> } = {},
): Promise<{ milliseconds: number, rssBytes: number, peakBytes: number }> {
  const { stdout } = await run(process.execPath, [CHILD, engine, ...sizes.map(String), String(calls)], { timeout: timeoutMs, env: { ...process.env, ...env } })
  return JSON.parse((stdout.trim().split('\n').at(-1) as string))
}

/**
 * Files that an engine loads up to its first result, as Node's own coverage tells.
 * @returns paths
 */
export async function filesLoaded(engine: string, sizes: readonly number[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-bench-'))
  try {
    await runProcess(engine, sizes, { env: { NODE_V8_COVERAGE: folder } })
    const reports = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
    const urls = reports.flatMap((text) => JSON.parse(text).result.map(({ url }: { url: string }) => url))
    return [...new Set(urls)].filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url)).sort()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
