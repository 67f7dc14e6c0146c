// The protocol of an LSTM whose units are split (assembly/threads/units.ts), with a real worker: however long threads wait for each other, and
// whoever leaves whom, h, c and y are those of one thread. THREADS_RUNS=100000 for a long one.
import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LstmCell } from '../../src/contract/recurrent/lstm.ts'
import { Recurrence } from '../../src/contract/recurrent/recurrence.ts'
import type { ThreadKernels } from '../../src/contract/thread-kernels.ts'
import { CrewSettings, SETTINGS_AT } from '../../src/contract/threads/crew.ts'
import type { Kernels } from '../../src/runtime/kernels.ts'
import { encodeRecord } from '../../src/values/record.ts'
import { pseudoRandom } from '../random.ts'

const RUNS = Number(process.env.THREADS_RUNS ?? 400)
/** Of those, where threads wait for long: if they are more than the cores, each step of each run waits for the system to change them. */
const SHARED_RUNS = Math.ceil(RUNS / 8)
/** Steps that must have been shared in the end, however busy the machine is. */
const LEAST_SHARED = 300
const [TIMESTEPS, FEATURES, UNITS] = [70, 19, 37]
const PROGRAM = `const { workerData: { module, memory, crew, thread }, parentPort } = require('node:worker_threads')
const { exports } = new WebAssembly.Instance(module, { env: { memory } })
parentPort.postMessage('here')
while (exports.serve(crew, thread)) continue`

const module = new WebAssembly.Module(readFileSync(new URL('../../build/simd-threads.wasm', import.meta.url)))

describe.each([2, 3])('an LSTM whose units are split among %i threads', (threads) => {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true })
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels & ThreadKernels
  const floats = new Float32Array(memory.buffer)
  const ints = new Int32Array(memory.buffer)
  let end = 1024
  const block = (bytes: number): number => {
    const ptr = Math.ceil(end / 128) * 128
    end = ptr + bytes + 64
    return ptr
  }
  const put = (data: Float32Array | Uint8Array): number => {
    const ptr = block(data.byteLength)
    new Uint8Array(memory.buffer, ptr, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    return ptr
  }
  const random = (length: number, seed: number): number => put(pseudoRandom(seed, length, 0.4))
  const pack = (k: number, seed: number): number => {
    const ptr = block(kernels.packedGatesBytes(k, UNITS, 4))
    kernels.packGatesF32(ptr, random(4 * UNITS * k, seed), random(4 * UNITS, seed + 1), 0, k, UNITS, 4, 0)
    return ptr
  }
  const cell = put(encodeRecord(LstmCell, { inputWeights: pack(FEATURES, 1), recurrentWeights: pack(UNITS, 3), hiddenSize: UNITS, clip: 0, cellClip: 0 }))
  const chunkSteps = kernels.recurrentChunkSteps(1, TIMESTEPS, FEATURES, UNITS, 4)
  const call = put(encodeRecord(Recurrence, {
    timesteps: TIMESTEPS, rowBegin: 0, rowEnd: 1, xStepBytes: FEATURES * 4, xRowBytes: 0, yStepBytes: UNITS * 4, yRowBytes: 0, chunkSteps,
    maskStepBytes: 0, maskRowBytes: 0, maskRule: 0, delaySteps: 0, delayFraction: 0, cellPtr: cell,
  }))
  const x = random(TIMESTEPS * FEATURES, 5)
  const [h, c, y] = [block(UNITS * 4), block(UNITS * 4), block(TIMESTEPS * UNITS * 4)]
  const workspace = block(kernels.recurrentWorkspaceBytes(1, chunkSteps, FEATURES, UNITS, UNITS, 4, 1))
  const scratchStride = Math.ceil(kernels.unitsScratchBytes(chunkSteps, FEATURES, UNITS) / 64) * 64
  const scratch = block(scratchStride * (threads - 1))
  const crew = block(kernels.crewBytes(threads))
  const settings = (looks: number): Uint8Array => encodeRecord(CrewSettings, {
    threads, looks, idleMicroseconds: 100, mayBlock: 1, patience: 60_000_000, isOver: 0, pages: 0,
  })
  const initial = pseudoRandom(7, 2 * UNITS, 0.5)
  const bits = (ptr: number, length: number): Uint32Array => new Uint32Array(memory.buffer, ptr, length).slice()
  const results = (): Uint32Array[] => [bits(h, UNITS), bits(c, UNITS), bits(y, TIMESTEPS * UNITS)]
  const reset = (): void => {
    floats.fill(NaN, y / 4, y / 4 + TIMESTEPS * UNITS)
    floats.set(initial.subarray(0, UNITS), h / 4)
    floats.set(initial.subarray(UNITS), c / 4)
  }
  let workers: Worker[] = []
  let expected: Uint32Array[]

  beforeAll(async () => {
    reset()
    kernels.lstmForwardF32(call, x, h, c, y, 0, 0, workspace)
    expected = results()
    new Uint8Array(memory.buffer).set(settings(3000), crew + SETTINGS_AT)
    workers = Array.from({ length: threads - 1 }, (_, n) => new Worker(PROGRAM, { eval: true, workerData: { module, memory, crew, thread: n + 1 } }))
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))))
  })

  afterAll(async () => {
    ints[(crew + SETTINGS_AT) / 4 + Object.keys(CrewSettings).indexOf('isOver')] = 1
    kernels.ring(crew, threads)
    await Promise.all(workers.map((worker) => worker.terminate()))
  })

  // Where they wait for long, steps are shared even on a busy machine; where they hardly wait, they leave each other.
  it.each([[300_000, true], [3000, false], [100, false], [3, false]])('has the bits of one thread; %i looks a microsecond', (looks, shares) => {
    new Uint8Array(memory.buffer).set(settings(looks), crew + SETTINGS_AT)
    let shared = 0
    for (let run = 0; run < (shares ? SHARED_RUNS : RUNS) || (shares && shared < LEAST_SHARED && run < 100 * RUNS); run++) {
      reset()
      kernels.setBuffers(crew, x, h, c, y, 0, 0, workspace)
      shared += kernels.leadLstmF32(crew, 1, call, scratch, scratchStride, threads)
      const got = results()
      for (const [n, right] of expected.entries()) if (got[n]?.some((value, at) => value !== right[at]) === true) expect(got[n], `run ${run}`).toEqual(right)
    }
    if (shares) expect(shared).toBeGreaterThanOrEqual(LEAST_SHARED)
    expect(shared).toBeGreaterThanOrEqual(0)
  })
})
