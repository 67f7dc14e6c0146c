// examples/sessions: the store that all hosts share. Hosts over NATS and WebSocket: npm run test:sessions.
import { readFile } from 'node:fs/promises'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  framesOf, hashOf, openModel, SessionError, SessionStore, undisturbed, type Output, type Run, type Saved, type States, type Store,
} from './example.ts'

const modelFile = (units: number): Promise<Buffer> => readFile(new URL(`../../examples/digits/models/digits-${units}.safetensors`, import.meta.url))
const FRAMES = framesOf(7, 40)
const PATIENCE = { saveAfterMs: 20, patienceMs: 0 }
let expected: Float32Array[]
beforeAll(async () => {
  const [outputs] = await undisturbed([FRAMES])
  expected = outputs as Float32Array[]
})

/** Saved sessions in memory, which can be made to fail, and which refuse to be written by two. */
class MemoryStates implements States {
  readonly saved: Map<string, { bytes: Uint8Array, revision: number }> = new Map()
  failing: 'never' | 'before' | 'after' = 'never'
  puts = 0

  async get(name: string): Promise<Saved | undefined> {
    if (this.failing === 'before') throw new SessionError('STORE', 'gone for a while')
    return Promise.resolve(this.saved.get(name))
  }

  async put(name: string, bytes: Uint8Array, revision: unknown): Promise<number> {
    this.puts++
    if (this.failing === 'before') throw new SessionError('STORE', 'gone for a while')
    const before = this.saved.get(name)
    if (before?.revision !== revision) throw new SessionError('TAKEN', 'another one has written')
    const next = (before?.revision ?? 0) + 1
    this.saved.set(name, { bytes: bytes.slice(), revision: next })
    if (this.failing === 'after') {
      this.failing = 'never'
      throw new SessionError('STORE', 'the answer was lost')
    }
    return Promise.resolve(next)
  }
}

const stores: Store[] = []
afterEach(() => Promise.allSettled(stores.splice(0).map((store) => store.leaveAll())))
async function storeOf(states: States, options: object = {}, { capacity = 4, units = 8 } = {}): Promise<Store> {
  const store = new SessionStore(await openModel(await modelFile(units), capacity), states, { ...PATIENCE, ...options })
  stores.push(store)
  return store
}

const run = (begin: number, end: number, confirmed = 0): Run => (
  { sequence: begin, frames: FRAMES.slice(begin - 1, end), confirmed }
)
/** What frames `begin` to `end` give in an undisturbed run. */
const outputsOf = (begin: number, end: number): Output[] => expected.slice(begin - 1, end).map((output, n) => ({ sequence: begin + n, output }))

