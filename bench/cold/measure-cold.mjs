import { ENGINES } from '../engines/index.mjs'
import { median } from '../statistics.mjs'
import { downloadOf } from './downloads.mjs'
import { runProcess } from './processes.mjs'

/** One layer of 128 units, 64 features, 10 steps. */
const COLD_SIZES = [1, 10, 64, 128]

/**
 * @typedef {object} ColdRow
 * @property {string} engine
 * @property {number} firstResultMs from importing it to its first result, median of new processes
 * @property {number} fastestMs
 * @property {number} slowestMs
 * @property {number} memoryBytes resident, beyond that of the runtime alone
 * @property {{ js: import('./downloads.mjs').Size, wasm: import('./downloads.mjs').Size } | null} download null where pages cannot run it
 *
 * @typedef {{ bareBytes: number, rows: ColdRow[], skipped: { engine: string, reason: string }[] }} Cold
 */

/**
 * @param {{ repetitions: number, signal: AbortSignal, onProgress: (share: number, title: string, what: string) => unknown,
 *   engines?: readonly string[] }} options
 * @returns {Promise<Cold>}
 */
export async function measureCold({ repetitions, signal, onProgress, engines = ENGINES.map(({ name }) => name) }) {
  /** @type {Map<string, { milliseconds: number, rssBytes: number }[]>} */
  const runs = new Map([['none', []], ...engines.map((name) => /** @type {[string, []]} */ ([name, []]))])
  const skipped = []
  // Round by round, as the benchmark does; the first of each is not counted: its files were not in the system's cache.
  for (let round = 0; round <= repetitions && !signal.aborted; round++) {
    for (const [engine, results] of runs) {
      if (signal.aborted) break
      await onProgress((round / (repetitions + 1)) * 0.9, 'cold start', `${engine}, process ${round + 1} of ${repetitions + 1}`)
      try {
        const result = await runProcess(engine, COLD_SIZES)
        if (round > 0) results.push(result)
      } catch (error) {
        runs.delete(engine)
        skipped.push({ engine, reason: reasonOf(error) })
      }
    }
  }
  const bareBytes = median((runs.get('none') ?? []).map(({ rssBytes }) => rssBytes))
  const rows = []
  for (const [engine, results] of runs) {
    if (engine === 'none' || results.length === 0) continue
    await onProgress(0.9, 'download', engine)
    const times = results.map(({ milliseconds }) => milliseconds)
    rows.push({
      engine,
      firstResultMs: median(times), fastestMs: Math.min(...times), slowestMs: Math.max(...times),
      memoryBytes: median(results.map(({ rssBytes }) => rssBytes)) - bareBytes,
      download: await downloadOf(engine) ?? null,
    })
  }
  return { bareBytes, rows, skipped }
}

/** The line of a child's complaint that says what is wrong. @param {unknown} error */
function reasonOf(error) {
  const text = error instanceof Error ? error.message : String(error)
  return /^\w*Error: (.*)$/m.exec(text)?.[1] ?? /** @type {string} */ (text.split('\n')[0])
}
