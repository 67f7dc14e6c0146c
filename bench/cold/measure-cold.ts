import { ENGINES } from '../engines/index.ts'
import { median } from '../statistics.ts'
import { downloadOf, type Size } from './downloads.ts'
import { runProcess } from './processes.ts'

/** One layer of 128 units, 64 features, 10 steps. */
const COLD_SIZES = [1, 10, 64, 128]

export interface ColdRow {
  readonly engine: string
  /** From importing it to its first result, median of new processes. */
  readonly firstResultMs: number
  readonly fastestMs: number
  readonly slowestMs: number
  /** Resident, beyond that of the runtime alone. */
  readonly memoryBytes: number
  /** Null where pages cannot run it. */
  readonly download: { js: Size, wasm: Size } | null
}

export interface Cold { bareBytes: number, rows: ColdRow[], skipped: { engine: string, reason: string }[] }

interface ColdOptions {
  readonly repetitions: number
  readonly signal: AbortSignal
  /** Awaited. */
  readonly onProgress: (share: number, title: string, what: string) => unknown
  /** Names. */
  readonly engines?: readonly string[]
}

export async function measureCold({ repetitions, signal, onProgress, engines = ENGINES.map(({ name }) => name) }: ColdOptions): Promise<Cold> {
  const runs: Map<string, { milliseconds: number, rssBytes: number }[]> = new Map([['none', []], ...engines.map((name) => ([name, []] as [string, []]))])
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

/** The line of a child's complaint that says what is wrong. */
function reasonOf(error: unknown) {
  const text = error instanceof Error ? error.message : String(error)
  return /^\w*Error: (.*)$/m.exec(text)?.[1] ?? (text.split('\n')[0])
}
