// Real threads that call shared models of the built package, at the same time: bits, growth, memory, and threads that end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile, createRuntime, type Graph, type Model, type Runtime } from '../../src/index.ts'
import { openShared, share, type SharedModel } from '../../src/sharing/index.ts'
import { expectRejection } from '../expect-error.ts'
import { modelOf } from '../golden-files.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { isThorough } from '../thorough.ts'
import { THREAD_VARIANTS } from '../threads/eager-runtime.ts'
import { inputsOf, outcome, type Arrays } from './cases.ts'
import { meeting, Thread } from './threads.ts'

const FILES = [
  'keras3/gru-embedding-mask-zero.keras', 'keras3/bidirectional-stacked.keras', 'keras3/windows-normalised-2d.keras', 'keras3/attention-heads.h5',
  'loops/keras3-gru-before.onnx', 'quantized/lstm-int8-per-channel.onnx', 'quantized/embedding-rows.onnx', 'quantized/conv-int8.onnx', 'onnx/gru-after-reverse-h8.onnx',
]
const THREADS = 3
const ROUNDS = isThorough ? 200 : 20

const lstm = (inputSize: number, hiddenSize: number, bidirectional: boolean, seed: number): Graph => (
  lstmGraph(randomLstm({ inputSize, hiddenSize, numLayers: 2, bidirectional, bias: true }, seed), false)
)

let threads: Thread[]
beforeAll(() => {
  threads = Array.from({ length: THREADS }, () => new Thread())
})
afterAll(() => Promise.all(threads.map((thread) => thread.end())))

const askAll = <T>(name: string, ...args: readonly unknown[]): Promise<T[]> => Promise.all(threads.map((thread) => thread.ask<T>(name, ...args)))

