// Hosts that clients reach by WebSocket, killed in mid-stream: npm run test:sessions
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SessionClient, webSocketTo } from '../../examples/sessions/session-client.mjs'
import { freePort, saysReady } from './nats-server.mjs'
import { streamAll, wait } from './stream-all.mjs'

const HOSTS = fileURLToPath(new URL('../../examples/sessions/hosts/', import.meta.url))
const { WebSocket } = createRequire(join(HOSTS, 'package.json'))('ws')
const run = promisify(execFile)

/** A program in a process group of its own, which is killed as a whole; `ready` is what it prints then. */
async function start(program, args, { ready, ...options }) {
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'ignore'], ...options })
  await saysReady(child.stdout, ready)
  return child
}

async function kill(child) {
  const ended = once(child, 'exit')
  process.kill(-child.pid, 'SIGKILL')
  await ended
}

/** Process ids of the two processes with sessions, when both are there. */
async function childrenOf({ pid }) {
  for (;;) {
    const { stdout } = await run('pgrep', ['-P', String(pid)]).catch(() => ({ stdout: '' })) // it fails where there are none
    const pids = stdout.split('\n').filter((line) => line !== '').map(Number)
    if (pids.length === 2) return pids
    await wait(20)
  }
}

const clientsOf = (port, prefix) => (number, onOutput) => new SessionClient(webSocketTo(`ws://127.0.0.1:${port}/${prefix}-${number}`, WebSocket), onOutput)

/** Streams a part of a session, then another part with a new client. */
async function twoVisits(port, pause) {
  const visit = async (count) => {
    const sequences = []
    const client = clientsOf(port, 'visitor')(0, (sequence) => sequences.push(sequence))
    for (let n = 0; n < count; n++) await client.send(new Float32Array(28).fill(n / count))
    await client.finished()
    client.close()
    return sequences
  }
  assert.deepEqual(await visit(3), [1, 2, 3])
  await wait(pause)
  assert.deepEqual(await visit(2), [4, 5])
}

describe('WebSocket', () => {
  let folder
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-websocket-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  it('Node: 60 sessions, processes killed 8 times, the server itself twice', async () => {
    const port = await freePort()
    const startServer = () => start(process.execPath, [join(HOSTS, 'websocket-server.mjs')], {
      ready: /^ws:/, env: { ...process.env, PORT: String(port), WORKERS: '2', FOLDER: join(folder, 'files') },
    })
    let server = await startServer()
    await streamAll({ sessions: 60, frames: 60 }, clientsOf(port, 'websocket'), 10, async (time) => {
      if (time % 5 === 4) {
        await kill(server)
        server = await startServer()
        return
      }
      process.kill((await childrenOf(server))[time % 2], 'SIGKILL')
    })
    await twoVisits(port, 100)
    const ended = once(server, 'exit')
    process.kill(server.pid, 'SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })

  it('Durable Objects: 20 sessions, workerd killed in mid-stream', async () => {
    const port = await freePort()
    const args = ['dev', '--local', '--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0', '--persist-to', join(folder, 'objects')]
    const startWrangler = () => start(join(HOSTS, 'node_modules/.bin/wrangler'), args, {
      ready: /Ready on/, cwd: join(HOSTS, 'durable-object'), env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' },
    })
    let wrangler = await startWrangler()
    await streamAll({ sessions: 20, frames: 90 }, clientsOf(port, 'object'), 1, async () => {
      await kill(wrangler)
      wrangler = await startWrangler()
    })
    await twoVisits(port, 1500)
    await kill(wrangler)
  })
})
