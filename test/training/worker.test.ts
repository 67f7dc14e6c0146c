// Trainers in workers: on threads of Node here; browsers, Deno and Bun in test/runtimes.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { dense, dropout, input, lstm, sequential } from '../../src/layers/index.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { startWorker } from '../../src/runtime/threads/workers.ts'
import {
  adam, cosineDecay, createTrainer, earlyStopping, learningRateScheduler, modelCheckpoint, reduceOnPlateau, resumeTrainer, type Callback, type DatasetBatch,
  type FitProgress, type ModelTrainer, type WorkerTrainer,
} from '../../src/training/index.ts'
import { Link } from '../../src/training/worker/link.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

const runtime = await createRuntime({ variant: 'simd' })
const [ROWS, STEPS] = [50, 7]
const x = new NdArray(pseudoRandom(5, ROWS * STEPS * 2, 1), [ROWS, STEPS, 2])
const y = new NdArray(Int32Array.from({ length: ROWS }, (_, row) => Number((x.data[row * STEPS * 2] as number) > 0)), [ROWS])
const SETTINGS = {
  loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: cosineDecay(0.05, { epochs: 6 }), globalClipNorm: 0.5 }), metrics: ['accuracy'], seed: 4, runtime,
} as const

const net = (): ReturnType<typeof sequential> => sequential([
  input([STEPS, 2]), lstm(6, { returnSequences: true }), dropout(0.2), lstm(5), dense(2, { activation: 'softmax' }),
])
const ten = new NdArray(x.data.subarray(0, 10 * STEPS * 2), [10, STEPS, 2])
const labels = new NdArray(y.data.subarray(0, 10), [10])

const both = (): Promise<readonly [ModelTrainer, WorkerTrainer]> => (
  Promise.all([createTrainer(net(), SETTINGS), createTrainer(net(), { ...SETTINGS, worker: true })])
)

/** What a promise comes to: its value, or what its error says. */
const comesTo = (run: () => unknown): Promise<unknown> => Promise.resolve().then(run).then(
  (value) => ({ value }), (error: unknown) => ({ code: (error as LstmError).code, message: (error as Error).message }),
)

