// Threads change no bit of what is trained: weights, losses and outputs after some steps, for layers of all kinds, batches that are no multiple of a
// group, and every optimiser. What a worker refuses is told as one thread tells it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile, createRuntime, NdArray, type Runtime } from '../../src/index.ts'
import { batchNorm, conv1d, dense, dropout, embedding, gru, input, layerNorm, lstm, sequential, simpleRnn, type Sequential } from '../../src/layers/index.ts'
import type { Variant } from '../../src/runtime/kernels.ts'
import { adam, adamw, createTrainer, rmsprop, sgd, type ModelTrainer, type Optimizer, type TrainerOptions } from '../../src/training/index.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { inTurn } from '../thorough.ts'
import { eagerRuntime, THREAD_VARIANTS } from './eager-runtime.ts'

const [STEPS, FEATURES, CLASSES, WORDS] = [9, 5, 3, 11]
const floats = (seed: number, ...shape: number[]): NdArray => new NdArray(pseudoRandom(seed, shape.reduce((a, b) => a * b), 1), shape)
const integers = (seed: number, most: number, ...shape: number[]): NdArray => (
  new NdArray(Int32Array.from(floats(seed, ...shape).data, (x) => Math.floor((x + 1) / 2 * most)), shape)
)
/** How many steps of a sequence count. */
const lengthsOf = (rows: number): NdArray => new NdArray(Int32Array.from({ length: rows }, (_, row) => 1 + (row * 5) % STEPS), [rows])

interface Case {
  readonly name: string
  readonly net: () => Sequential
  readonly x?: (rows: number) => NdArray | Record<string, NdArray>
  readonly options?: Partial<TrainerOptions>
}

const on = (...layers: Parameters<typeof sequential>[0]): (() => Sequential) => () => sequential([input([STEPS, FEATURES]), ...layers, dense(CLASSES)])
const sequences = (rows: number): NdArray => floats(1, rows, STEPS, FEATURES)
const optimized = (name: string, optimizer: Optimizer): Case => ({ name, net: on(gru(6)), options: { optimizer } })
const CASES: readonly Case[] = [
  { name: 'lstm', net: on(lstm(19)) },
  { name: 'lstm with peepholes and clip', net: on(lstm(7, { peepholes: true, clip: 0.5 })) },
  { name: 'lstm with a projection', net: on(lstm(10, { projSize: 4 })) },
  { name: 'gru', net: on(gru(13)) },
  { name: 'gru, reset before', net: on(gru(9, { resetAfter: false })) },
  { name: 'simpleRnn', net: on(simpleRnn(17)) },
  { name: 'two bidirectional layers', net: on(lstm(6, { numLayers: 2, bidirectional: true })) },
  { name: 'a stack with dropout', net: on(lstm(8, { returnSequences: true, recurrentDropout: 0.2 }), dropout(0.3), gru(7, { dropout: 0.25 })) },
  { name: 'stateful', net: on(lstm(6, { stateful: true })) },
  { name: 'convolution and normalisation', net: on(conv1d(8, 3), layerNorm(), simpleRnn(5)) },
  { name: 'statistics of batches', net: on(dense(6), batchNorm(), lstm(4)) },
  { name: 'lengths', net: on(gru(7, { lengths: 'lengths' })), x: (rows) => ({ input: sequences(rows), lengths: lengthsOf(rows) }) },
  { name: 'an embedding', net: () => sequential([input([STEPS], { dtype: 'int32' }), embedding(WORDS, 6), lstm(5), dense(CLASSES)]), x: (rows) => integers(1, WORDS, rows, STEPS) },
  optimized('momentum', sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true })),
  optimized('rmsprop', rmsprop({ centered: true, globalClipNorm: 0.1 })),
  optimized('adamw', adamw({ weightDecay: 0.01, clipNorm: 0.1 })),
]

const dataOf = ({ x = sequences }: Case, rows: number): [NdArray | Record<string, NdArray>, NdArray] => [x(rows), integers(2, CLASSES, rows)]

const trainerOf = ({ net, options }: Pick<Case, 'net' | 'options'>, runtime: Runtime): Promise<ModelTrainer> => (
  createTrainer(net(), { loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], optimizer: adam({ learningRate: 0.01 }), seed: 3, ...options, runtime })
)

/** What some steps come to. */
async function learned(one: Case, rows: number, runtime: Runtime): Promise<unknown> {
  const trainer = await trainerOf(one, runtime)
  const [x, y] = dataOf(one, rows)
  const losses = [0, 1, 2].map(() => trainer.trainOnBatch(x, y, { sampleWeight: pseudoRandom(7, rows, 1).map(Math.abs) }))
  const whole = { batchSize: rows }
  const results = { losses, weights: trainer.getWeights(), tested: await trainer.evaluate(x, y, whole), predicted: await trainer.predict(x, whole) }
  trainer.dispose()
  return results
}

