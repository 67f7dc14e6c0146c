// New processes that run an engine once: time to the first result, and memory.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url))
const run = promisify(execFile)

/**
 * @param {string} engine its name, or `none` for the runtime alone
 * @param {readonly number[]} sizes batch, timesteps, features, units
 * @param {{ calls?: number, timeoutMs?: number, env?: Record<string, string> }} [options]
 * @returns {Promise<{ milliseconds: number, rssBytes: number, peakBytes: number }>}
 */
export async function runProcess(engine, sizes, { calls = 1, timeoutMs = 120_000, env = {} } = {}) {
  const { stdout } = await run(process.execPath, [CHILD, engine, ...sizes.map(String), String(calls)], { timeout: timeoutMs, env: { ...process.env, ...env } })
  return JSON.parse(/** @type {string} */ (stdout.trim().split('\n').at(-1)))
}

/**
 * Files that an engine loads up to its first result, as Node's own coverage tells.
 * @param {string} engine
 * @param {readonly number[]} sizes
 * @returns {Promise<string[]>} paths
 */
export async function filesLoaded(engine, sizes) {
  const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-bench-'))
  try {
    await runProcess(engine, sizes, { env: { NODE_V8_COVERAGE: folder } })
    const reports = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')))
    const urls = reports.flatMap((text) => JSON.parse(text).result.map((/** @type {{ url: string }} */ { url }) => url))
    return [...new Set(urls)].filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url)).sort()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
