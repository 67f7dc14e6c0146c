// Times the engines of one case, round by round: each has its turn in every round, so that whatever drifts hits all alike.
import { Bench } from 'tinybench'
import { TOLERANCE } from './cases.mjs'
import { distance, median, quantile, spread } from './statistics.mjs'

/** Rounds that even the slowest engine has. */
const FEWEST_ROUNDS = 3

/** A call that takes longer is checked once, and that is its warm-up too. */
const LONG_CALL_MS = 1000

/**
 * @typedef {object} Settings
 * @property {number} rounds
 * @property {number} sliceMs an engine's turn, at least one sample
 * @property {number} sampleMs a sample is as many calls as take this long: far above the clock's resolution
 * @property {number} warmupMs
 * @property {number} budgetMs an engine that has used more, in at least FEWEST_ROUNDS rounds, has no further turn
 * @property {number} l2Bytes cache above which weights count as streamed from memory
 * @property {AbortSignal} signal
 *
 * @typedef {{ engine: import('./engines/index.mjs').Engine, variant: string }} Contender
 *
 * @typedef {object} Row
 * @property {string} case
 * @property {string} engine
 * @property {string} variant
 * @property {string} dtype
 * @property {number} threads
 * @property {number | null} medianUs of one call; null where the output was wrong
 * @property {number | null} p95Us
 * @property {number | null} minUs
 * @property {number | null} gflops
 * @property {number | null} peakShare share of the measured peak, for this library
 * @property {number | null} l3Share of the bandwidth measured from a block as large as the weights, where they do not fit into L2
 * @property {boolean} checked whether the output agrees with the float64 reference
 * @property {number} distance largest distance from it
 * @property {number | null} spread between the medians of the rounds
 * @property {number} samples
 * @property {number} callsPerSample
 * @property {number[]} roundMediansUs
 * @property {string} [error]
 *
 * @typedef {{ contender: Contender, instance: import('./engines/index.mjs').Instance, worst: number, calls: number, bench: Bench, spentMs: number,
 *   rounds: number[][] }} Running
 * @typedef {Map<string, { roofline: import('./roofline/roofline.mjs').Roofline, peaks: number[], bandwidths: number[] }>} Peaks by variant
 */

/**
 * Runs the first calls and compares each with what is expected of it.
 * @param {import('./engines/index.mjs').Instance} instance
 * @param {import('./cases.mjs').PreparedCase} prepared
 * @returns {Promise<{ worst: number, callMs: number }>} the largest distance, and how long the last call took
 */
export async function check(instance, { mode, expected }) {
  await instance.activate?.()
  let worst = 0
  let callMs = 0
  // What begins anew at every call is called twice: nothing may be left over from the call before.
  const calls = mode === 'step' ? expected.length : 2
  for (let n = 0; n < calls && (n === 0 || callMs < LONG_CALL_MS); n++) {
    const begin = performance.now()
    await instance.run()
    callMs = performance.now() - begin
    worst = Math.max(worst, distance(instance.output(), /** @type {Float64Array} */ (expected[n % expected.length])))
  }
  return { worst, callMs }
}

/**
 * Runs it for a while, and tells how many calls make a sample.
 * @param {import('./engines/index.mjs').Instance} instance
 * @param {Settings} settings
 */
async function warmUp(instance, { warmupMs, sampleMs, signal }) {
  await instance.activate?.()
  const begin = performance.now()
  let fastest = Infinity
  let calls = 1
  while (performance.now() - begin < warmupMs && !signal.aborted) {
    const start = performance.now()
    for (let n = 0; n < calls; n++) {
      if (instance.async) await instance.run()
      else instance.run()
    }
    const elapsed = performance.now() - start
    fastest = Math.min(fastest, elapsed / calls)
    if (elapsed < sampleMs) calls *= 2
  }
  return Math.max(1, Math.ceil(sampleMs / Math.max(fastest, 1e-5)))
}

/**
 * @param {import('./engines/index.mjs').Instance} instance
 * @param {number} calls
 */
