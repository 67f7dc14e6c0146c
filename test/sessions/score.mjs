// `lstm-wasm score` by workers over NATS that are killed: npm run test:sessions
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { seeded } from '../../examples/charrnn/generate.mjs'
import { startNats } from './nats-server.mjs'
import { wait } from './stream-all.mjs'

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const [CLI, POOL, WORKER] = ['dist/cli.js', 'examples/sessions/hosts/score/pool.mjs', 'examples/sessions/hosts/score/worker.mjs'].map(at)
const run = promisify(execFile)
const ACK_MS = 1000
const PAUSE_MS = 300
const [ROWS, GROUP_ROWS] = [12_000, 100]
const ARGS = ['score', 'digits.safetensors', 'rows.csv', '--timesteps', '28', '--keep', 'row', '--group-rows', String(GROUP_ROWS), '--variant', 'simd']

let folder
let server
let workers
const environment = (patienceMs = 60_000) => ({ ...process.env, NATS_URL: server.url, ACK_MS: String(ACK_MS), PATIENCE_MS: String(patienceMs), DEPTH: '8' })

function startWorker() {
  const child = spawn(process.execPath, [WORKER], { env: environment(), stdio: 'ignore' })
  workers.push(child)
  return child
}

/** The pool of the example, for the server of this test. */
async function openPool(task) {
  Object.assign(process.env, environment())
  return (await import(POOL)).default(task)
}

async function kill(child) {
  workers.splice(workers.indexOf(child), 1)
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const pathOf = (name) => join(folder, name)
const command = (out, options, env = environment()) => run(process.execPath, [CLI, ...ARGS, '-o', out, ...options], { cwd: folder, env })
const score = (out, ...options) => command(out, options)
/** How many groups a run has noted as written. */
const notedOf = async (out) => (await readFile(pathOf(`${out}.part.jsonl`), 'utf8').catch(() => '')).split('\n').length - 2

/** Scores over NATS, as slowly as one window a run, while `disturb` is called up to some times; compares the bytes with those of the command alone. */
async function scoreDisturbed(out, most, disturb) {
  const done = score(out, '--pool', POOL, '--batch', '1')
  let isOver = false
  done.finally(() => (isOver = true)).catch(() => {})
  let times = 0
  for (await wait(PAUSE_MS); !isOver && times < most; await wait(PAUSE_MS)) {
    await disturb()
    times++
  }
  await done
  assert.deepEqual(await readFile(pathOf(out)), await readFile(pathOf(`whole.${extname(out).slice(1)}`)))
  return times
}

describe('lstm-wasm score over NATS', () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-score-nats-'))
    server = await startNats(join(folder, 'nats'))
    workers = []
    await copyFile(at('examples/digits.safetensors'), pathOf('digits.safetensors'))
    const random = seeded(5)
    const rows = Array.from({ length: ROWS }, (_, row) => [`row ${row}`, ...Array.from({ length: 28 }, () => random().toFixed(4))].join(','))
    await writeFile(pathOf('rows.csv'), ['row', ...Array.from({ length: 28 }, (_, n) => `pixel${n}`)].join(',') + `\n${rows.join('\n')}\n`)
    for (const ending of ['parquet', 'csv']) await score(`whole.${ending}`, '--workers', '1')
  })

  after(async () => {
    await Promise.all(workers.map((child) => child.kill('SIGTERM') && once(child, 'exit')))
    await server.kill()
    await rm(folder, { recursive: true, force: true })
  })

  it('two workers, one killed again and again: every byte is that of one process', async () => {
    startWorker()
    startWorker()
    const kills = await scoreDisturbed('killed.parquet', 5, async () => {
      await kill(workers[0])
      startWorker()
    })
    assert.ok(kills > 1, `${kills} kills`)
  })

  it('the server is killed in the middle, and comes back: the same', async () => {
    const times = await scoreDisturbed('outage.csv', 1, async () => {
      await server.kill()
      await wait(1500)
      await server.restart()
    })
    assert.equal(times, 1)
  })

  it('the command is killed, and goes on where it was, without NATS', async () => {
    const child = spawn(process.execPath, [CLI, ...ARGS, '-o', 'resumed.csv', '--pool', POOL, '--batch', '1'], { cwd: folder, env: environment(), stdio: 'ignore' })
    while (await notedOf('resumed.csv') < 1 && child.exitCode === null) await wait(5)
    child.kill('SIGKILL')
    const [, signal] = await once(child, 'exit')
    assert.equal(signal, 'SIGKILL')
    const before = await notedOf('resumed.csv')
    assert.ok(before < ROWS / GROUP_ROWS, `${before} groups`)
    await score('resumed.csv', '--workers', '1', '--batch', '1')
    assert.deepEqual(await readFile(pathOf('resumed.csv')), await readFile(pathOf('whole.csv')))
  })

  it('gives the error of a worker, which goes on with other jobs', async () => {
    const plan = { inputs: [], outputs: [], batch: 1 }
    const job = { inputs: [], ends: new Int32Array(0) }
    const wrong = await openPool({ model: new Uint8Array(100), plan, variant: 'simd' })
    await assert.rejects(wrong.score(job), { name: 'LstmError', code: 'FORMAT' })
    const right = await openPool({ model: await readFile(pathOf('digits.safetensors')), plan, variant: 'simd' })
    assert.deepEqual(await right.score(job), [])
    await assert.rejects(right.score({ ...job, inputs: [new Float32Array(300_000)] }), { code: 'SIZE', message: /takes 1200\d+ bytes, the NATS server takes 1048576/ })
    await Promise.all([wrong.end(), right.end()])
  })

  it('refuses scores that would differ between machines', async () => {
    await assert.rejects(openPool({ model: new Uint8Array(0), plan: {}, variant: 'relaxed-simd' }), { code: 'VALUE', message: /expected --variant simd, got relaxed-simd/ })
  })

  it('says that the server is gone, and what is written remains for the next run', async () => {
    const impatient = command('gone.csv', ['--pool', POOL, '--batch', '1'], environment(500))
    const refused = assert.rejects(impatient, ({ code, stderr }) => code === 1 && /NATS: cannot (read SCORE_RESULTS|write a job)/.test(stderr))
    while (await notedOf('gone.csv') < 1) await wait(5)
    await server.kill()
    await refused
    await server.restart()
    await score('gone.csv', '--workers', '2', '--batch', '1')
    assert.deepEqual(await readFile(pathOf('gone.csv')), await readFile(pathOf('whole.csv')))
  })
})
