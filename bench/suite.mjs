// A whole run: the engines that are there, the peaks, then case after case. Runs in browsers too.
import { prepare } from './cases.mjs'
import { measureCase } from './measure.mjs'
import { openRoofline } from './roofline/roofline.mjs'
import { median } from './statistics.mjs'

/** Blocks read to measure bandwidth: half of a usual L1 and L2, within a usual L3, beyond it. */
const BLOCKS = { L1: 16 * 1024, L2: 256 * 1024, L3: 4 * 1024 * 1024, memory: 128 * 1024 * 1024 }

/** @type {{ full: Pick<import('./measure.mjs').Settings, 'rounds' | 'sliceMs' | 'sampleMs' | 'warmupMs' | 'budgetMs'>,
 *   quick: Pick<import('./measure.mjs').Settings, 'rounds' | 'sliceMs' | 'sampleMs' | 'warmupMs' | 'budgetMs'> }} */
export const SETTINGS = {
  full: { rounds: 15, sliceMs: 60, sampleMs: 0.5, warmupMs: 200, budgetMs: 3000 },
  quick: { rounds: 7, sliceMs: 35, sampleMs: 0.3, warmupMs: 120, budgetMs: 700 },
}

/**
 * @typedef {object} Plan
 * @property {readonly import('./cases.mjs').Case[]} cases
 * @property {readonly { engine: import('./engines/index.mjs').Engine, variants: readonly string[] }[]} engines
 * @property {import('./measure.mjs').Settings} settings
 * @property {(share: number, title: string, what: string) => unknown} onProgress awaited
 * @property {(rows: readonly import('./measure.mjs').Row[]) => void} [onRows] rows of a case as soon as it is done
 */

/**
 * @param {Plan} plan
 * @returns {Promise<Pick<import('./report/results.mjs').Results, 'rows' | 'skipped' | 'warnings' | 'roofline' | 'complete'>>}
 */
export async function runSuite({ cases, engines, settings, onProgress, onRows = () => undefined }) {
  const { signal } = settings
  /** @type {import('./report/results.mjs').Results['skipped']} */
  const skipped = []
  /** @type {import('./measure.mjs').Contender[]} */
  const contenders = []
  for (const { engine, variants } of engines) {
    for (const variant of variants) {
      await onProgress(0, 'engines', engine.name)
      await engine.available(variant).then(
        () => contenders.push({ engine, variant }),
        (error) => skipped.push({ engine: engine.name, variant, reason: error instanceof Error ? error.message : String(error) }),
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
  const warnings = []
  for (const [n, entry] of cases.entries()) {
    if (signal.aborted) break
    const fit = contenders.filter(({ engine }) => engine.supports(entry))
    await onProgress(n / cases.length, entry.name, 'weights and expected output')
    const measured = await measureCase(await prepare(entry), fit, settings, peaks, (what, share) => onProgress((n + share) / cases.length, entry.name, what))
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

/**
 * The peak of each binary of this library that is run.
 * @param {readonly import('./measure.mjs').Contender[]} contenders
 * @returns {Promise<import('./measure.mjs').Peaks>}
 */
async function openPeaks(contenders) {
  /** @type {import('./measure.mjs').Peaks} */
  const peaks = new Map()
  for (const { engine, variant } of contenders) {
    if (engine.name === 'lstm-wasm') peaks.set(variant, { roofline: await openRoofline(variant), peaks: [], bandwidths: [] })
  }
  return peaks
}