function sampleOf({ run, async }, calls) {
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
 * @param {import('./cases.mjs').PreparedCase} prepared
 * @param {readonly Contender[]} contenders
 * @param {Settings} settings
 * @param {Peaks} peaks
 * @param {(what: string, share: number) => unknown} onProgress awaited: a page draws meanwhile
 * @returns {Promise<{ rows: Row[], warnings: string[] }>} in the order of the contenders; none that an abort left without samples
 */
export async function measureCase(prepared, contenders, settings, peaks, onProgress) {
  const { signal } = settings
  /** @type {Running[]} */
  const running = []
  /** @type {Map<Contender, Row>} */
  const rows = new Map()
  /** @type {string[]} */
  const warnings = []
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
        const entry = /** @type {Running} */ (running[(n + round) % running.length])
        if (entry.spentMs > settings.budgetMs && round >= FEWEST_ROUNDS) continue
        const done = (round * running.length + n) / settings.rounds / running.length
        await onProgress(`${nameOf(entry.contender)}: round ${round + 1} of ${settings.rounds}`, 0.3 + done * 0.7)
        await takeTurn(entry)
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

/** @param {Contender} contender */
const nameOf = ({ engine, variant }) => (engine.variants.length > 1 ? `${engine.name} ${variant}` : engine.name)

/**
 * @param {import('./cases.mjs').PreparedCase} prepared
 * @param {Contender} contender
 * @param {Settings} settings
 * @param {string[]} warnings
 * @returns {Promise<Running | { error: string, worst: number }>}
 */
async function start(prepared, contender, settings, warnings) {
  let instance
  try {
    instance = await contender.engine.create(prepared, contender.variant)
    const { worst, callMs } = await check(instance, prepared)
    if (!(worst <= TOLERANCE)) {
      await instance.dispose()
      return { error: `its output is ${worst.toExponential(1)} away from the float64 reference; ${TOLERANCE} is allowed`, worst }
    }
    const calls = callMs > LONG_CALL_MS ? 1 : await warmUp(instance, settings)
    const bench = new Bench({ time: settings.sliceMs, iterations: 1, warmup: false, retainSamples: true, throws: true })
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

/** @param {Running} entry */
async function takeTurn(entry) {
  const { instance, bench, calls, rounds } = entry
  await instance.activate?.()
  const begin = performance.now()
  bench.reset()
  if (instance.async) await bench.run()
  else bench.runSync()
  const result = bench.tasks[0]?.result
  if (result === undefined || !('latency' in result)) throw new Error(`a round ended as '${result?.state}'`)
  entry.spentMs += performance.now() - begin
  rounds.push(Array.from(result.latency.samples ?? [], (ms) => ms * 1000 / calls))
}

/**
 * @param {Peaks} peaks
 * @param {import('./cases.mjs').Case} entry
 * @param {Settings} settings
 */
function measurePeaks(peaks, entry, settings) {
  for (const { roofline, peaks: measured, bandwidths } of peaks.values()) {
    measured.push(roofline.peakGflops())
    if (isStreamed(entry, settings)) bandwidths.push(roofline.gigabytesPerSecond(entry.streamedBytes))
  }
}

/**
 * Shares are told of this library only: the peaks are those of its binaries.
 * @param {Peaks} peaks
 * @param {Contender} contender
 */
function peakOf(peaks, { engine, variant }) {
  return engine.name === 'lstm-wasm' ? peaks.get(variant) : undefined
}

/**
 * Weights that are read anew at every step, from beyond L2.
 * @param {import('./cases.mjs').Case} entry
 * @param {Settings} settings
 */
function isStreamed({ batch, streamedBytes }, { l2Bytes }) {
  return batch === 1 && streamedBytes > l2Bytes
}

/**
 * @param {import('./cases.mjs').Case} entry
 * @param {Contender} contender
 */
function rowOf(entry, { engine, variant }) {
  return { case: entry.name, engine: engine.name, variant, dtype: 'float32', threads: 1 }
}

/**
 * @param {import('./cases.mjs').Case} entry
 * @param {Contender} contender
 * @param {{ error: string, worst: number }} wrong
 * @returns {Row}
 */
function wrongRow(entry, contender, { error, worst }) {
  return {
    ...rowOf(entry, contender), medianUs: null, p95Us: null, minUs: null, gflops: null, peakShare: null, l3Share: null, checked: false,
    distance: worst, spread: null, samples: 0, callsPerSample: 0, roundMediansUs: [], error,
  }
}

/**
 * @param {import('./cases.mjs').Case} entry
 * @param {Running} measured
 * @param {Settings} settings
 * @param {{ peaks: number[], bandwidths: number[] } | undefined} peak of the same rounds
 * @returns {Row}
 */
function timedRow(entry, { contender, worst, calls, rounds }, settings, peak) {
  const samples = rounds.flat()
  const medians = rounds.map(median)
  const medianUs = median(samples)
  const shares = peak === undefined ? [] : medians.map((us, n) => entry.flops / us / 1e3 / /** @type {number} */ (peak.peaks[n]))
  const bandwidthShares = (peak?.bandwidths ?? []).slice(0, medians.length).map((bandwidth, n) => (
    bandwidthOf(entry, /** @type {number} */ (medians[n]), /** @type {number} */ (peak?.peaks[n])) / bandwidth
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
 * @param {import('./cases.mjs').Case} entry
 * @param {number} us of one call
 * @param {number} peakGflops
 */
export function bandwidthOf({ flops, streamedBytes, timesteps, mode }, us, peakGflops) {
  const steps = mode === 'step' ? 1 : timesteps
  const recurrentFlops = streamedBytes / 2 * steps
  const projectionUs = Math.max(0, flops - recurrentFlops) / peakGflops / 1e3
  return streamedBytes * steps / Math.max(us - projectionUs, us / 100) / 1e3
}
