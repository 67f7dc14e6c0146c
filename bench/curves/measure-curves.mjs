import { layerCase, prepare } from '../cases.mjs'
import { runProcess } from '../cold/processes.mjs'
import { ENGINES } from '../engines/index.mjs'
import { measureCase } from '../measure.mjs'
import { AXES, CURVE_ENGINES } from './axes.mjs'

/** A curve ends where one call takes longer. */
const LONGEST_CALL_US = 1.5e6

const SETTINGS = { rounds: 5, sliceMs: 25, sampleMs: 0.3, warmupMs: 60, budgetMs: 400, l2Bytes: Infinity }

/** Calls of a process whose memory is measured: what is kept from call to call shows. */
const MEMORY_CALLS = 3

/**
 * @typedef {{ axis: string, engine: string, value: number, medianUs: number }} TimePoint
 * @typedef {{ axis: string, engine: string, value: number, bytes: number }} MemoryPoint most resident memory beyond that of a process that
 *   holds the same weights and inputs and runs nothing
 * @typedef {{ times: TimePoint[], memory: MemoryPoint[], skipped: { engine: string, reason: string }[], complete: boolean }} Curves
 */

/**
 * @param {{ signal: AbortSignal, onProgress: (share: number, title: string, what: string) => unknown, axes?: typeof AXES,
 *   engines?: readonly string[] }} options
 * @returns {Promise<Curves>}
 */
export async function measureCurves({ signal, onProgress, axes = AXES, engines = CURVE_ENGINES }) {
  /** @type {Curves['skipped']} */
  const skipped = []
  const contenders = (await Promise.all(engines.map((name) => findContender(name, skipped)))).filter((found) => found !== undefined)
  /** @type {TimePoint[]} */
  const times = []
  /** @type {MemoryPoint[]} */
  const memory = []
  const total = axes.reduce((sum, { values, memoryValues }) => sum + values.length + memoryValues.length, 0)
  let done = 0
  for (const axis of axes) {
    const tooSlow = new Set()
    for (const value of axis.values) {
      if (signal.aborted) break
      const entry = layerCase(axis.sizes(value))
      const share = done++ / total
      await onProgress(share, `${axis.title}: ${value}`, 'weights and expected output')
      const still = contenders.filter((contender) => !tooSlow.has(contender))
      const { rows } = await measureCase(await prepare(entry), still, { ...SETTINGS, signal }, new Map(), (what, part) => (
        onProgress(share + part / total, `${axis.title}: ${value}`, what)
      ))
      for (const { engine, medianUs, error } of rows) {
        if (medianUs === null) skipped.push({ engine, reason: `${entry.name}: ${error}` })
        else times.push({ axis: axis.name, engine, value, medianUs })
        if (medianUs === null || medianUs > LONGEST_CALL_US) tooSlow.add(contenders.find((contender) => contender.engine.name === engine))
      }
    }
    for (const value of axis.memoryValues) {
      const sizes = axis.sizes(value)
      const bare = signal.aborted ? undefined : await runProcess('none', sizes, { calls: MEMORY_CALLS })
      const share = done++ / total
      for (const { engine: { name } } of contenders) {
        if (signal.aborted || bare === undefined) break
        if (!times.some((point) => point.axis === axis.name && point.engine === name && point.value === value)) continue
        await onProgress(share, `${axis.title}: ${value}`, `memory of ${name}`)
        const { peakBytes } = await runProcess(name, sizes, { calls: MEMORY_CALLS })
        memory.push({ axis: axis.name, engine: name, value, bytes: Math.max(0, peakBytes - bare.peakBytes) })
      }
    }
  }
  return { times, memory, skipped, complete: !signal.aborted }
}

/**
 * The first of an engine's variants that runs here.
 * @param {string} name
 * @param {Curves['skipped']} skipped
 * @returns {Promise<import('../measure.mjs').Contender | undefined>}
 */
async function findContender(name, skipped) {
  const engine = ENGINES.find((entry) => entry.name === name)
  if (engine === undefined) throw new RangeError(`no engine '${name}'`)
  let reason = ''
  for (const variant of engine.variants) {
    try {
      await engine.available(variant)
      return { engine, variant }
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error)
    }
  }
  skipped.push({ engine: name, reason })
  return undefined
}
