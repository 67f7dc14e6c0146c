import { describe, expect, it } from 'vitest'
import type { GraphInput } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import { batchNorm, dense, dropout, embedding, input, lstm, sequential } from '../../src/layers/index.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { initialStateDict } from '../../src/training/initializers.ts'
import { adam, createTrainer, earlyStopping, esr, resumeTrainer, sgd } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

const runtime = await createRuntime({ variant: 'simd' })
const ROWS = 70
const STEPS = 9
/** Sequences whose first or last half is louder: the class. */
const x = new NdArray(pseudoRandom(1, ROWS * STEPS * 2, 1), [ROWS, STEPS, 2])
const y = new NdArray(new Int32Array(ROWS), [ROWS])
for (let row = 0; row < ROWS; row++) {
  const loud = row % 2
  for (let n = 0; n < STEPS * 2; n++) if ((n >= STEPS ? 1 : 0) !== loud) x.data[row * STEPS * 2 + n] = 0.1 * (x.data[row * STEPS * 2 + n] as number)
  y.data[row] = loud
}

const net = (): ReturnType<typeof sequential> => sequential([
  input([STEPS, 2]), lstm(7, { returnSequences: true }), dropout(0.2), lstm(5), dense(2, { activation: 'softmax' }),
])
const OPTIONS = { loss: 'sparseCategoricalCrossentropy', optimizer: adam({ learningRate: 0.02 }), metrics: ['accuracy'], seed: 3, runtime } as const
const allOf = (weights: Map<string, Float32Array>): number[] => [...weights.values()].flatMap((data) => [...data])

