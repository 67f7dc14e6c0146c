// A whole run: the engines that are there, the peaks, then case after case. Runs in browsers too.
import { prepare, type Case } from './cases.ts'
import { measureCase, type Settings, type Row, type Contender, type Peaks } from './measure.ts'
import { openRoofline } from './roofline/roofline.ts'
import { median } from './statistics.ts'
import type { Results } from './report/results.ts'
import type { Engine } from './engines/engine.ts'

/** Blocks read to measure bandwidth: half of a usual L1 and L2, within a usual L3, beyond it. */
const BLOCKS = { L1: 16 * 1024, L2: 256 * 1024, L3: 4 * 1024 * 1024, memory: 128 * 1024 * 1024 }

export const SETTINGS: Readonly<Record<'full' | 'quick', Omit<Settings, 'l2Bytes' | 'signal'>>> = {
  full: { rounds: 15, sliceMs: 60, sampleMs: 0.5, warmupMs: 200, budgetMs: 3000 },
  quick: { rounds: 7, sliceMs: 35, sampleMs: 0.3, warmupMs: 120, budgetMs: 700 },
}

export interface Plan {
  readonly cases: readonly Case[]
  readonly engines: readonly { engine: Engine, variants: readonly string[] }[]
  readonly settings: Settings
  /** Awaited. */
  readonly onProgress: (share: number, title: string, what: string) => unknown
  /** Rows of a case as soon as it is done. */
  readonly onRows?: (rows: readonly Row[]) => void
}

/** What a run gives, without where and when it was. */
export type Measured = Pick<Results, 'rows' | 'skipped' | 'warnings' | 'roofline' | 'complete'>

export async function runSuite({ cases, engines, settings, onProgress, onRows = () => undefined }: Plan): Promise<Measured> {
  const { signal } = settings
  const skipped: Results['skipped'] = []
  const contenders: Contender[] = []
  for (const { engine, variants } of engines) {
    for (const variant of variants) {
      await onProgress(0, 'engines', engine.name)
      await engine.available(variant).then(
        () => contenders.push({ engine, variant }),
        (error: unknown) => skipped.push({ engine: engine.name, variant, reason: error instanceof Error ? error.message : String(error) }),
      )
    }
  }
  await onProgress(0, 'peak', 'multiply-adds and loads')
  const peaks = await openPeaks(contenders)
  const roofline = Object.fromEntries([...peaks].map(([variant, { roofline: machine }]) => [variant, {
    gflops: machine.peakGflops(),
    bandwidth: Object.fromEntries(Object.entries(BLOCKS).map(([level, bytes]) => [level, machine.gigabytesPerSecond(bytes)])),
  }]))
  const rows = []
  const warnings: string[] = []
  for (const [n, entry] of cases.entries()) {
    if (signal.aborted) break
    const fit = contenders.filter(({ engine }) => engine.supports(entry))
    await onProgress(n / cases.length, entry.name, 'weights and expected output')
    const prepared = await prepare(entry).catch((error: unknown) => {
      warnings.push(`${entry.name}: not measured: ${error instanceof Error ? error.message : String(error)}`)
    })
    if (prepared === undefined) continue
    const measured = await measureCase(prepared, fit, settings, peaks, (what, share) => onProgress((n + share) / cases.length, entry.name, what))
    rows.push(...measured.rows)
    warnings.push(...measured.warnings)
    onRows(measured.rows)
    for (const [variant, { peaks: measuredPeaks }] of peaks) {
      const at = roofline[variant]
      if (at !== undefined && measuredPeaks.length > 0) at.gflops = Math.max(at.gflops, median(measuredPeaks))
    }
  }
  return { rows, skipped, warnings, roofline, complete: !signal.aborted }
}

/** The peak of each binary of this library that is run. */
async function openPeaks(contenders: readonly Contender[]): Promise<Peaks> {
  const peaks: Peaks = new Map()
  for (const { engine, variant } of contenders) {
    if (engine.name === 'lstm-wasm') peaks.set(variant, { roofline: await openRoofline(variant), peaks: [], bandwidths: [] })
  }
  return peaks
}