describe('a trainer in a worker', () => {
  let here: ModelTrainer
  let there: WorkerTrainer
  beforeAll(async () => {
    [here, there] = await both()
  })
  afterAll(() => {
    here.dispose()
    there.dispose()
  })

  /** The same call of both, which must come to the same. */
  async function same(call: (trainer: ModelTrainer | WorkerTrainer) => unknown): Promise<unknown> {
    const [ours, theirs] = [await comesTo(() => call(here)), await comesTo(() => call(there))]
    expect(theirs).toEqual(ours)
    return ours
  }

  it('has the same first weights, and trains, evaluates, predicts and saves bit for bit', async () => {
    await same((trainer) => trainer.getWeights())
    const weights = { classWeight: { 0: 1, 1: 2 }, sampleWeight: pseudoRandom(2, ROWS, 1).map(Math.abs) }
    await same((trainer) => trainer.fit(x, y, { epochs: 2, batchSize: 10, validationSplit: 0.2, ...weights }))
    await same((trainer) => trainer.trainOnBatch(ten, labels, { mask: Uint8Array.from({ length: 10 }, (_, n) => n % 2) }))
    await same((trainer) => trainer.evaluate(x, y, { batchSize: ROWS }))
    await same((trainer) => trainer.predict({ input: x }, { batchSize: 25 }))
    expect([there.epoch, there.steps, there.learningRate]).toEqual([here.epoch, here.steps, here.learningRate])
    expect(there.settings).toMatchObject({ losses: here.settings.losses, optimizer: here.settings.optimizer, metrics: ['accuracy'], seed: 4 })
    await same((trainer) => trainer.save())
  })

  it('takes data of any kind, and leaves them with the caller', async () => {
    const values = [[[1, 2], [0.5, 1], [2, 1], [1, 1], [0, 1], [1, 0], [3, 1]]]
    const double = Float64Array.from(values.flat(2))
    const held = Buffer.from(new Float32Array(double).buffer)
    const shape = [1, STEPS, 2]
    for (const given of [values, new NdArray(Float32Array.from(double), shape), runtime.tensor(values), { input: { shape, data: double } as never }]) {
      await same((trainer) => trainer.predict(given))
    }
    const view = new Float32Array(held.buffer, held.byteOffset, 14)
    await same((trainer) => trainer.predict(new NdArray(view, [1, STEPS, 2])))
    expect([...view]).toEqual([...double])
    await same((trainer) => trainer.fit(x, [...y.data], { validationData: [x, y, new Float32Array(ROWS).fill(2)], epochs: 1, batchSize: 25 }))
    await same((trainer) => trainer.getWeights())
  })

  it('has the same errors', async () => {
    const calls: readonly ((trainer: ModelTrainer | WorkerTrainer) => unknown)[] = [
      (trainer) => trainer.fit(x, y, { epoch: 2 } as never),
      (trainer) => trainer.fit(x, new Int32Array(3)),
      (trainer) => trainer.fit({ input: x, other: x }, y),
      (trainer) => trainer.fit(new NdArray(x.data.map((value, n) => (n === 40 ? NaN : value)), x.shape), y),
      (trainer) => trainer.fit(x, y, { validationSplit: 0.1, validationData: [x, y] }),
      (trainer) => trainer.trainOnBatch(x, new Int32Array(ROWS).fill(7)),
      (trainer) => trainer.predict('sound' as never),
      (trainer) => trainer.freeze(['gru']),
      (trainer) => trainer.setWeights(new Map()),
      (trainer) => trainer.setWeights(undefined as never),
      (trainer) => trainer.fit(x, y, { signal: AbortSignal.abort('enough') }),
      (trainer) => trainer.fit(x, y, { callbacks: [earlyStopping({ monitor: 'valLoss' })] }),
    ]
    for (const call of calls) expect(await same(call)).toHaveProperty('code')
    const unsendable = await comesTo(() => there.predict((() => 0) as never))
    expect(unsendable).toMatchObject({ code: 'VALUE', message: expect.stringMatching(/^predict: expected arrays, numbers and plain objects, which can be sent to a worker; DataCloneError/) as string })
    await same((trainer) => trainer.getWeights())
  })

  it('freezes and lets learn again', async () => {
    await there.freeze(['lstm', 'dense.bias'])
    here.freeze(['lstm', 'dense.bias'])
    expect(there.trainableNames).toEqual(here.trainableNames)
    await same((trainer) => trainer.fit(x, y, { batchSize: 10 }))
    await same((trainer) => trainer.getWeights())
    await there.unfreeze(['lstm'])
    expect(there.trainableNames).toContain('lstm.weight_ih_l0')
  })

  it('gives a model on this thread, with the same numbers', async () => {
    const weights = await there.getWeights()
    here.setWeights(weights)
    const models = await Promise.all([here.model(), there.model()])
    const [ours, theirs] = models.map((model) => model.run({ input: x }).output)
    expect(theirs).toEqual(ours)
    for (const model of models) model.dispose()
  })
})

