// What sessions cost on this machine, without a network: node examples/sessions/cost.mjs [SESSIONS]. Two LSTMs of 128 units, the size of a voice detector.
import { compile, createRuntime } from 'lstm-wasm'
import { input, lstm, sequential } from 'lstm-wasm/layers'
import { seeded } from '../charrnn/generate.mjs'
import { SessionStore } from './session-store.mjs'

const UNITS = 128
const FRAMES = 64
/** Frames of 32 ms. */
const FRAMES_A_SECOND = 31.25
const sessions = Number(process.argv[2] ?? 1000)

const random = seeded(1)
const numbers = (length) => Float32Array.from({ length }, () => random() - 0.5)
const pool = (await twoLayers()).streams(sessions)
const frame = numbers(UNITS)
const [bare, stored] = [[], []]
for (let n = 0; n < 3; n++) { // the first time, the engine is still compiling
  bare.push(await secondsOf(stepPool))
  stored.push(await secondsOf(stepStore))
}
const perSecond = (seconds) => Math.round(sessions * FRAMES / Math.min(...seconds))
const saved = await savedBytes()

console.log(`${sessions} sessions of two LSTMs of ${UNITS} units; seconds of one processor`)
console.log(`  pool alone    ${perSecond(bare).toLocaleString('en').padStart(9)} frames a second`)
console.log(`  session store ${perSecond(stored).toLocaleString('en').padStart(9)} frames a second, ${Math.floor(perSecond(stored) / FRAMES_A_SECOND)} sessions of ${FRAMES_A_SECOND} frames a second`)
console.log(`  saved         ${saved.toLocaleString('en').padStart(9)} bytes a session`)

async function twoLayers() {
  const names = ['first', 'second']
  const net = sequential([input(['timesteps', UNITS]), ...names.map((name) => lstm(UNITS, { name, returnSequences: true }))])
  const gates = 4 * UNITS
  net.loadStateDict(Object.fromEntries(names.flatMap((name) => [
    ...['weight_ih_l0', 'weight_hh_l0'].map((weight) => [`${name}.${weight}`, { dtype: 'float32', shape: [gates, UNITS], data: numbers(gates * UNITS) }]),
    ...['bias_ih_l0', 'bias_hh_l0'].map((bias) => [`${name}.${bias}`, { dtype: 'float32', shape: [gates], data: numbers(gates) }]),
  ])))
  return compile(net, { runtime: await createRuntime({ variant: 'simd' }) })
}

/** Seconds that a processor works, whatever else it does in between. */
async function secondsOf(work) {
  const begin = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(begin)
  return (user + system) / 1e6
}

function stepPool() {
  const ids = Array.from({ length: sessions }, () => pool.open())
  const inputs = new Float32Array(sessions * UNITS)
  for (let n = 0; n < sessions; n++) inputs.set(frame, n * UNITS)
  const outputs = new Float32Array(sessions * UNITS)
  for (let n = 0; n < FRAMES; n++) pool.step(ids, inputs, outputs)
  for (const id of ids) pool.close(id)
}

/** A store that saves into memory, every 32 frames. */
function storeInMemory() {
  const saved = new Map()
  const states = {
    get: async (name) => saved.get(name),
    put: async (name, bytes) => void saved.set(name, { bytes }),
  }
  return { saved, store: new SessionStore({ pool, frameLength: UNITS, outputLength: UNITS }, states, { collect: (step) => setImmediate(step) }) }
}

async function stepStore() {
  const { store } = storeInMemory()
  const names = Array.from({ length: sessions }, (_, n) => `session-${n}`)
  for (let sequence = 1; sequence <= FRAMES; sequence++) {
    await Promise.all(names.map((name) => store.step(name, { sequence, frames: [frame], confirmed: sequence - 1 })))
  }
  await store.leaveAll()
}

async function savedBytes() {
  const { saved, store } = storeInMemory()
  await store.step('one', { sequence: 1, frames: [frame], confirmed: 1 })
  await store.leave('one')
  return saved.get('one').bytes.length
}
