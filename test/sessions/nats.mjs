// Workers over NATS JetStream that are killed in mid-stream, and a server that is: npm run test:sessions
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NatsSessionClient } from '../../examples/sessions/hosts/nats/client.mjs'
import { openJetStream } from '../../examples/sessions/hosts/nats/jetstream.mjs'
import { startNats } from './nats-server.mjs'
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

  it('the server is killed, and comes back after the leases have ended: the same', async () => {
    await streamAll({ sessions: 30, frames: 40 }, clientsOf('outage'), 2, async () => {
      await server.kill()
      await wait(2 * LEASE_MS)
      await server.restart()
    })
  })
})
