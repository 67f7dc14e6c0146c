// Sessions that come and go, step, are saved, restored and forked, at random; SOAK_STEPS says how long, SOAK_SEED which ones
// (`npm run soak`: 1,000,000,000 steps).
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { compile } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { pseudoRandom } from '../random.ts'
import { torchLstm } from './models.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const STEPS = Number(process.env.SOAK_STEPS ?? 300_000)
/** Another one makes other sessions come and go. */
const SEED = Number(process.env.SOAK_SEED ?? 12345)
console.log(`SOAK_SEED=${SEED}`)
const CHECKS = STEPS >= 1e9 ? 1000 : 100
const CAPACITY = 512
const [FEATURES, UNITS] = [3, 5]
/** Steps after which a session is looked at, so that no check has more than this to run. */
const MOST_UNSEEN = 100_000
/** What the heap may differ by: a leak of a byte a step would be far more. */
const HEAP_DRIFT = 4e6

/** What is put into a session at a step follows from its seed. */
const TABLE = pseudoRandom(99, 4096 + FEATURES, 1)
const inputAt = (seed: number, step: number): number => Math.imul(seed, 2654435761) + step * 7 & 4095

/** A session as it should be: the state it was seen to have, and what it was given since. */
interface Session {
  readonly id: number
  seed: number
  steps: number
  seenAt: number
  seen: { h: Float32Array, c: Float32Array }
}

function draws(): (below: number) => number {
  let state = SEED | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

it(`${STEPS.toLocaleString('en')} steps of random sessions: the states of a reference, and no drift in memory`, async () => {
  const runtime = await createRuntime({ variant: 'simd' })
  const model = await compile(torchLstm(FEATURES, UNITS, 1), { runtime })
  const pool = model.streams(CAPACITY)
  const probe = model.stream()
  const draw = draws()
  const sessions: Session[] = []
  const saves: { bytes: Uint8Array, session: Session }[] = []
  const zeros = (): Session['seen'] => ({ h: new Float32Array(UNITS), c: new Float32Array(UNITS) })
  const ids = new Int32Array(CAPACITY)
  const inputs = new Float32Array(CAPACITY * FEATURES)
  const outputs = new Float32Array(CAPACITY * UNITS)
  let [done, checks, seeds] = [0, 0, 0]

  /** Compares a session with one run over all that it was given since it was looked at last. */
  const check = (session: Session): void => {
    const count = session.steps - session.seenAt
    probe.restore(pool.save(session.id))
    const [h, c] = [probe.state['lstm.h'] as NdArray, probe.state['lstm.c'] as NdArray]
    let expected = [session.seen.h, session.seen.c]
    if (count > 0) {
      const data = new Float32Array(count * FEATURES)
      for (let n = 0; n < count; n++) {
        const at = inputAt(session.seed, session.seenAt + n)
        for (let f = 0; f < FEATURES; f++) data[n * FEATURES + f] = TABLE[at + f] as number
      }
      const state = (values: Float32Array): NdArray => new NdArray(values, [1, 1, UNITS])
      const { h_n, c_n } = model.run({ input: new NdArray(data, [1, count, FEATURES]), h_0: state(session.seen.h), c_0: state(session.seen.c) })
      expected = [h_n?.data as Float32Array, c_n?.data as Float32Array]
    }
    expect([h.data, c.data], `session ${session.id} after ${session.steps} steps`).toEqual(expected)
    session.seen = { h: h.data as Float32Array, c: c.data as Float32Array }
    session.seenAt = session.steps
    checks++
  }

  const open = (): void => {
    sessions.push({ id: pool.open(), seed: ++seeds, steps: 0, seenAt: 0, seen: zeros() })
  }
  // How many are open wanders between one and all.
  let wanted = CAPACITY / 2
  const acts: (() => void)[] = [
    () => {
      if (draw(50) === 0) wanted = 1 + draw(CAPACITY)
      for (let n = draw(8); n >= 0 && sessions.length < wanted; n--) open()
    },
    () => {
      for (let n = draw(8); n >= 0 && sessions.length > wanted; n--) {
        const [session] = sessions.splice(draw(sessions.length), 1) as [Session]
        pool.close(session.id)
      }
    },
    () => {
      const session = sessions[draw(sessions.length)] as Session
      if (saves.length > 20) saves.splice(draw(saves.length), 1)
      saves.push({ bytes: pool.save(session.id), session: { ...session } })
    },
    () => {
      const save = saves[draw(Math.max(1, saves.length))]
      if (save === undefined) return
      const session = sessions[draw(sessions.length)] as Session
      pool.restore(session.id, save.bytes)
      Object.assign(session, { ...save.session, id: session.id })
    },
    () => {
      if (sessions.length === CAPACITY) return
      const session = sessions[draw(sessions.length)] as Session
      check(session)
      sessions.push({ ...session, id: pool.fork(session.id), seed: ++seeds })
    },
    () => {
      const session = sessions[draw(sessions.length)] as Session
      pool.reset(session.id)
      Object.assign(session, { seed: ++seeds, steps: 0, seenAt: 0, seen: zeros() })
    },
  ]
  const step = (): void => {
    // A run of sessions from a random one on, around the end.
    const count = 1 + draw(sessions.length)
    const first = draw(sessions.length)
    for (let n = 0; n < count; n++) {
      const session = sessions[(first + n) % sessions.length] as Session
      const at = inputAt(session.seed, session.steps++)
      ids[n] = session.id
      for (let f = 0; f < FEATURES; f++) inputs[n * FEATURES + f] = TABLE[at + f] as number
    }
    pool.step(ids, inputs, outputs, count)
    done += count
  }

  for (let n = 0; n < CAPACITY / 2; n++) open()
  let memory = runtime.memory()
  let heap = 0
  let [told, watched] = [0, 0]
  while (done < STEPS) {
    const rounds = 1 + draw(60)
    for (let n = 0; n < rounds; n++) step()
    ;(acts[draw(acts.length)] as () => void)()
    for (const session of sessions) if (session.steps - session.seenAt > MOST_UNSEEN) check(session)
    if (done / STEPS * CHECKS > checks) check(sessions[draw(sessions.length)] as Session)
    if (watched === 0 && done > STEPS / 4) {
      collectGarbage()
      // Runs of the reference are of other sizes each time: what they need is there by now.
      memory = runtime.memory()
      heap = getHeapStatistics().used_heap_size
      watched = done
    }
    if (STEPS >= 1e7 && done > told) {
      console.log(`${done.toLocaleString('en')} steps, ${sessions.length} sessions open, ${checks} checks, ${(runtime.memory().totalBytes / 1e6).toFixed(1)} MB`)
      told = done + STEPS / 100
    }
  }
  for (const session of sessions) check(session)
  expect(checks).toBeGreaterThanOrEqual(CHECKS)
  collectGarbage()
  expect(getHeapStatistics().used_heap_size - heap).toBeLessThan(HEAP_DRIFT)
  expect(runtime.memory().tensors).toBe(memory.tensors)
  model.resetStates() // gives back the buffers of the last run of the reference
  const { usedBytes } = runtime.memory()
  pool.dispose()
  probe.dispose()
  model.dispose()
  expect(usedBytes).toBeGreaterThan(0)
  expect(runtime.memory().usedBytes).toBe(0)
}, 0)
