// Workers over NATS JetStream that are killed in mid-stream, and a server that is: npm run test:sessions
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NatsSessionClient } from '../../examples/sessions/hosts/nats/client.mjs'
import { errorSubject, frameSubject, lastRun, openJetStream, outputSubject } from '../../examples/sessions/hosts/nats/jetstream.mjs'
import { startNats } from './nats-server.mjs'
import { writeRun } from '../../examples/sessions/messages.mjs'
import { framesOf } from './undisturbed.mjs'
import { streamAll, wait } from './stream-all.mjs'

const PROGRAM = fileURLToPath(new URL('../../examples/sessions/hosts/nats/worker.mjs', import.meta.url))
const SIZES = { frameLength: 28, outputLength: 10, window: 256 }
const LEASE_MS = 1000
const WORKERS = 3
const KILLS = 20
const SESSIONS = 200

let folder
let server
let nats
let workers

function startWorker() {
  const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, NATS_URL: server.url, LEASE_MS: String(LEASE_MS) }, stdio: 'ignore' })
  child.once('exit', (_, signal) => signal === 'SIGKILL' && workers.splice(workers.indexOf(child), 1))
  return child
}

const clientsOf = (prefix) => (number, onOutput) => NatsSessionClient.open(nats, `${prefix}-${number}`, SIZES, onOutput)

describe('NATS JetStream', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-nats-'))
    server = await startNats(folder)
    nats = await openJetStream(server.url, LEASE_MS)
    workers = []
    workers.push(...Array.from({ length: WORKERS }, startWorker))
  })

  after(async () => {
    await Promise.all(workers.map((child) => child.kill('SIGTERM') && once(child, 'exit')))
    await nats.connection.close()
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  })

  it(`${SESSIONS} sessions, ${KILLS} kills of a worker: no session is lost, and every bit is that of an undisturbed run`, async () => {
    await streamAll({ sessions: SESSIONS, frames: 60 }, clientsOf('killed'), KILLS, async (time) => {
      const victim = workers[time % workers.length]
      victim.kill('SIGKILL')
      await once(victim, 'exit')
      workers.push(startWorker())
    })
  })

  it('a worker sleeps through its lease, and wakes up: the same', async () => {
    await streamAll({ sessions: 60, frames: 40 }, clientsOf('asleep'), 2, async (time) => {
      const sleeper = workers[time]
      sleeper.kill('SIGSTOP')
      await wait(2 * LEASE_MS)
      sleeper.kill('SIGCONT')
    })
  })

  it('says what is wrong with frames of other programs, and goes on with those that come', async () => {
    const errors = []
    nats.connection.subscribe(errorSubject('stranger'), { callback: (_, message) => errors.push(message.json()) })
    const [frame] = framesOf(0, 1)
    const publish = (bytes) => nats.js.publish(frameSubject('stranger'), bytes)
    await publish(writeRun(3, 0, [frame]))
    await publish(new Uint8Array(21))
    await publish(writeRun(1, 0, [frame.map(() => NaN)]))
    await publish(writeRun(1, 0, [frame]))
    while (errors.length < 3 || (await lastRun(nats.manager, 'OUTPUTS', outputSubject('stranger'), { length: 10, most: 1 })).sequence < 1) await wait(20)
    assert.deepEqual(errors.map(({ code, expected }) => [code, expected]), [['GAP', 1], ['SIZE', undefined], ['VALUE', undefined]])
  })

  it('states cannot be saved for a while, since their bucket is full: the same', async () => {
    const states = (settings) => nats.manager.streams.update('KV_session-states', settings)
    await streamAll({ sessions: 30, frames: 80 }, clientsOf('full'), 1, async () => {
      await states({ max_bytes: 1 })
      await assert.rejects(nats.states.put('more', new Uint8Array(8)), /maximum bytes exceeded/)
      await wait(1500)
      await states({ max_bytes: -1 })
    })
  })

  it('the server is killed, and comes back after the leases have ended: the same', async () => {
    await streamAll({ sessions: 30, frames: 40 }, clientsOf('outage'), 1, async () => {
      await server.kill()
      await wait(2 * LEASE_MS)
      await server.restart()
    })
  })
})