describe('SessionStore', () => {
  it('goes on bit for bit from where a session was saved, on another store', async () => {
    const states = new MemoryStates()
    const first = await storeOf(states)
    expect((await first.step('anna', run(1, 9))).outputs).toEqual(outputsOf(1, 9))
    await first.leave('anna')
    const second = await storeOf(states)
    expect(await second.open('anna')).toEqual({ done: 9, saved: 9, outputs: outputsOf(1, 9) })
    expect((await second.step('anna', run(10, 40, 9))).outputs).toEqual(outputsOf(10, 40))
  })

  it('computes frames again that were not saved, and gives again only the outputs that are not confirmed', async () => {
    const states = new MemoryStates()
    const crashed = await storeOf(states, { saveAfterMs: 60_000 })
    await crashed.step('anna', run(1, 5))
    await crashed.save('anna')
    await crashed.step('anna', run(6, 20, 5)) // and dies
    const next = await storeOf(states)
    expect(await next.open('anna')).toMatchObject({ done: 5, saved: 5 })
    expect((await next.step('anna', run(6, 25, 18))).outputs).toEqual(outputsOf(19, 25))
    expect((await next.step('anna', run(19, 25, 18))).outputs).toEqual(outputsOf(19, 25))
    crashed.forget('anna')
  })

  it('steps many sessions, with frames that come in any rhythm, as each alone', async () => {
    const frames = Array.from({ length: 9 }, (_, n) => framesOf(n, 12))
    const store = await storeOf(new MemoryStates(), {}, { capacity: 9 })
    const given = await Promise.all(frames.map(async (own, n) => {
      const outputs: Output[] = []
      for (let at = 0; at < own.length; at += n % 4 + 1) {
        const { outputs: some } = await store.step(`s${n}`, { sequence: at + 1, frames: own.slice(at, at + n % 4 + 1), confirmed: at })
        outputs.push(...some)
      }
      return outputs.map(({ output }) => output)
    }))
    expect(hashOf(given)).toBe(hashOf(await undisturbed(frames)))
  })

  it('refuses frames after a gap, and says from where to send', async () => {
    const store = await storeOf(new MemoryStates())
    await store.step('anna', run(1, 3))
    await expect(store.step('anna', run(5, 6))).rejects.toMatchObject({ code: 'GAP', expected: 4, message: "session 'anna': expected frame 4, got 5; send from 4 on" })
    expect((await store.step('anna', run(2, 6, 3))).outputs).toEqual(outputsOf(4, 6)) // 2 and 3 again
  })

  it.each([
    ['a name', '../anna', run(1, 1), 'VALUE', 'session: expected a name of 1 to 64 letters, digits, _ or -, got "../anna"'],
    ['a sequence number', 'anna', { ...run(1, 1), sequence: 0.5 }, 'VALUE', 'session: expected a sequence number from 1 on, got 0.5'],
    ['a short frame', 'anna', { sequence: 1, frames: [new Float32Array(27)] }, 'SIZE', 'session: expected frames of 28 float32 numbers, got 27'],
    ['a frame with NaN', 'anna', { sequence: 1, frames: [new Float32Array(28).fill(NaN, 3)] }, 'VALUE', 'session: expected finite numbers, got NaN at 3 of a frame: the state would never be a number again'],
  ])('refuses %s, and the session is as before', async (_, name, wrong, code, message) => {
    const store = await storeOf(new MemoryStates())
    await store.step('anna', run(1, 2))
    await expect(store.step(name, wrong)).rejects.toMatchObject({ name: 'SessionError', code, message })
    expect((await store.step('anna', run(3, 3, 2))).outputs).toEqual(outputsOf(3, 3))
  })

  it('refuses the state of another model, and leaves it as it is', async () => {
    const states = new MemoryStates()
    const old = await storeOf(states)
    await old.step('anna', run(1, 4))
    await old.leave('anna')
    const before = states.saved.get('anna')
    const other = await storeOf(states, {}, { units: 16 })
    await expect(other.open('anna')).rejects.toMatchObject({ code: 'MODEL', message: expect.stringContaining('saved by another model') as string })
    expect([other.size, states.saved.get('anna')]).toEqual([0, before])
    const again = await storeOf(states)
    expect((await again.step('anna', run(5, 8, 4))).outputs).toEqual(outputsOf(5, 8))
  })

  it('refuses every byte of a saved session that is changed, and what is cut off', async () => {
    const states = new MemoryStates()
    const store = await storeOf(states)
    await store.step('anna', run(1, 2))
    await store.leave('anna')
    const { bytes, revision } = states.saved.get('anna') as { bytes: Uint8Array, revision: number }
    for (let at = 0; at < bytes.length; at += 5) {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ 0x10
      states.saved.set('anna', { bytes: changed, revision })
      await expect(store.open('anna'), `byte ${at}`).rejects.toMatchObject({ name: 'SessionError', code: at >= 4 && at < 8 ? 'MODEL' : 'DAMAGED' })
    }
    for (const end of [0, 31, bytes.length - 1]) {
      states.saved.set('anna', { bytes: bytes.slice(0, end), revision })
      await expect(store.open('anna'), `${end} bytes`).rejects.toMatchObject({ code: 'DAMAGED' })
    }
    expect(store.size).toBe(0)
  })

  it('loses nothing while states cannot be saved, and refuses frames when too many are not', async () => {
    const states = new MemoryStates()
    const store = await storeOf(states, { saveEvery: 4, window: 16 })
    await store.step('anna', run(1, 2))
    await store.save('anna')
    states.failing = 'before'
    await store.step('anna', run(3, 10, 2))
    await expect(store.step('anna', run(11, 19, 10))).rejects.toMatchObject({ code: 'STORE', passes: true, message: expect.stringContaining('gone for a while') as string })
    await expect(store.leave('anna')).rejects.toMatchObject({ code: 'STORE' })
    await expect(store.open('ben')).rejects.toMatchObject({ code: 'STORE' })
    states.failing = 'never'
    await store.save('anna')
    expect((await store.step('anna', run(11, 19, 10))).outputs).toEqual(outputsOf(11, 19))
  })

  it('knows its own save again when the answer was lost', async () => {
    const states = new MemoryStates()
    const store = await storeOf(states, { patienceMs: 1000 })
    await store.step('anna', run(1, 2))
    states.failing = 'after'
    await store.save('anna')
    await store.step('anna', run(3, 3))
    await store.save('anna')
    expect(await store.open('anna')).toMatchObject({ done: 3, saved: 3 })
  })

  it('gives a session up that another store has saved, and takes it from there', async () => {
    const states = new MemoryStates()
    const [sleeper, other] = [await storeOf(states), await storeOf(states)]
    await sleeper.step('anna', run(1, 2))
    await sleeper.save('anna')
    await other.step('anna', run(3, 6, 2))
    await other.save('anna')
    await sleeper.step('anna', run(3, 4, 2))
    await expect(sleeper.save('anna')).rejects.toMatchObject({ code: 'TAKEN', passes: true })
    expect(sleeper.size).toBe(0)
    expect(await sleeper.open('anna')).toMatchObject({ done: 6, saved: 6 })
  })

  it('keeps outputs until they are confirmed, and no more than the window', async () => {
    const store = await storeOf(new MemoryStates(), { window: 10 })
    await store.step('anna', run(1, 10))
    await expect(store.step('anna', run(11, 11))).rejects.toMatchObject({ code: 'FULL', passes: true })
    expect((await store.step('anna', run(11, 14, 4))).outputs).toEqual(outputsOf(11, 14))
  })

  it('puts away the session that was used least lately when all places are taken', async () => {
    const states = new MemoryStates()
    const store = await storeOf(states, { saveAfterMs: 60_000 }, { capacity: 2 })
    await store.step('anna', run(1, 1))
    await store.step('ben', run(1, 2))
    await store.step('anna', run(2, 2))
    await store.step('carl', run(1, 3))
    expect([store.size, Array.from(states.saved.keys())]).toEqual([2, ['ben']])
    expect((await store.step('ben', run(3, 5, 2))).outputs).toEqual(outputsOf(3, 5))
    expect((await store.step('anna', run(3, 5, 2))).outputs).toEqual(outputsOf(3, 5))
  })

  it('goes on from what is saved when a step fails', async () => {
    const model = await openModel(await modelFile(8), 4)
    const store = new SessionStore(model, new MemoryStates(), PATIENCE)
    stores.push(store)
    await store.step('anna', run(1, 3))
    await store.save('anna')
    vi.spyOn(model.pool, 'step').mockImplementationOnce(() => {
      throw new Error('a fault')
    })
    await expect(store.step('anna', run(4, 5, 3))).rejects.toThrow('a fault')
    expect((await store.step('anna', run(4, 6, 3))).outputs).toEqual(outputsOf(4, 6))
  })

  it('forgets a session while it is being restored, and its place is free again', async () => {
    const states = new MemoryStates()
    const store = await storeOf(states, {}, { capacity: 1 })
    const opening = store.open('anna')
    store.forget('anna')
    await expect(opening).rejects.toMatchObject({ code: 'TAKEN' })
    expect((await store.step('ben', run(1, 2))).outputs).toEqual(outputsOf(1, 2))
  })

  it('saves what is idle by itself, and takes it out of memory', async () => {
    const states = new MemoryStates()
    const store = await storeOf(states, { saveAfterMs: 5, leaveAfterMs: 10 })
    await store.step('anna', run(1, 3))
    while (store.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(states.puts).toBeGreaterThan(0)
    expect((await store.step('anna', run(4, 6, 3))).outputs).toEqual(outputsOf(4, 6))
  })
})
