// Times the engines of one case, round by round: each has its turn in every round, so that whatever drifts hits all alike.
import { Bench } from 'tinybench'
import { INT8_TOLERANCE, TOLERANCE, type PreparedCase, type Case } from './cases.ts'
import { distance, median, quantile, spread } from './statistics.ts'
import type { Instance, Engine } from './engines/engine.ts'
import type { Roofline } from './roofline/roofline.ts'

/** Rounds that even the slowest engine has. */
const FEWEST_ROUNDS = 3

/** A call that takes longer is checked once, and that is its warm-up too. */
const LONG_CALL_MS = 1000

export interface Settings {
  readonly rounds: number
  /** An engine's turn, at least one sample. */
  readonly sliceMs: number
  /** A sample is as many calls as take this long: far above the clock's resolution. */
  readonly sampleMs: number
  readonly warmupMs: number
  /** An engine that has used more, in at least FEWEST_ROUNDS rounds, has no further turn. */
  readonly budgetMs: number
  /** Cache above which weights count as streamed from memory. */
  readonly l2Bytes: number
  readonly signal: AbortSignal
  /** The clock, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number
}

const systemClock = () => performance.now()

export interface Contender { engine: Engine, variant: string }

/** Whose row it is. */
interface RowHead {
  readonly case: string
  readonly engine: string
  readonly variant: string
  readonly dtype: string
  readonly threads: number
  /** Largest distance of its output from the float64 reference. */
  readonly distance: number
}

/** The output agreed with the float64 reference, and so it was timed. */
export interface TimedRow extends RowHead {
  readonly checked: true
  /** Of one call. */
  readonly medianUs: number
  readonly p95Us: number
  readonly minUs: number
  readonly gflops: number
  /** Share of the measured peak, for this library. */
  readonly peakShare: number | null
  /** Of the bandwidth measured from a block as large as the weights, where they do not fit into L2. */
  readonly l3Share: number | null
  /** Between the medians of the rounds. */
  readonly spread: number
  readonly samples: number
  readonly callsPerSample: number
  readonly roundMediansUs: readonly number[]
}

/** It failed, or its output was wrong: it was not timed. */
export interface WrongRow extends RowHead {
  readonly checked: false
  readonly error: string
}

export type Row = TimedRow | WrongRow

export const isTimed = (row: Row): row is TimedRow => row.checked

/** A contender whose output was right. */
interface Running {
  readonly contender: Contender
  readonly instance: Instance
  /** Largest distance from the reference. */
  readonly worst: number
  /** Of a sample. */
  readonly calls: number
  readonly bench: Bench
  spentMs: number
  /** Microseconds of one call: the samples of every round. */
  readonly rounds: number[][]
}

/** By variant. */
export type Peaks = Map<string, { roofline: Roofline, peaks: number[], bandwidths: number[] }>

/**
 * Runs the first calls and compares each with what is expected of it.
 * @param settles so many outputs at the beginning are not compared
 * @returns the largest distance, and how long the last call took
 */
export async function check(
  instance: Instance, { mode, expected }: PreparedCase, now = systemClock, settles: number = 0,
): Promise<{ worst: number, callMs: number }> {
  await instance.activate?.()
  let worst = 0
  let callMs = 0
  // What begins anew at every call is called twice: nothing may be left over from the call before.
  const calls = mode === 'step' ? expected.length : 2
  for (let n = 0; n < calls && (n === 0 || callMs < LONG_CALL_MS); n++) {
    const begin = now()
    await instance.run()
    callMs = now() - begin
    const wanted = expected[n % expected.length]
    const output = instance.output()
    worst = Math.max(worst, settles === 0 ? distance(output, wanted) : distance(Array.from(output).slice(settles), wanted.subarray(settles)))
  }
  return { worst, callMs }
}

/** Runs it for a while, and tells how many calls make a sample. */
async function warmUp(instance: Instance, { warmupMs, sampleMs, signal, now = systemClock }: Settings) {
  await instance.activate?.()
  const begin = now()
  let fastest = Infinity
  let calls = 1
  while (now() - begin < warmupMs && !signal.aborted) {
    const start = now()
    for (let n = 0; n < calls; n++) {
      if (instance.async) await instance.run()
      else instance.run()
    }
    const elapsed = now() - start
    // What is shorter than a sample says little: a call within a tick of the clock would take no time at all.
    if (elapsed < sampleMs) calls *= 2
    else fastest = Math.min(fastest, elapsed / calls)
  }
  return fastest === Infinity ? calls : Math.max(1, Math.ceil(sampleMs / fastest))
}

function sampleOf({ run, async }: Instance, calls: number) {
  if (async) {
    return async () => {
      for (let n = 0; n < calls; n++) await run()
    }
  }
  return () => {
    for (let n = 0; n < calls; n++) run()
  }
}

/**
 * @param onProgress awaited: a page draws meanwhile
 * @returns in the order of the contenders; none that an abort left without samples
 */
export async function measureCase(
  prepared: PreparedCase, contenders: readonly Contender[], settings: Settings, peaks: Peaks, onProgress: (what: string, share: number) => unknown,
): Promise<{ rows: Row[], warnings: string[] }> {
  const { signal } = settings
  const running: Running[] = []
  const rows: Map<Contender, Row> = new Map()
  const warnings: string[] = []
  for (const peak of peaks.values()) peak.peaks.length = peak.bandwidths.length = 0
  try {
    for (const [n, contender] of contenders.entries()) {
      if (signal.aborted) break
      await onProgress(`${nameOf(contender)}: check and warm-up`, n / contenders.length * 0.3)
      const started = await start(prepared, contender, settings, warnings)
      if ('error' in started) rows.set(contender, wrongRow(prepared, contender, started))
      else running.push(started)
    }
    for (let round = 0; round < settings.rounds && !signal.aborted; round++) {
      measurePeaks(peaks, prepared, settings)
      for (let n = 0; n < running.length && !signal.aborted; n++) {
        // Each round begins with another engine.
        const entry = running[(n + round) % running.length]
        if (entry.spentMs > settings.budgetMs && round >= FEWEST_ROUNDS) continue
        const done = (round * running.length + n) / settings.rounds / running.length
        await onProgress(`${nameOf(entry.contender)}: round ${round + 1} of ${settings.rounds}`, 0.3 + done * 0.7)
        await takeTurn(entry, settings.now)
      }
    }
  } finally {
    for (const { instance } of running) await instance.dispose()
  }
  for (const entry of running) {
    if (entry.rounds.length > 0) rows.set(entry.contender, timedRow(prepared, entry, settings, peakOf(peaks, entry.contender)))
  }
  return { rows: contenders.flatMap((contender) => rows.get(contender) ?? []), warnings }
}

const nameOf = ({ engine, variant }: Contender) => (engine.variants.length > 1 ? `${engine.name} ${variant}` : engine.name)

async function start(
  prepared: PreparedCase, contender: Contender, settings: Settings, warnings: string[],
): Promise<Running | { error: string, worst: number }> {
  let instance
  try {
    instance = await contender.engine.create(prepared, contender.variant)
    const { worst, callMs } = await check(instance, prepared, settings.now, contender.engine.settles)
    const allowed = contender.engine.tolerance ?? (contender.engine.dtype === 'int8' ? prepared.int8Tolerance ?? INT8_TOLERANCE : TOLERANCE)
    if (!(worst <= allowed)) {
      await instance.dispose()
      return { error: `its output is ${worst.toExponential(1)} away from the float64 reference; ${allowed} is allowed`, worst }
    }
    const calls = callMs > LONG_CALL_MS ? 1 : await warmUp(instance, settings)
    const bench = new Bench({ time: settings.sliceMs, iterations: 1, warmup: false, retainSamples: true, throws: true, now: settings.now ?? systemClock })
    bench.add('call', sampleOf(instance, calls), { async: instance.async })
    bench.addEventListener('warning', ({ reason }) => {
      const message = `${prepared.name}, ${nameOf(contender)}: the clock is too coarse (${reason})`
      if (!warnings.includes(message)) warnings.push(message)
    })
    return { contender, instance, worst, calls, bench, spentMs: 0, rounds: [] }
  } catch (error) {
    await instance?.dispose()
    return { error: error instanceof Error ? error.message : String(error), worst: Infinity }
  }
}

async function takeTurn(entry: Running, now = systemClock) {
  const { instance, bench, calls, rounds } = entry
  await instance.activate?.()
  const begin = now()
  bench.reset()
  if (instance.async) await bench.run()
  else bench.runSync()
  const result = bench.tasks[0]?.result
  if (result === undefined || !('latency' in result)) throw new Error(`a round ended as '${result?.state}'`)
  entry.spentMs += now() - begin
  rounds.push(Array.from(result.latency.samples ?? [], (ms) => ms * 1000 / calls))
}

function measurePeaks(peaks: Peaks, entry: Case, settings: Settings) {
  for (const { roofline, peaks: measured, bandwidths } of peaks.values()) {
    measured.push(roofline.peakGflops())
    if (isStreamed(entry, settings)) bandwidths.push(roofline.gigabytesPerSecond(entry.streamedBytes))
  }
}

/** Shares are told of this library only: the peaks are those of its binaries. */
function peakOf(peaks: Peaks, { engine, variant }: Contender) {
  return engine.name === 'lstm-wasm' ? peaks.get(variant) : undefined
}

/** Weights that are read anew at every step, from beyond L2. */
function isStreamed({ batch, streamedBytes }: Case, { l2Bytes }: Settings) {
  return batch === 1 && streamedBytes > l2Bytes
}

function rowOf(entry: Case, { engine, variant }: Contender) {
  return { case: entry.name, engine: engine.name, variant, dtype: engine.dtype ?? 'float32', threads: engine.threads ?? 1 }
}

function wrongRow(entry: Case, contender: Contender, { error, worst }: { error: string, worst: number }): WrongRow {
  return { ...rowOf(entry, contender), checked: false, distance: worst, error }
}

/** @param peak of the same rounds */
function timedRow(
  entry: Case, { contender, worst, calls, rounds }: Running, settings: Settings, peak: { peaks: number[], bandwidths: number[] } | undefined,
): TimedRow {
  const samples = rounds.flat()
  const medians = rounds.map(median)
  const medianUs = median(samples)
  const shares = peak === undefined ? [] : medians.map((us, n) => entry.flops / us / 1e3 / (peak.peaks[n]))
  const bandwidthShares = (peak?.bandwidths ?? []).slice(0, medians.length).map((bandwidth, n) => (
    bandwidthOf(entry, (medians[n]), (peak?.peaks[n] as number)) / bandwidth
  ))
  return {
    ...rowOf(entry, contender),
    medianUs,
    p95Us: quantile(samples, 0.95),
    minUs: Math.min(...samples),
    gflops: entry.flops / medianUs / 1e3,
    peakShare: shares.length > 0 ? median(shares) : null,
    l3Share: isStreamed(entry, settings) && bandwidthShares.length > 0 ? median(bandwidthShares) : null,
    checked: true,
    distance: worst,
    spread: spread(medians),
    samples: samples.length,
    callsPerSample: calls,
    roundMediansUs: medians,
  }
}

/**
 * GB/s at which the weights of the recurrence were read. The input projection of a sequence, which reads its weights once, is
 * taken to have run at the peak, the least it can take: the bandwidth is then at least this.
 * @param us of one call
 */
export function bandwidthOf({ flops, streamedBytes, timesteps, mode }: Case, us: number, peakGflops: number) {
  const steps = mode === 'step' ? 1 : timesteps
  const recurrentFlops = streamedBytes / 2 * steps
  const projectionUs = Math.max(0, flops - recurrentFlops) / peakGflops / 1e3
  return streamedBytes * steps / Math.max(us - projectionUs, us / 100) / 1e3
}
