// What is loaded when a net, an option or the engine asks for it, and what stands in its place where nothing can be loaded.
import { describe, expect, it } from 'vitest'
import { conv1d, dense, embedding, gru, input, lstm, sequential } from '../../src/layers/index.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { late } from '../../src/runtime/gradients/late.ts'
import { streams } from '../../src/streams/index.ts'
import { gradients } from '../../src/training/gradients.ts'
import { adam, cosineDecay, createTrainer, resumeTrainer, sgd, type CreateTrainerOptions } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

const runtime = await createRuntime({ variant: 'simd' })
const x = new NdArray(pseudoRandom(1, 6 * 8 * 3, 1), [6, 8, 3])
const y = new NdArray(pseudoRandom(2, 6 * 2, 1), [6, 2])
const ids = new NdArray(Int32Array.from({ length: 48 }, (_, n) => n % 5), [6, 8])

describe('what is handed over', () => {
  const changing = adam({ learningRate: cosineDecay(0.1, { epochs: 2 }) })

  it.each<[string, () => ReturnType<typeof sequential>, Omit<CreateTrainerOptions, 'worker'>, NdArray]>([
    ['an LSTM', () => sequential([input([8, 3]), lstm(5), dense(2)]), { loss: 'mse' }, x],
    ['a GRU, with a rate that changes', () => sequential([input([8, 3]), gru(5), dense(2)]), { loss: 'mse', optimizer: changing }, x],
    ['a convolution, with other weights', () => sequential([input([8, 3]), conv1d(4, 3), lstm(5), dense(2)]), { loss: 'huber', initializers: { like: 'pytorch' } }, x],
    ['a table, with SGD', () => sequential([input([8], { dtype: 'int32' }), embedding(5, 4), lstm(5), dense(2)]), { loss: 'mae', optimizer: sgd({ momentum: 0.9 }) }, ids],
  ])('trains %s as what is loaded does, and goes on from bytes', async (_name, net, options, data) => {
    const [loaded, given] = await Promise.all([createTrainer(net(), { ...options, runtime }), createTrainer(net(), { ...options, runtime, gradients })])
    for (const trainer of [loaded, given]) await trainer.fit(data, y, { epochs: 2, batchSize: 4 })
    expect(given.save()).toEqual(loaded.save())
    const resumed = await resumeTrainer(loaded.save(), { runtime, gradients })
    expect(resumed.trainOnBatch(data, y)).toEqual(given.trainOnBatch(data, y))
    const model = await given.model({ streams })
    expect(model.outputs.length).toBe(1)
    for (const trainer of [loaded, given, resumed]) trainer.dispose()
  })

  it('is named where dynamic imports are forbidden', async () => {
    const forbidden = (): Promise<never> => Promise.reject(new TypeError('import() is disallowed on ServiceWorkerGlobalScope'))
    const hint = /^cannot import gradients of lstm-wasm: TypeError.*hand it over: import \{ gradients \} from 'lstm-wasm\/gradients', createTrainer\(net, /
    await expectRejection(late(forbidden, 'gradients'), 'ENVIRONMENT', hint)
  })

  it('is told apart from other things', async () => {
    const options = { loss: 'mse', gradients: {} as never } as const
    await expectRejection(createTrainer(sequential([input([8, 3]), lstm(5)]), options), 'VALUE', /expected gradients of 'lstm-wasm\/gradients' for 'gradients'/)
  })
})

describe('descriptions of others', () => {
  it.each([null, 5, Symbol('mse'), {}, { loss: { toString: null } }, { optimizer: 'adam', learningRate: { schedule: Symbol('step') } }])('that are none are told: %j', async (given) => {
    const net = sequential([input([8, 3]), lstm(5)])
    const options = { loss: 'mse', optimizer: 'adam', ['optimizer' in Object(given) ? 'optimizer' : 'loss']: given } as never
    await expectRejection(createTrainer(net, options), 'VALUE', /^(loss|adam: learningRate): expected /)
  })

  it('have their schedules looked at', async () => {
    const wrong = adam({ learningRate: { schedule: 'linear', rate: 1 } as never })
    const made = createTrainer(sequential([input([8, 3]), lstm(5)]), { loss: 'mse', optimizer: wrong })
    await expectRejection(made, 'VALUE', /^adam: learningRate: expected a learning rate, or a schedule of .*, got "linear"$/)
  })
})