describe.each(THREAD_VARIANTS)('threads that call shared models at the same time (%s)', (variant) => {
  let runtime: Runtime
  let models: Model[]
  let shared: SharedModel[]
  beforeAll(async () => {
    runtime = await createRuntime({ variant })
    const files = await Promise.all(FILES.map((file) => modelOf(new URL(`../golden/${file}`, import.meta.url), runtime)))
    models = [
      ...files as Model[],
      await compile(lstm(7, 45, true, 1), { runtime }), await compile(lstm(12, 96, false, 2), { runtime }),
    ]
    shared = await Promise.all(models.map((model) => share(model, { variant })))
    for (const [n, one] of shared.entries()) {
      for (const { summary, threads: own, variant: ran } of await askAll<{ summary: string, threads: unknown, variant: string }>('open', one)) {
        expect([summary, ran]).toEqual([models[n]?.summary(), variant])
        expect(own).toEqual({ count: 1, why: 'a model that is shared runs on the thread that calls it' })
      }
    }
  })
  afterAll(async () => {
    await askAll('dispose')
    for (const one of shared) expect(one.callers()).toEqual([])
  })

  it('have the bits of one thread, with inputs of their own', async () => {
    const words = meeting()
    const found = await Promise.all(threads.map((thread, own) => {
      const cases = models.flatMap((model, n) => [[2, 5], [1, 3], [40, 31]].map((sizes, at) => {
        const inputs = inputsOf(model, sizes, 100 * own + at)
        const outputs = outcome(model, inputs)
        expect(outputs).toBeTypeOf('object')
        return { model: n, name: `model ${n}, sizes ${sizes.join()}`, inputs, outputs: outputs as Arrays }
      }))
      return thread.ask('agree', cases, ROUNDS, words, THREADS, own + 1)
    }))
    expect(found).toEqual(threads.map(() => ({ runs: ROUNDS * 3 * models.length, wrong: [] })))
  }, 120_000)

  it('have streams and pools of their own, with the bits of one thread, which restore in another', async () => {
    const at = models.length - 1
    const sizes = [12, 96] as const
    const [features, units] = sizes
    const words = meeting()
    const xs = threads.map((_, own) => pseudoRandom(50 + own, 40 * features, 1))
    const found = await Promise.all(threads.map((thread, own) => thread.ask<(Float32Array | Uint8Array)[]>('steps', at, xs[own], sizes, words, THREADS)))
    const model = models[at] as Model
    for (const [own, outputs] of found.entries()) {
      const x = xs[own] as Float32Array
      const [stream, pool] = [model.stream(), model.streams(3)]
      const sessions = [pool.open(), pool.open(), pool.open()]
      let next = 0
      for (let begin = 0; begin + 3 * features <= x.length; begin += features) {
        const [alone, out] = [new Float32Array(units), new Float32Array(3 * units)]
        stream.step(x.subarray(begin, begin + features), alone)
        pool.step(sessions, x.subarray(begin, begin + 3 * features), out)
        expect(outputs[next++]).toEqual(alone)
        expect(outputs[next++]).toEqual(out)
      }
      const saved = outputs[next++] as Uint8Array
      expect(saved).toEqual(pool.save(sessions[1] as number))
      pool.restore(sessions[0] as number, saved)
      expect(outputs[next]).toEqual(model.run({ input: { dtype: 'float32', shape: [1, 40, features], data: x } }).output?.data)
      expect(outputs).toHaveLength(next + 1)
      stream.dispose()
      pool.dispose()
    }
  }, 120_000)

  it('see what others have grown, and lose nothing by it', async () => {
    const [first] = shared as [SharedModel]
    const lengths = [70_001, 300_007, 1_000_003]
    for (let round = 0; round < 3; round++) await Promise.all(threads.map((thread, own) => thread.ask('tensor', lengths[(own + round) % 3])))
    expect(await askAll('changed')).toEqual([0, 0, 0])
    const bytes = 4 * lengths.reduce((a, b) => a + b)
    for (const { thread, bytes: own } of first.callers()) {
      expect(threads.map(({ number }) => number)).toContain(thread)
      expect(own).toBeGreaterThanOrEqual(bytes)
    }
    const totals = new Set((await askAll<{ totalBytes: number }>('memory')).map(({ totalBytes }) => totalBytes))
    expect(Math.max(...totals)).toBeGreaterThanOrEqual(THREADS * bytes)
  }, 120_000)
})