describe('a trainer', () => {
  it('trains layers, and gives a model with the same numbers', async () => {
    const trainer = await createTrainer(net(), OPTIONS)
    const { history } = await trainer.fit(x, y, { epochs: 12, batchSize: 10, validationSplit: 0.2 })
    expect(history.loss?.at(-1)).toBeLessThan(0.5 * (history.loss?.[0] as number))
    expect(history.valAccuracy?.at(-1)).toBeGreaterThan(0.8)
    const model = await trainer.model()
    const { output } = await trainer.predict(x)
    const expected = model.run({ input: x }).output as NdArray
    expect(output?.shape).toEqual([ROWS, 2])
    output?.data.forEach((value, n) => expect(Math.abs(value - (expected.data[n] as number))).toBeLessThan(1e-6))
    const { accuracy } = await trainer.evaluate(x, y)
    const right = Array.from(y.data, (label, row) => Number((expected.data[2 * row + 1] as number) > (expected.data[2 * row] as number)) === label)
    expect(accuracy).toBe(right.filter(Boolean).length / ROWS)
    trainer.dispose()
    expect(model.run({ input: x }).output).toEqual(expected)
    model.dispose()
  })

  it('takes weights by name, as a map or an object, and refuses others whole', async () => {
    const trainer = await createTrainer(net(), OPTIONS)
    const before = trainer.getWeights()
    const halved = new Map([...before].map(([name, data]) => [name, data.map((value) => value / 2)]))
    trainer.setWeights(Object.fromEntries(halved))
    expect(allOf(trainer.getWeights())).toEqual(allOf(halved))
    trainer.setWeights(before)
    const [name = ''] = before.keys()
    const length = before.get(name)?.length as number
    expectError(() => trainer.setWeights(new Map([...halved].slice(1))), 'SHAPE', `setWeights: expected ${length} elements for '${name}', got none`)
    expectError(() => trainer.setWeights({ ...Object.fromEntries(halved), [name]: new Float32Array(3) }), 'SHAPE', `setWeights: expected ${length} elements for '${name}', got 3`)
    expectError(() => trainer.setWeights({ ...Object.fromEntries(halved), [name]: [1, 2] as never }), 'VALUE', new RegExp(`^setWeights: expected a Float32Array for '${name}', got`))
    expectError(() => trainer.setWeights(undefined as never), 'VALUE', /^setWeights: expected arrays by name, got/)
    expect(allOf(trainer.getWeights())).toEqual(allOf(before))
    trainer.dispose()
  })

  it('leaves optional initial states out', async () => {
    const trainer = await createTrainer(sequential([input([STEPS, 2]), lstm(4, { initialState: true }), dense(2, { activation: 'softmax' })]), OPTIONS)
    const { history } = await trainer.fit(x, y, { epochs: 2, batchSize: 10 })
    expect(history.loss?.[1]).toBeLessThan(history.loss?.[0] as number)
    trainer.dispose()
  })

  it('wants the batch as the first axis', async () => {
    const before = runtime.memory().usedBytes
    await expectRejection(
      createTrainer(sequential([lstm(4, { inputSize: 2, timeMajor: true, returnSequences: true })]), { ...OPTIONS, loss: 'mse', metrics: [] }), 'UNSUPPORTED',
      "training: 'lstm' takes the first axis of its input for timesteps, along which batches are cut; train the model without timeMajor, and give it sequences [batch, timesteps, features]",
    )
    const named = sequential([lstm(4, { inputSize: 2, timeMajor: true, returnSequences: true })])
    const graph = named.toGraph(initialStateDict(named.weightSpecs()))
    const timeFirst = { ...graph, inputs: [{ ...graph.inputs[0], shape: ['timesteps', 'batch', 2] }] } as typeof graph
    await expectRejection(
      createTrainer(timeFirst, { ...OPTIONS, loss: 'mse', metrics: [] }), 'UNSUPPORTED', /^training: the input 'input' is \[timesteps, batch, 2\]: expected the batch as its first axis;/,
    )
    const stated = sequential([lstm(4, { inputSize: 2, initialState: true, name: 'l' })])
    const optional = stated.toGraph(initialStateDict(stated.weightSpecs()))
    const [sequences, ...states] = optional.inputs as [GraphInput, ...GraphInput[]]
    const inputs = [{ ...sequences, shape: ['batch', STEPS, 2] }, ...states.map(({ name, dtype, shape }) => ({ name, dtype, shape }))]
    const needed = { ...optional, inputs }
    await expectRejection(
      createTrainer(needed, { ...OPTIONS, loss: 'mse', metrics: [] }), 'UNSUPPORTED',
      /^training: the input '\w+' is \[1, batch, 4\]: expected the batch as its first axis; export the model without states that come in, /,
    )
    expect(runtime.memory().usedBytes).toBe(before)
  })

  it('keeps what stateful layers remember in its bytes', async () => {
    const stateful = (): ReturnType<typeof sequential> => sequential([
      input([STEPS, 2]), lstm(6, { stateful: true }), dense(2, { activation: 'softmax' }),
    ])
    const whole = await createTrainer(stateful(), OPTIONS)
    const part = new NdArray(x.data.subarray(0, 20 * STEPS * 2), [20, STEPS, 2])
    const labels = new NdArray(y.data.subarray(0, 20), [20])
    const losses = [1, 2, 3, 4].map(() => whole.trainOnBatch(part, labels).loss)
    const first = await createTrainer(stateful(), OPTIONS)
    const begun = [1, 2].map(() => first.trainOnBatch(part, labels).loss)
    const second = await resumeTrainer(first.save(), { runtime })
    expect([...begun, ...[3, 4].map(() => second.trainOnBatch(part, labels).loss)]).toEqual(losses)
    expect(allOf(second.getWeights())).toEqual(allOf(whole.getWeights()))
    expectError(() => second.trainOnBatch(x, y), 'VALUE', /it is that of 20 rows, got a batch of 70; call resetStates\(\)/)
    second.resetStates()
    second.trainOnBatch(x, y)
    for (const trainer of [whole, first, second]) trainer.dispose()
  })

  it('goes on from its bytes, bit for bit', async () => {
    const [whole, first] = await Promise.all([createTrainer(net(), OPTIONS), createTrainer(net(), OPTIONS)])
    await whole.fit(x, y, { epochs: 4, batchSize: 16 })
    const { epoch } = await first.fit(x, y, { epochs: 2, batchSize: 16 })
    const bytes = first.save()
    const second = await resumeTrainer(bytes, { runtime })
    expect(second.save()).toEqual(bytes)
    await second.fit(x, y, { epochs: 4, initialEpoch: epoch, batchSize: 16 })
    expect(allOf(second.getWeights())).toEqual(allOf(whole.getWeights()))
    expect([second.epoch, second.steps]).toEqual([whole.epoch, whole.steps])
    for (const trainer of [whole, first, second]) trainer.dispose()
    await expectRejection(resumeTrainer(bytes.subarray(0, 200), { runtime }), 'FORMAT', /./)
    await expectRejection(resumeTrainer(new Uint8Array(100), { runtime }), 'FORMAT', /./)
  })

  it('has the same first weights for the same seed; layers are as before', async () => {
    const layers = net()
    const [one, two, other] = await Promise.all([3, 3, 4].map((seed) => createTrainer(layers, { ...OPTIONS, seed })))
    expect(allOf(one?.getWeights() as never)).toEqual(allOf(two?.getWeights() as never))
    expect(allOf(one?.getWeights() as never)).not.toEqual(allOf(other?.getWeights() as never))
    expect(layers.hasWeights).toBe(false)
    const expected = initialStateDict(layers.weightSpecs(), {}, 3)
    for (const [name, data] of one?.getWeights() ?? []) expect(data).toEqual(expected.get(name)?.data)
    for (const trainer of [one, two, other]) trainer?.dispose()
  })

  it('keeps what is frozen', async () => {
    const trainer = await createTrainer(net(), OPTIONS)
    trainer.freeze(['lstm', 'dense.bias'])
    expect(trainer.trainableNames.sort()).toEqual(['dense.weight', 'lstm_1.bias_hh_l0', 'lstm_1.bias_ih_l0', 'lstm_1.weight_hh_l0', 'lstm_1.weight_ih_l0'])
    const before = trainer.getWeights()
    await trainer.fit(x, y)
    const after = trainer.getWeights()
    for (const [name, data] of before) {
      const hasMoved = after.get(name)?.some((value, n) => value !== data[n])
      expect([name, hasMoved]).toEqual([name, trainer.trainableNames.includes(name)])
    }
    const resumed = await resumeTrainer(trainer.save(), { runtime })
    expect(resumed.trainableNames).toEqual(trainer.trainableNames)
    trainer.unfreeze(['lstm'])
    expect(trainer.trainableNames).toContain('lstm.weight_ih_l0')
    expectError(() => trainer.freeze(['dense', 5 as unknown as string]), 'VALUE', 'freeze: expected a list of names of layers or weights, got Array')
    expect(trainer.trainableNames).toContain('dense.weight')
    expectError(() => trainer.freeze(['gru']), 'VALUE', "freeze: no layer or weight 'gru' that learns; layers with weights are 'lstm', 'lstm_1', 'dense'")
    trainer.dispose()
    resumed.dispose()
  })

  it('trains models that have their weights, and indices, running means and sounds', async () => {
    const layers = sequential([embedding(11, 6), lstm(5), batchNorm(), dense(1, { activation: 'sigmoid' })])
    const model = await compile(layers.toGraph(initialStateDict(layers.weightSpecs(), { like: 'pytorch' }, 1)), { runtime })
    const tokens = new NdArray(Int32Array.from(pseudoRandom(8, 24 * 6, 5.4), (value) => Math.floor(value + 5.5)), [24, 6])
    const labels = new NdArray(Float32Array.from({ length: 24 }, (_, n) => n % 2), [24])
    const trainer = await createTrainer(model, { loss: 'binaryCrossentropy', metrics: ['accuracy'], optimizer: adam({ learningRate: 0.05 }) })
    const { history } = await trainer.fit(tokens, labels, { epochs: 30, batchSize: 24, callbacks: [earlyStopping({ monitor: 'loss', patience: 30 })] })
    expect(history.loss?.at(-1)).toBeLessThan(0.3 * (history.loss?.[0] as number))
    expect([...trainer.getWeights().get('batch_norm.running_mean') ?? []]).not.toEqual([0, 0, 0, 0, 0])
    trainer.dispose()
    const amp = sequential([input(['timesteps', 1]), lstm(4, { returnSequences: true }), dense(1)])
    const sound = new NdArray(pseudoRandom(2, 3 * 40, 1), [3, 40, 1])
    const target = new NdArray(sound.data.map((value) => Math.tanh(3 * value)), [3, 40, 1])
    const capture = await createTrainer(amp, { loss: esr(), optimizer: adam({ learningRate: 0.02 }), runtime })
    const { history: { loss = [] } } = await capture.fit(sound, target, { epochs: 40 })
    expect(loss.at(-1)).toBeLessThan(0.3 * (loss[0] as number))
    capture.dispose()
    model.dispose()
  })

  it('says what is wrong', async () => {
    await expectRejection(createTrainer(net(), { loss: 'crossentropy' as never }), 'VALUE', /^loss: expected one of/)
    await expectRejection(createTrainer(net(), { ...OPTIONS, metric: ['accuracy'] } as never), 'VALUE', /^createTrainer: no option 'metric' \(did you mean 'metrics'\?\)/)
    await expectRejection(createTrainer(net(), { ...OPTIONS, seed: 0.5 }), 'VALUE', /^createTrainer: expected a whole number/)
    await expectRejection(createTrainer(sequential([lstm(3)]), OPTIONS), 'SHAPE', /^sequential: the input size of 'lstm' is not known/)
    const weighted = net().loadStateDict(initialStateDict(net().weightSpecs()))
    await expectRejection(createTrainer(weighted, { ...OPTIONS, initializers: {} }), 'VALUE', /^createTrainer: initializers go with layers without weights/)
    const trainer = await createTrainer(net(), { ...OPTIONS, optimizer: sgd({ learningRate: 1e300 }) })
    await expectRejection(trainer.fit(x, y, { epochs: 3 }), 'VALUE', /the loss is|a gradient is/)
    for (const value of allOf(trainer.getWeights())) expect(Number.isFinite(value)).toBe(true)
    trainer.dispose()
  })

  it('gives its memory back', async () => {
    const own = await createRuntime({ variant: 'simd' })
    const before = own.memory().usedBytes
    const trainer = await createTrainer(net(), { ...OPTIONS, runtime: own })
    await trainer.fit(x, y)
    trainer.dispose()
    expect(own.memory().usedBytes).toBe(before)
  })
})
