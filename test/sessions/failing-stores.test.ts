// examples/sessions: places for states that fail for a while. Nothing is lost, and errors say what it is. NATS: npm run test:sessions.
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { fileStates, framesOf, hashOf, objectStates, openModel, SessionStore, undisturbed, type States, type Storage } from './example.ts'

const FRAMES = framesOf(3, 64)
const OPTIONS = { saveEvery: 4, saveAfterMs: 5, patienceMs: 0, window: 16 }

/** SQLite as far as the example asks for it, which fails with a message while there is one. */
class FakeStorage implements Storage {
  readonly rows: Map<string, Uint8Array> = new Map()
  failure: string | undefined

  readonly sql: Storage['sql'] = {
    exec: (query, ...values) => {
      if (this.failure !== undefined) throw new Error(this.failure)
      const [name, bytes] = values as [string, Uint8Array]
      if (query.startsWith('INSERT')) this.rows.set(name, bytes.slice())
      const found = query.startsWith('SELECT') ? this.rows.get(name) : undefined
      return { toArray: () => (found === undefined ? [] : [{ bytes: found.slice().buffer }]) }
    },
  }
}

/** Node's own SQLite, from Node 22 on, with the interface of a Durable Object. */
function realStorage(): { readonly storage: Storage, readonly refuseWrites: (flag: number) => void } {
  const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as {
    DatabaseSync: new (path: string) => { exec(query: string): void, prepare(query: string): { all(...values: unknown[]): object[] } }
  }
  const database = new DatabaseSync(':memory:')
  return {
    storage: { sql: { exec: (query, ...values) => {
      const rows = database.prepare(query).all(...values)
      return { toArray: () => rows }
    } } },
    refuseWrites: (flag) => database.exec(`PRAGMA query_only = ${flag}`),
  }
}

/**
 * Streams a session while its states cannot be written from frame 9 on: frames are computed until too many of them are not saved, then refused.
 * Afterwards it goes on, and another store goes on from what is saved.
 */
async function streamThrough(states: States, fail: () => void, mend: () => void, why: RegExp): Promise<void> {
  const model = await openModel(await readFile(new URL('../../examples/digits.safetensors', import.meta.url)), 4)
  const store = new SessionStore(model, states, OPTIONS)
  const outputs: Float32Array[] = []
  const send = async (end: number, to = store): Promise<void> => {
    const begin = outputs.length + 1
    const { outputs: some } = await to.step('anna', { sequence: begin, frames: FRAMES.slice(begin - 1, end), confirmed: begin - 1 })
    outputs.push(...some.map(({ output }) => output))
  }
  await send(8)
  await store.save('anna')
  fail()
  await send(24)
  await expect(store.save('anna')).rejects.toMatchObject({ code: 'STORE', passes: true, message: expect.stringMatching(why) as string })
  await expect(send(25)).rejects.toMatchObject({ code: 'STORE', passes: true, message: expect.stringMatching(/frame 8 is the last one that is saved, 25 is too far from it: .*cannot write/) as string })
  await expect(store.leave('anna')).rejects.toMatchObject({ code: 'STORE' })
  expect(store.size).toBe(1)
  mend()
  await store.leave('anna')
  expect(store.size).toBe(0)
  const next = new SessionStore(model, states, OPTIONS)
  expect(await next.open('anna')).toMatchObject({ done: 24, saved: 24 })
  for (const end of [40, 56, 64]) {
    await send(end, next)
    await next.save('anna')
  }
  await next.leaveAll()
  expect(hashOf([outputs])).toBe(hashOf(await undisturbed([FRAMES])))
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-failing-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe("a Durable Object's storage that fails", () => {
  it('for a while loses nothing', async () => {
    const storage = new FakeStorage()
    const fail = (): unknown => (storage.failure = 'database or disk is full: SQLITE_FULL')
    await streamThrough(objectStates(storage), fail, () => (storage.failure = undefined), /cannot write the object's storage: .*SQLITE_FULL/)
  })

  it('when it is read, says so, and the session is opened later', async () => {
    const storage = new FakeStorage()
    storage.failure = 'internal error'
    const states = objectStates(storage) // the object itself begins
    await expect(states.get('anna')).rejects.toMatchObject({ name: 'SessionError', code: 'STORE', message: "session: cannot read the object's storage: internal error" })
    storage.failure = undefined
    expect(await states.get('anna')).toBeUndefined()
  })

  it.runIf(Number(process.versions.node.split('.')[0]) >= 24)('since SQLite itself refuses to write loses nothing', async () => {
    const { storage, refuseWrites } = realStorage()
    await streamThrough(objectStates(storage), () => refuseWrites(1), () => refuseWrites(0), /cannot write the object's storage: .*readonly/)
  })
})

describe('a disk that is full', () => {
  it('for a while loses nothing', async () => {
    const file = await open(new URL(import.meta.url))
    const prototype = Object.getPrototypeOf(file) as { writeFile: (...args: unknown[]) => Promise<void> }
    await file.close()
    const full = (): unknown => vi.spyOn(prototype, 'writeFile').mockRejectedValue(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }))
    await streamThrough(fileStates(folder), full, () => vi.restoreAllMocks(), /cannot write its file: the disk is full/)
  })
})