describe('functions of the caller', () => {
  it('are called here, in their order, and change the trainer as without a worker', async () => {
    const run = async (trainer: ModelTrainer | WorkerTrainer): Promise<unknown> => {
      const told: unknown[] = []
      const seen: Callback = {
        onTrainBegin: ({ epoch, steps }) => void told.push(['begin', epoch, steps]),
        async onEpochEnd(epoch, logs, control) {
          await Promise.resolve()
          told.push([epoch, logs, control.learningRate, control.steps, Object.fromEntries(control.getWeights())])
          if (epoch === 4) control.stop()
        },
        onTrainEnd: ({ epoch }) => void told.push(['end', epoch]),
      }
      const result = await trainer.fit(x, y, {
        epochs: 9, batchSize: 10, validationSplit: 0.2,
        callbacks: [
          learningRateScheduler((epoch, rate) => (epoch % 2 === 0 ? rate : 0.9 * rate)), earlyStopping({ patience: 9, restoreBestWeights: true }),
          reduceOnPlateau({ patience: 1, factor: 0.5 }), seen, modelCheckpoint((bytes, { epoch }) => void told.push([epoch, bytes]), { saveBestOnly: true }),
        ],
      })
      return { told, result, weights: await trainer.getWeights(), rate: trainer.learningRate, epoch: trainer.epoch }
    }
    const [here, there] = await both()
    const ours = await run(here)
    expect(await run(there)).toEqual(ours)
    here.dispose()
    there.dispose()
  })

  it('see what they have changed in the same call, and cannot save in the middle of that', async () => {
    using there = await createTrainer(net(), { ...SETTINGS, worker: true })
    const seen: unknown[] = []
    const failed = there.fit(x, y, { batchSize: 10, callbacks: [{
      onEpochBegin(_epoch, control) {
        control.setLearningRate(0.5)
        control.scaleLearningRate(0.1)
        const zeros = new Map([...control.getWeights()].map(([name, data]) => [name, data.fill(0)]))
        control.setWeights(zeros)
        seen.push(control.learningRate, [...control.getWeights().values()].every((data) => data.every((value) => value === 0)))
        control.setLearningRate(undefined)
        seen.push(control.learningRate)
        control.save()
      },
    }] })
    await expectRejection(failed, 'UNSUPPORTED', /^save: a callback of a trainer in a worker saves before it changes weights or rates/)
    expect(seen).toEqual([0.05, true, 0.1 * 0.05])
  })

  it('give batches, and their iterators end', async () => {
    const ended: string[] = []
    const batches = function* (epoch: number, name: string): Generator<DatasetBatch> {
      try {
        for (let n = 0; n < 5; n++) yield { x: { input: ten }, y: labels, sampleWeight: new Float32Array(10).fill(1 + epoch + n) }
      } finally {
        ended.push(name)
      }
    }
    const [here, there] = await both()
    const options = { epochs: 2, validationData: [ten, labels] as const }
    const ours = await here.fitDataset((epoch) => batches(epoch, 'here'), options)
    expect(await there.fitDataset((epoch) => batches(epoch, 'there'), options)).toEqual(ours)
    const later = async function* (): AsyncGenerator<DatasetBatch> {
      yield* batches(0, 'later')
    }
    await there.fitDataset(later())
    await here.fitDataset(later())
    expect(await there.getWeights()).toEqual(here.getWeights())
    expect(ended).toEqual(['here', 'here', 'there', 'there', 'later', 'later'])
    // One that is left in the middle, as the trainer refuses what it gives.
    const bad = function* (): Generator<DatasetBatch> {
      try {
        yield { x: ten, y: new Int32Array(10).fill(9) }
      } finally {
        ended.push('bad')
      }
    }
    const [first, second] = [await comesTo(() => here.fitDataset(bad)), await comesTo(() => there.fitDataset(bad))]
    expect(second).toEqual(first)
    expect(ended.slice(6)).toEqual(['bad', 'bad'])
    here.dispose()
    there.dispose()
  })

  it('may throw: the caller is given what they threw', async () => {
    using there = await createTrainer(net(), { ...SETTINGS, worker: true })
    const mine = new RangeError('mine')
    const fail = (): never => {
      throw mine
    }
    await expect(there.fit(x, y, { callbacks: [{ onEpochEnd: fail }] })).rejects.toBe(mine)
    await expect(there.fit(x, y, { onProgress: fail, epochs: 1000 })).rejects.toBe(mine)
    await expect(there.fitDataset(fail)).rejects.toBe(mine)
    expect(await there.fit(x, y, { batchSize: 25 })).toHaveProperty('history.loss.length', 1)
  })
})

