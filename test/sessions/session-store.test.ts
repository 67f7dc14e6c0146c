// examples/sessions: the store that all hosts share, and processes that are killed. Hosts over NATS and WebSocket: npm run test:sessions.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { StreamPool } from 'lstm-wasm'

interface Model { readonly pool: StreamPool, readonly frameLength: number, readonly outputLength: number }
interface Saved { readonly bytes: Uint8Array, readonly revision: unknown }
interface States { get(name: string): Promise<Saved | undefined>, put(name: string, bytes: Uint8Array, revision: unknown): Promise<unknown> }
interface Output { readonly sequence: number, readonly output: Float32Array }
interface Store {
  readonly size: number
  open(name: string): Promise<{ done: number, saved: number, outputs: Output[] }>
  step(name: string, run: { sequence: number, frames: readonly Float32Array[], confirmed?: number }): Promise<{ saved: number, outputs: Output[] }>
  save(name: string): Promise<void>
  leave(name: string): Promise<void>
  leaveAll(): Promise<void>
  forget(name: string): void
}
interface Client { send(frame: Float32Array): Promise<number>, finished(): Promise<void>, close(): void }
interface Connection { send(bytes: Uint8Array): void, close(): void }
interface Events { onMessage(data: Uint8Array | string): void, onClose(): void }
interface Processes {
  readonly pids: readonly number[]
  connected(name: string): void
  received(name: string, bytes: Uint8Array): void
  disconnected(name: string): void
  end(): Promise<void>
}

const example = async <Module>(path: string): Promise<Module> => await import(new URL(`../../examples/${path}`, import.meta.url).href) as Module
const { SessionStore } = await example<{ SessionStore: new (model: Model, states: States, options?: object) => Store }>('sessions/session-store.mjs')
const { SessionError } = await example<{ SessionError: new (code: string, message: string) => Error & { code: string } }>('sessions/session-error.mjs')
const { fileStates } = await example<{ fileStates: (folder: string) => States }>('sessions/file-states.mjs')
const { openModel } = await example<{ openModel: (bytes: Uint8Array, capacity: number) => Promise<Model> }>('sessions/model.mjs')
const { WorkerProcesses } = await example<{
  WorkerProcesses: new (count: number, folder: string, send: (name: string, message: Uint8Array | string) => void) => Processes
}>('sessions/worker-processes.mjs')
const { SessionClient } = await example<{
  SessionClient: new (connect: (events: Events) => Connection, onOutput: (sequence: number, output: Float32Array) => void) => Client
}>('sessions/session-client.mjs')
const { framesOf, hashOf, undisturbed } = await import(new URL('undisturbed.mjs', import.meta.url).href) as {
  framesOf: (number: number, count: number) => Float32Array[]
  undisturbed: (sessions: readonly Float32Array[][]) => Promise<Float32Array[][]>
  hashOf: (sessions: readonly (readonly Float32Array[])[]) => string
}

const modelFile = (units: number): Promise<Buffer> => readFile(new URL(`../../examples/digits/models/digits-${units}.safetensors`, import.meta.url))
const FRAMES = framesOf(7, 40)
const PATIENCE = { saveAfterMs: 20, patienceMs: 0 }
let expected: Float32Array[]
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-sessions-'))
  const [outputs] = await undisturbed([FRAMES])
  expected = outputs as Float32Array[]
})
afterAll(() => rm(folder, { recursive: true }))

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

const run = (begin: number, end: number, confirmed = 0): { sequence: number, frames: Float32Array[], confirmed: number } => (
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

  it('saves what is idle by itself, and takes it out of memory', async () => {
    const states = new MemoryStates()
    const store = await storeOf(states, { saveAfterMs: 5, leaveAfterMs: 10 })
    await store.step('anna', run(1, 3))
    while (store.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(states.puts).toBeGreaterThan(0)
    expect((await store.step('anna', run(4, 6, 3))).outputs).toEqual(outputsOf(4, 6))
  })
})

describe('fileStates', () => {
  it('keeps sessions as files', async () => {
    const states = fileStates(join(folder, 'files', 'deep'))
    expect(await states.get('anna')).toBeUndefined()
    await states.put('anna', Uint8Array.of(1, 2, 3), undefined)
    await states.put('anna', Uint8Array.of(4, 5), undefined)
    expect(Array.from((await states.get('anna'))?.bytes as Uint8Array)).toEqual([4, 5])
  })

  // /dev/full is a disk without a free byte.
  it.runIf(process.platform === 'linux')('keeps what was saved last when the disk is full', async () => {
    const states = fileStates(folder)
    await states.put('anna', Uint8Array.of(1, 2, 3), undefined)
    await symlink('/dev/full', join(folder, 'anna.session.new'))
    await expect(states.put('anna', Uint8Array.of(4), undefined)).rejects.toMatchObject({
      code: 'STORE', message: "session 'anna': cannot write its file: the disk is full", cause: { code: 'ENOSPC' },
    })
    expect(Array.from((await states.get('anna'))?.bytes as Uint8Array)).toEqual([1, 2, 3])
    await states.put('anna', Uint8Array.of(5), undefined)
    expect(Array.from((await states.get('anna'))?.bytes as Uint8Array)).toEqual([5])
  })

  it('says so when there is no folder to write to', async () => {
    await expect(fileStates('/dev/null/sessions').put('anna', Uint8Array.of(1), undefined)).rejects.toMatchObject({ code: 'STORE' })
  })
})

describe('cost.mjs', () => {
  it('says what sessions cost here', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../../examples/sessions/cost.mjs', import.meta.url)), '3'])
    expect(stdout).toMatch(/^3 sessions of two LSTMs of 128 units; .*\n {2}pool alone +[\d,]+ frames a second\n {2}session store +[\d,]+ frames a second, \d+ sessions/)
    expect(stdout).toMatch(/\n {2}saved +2,120 bytes a session\n$/)
  })
})

describe('WorkerProcesses', () => {
  it('are killed in mid-stream, and no session loses a frame or a bit', async () => {
    const [sessions, frames] = [12, 24]
    const clients: Map<string, Events> = new Map()
    const processes = new WorkerProcesses(2, join(folder, 'processes'), (name, message) => clients.get(name)?.onMessage(message))
    const connectTo = (name: string) => (events: Events) => {
      clients.set(name, events)
      setImmediate(() => processes.connected(name))
      return {
        send: (bytes: Uint8Array) => processes.received(name, bytes),
        close: () => {
          processes.disconnected(name)
          events.onClose()
        },
      }
    }
    const all = Array.from({ length: sessions }, (_, n) => framesOf(n, frames))
    const outputs = all.map(() => [] as Float32Array[])
    let [got, kills] = [0, 0]
    const killSome = (): void => {
      // In turns: at a quarter of all outputs, at half of them, ...
      if (got++ < (kills + 1) * sessions * frames / 4 || kills === 3) return
      process.kill(processes.pids[kills++ % 2] as number, 'SIGKILL')
    }
    await Promise.all(all.map(async (own, n) => {
      const client = new SessionClient(connectTo(`session-${n}`), (sequence, output) => {
        expect(sequence).toBe((outputs[n] as Float32Array[]).push(output))
        killSome()
      })
      for (const [at, frame] of own.entries()) {
        while (at - (outputs[n] as Float32Array[]).length > 3) await new Promise((resolve) => setTimeout(resolve, 1))
        await client.send(frame)
      }
      await client.finished()
      client.close()
    }))
    await processes.end()
    expect(kills).toBe(3)
    expect(hashOf(outputs)).toBe(hashOf(await undisturbed(all)))
  })
})
