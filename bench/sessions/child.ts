// Sessions of one engine in a process of their own: node build/bench/sessions/child.js ENGINE SESSIONS ROUNDS. Prints what a session takes, and how fast
// they go on when each has a frame. Outputs are compared with float64 first.
import { createRuntime } from 'lstm-wasm'
import { prepare, TOLERANCE, type PreparedCase } from '../cases.ts'
import { onnxruntimeNode } from '../engines/onnxruntime-node.ts'
import { check } from '../measure.ts'
import { quantile } from '../statistics.ts'
import { openSessionModel, residentBytes, SESSION_CASE } from './measure.ts'
import type { Instance } from '../engines/engine.ts'
import type { EngineSessions } from './peers.ts'

/** Sessions of a pool that step as one batch. */
const TOGETHER = 64

interface Sessions {
  /** A session more, to be checked. */
  readonly one: Instance
  /** Opens all. */
  readonly open: (count: number) => Promise<void>
  /** A frame of each. */
  readonly step: () => unknown
}

async function poolOf({ tensors, inputs, features }: PreparedCase): Promise<Sessions> {
  const model = await openSessionModel(await createRuntime(), tensors)
  const checked = model.streams(1)
  const id = checked.open()
  const y = new Float32Array(features)
  let call = 0
  const one = { async: false, run: () => checked.step([id], inputs[call++ % inputs.length], y), output: () => y, dispose: () => checked.close(id) }
  const lists: Int32Array[] = []
  let pool = checked
  return {
    one,
    async open(count) {
      pool = model.streams(count)
      const ids = Int32Array.from({ length: count }, () => pool.open())
      for (let begin = 0; begin < count; begin += TOGETHER) lists.push(ids.subarray(begin, begin + TOGETHER))
    },
    step() {
      for (const list of lists) pool.step(list, frames.subarray(0, list.length * features), outputs.subarray(0, list.length * features))
    },
  }
}

/** As each of its users would have one, with its states. */
async function sessionsOfOnnxruntime(prepared: PreparedCase): Promise<Sessions> {
  const create = () => onnxruntimeNode.create(prepared, 'native')
  const all: Instance[] = []
  return {
    one: await create(),
    async open(count) {
      while (all.length < count) all.push(await create())
    },
    async step() {
      for (const session of all) await session.run()
    },
  }
}

const OPEN: Readonly<Record<string, (prepared: PreparedCase) => Promise<Sessions>>> = { 'lstm-wasm': poolOf, 'onnxruntime-node': sessionsOfOnnxruntime }

const [engine, ...counts] = process.argv.slice(2)
const [sessions, rounds] = counts.map(Number)
const prepared = await prepare(SESSION_CASE)
const frames = new Float32Array(TOGETHER * prepared.features).fill(0.25)
const outputs = new Float32Array(frames.length)
const opened = await OPEN[engine](prepared)
const { worst } = await check(opened.one, prepared)
if (!(worst <= TOLERANCE)) throw new Error(`${engine}: outputs are ${worst} away from the float64 reference; ${TOLERANCE} is allowed`)
const before = residentBytes()
const begin = performance.now()
await opened.open(sessions)
const openMs = performance.now() - begin
await opened.step()
const bytesASession = (residentBytes() - before) / sessions
const times = new Float64Array(rounds)
for (let n = 0; n < rounds; n++) {
  const from = performance.now()
  await opened.step()
  times[n] = performance.now() - from
}
const medianMs = quantile(times, 0.5)
const measured: EngineSessions = {
  engine, sessions, openMs, bytesASession, framesASecond: sessions / medianMs * 1000, p99OverMedian: quantile(times, 0.99) / medianMs,
}
console.log(JSON.stringify(measured))
process.exit()