describe('its life', () => {
  it('tells progress, and is aborted in the middle: the trainer is as after its last step', async () => {
    using there = await createTrainer(net(), { ...SETTINGS, worker: true })
    const told: FitProgress[] = []
    const stop = new AbortController()
    const onProgress = (progress: FitProgress): void => {
      told.push(progress)
      if (told.length === 2) stop.abort('enough')
    }
    const error = await expectRejection(there.fit(x, y, { epochs: 100_000, batchSize: 10, signal: stop.signal, onProgress }), 'ABORTED', 'fit was aborted; the trainer is as after its last step')
    expect(error.cause).toBe('enough')
    expect(told[0]).toMatchObject({ epoch: 1, epochs: 100_000, total: 500_000 })
    expect(there.steps).toBeGreaterThan(0)
    const at = there.steps
    await there.fit(x, y, { batchSize: 10 })
    expect(there.steps).toBe(at + 5)
  })

  it('is busy with one call at a time', async () => {
    using there = await createTrainer(net(), { ...SETTINGS, worker: true })
    const stop = new AbortController()
    const first = there.fit(x, y, { epochs: 1e6, signal: stop.signal })
    await expectRejection(there.fit(x, y), 'BUSY', 'fit: the trainer is at work')
    expect(await there.save()).toBeInstanceOf(Uint8Array)
    stop.abort()
    await expectRejection(first, 'ABORTED', /./)
  })

  it('goes on from bytes, in a worker or not', async () => {
    const [here, there] = await both()
    await here.fit(x, y, { epochs: 2, batchSize: 10 })
    there.dispose()
    const [second, third] = await Promise.all([resumeTrainer(here.save(), { runtime, worker: true }), resumeTrainer(here.save(), { runtime })])
    const [ours, theirs] = [await third.fit(x, y, { batchSize: 10 }), await second.fit(x, y, { batchSize: 10 })]
    expect(theirs).toEqual(ours)
    expect(await second.save()).toEqual(third.save())
    await expectRejection(resumeTrainer(here.save().subarray(0, 100), { worker: true }), 'FORMAT', /./)
    for (const trainer of [here, second, third]) trainer.dispose()
  })

  it('ends when it is disposed, whatever it is at', async () => {
    const there = await createTrainer(net(), { ...SETTINGS, worker: true })
    const fit = there.fit(x, y, { epochs: 1e6 })
    there.dispose()
    there.dispose()
    await expectRejection(fit, 'DISPOSED', 'fit: the trainer is disposed')
    await expectRejection(there.save(), 'DISPOSED', 'save: the trainer is disposed')
  })

  it('says so where its worker dies, in the middle of a call and afterwards', async () => {
    const link = new Link()
    const node = "const { parentPort } = require('node:worker_threads')\nparentPort.postMessage('here')\nparentPort.on('message', () => { throw new Error('no more memory') })"
    link.attach(await startWorker({ name: 'dies', node, web: '' }, undefined, { lost: (cause) => link.lost(cause) }))
    const message = 'save: the worker of this trainer has ended (no more memory), and what it had learnt is gone: go on from the last save() with resumeTrainer'
    await expectRejection(link.call('save', []), 'ENVIRONMENT', message)
    await expectRejection(link.call('save', []), 'ENVIRONMENT', message)
  })

  it('has the limit of memory of its runtime', async () => {
    const small = await createRuntime({ variant: 'simd', maxMemoryBytes: 2 ** 18 })
    const [ours, theirs] = await Promise.all([false, true].map((worker) => (
      comesTo(() => createTrainer(sequential([lstm(60, { inputSize: 90 }), dense(1)]), { loss: 'mse', runtime: small, worker }))
    )))
    expect(theirs).toEqual(ours)
    expect(theirs).toHaveProperty('code', 'MEMORY')
  })

  it('carries the states of stateful layers', async () => {
    const stateful = (): ReturnType<typeof sequential> => sequential([input([STEPS, 2]), lstm(4, { stateful: true }), dense(2)])
    const trainers = await Promise.all([false, true].map((worker) => createTrainer(stateful(), { ...SETTINGS, worker })))
    const [ours, theirs] = await Promise.all(trainers.map(async (trainer) => {
      const losses = [await trainer.trainOnBatch(ten, labels), await trainer.trainOnBatch(ten, labels)]
      await trainer.resetStates()
      return [...losses, await trainer.trainOnBatch(ten, labels), await trainer.save()]
    }))
    expect(theirs).toEqual(ours)
    for (const trainer of trainers) trainer.dispose()
  })

  it('has as many threads as its runtime, and the bits of one', async () => {
    const threaded = await createRuntime({ variant: 'simd', threads: 2 })
    const trainers = await Promise.all([
      createTrainer(net(), SETTINGS), createTrainer(net(), { ...SETTINGS, runtime: threaded, worker: true }),
    ])
    const many = new NdArray(pseudoRandom(6, 70 * STEPS * 2, 1), [70, STEPS, 2])
    const of = new NdArray(Int32Array.from({ length: 70 }, (_, row) => row % 2), [70])
    const [ours, theirs] = await Promise.all(trainers.map(async (trainer) => {
      const { history } = await trainer.fit(many, of, { epochs: 5, batchSize: 70 })
      return [history, await trainer.predict(many, { batchSize: 70 }), await trainer.save()]
    }))
    expect(theirs).toEqual(ours)
    for (const trainer of trainers) trainer.dispose()
    const other = Object.create(threaded, { module: { value: runtime.module }, threads: { value: { count: 2 } } }) as Runtime
    const refused = (options: object): Promise<unknown> => createTrainer(net(), { ...SETTINGS, ...options, worker: true })
    await expectRejection(refused({ runtime: other }), 'ENVIRONMENT', /^createTrainer: the worker cannot start threads: LinkError/)
    const module = new WebAssembly.Module(await readFile('build/gradients-simd.wasm'))
    await expectRejection(refused({ runtime: threaded, module }), 'VALUE', /^module: expected none for a runtime with threads/)
    threaded.dispose()
    await expectRejection(refused({ runtime: threaded }), 'ENVIRONMENT', /the threads of this runtime have ended \(the runtime is disposed\)/)
  })

  it('wants operators that can be trained', async () => {
    const timeMajor = sequential([lstm(4, { inputSize: 2, timeMajor: true, returnSequences: true })])
    const [ours, theirs] = await Promise.all([false, true].map((worker) => comesTo(() => createTrainer(timeMajor, { loss: 'mse', runtime, worker }))))
    expect(theirs).toEqual(ours)
    expect(theirs).toHaveProperty('code', 'UNSUPPORTED')
  })
})