describe('the memory of shared models', () => {
  const graph = lstm(64, 256, false, 3)
  const input = { input: { dtype: 'float32', shape: [1, 20, 64], data: pseudoRandom(4, 20 * 64, 1) } } as const

  it('has the weights once: a further thread takes what it computes with', async () => {
    const weights = [...graph.constants.values()].reduce((sum, { data }) => sum + data.byteLength, 0)
    const shared = await share(graph)
    expect(shared.weightBytes).toBeGreaterThan(weights)
    expect(shared.weightBytes).toBeLessThan(1.1 * weights + 65536)
    const runtime = await createRuntime({ variant: shared.variant })
    const expected = outcome(await compile(graph, { runtime }), input) as Arrays
    await askAll('open', shared)
    const words = meeting()
    await Promise.all(threads.map((thread) => thread.ask('agree', [{ model: 0, name: 'it', inputs: input, outputs: expected }], 3, words, THREADS, 1)))
    const callers = shared.callers()
    expect(callers.map(({ thread }) => thread).sort()).toEqual(threads.map(({ number }) => number).sort())
    for (const { bytes } of callers) expect(bytes).toBeLessThan(weights / 10)
    await askAll('dispose')
    expect(shared.callers()).toEqual([])
    const { byteLength } = (shared.content as { readonly memory: WebAssembly.Memory }).memory.buffer
    // Weights are packed from copies, whose place callers have then.
    expect(byteLength).toBeLessThan(2.3 * shared.weightBytes)
    shared.dispose()
  }, 60_000)

  it('is given back by threads that end, in the middle of a run or between two, and nobody else notices', async () => {
    const shared = await share(graph)
    const [hanging, leaving] = [new Thread(), new Thread()]
    for (const thread of [hanging, leaving, ...threads]) await thread.ask('open', shared)
    const expected = outcome(await compile(graph, { runtime: await createRuntime({ variant: shared.variant }) }), input) as Arrays
    await hanging.ask('hang', input)
    expect(shared.callers().map(({ thread }) => thread)).toContain(hanging.number)
    const words = meeting()
    const running = Promise.all(threads.map((thread, own) => (
      thread.ask('agree', [{ model: 0, name: 'it', inputs: input, outputs: expected }], 10 * ROUNDS, words, THREADS, own)
    )))
    await hanging.end()
    await leaving.exit()
    expect(await running).toEqual(threads.map(() => ({ runs: 10 * ROUNDS, wrong: [] })))
    expect(shared.callers().map(({ thread }) => thread).sort()).toEqual(threads.map(({ number }) => number).sort())
    await askAll('dispose')
  }, 60_000)

  it('is not given back where nobody tells, until it is reclaimed', async () => {
    const shared = await share(graph)
    const model = await openShared(shared, { caller: 77 })
    model.run(input)
    const bytes = shared.callers()[0]?.bytes
    expect(bytes).toBeGreaterThan(0)
    expect(shared.reclaim(76)).toBe(0)
    // A program's number is none of a thread, which may end.
    const thread = new Thread()
    await thread.ask('open', shared, { caller: thread.number })
    await thread.end()
    expect(shared.callers().map(({ caller, thread: own }) => [caller, own])).toEqual([[77, undefined], [thread.number, undefined]])
    expect(shared.reclaim(thread.number)).toBe(65536)
    expect(shared.reclaim(77)).toBe(bytes)
    expect(shared.callers()).toEqual([])
  })

  it('cannot be opened when it is disposed; who has it open goes on', async () => {
    const shared = await share(graph)
    const [thread, late] = threads as [Thread, Thread]
    await thread.ask('open', shared)
    shared.dispose()
    shared.dispose()
    await expectRejection(late.ask('open', shared), 'DISPOSED', 'openShared: this shared model is disposed')
    const expected = outcome(await compile(graph, { runtime: await createRuntime({ variant: shared.variant }) }), input) as Arrays
    expect(await thread.ask('agree', [{ model: 0, name: 'it', inputs: input, outputs: expected }], 2, meeting(), 1, 1)).toEqual({ runs: 2, wrong: [] })
    expect(shared.callers()).toHaveLength(1)
    await thread.ask('dispose')
    expect(shared.callers()).toEqual([])
  })

  it('is full at its limit, or at that of a thread, and goes on', async () => {
    const shared = await share(graph, { maxMemoryBytes: 8 * 2 ** 20 })
    const [greedy, other] = threads as [Thread, Thread]
    await other.ask('open', shared, { maxMemoryBytes: 2 ** 20 })
    await greedy.ask('open', shared)
    await expectRejection(greedy.ask('tensor', 2 ** 20), 'MEMORY', /^tensor float32 \[1048576\]: needs 4194304 bytes; this thread has \d+ of the shared memory and may have 8388608, all together 8388608$/)
    await expectRejection(other.ask('tensor', 2 ** 18), 'MEMORY', /may have 1048576, all together 8388608$/)
    const expected = outcome(await compile(graph, { runtime: await createRuntime({ variant: shared.variant }) }), input) as Arrays
    for (const thread of [greedy, other]) {
      expect(await thread.ask('agree', [{ model: 0, name: 'it', inputs: input, outputs: expected }], 2, meeting(), 1, 1)).toEqual({ runs: 2, wrong: [] })
    }
    await askAll('dispose')
    await expectRejection(share(graph, { maxMemoryBytes: 2 ** 20 }), 'MEMORY', /^weight/)
  })
})
