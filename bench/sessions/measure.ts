// Many sessions in one process: what one of them takes, and how fast they go on.
import { compile, createRuntime, type Model, type Runtime } from 'lstm-wasm'
import { input, lstm, sequential } from 'lstm-wasm/layers'
import { networkCase, type Case } from '../cases.ts'
import { lstmLayer, randomTensors, type TensorData } from '../network.ts'
import { pseudoRandom } from '../random.ts'
import { quantile } from '../statistics.ts'

/** Of the size of a voice detector: two LSTMs of 128 units. */
const UNITS = 128
/** A frame of one session. */
export const SESSION_CASE: Case = networkCase({
  name: `two LSTMs of ${UNITS} units`, about: '', mode: 'step', batch: 1, timesteps: 1, features: UNITS, layers: [lstmLayer(UNITS, UNITS, { numLayers: 2 })],
})
const SEED = 9000
const ROUNDS = 60
/** Sessions whose frames come together. */
const TOGETHER = [1, 16, 64, 256, 1024]
/** Longest list of a mixed load, drawn anew each time. */
const MOST_MIXED = 128

export interface StepTimes { together: number, medianMs: number, p99Ms: number, framesASecond: number }
export interface Sessions {
  sessions: number
  threads: number
  openMs: number
  /** Of linear memory, and of the process. */
  bytesASession: number
  residentBytesASession: number
  steps: StepTimes[]
  /** Lists of 1 to 128 sessions by turns: time of a frame. */
  mixed: { medianUs: number, p99Us: number, framesASecond: number }
  /** A session saved to bytes and taken back. */
  saveUs: number
  restoreUs: number
  savedBytes: number
}

/** The model of `SESSION_CASE`. */
export async function openSessionModel(runtime: Runtime, tensors: ReadonlyMap<string, TensorData>): Promise<Model> {
  const net = sequential([input(['timesteps', UNITS]), lstm(UNITS, { name: 'lstm', numLayers: 2, returnSequences: true })], { input: 'x', output: 'y' })
  return compile(net.loadStateDict(tensors), { runtime })
}

/** @throws LstmError `MEMORY` for more sessions than fit */
export async function measureSessions(sessions: number, threads: number, rounds: number = ROUNDS): Promise<Sessions> {
  const runtime = await createRuntime({ threads })
  const model = await openSessionModel(runtime, randomTensors(SESSION_CASE.layers, SEED))
  const before = { used: runtime.memory().usedBytes, resident: residentBytes() }
  let begin = performance.now()
  const pool = model.streams(sessions)
  const ids = Int32Array.from({ length: sessions }, () => pool.open())
  const openMs = performance.now() - begin
  const bytesASession = (runtime.memory().usedBytes - before.used) / sessions
  const residentBytesASession = (residentBytes() - before.resident) / sessions

  const most = Math.min(sessions, Math.max(...TOGETHER))
  const x = pseudoRandom(9500, most * UNITS, 1)
  const y = new Float32Array(most * UNITS)
  // Every session has had a frame: the product with a state of zeros is skipped.
  for (let n = 0; n < sessions; n += most) pool.step(ids.subarray(n, n + most), x, y)
  let next = 0
  /** Milliseconds of a step of that many sessions, others each time. */
  const step = (together: number) => {
    const chosen = ids.subarray(next, next + together)
    next = next + 2 * together > sessions ? 0 : next + together
    begin = performance.now()
    pool.step(chosen, x, y)
    return performance.now() - begin
  }
  const steps = TOGETHER.filter((together) => together <= sessions).map((together) => {
    for (let n = 0; n < rounds / 5; n++) step(together)
    const times = Float64Array.from({ length: rounds }, () => step(together))
    const medianMs = quantile(times, 0.5)
    return { together, medianMs, p99Ms: quantile(times, 0.99), framesASecond: together / medianMs * 1000 }
  })
  const lengths = pseudoRandom(9600, 20 * rounds, 1).map((value) => 1 + Math.floor(Math.abs(value) * (Math.min(sessions, MOST_MIXED) - 1)))
  let [frames, total] = [0, 0]
  const mixed = Float64Array.from(lengths, (together) => {
    const time = step(together)
    frames += together
    total += time
    return time * 1000
  })

  const saved = pool.save(ids[0])
  begin = performance.now()
  for (let n = 0; n < 1000; n++) pool.save(ids[n % sessions])
  const saveUs = performance.now() - begin
  begin = performance.now()
  for (let n = 0; n < 1000; n++) pool.restore(ids[n % sessions], saved)
  const restoreUs = performance.now() - begin
  const count = runtime.threads.count
  model.dispose()
  runtime.dispose()
  return {
    sessions, threads: count, openMs, bytesASession, residentBytesASession, steps,
    mixed: { medianUs: quantile(mixed, 0.5), p99Us: quantile(mixed, 0.99), framesASecond: frames / total * 1000 },
    saveUs, restoreUs, savedBytes: saved.length,
  }
}

/** Of this process; 0 where nothing tells. */
export function residentBytes(): number {
  return globalThis.process?.memoryUsage?.().rss ?? 0
}
