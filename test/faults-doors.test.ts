// Memory that runs out in trainers, quantize, shared models and recognition: every allocation fails once, one after the other. Each time it is an LstmError
// `MEMORY`, nothing stays behind, and everything goes on as if it had not been. Runs, streams and pools: faults.test.ts.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { LstmError } from '../src/errors.ts'
import { compile, createRuntime, NdArray, type Runtime } from '../src/index.ts'
import { dense, gru, input, lstm, sequential } from '../src/layers/index.ts'
import { quantize } from '../src/quantization/index.ts'
import { LinearMemory } from '../src/runtime/memory.ts'
import { CallerMemory } from '../src/runtime/threads/caller-memory.ts'
import { openShared, share } from '../src/sharing/index.ts'
import { createTrainer, initialStateDict, resumeTrainer, type ModelTrainer } from '../src/training/index.ts'
import { pseudoRandom } from './random.ts'

const net = sequential([input([4, 2]), lstm(5, { returnSequences: true, stateful: true }), gru(3), dense(1)])
const wide = sequential([input([4, 2]), lstm(40, { returnSequences: true }), gru(24), dense(8)])
const layers = wide.loadStateDict(initialStateDict(wide.weightSpecs()))
const x = new NdArray(pseudoRandom(1, 16, 1), [2, 4, 2])
const y = pseudoRandom(2, 2, 1)

afterEach(() => void vi.restoreAllMocks())

/** The n-th allocation of any memory fails, from now on; 0: none. */
function failing(n: number): () => boolean {
  vi.restoreAllMocks()
  let left = n
  let fired = false
  for (const memory of [LinearMemory, CallerMemory]) {
    const original = Reflect.get(memory.prototype, 'allocate')
    vi.spyOn(memory.prototype, 'allocate').mockImplementation(function (this: CallerMemory, bytes, what) {
      if (--left === 0) {
        fired = true
        throw new LstmError('MEMORY', `${what}: fails in this test`)
      }
      return original.call(this, bytes, what)
    })
  }
  return () => fired
}

/**
 * Runs it with every allocation failing in turn, until none is left that could.
 * @param held bytes that are in use; after a failure they are what they were
 * @returns what it gave in the end, and how many times it had failed
 */
async function everyFault<T>(run: () => T | Promise<T>, held: () => unknown): Promise<readonly [T, number]> {
  const before = held()
  for (let n = 1; ; n++) {
    const fired = failing(n)
    let result: T | undefined
    let error: unknown
    try {
      result = await run()
    } catch (caught) {
      error = caught
    }
    vi.restoreAllMocks()
    if (!fired()) {
      if (error !== undefined) throw error as Error
      return [result as T, n - 1]
    }
    expect([n, error]).toEqual([n, expect.objectContaining({ name: 'LstmError', code: 'MEMORY' })])
    expect([n, held()]).toEqual([n, before])
  }
}

const used = (runtime: Runtime) => (): unknown => ({ ...runtime.memory(), totalBytes: 0, maxBytes: 0 })

describe('where memory runs out', () => {
  it.each(['adam', 'sgd'] as const)('trainers with %s are as before', async (optimizer) => {
    const runtime = await createRuntime()
    const make = (): Promise<ModelTrainer> => createTrainer(net, { loss: 'mse', optimizer, runtime })
    const reference = await make()
    const [trainer, failures] = await everyFault(make, used(runtime))
    expect(failures).toBeGreaterThan(3)
    for (let step = 0; step < 3; step++) {
      const [rows, targets] = step === 1 ? [new NdArray(pseudoRandom(3, 24, 1), [3, 4, 2]), pseudoRandom(4, 3, 1)] : [x, y]
      for (const one of [trainer, reference]) one.resetStates()
      // Room that a plan of other sizes takes stays, and is freed with the trainer: what was computed is what counts.
      const [got] = await everyFault(() => trainer.trainOnBatch(rows, targets), () => [...trainer.getWeights().values()].map((data) => [...data]))
      expect(got).toEqual(reference.trainOnBatch(rows, targets))
    }
    expect(trainer.getWeights()).toEqual(reference.getWeights())
    const [again, more] = await everyFault(() => resumeTrainer(trainer.save(), { runtime }), used(runtime))
    expect(more).toBeGreaterThan(3)
    expect(again.getWeights()).toEqual(trainer.getWeights())
    const [model] = await everyFault(() => again.model(), used(runtime))
    for (const held of [model, again, trainer, reference]) held.dispose()
    expect(runtime.memory().usedBytes).toBe(0)
  })

  it('quantize leaves nothing behind', async () => {
    const runtime = await createRuntime()
    // One layer: each is timed, however often memory runs out.
    const small = sequential([input([4, 2]), gru(24)])
    const model = await compile(small.loadStateDict(initialStateDict(small.weightSpecs())), { runtime })
    const expected = model.run({ input: x })
    const { usedBytes } = runtime.memory()
    const held = (): unknown => [model.run({ input: x }), runtime.memory().usedBytes]
    const [{ model: quantized }, failures] = await everyFault(() => quantize(model, { data: [{ input: x }] }), held)
    expect(failures).toBeGreaterThan(3)
    expect(model.run({ input: x })).toEqual(expected)
    quantized.dispose()
    expect(runtime.memory().usedBytes).toBe(usedBytes)
    model.dispose()
    expect(runtime.memory().usedBytes).toBe(0)
  })

  it('shared models are as they were', async () => {
    const [shared, failures] = await everyFault(() => share(layers, { maxMemoryBytes: 2 ** 23 }), () => 0)
    expect(failures).toBeGreaterThan(1)
    const [model] = await everyFault(() => openShared(shared, { caller: 1 }), () => shared.callers())
    const own = await compile(layers)
    const [outputs, more] = await everyFault(() => model.run({ input: x }), () => 0)
    expect(more).toBeGreaterThan(0)
    expect(outputs).toEqual(own.run({ input: x }))
    model.dispose()
    own.dispose()
    expect(shared.callers()).toEqual([])
    shared.dispose()
  })
})
