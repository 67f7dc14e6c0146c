import { layerCase, prepare } from '../cases.ts'
import { runProcess } from '../cold/processes.ts'
import { ENGINES } from '../engines/index.ts'
import { measureCase, type Contender } from '../measure.ts'
import { AXES, CURVE_ENGINES } from './axes.ts'

/** A curve ends where one call takes longer. */
const LONGEST_CALL_US = 1.5e6

const SETTINGS = { rounds: 5, sliceMs: 25, sampleMs: 0.3, warmupMs: 60, budgetMs: 400, l2Bytes: Infinity }

/** Calls of a process whose memory is measured: what is kept from call to call shows. */
const MEMORY_CALLS = 3

export interface TimePoint { axis: string, engine: string, value: number, medianUs: number }

/** Most resident memory beyond that of a process that holds the same weights and inputs and runs nothing. */
export interface MemoryPoint { axis: string, engine: string, value: number, bytes: number }

export interface Curves { times: TimePoint[], memory: MemoryPoint[], skipped: { engine: string, reason: string }[], complete: boolean }

interface CurveOptions {
  readonly signal: AbortSignal
  /** Awaited. */
  readonly onProgress: (share: number, title: string, what: string) => unknown
  readonly axes?: typeof AXES
  /** Names. */
  readonly engines?: readonly string[]
}

export async function measureCurves({ signal, onProgress, axes = AXES, engines = CURVE_ENGINES }: CurveOptions): Promise<Curves> {
  const skipped: Curves['skipped'] = []
  const contenders = (await Promise.all(engines.map((name) => findContender(name, skipped)))).filter((found) => found !== undefined)
  const times: TimePoint[] = []
  const memory: MemoryPoint[] = []
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
      for (const row of rows) {
        const { engine } = row
        if (row.checked) times.push({ axis: axis.name, engine, value, medianUs: row.medianUs })
        else skipped.push({ engine, reason: `${entry.name}: ${row.error}` })
        if (!row.checked || row.medianUs > LONGEST_CALL_US) tooSlow.add(contenders.find((contender) => contender.engine.name === engine))
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

/** The first of an engine's variants that runs here. */
async function findContender(name: string, skipped: Curves['skipped']): Promise<Contender | undefined> {
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