describe.each(THREAD_VARIANTS)('training on threads (%s)', (variant: Variant) => {
  let alone: Runtime
  let threaded: Runtime[]
  beforeAll(async () => {
    alone = await createRuntime({ variant })
    // So busy that they are late at times; and with as much time as they want.
    threaded = [await eagerRuntime(2, variant, 0.01), await eagerRuntime(3, variant, 1000)]
  })
  afterAll(() => threaded.forEach((runtime) => runtime.dispose()))

  it.each(CASES)('changes no bit: $name', async (one) => {
    for (const rows of inTurn([5, 33, 70, 128], CASES.indexOf(one))) {
      const expected = await learned(one, rows, alone)
      for (const runtime of threaded) expect(await learned(one, rows, runtime)).toEqual(expected)
    }
  })

  it('refuses what a worker finds as one thread does, and is as before', async () => {
    const one = CASES.find(({ name }) => name === 'an embedding') as Case
    const [good, y] = dataOf(one, 70)
    const bad = new NdArray(Int32Array.from((good as NdArray).data), (good as NdArray).shape)
    bad.data[40 * STEPS] = WORDS
    const found = await Promise.all([alone, ...threaded].map(async (runtime) => {
      const trainer = await trainerOf(one, runtime)
      let message = ''
      expectError(() => {
        try {
          trainer.trainOnBatch(bad, y)
        } catch (error) {
          ({ message } = error as Error)
          throw error
        }
      }, 'VALUE', /^lookUp .* at element 72 of the input$/)
      return [message, trainer.trainOnBatch(good, y), trainer.getWeights()]
    }))
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
  })

  it('gives way in mid-step, when others may run on the same threads, and may be left', async () => {
    const one = CASES[0] as Case
    const [x, y] = dataOf(one, 70) as [NdArray, NdArray]
    const found = await Promise.all([alone, ...threaded].map(async (runtime) => {
      const { engine } = await trainerOf(one, runtime)
      const model = await compile(sequential([input([STEPS, FEATURES]), lstm(24)]).loadStateDict({
        'lstm.weight_ih_l0': floats(3, 96, FEATURES), 'lstm.weight_hh_l0': floats(4, 96, 24), 'lstm.bias_ih_l0': floats(5, 96), 'lstm.bias_hh_l0': floats(6, 96),
      }), { runtime })
      const gradients = (turns: number): unknown => {
        const options = { rows: 70, weights: [new Float32Array(70).fill(1)], step: 0, training: true }
        const parts = engine.runInParts({ [engine.inputs[0]?.name as string]: x }, [{ target: y }], options, () => true)
        const outputs: unknown[] = []
        for (let n = 0; n < turns && parts.next().done !== true; n++) outputs.push(model.run(x))
        parts.return(undefined as never)
        return [outputs[0], outputs.at(-1), ...engine.parameters.map((parameter) => parameter.readGradient())]
      }
      gradients(3)
      return gradients(Infinity)
    }))
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
  })

  it('fits with what has been measured, and goes on with one thread when the runtime is disposed', async () => {
    const one = CASES[0] as Case
    const [x, y] = dataOf(one, 100)
    const runtime = await createRuntime({ variant, threads: 2 })
    const [ours, theirs] = [await trainerOf(one, alone), await trainerOf(one, runtime)]
    const options = { epochs: 12, batchSize: 48, validationSplit: 0.2 }
    expect(await theirs.fit(x, y, options)).toEqual(await ours.fit(x, y, options))
    runtime.dispose()
    expect(theirs.trainOnBatch(x, y)).toEqual(ours.trainOnBatch(x, y))
    const late = await trainerOf(one, runtime)
    expect(late.trainOnBatch(x, y)).toEqual((await trainerOf(one, alone)).trainOnBatch(x, y))
    expect(theirs.getWeights()).toEqual(ours.getWeights())
  })

  it('gives the memory of a trainer back', async () => {
    const [runtime] = threaded as [Runtime]
    const one = CASES[0] as Case
    const used = (): number => runtime.memory().usedBytes
    await learned(one, 70, runtime)
    const before = used()
    await learned(one, 70, runtime)
    expect(used()).toBe(before)
  })
})

it('refuses a binary that is given', async () => {
  const runtime = await createRuntime({ threads: 2 })
  const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  await expectRejection(createTrainer((CASES[0] as Case).net(), { loss: 'mse', runtime, module }), 'VALUE', /^module: expected none for a runtime with threads/)
  runtime.dispose()
})
