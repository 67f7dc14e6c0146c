import { describe, expect, it } from 'vitest'
import { earlyStopping, learningRateScheduler, modelCheckpoint, reduceOnPlateau, type Callback } from '../../src/training/fitting/callbacks.ts'
import { readCheckpoint } from '../../src/training/fitting/checkpoint-reader.ts'
import type { FitProgress } from '../../src/training/fitting/fit.ts'
import { lossOf, sparseCategoricalCrossentropy, type Loss } from '../../src/training/descriptions/losses.ts'
import { LOSSES } from '../../src/training/descriptions/more-losses.ts'
import { onlyLoss } from '../../src/training/descriptions/output-losses.ts'
import type { MetricName } from '../../src/training/fitting/metrics.ts'
import { sgd } from '../../src/training/descriptions/more-optimizers.ts'
import { adam, type Optimizer } from '../../src/training/descriptions/optimizers.ts'
import { cosineDecay, rateAt } from '../../src/training/descriptions/schedules.ts'
import { Trainer } from '../../src/training/fitting/trainer.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { linearEngine, type LinearEngine } from './linear-engine.ts'
import { trainingRuntimeOf } from './runtimes.ts'

const runtime = await trainingRuntimeOf()
const ROWS = 37
const x = new NdArray(pseudoRandom(11, ROWS * 3, 1), [ROWS, 3])
/** The largest of three sums: what a linear layer can learn. */
const y = new NdArray(Int32Array.from({ length: ROWS }, (_, row) => {
  const [a, b, c] = x.data.subarray(3 * row) as unknown as [number, number, number]
  const scores = [a + b, c - a, b - c]
  return scores.indexOf(Math.max(...scores))
}), [ROWS])

interface Made {
  readonly trainer: Trainer
  readonly engine: LinearEngine
}

interface Choice {
  readonly loss?: Loss
  readonly optimizer?: Optimizer
  readonly metrics?: readonly MetricName[]
  readonly seed?: number
}

function make({ loss = sparseCategoricalCrossentropy(), optimizer = sgd({ learningRate: 0.3 }), metrics = ['accuracy'], seed = 1 }: Choice = {}): Made {
  const engine = linearEngine(runtime, 3, 3, loss.loss === 'sparseCategoricalCrossentropy' ? 'classes' : 'squares')
  return { engine, trainer: new Trainer(engine, { losses: onlyLoss(loss), optimizer, metrics, seed, rateAt }) }
}

const weightsOf = ({ trainer }: Made): number[] => [...trainer.getWeights().values()].flatMap((data) => [...data])

describe('fit', () => {
  it('learns, and says how it went', async () => {
    const made = make()
    const { history, epoch } = await made.trainer.fit(x, y, { epochs: 30, batchSize: 8, validationSplit: 0.2 })
    expect(epoch).toBe(30)
    expect(Object.keys(history)).toEqual(['loss', 'accuracy', 'valLoss', 'valAccuracy', 'learningRate'])
    for (const values of Object.values(history)) expect(values.length).toBe(30)
    expect(history.loss?.at(-1)).toBeLessThan(0.7 * (history.loss?.[0] as number))
    expect(history.accuracy?.at(-1)).toBeGreaterThan(0.85)
    const { loss, accuracy } = await made.trainer.evaluate(x, y)
    expect(accuracy).toBeGreaterThan(0.85)
    expect(loss).toBeLessThan(history.loss?.[0] as number)
    expect(made.trainer.steps).toBe(30 * Math.ceil(29 / 8))
    made.trainer.dispose()
    expect(made.engine.disposed).toBe(true)
  })

  it('ends where the data of the caller are taken away in the middle', async () => {
    const made = make()
    const data = x.data.slice()
    const before = weightsOf(make())
    const taken = made.trainer.fit(new NdArray(data, [ROWS, 3]), y, {
      epochs: 3, batchSize: 64, callbacks: [{ onEpochEnd: () => void structuredClone(data.buffer, { transfer: [data.buffer] }) }],
    })
    await expectRejection(taken, 'SHAPE', /data had 111 elements at first, and 0 now: inputs may not change until it is done$/)
    expect(made.trainer.steps).toBe(1)
    expect(weightsOf(made)).not.toEqual(before)
    made.trainer.dispose()
  })

  it('takes each row once an epoch, in orders that follow from the seed; the last batch is smaller', async () => {
    const made = make()
    await made.trainer.fit(x, y, { epochs: 2, batchSize: 10 })
    expect(made.engine.sizes).toEqual([10, 10, 10, 7, 10, 10, 10, 7])
    const firsts = Array.from({ length: ROWS }, (_, row) => x.data[3 * row] as number)
    const [one, two] = [made.engine.seen.slice(0, ROWS), made.engine.seen.slice(ROWS)]
    const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)
    expect(sorted(one)).toEqual(sorted(firsts))
    expect(sorted(two)).toEqual(sorted(firsts))
    expect(one).not.toEqual(firsts)
    expect(two).not.toEqual(one)
    const again = make()
    await again.trainer.fit(x, y, { epochs: 2, batchSize: 10 })
    expect(again.engine.seen).toEqual(made.engine.seen)
    expect(weightsOf(again)).toEqual(weightsOf(made))
    const other = make({ seed: 2 })
    await other.trainer.fit(x, y, { epochs: 1, batchSize: 10 })
    expect(other.engine.seen).not.toEqual(one)
    const plain = make()
    await plain.trainer.fit(x, y, { epochs: 1, batchSize: 100, shuffle: false, validationSplit: 0.3 })
    expect(plain.engine.seen).toEqual(firsts.slice(0, 25)) // Keras: the end is held out
  })

  it('does what one step of trainOnBatch does, and gives the loss before the step', async () => {
    const [whole, single] = [make(), make()]
    const { history } = await whole.trainer.fit(x, y, { batchSize: ROWS, shuffle: false })
    const before = await single.trainer.evaluate(x, y)
    const logs = single.trainer.trainOnBatch(x, y)
    expect(weightsOf(single)).toEqual(weightsOf(whole))
    expect(logs.loss).toBeCloseTo(history.loss?.[0] as number, 12)
    expect(logs.loss).toBeCloseTo(before.loss as number, 6)
    expect(single.trainer.steps).toBe(1)
  })

  it('weighs rows and classes: a weight of 2 is a row twice, a weight of 0 and a mask leave it out', async () => {
    const twice = new NdArray(Float32Array.of(...x.data.subarray(0, 9), ...x.data.subarray(0, 3)), [4, 3])
    const classes = new NdArray(Int32Array.of(0, 1, 2, 0), [4])
    const three = [new NdArray(x.data.subarray(0, 9), [3, 3]), new NdArray(classes.data.subarray(0, 3), [3])] as const
    const [repeated, weighed, byClass] = [make(), make(), make()]
    repeated.trainer.trainOnBatch(twice, classes)
    weighed.trainer.trainOnBatch(...three, { sampleWeight: Float32Array.of(2, 1, 1) })
    byClass.trainer.trainOnBatch(...three, { classWeight: { 0: 2 } })
    weightsOf(repeated).forEach((value, n) => {
      expect(weightsOf(weighed)[n]).toBeCloseTo(value, 6)
      expect(weightsOf(byClass)[n]).toBeCloseTo(value, 6)
    })
    const [masked, alone, ignoring] = [make(), make(), make({ loss: sparseCategoricalCrossentropy({ ignoreIndex: -1 }) })]
    const logs = masked.trainer.trainOnBatch(...three, { mask: Uint8Array.of(1, 0, 1) })
    const two = [new NdArray(Float32Array.of(...x.data.subarray(0, 3), ...x.data.subarray(6, 9)), [2, 3]), Int32Array.of(0, 2)] as const
    expect(logs.loss).toBeCloseTo(alone.trainer.trainOnBatch(...two).loss as number, 6)
    ignoring.trainer.trainOnBatch(three[0], Int32Array.of(0, -1, 2))
    weightsOf(alone).forEach((value, n) => {
      expect(weightsOf(masked)[n]).toBeCloseTo(value, 6)
      expect(weightsOf(ignoring)[n]).toBeCloseTo(value, 6)
    })
  })

  it('reduces as it is told', () => {
    const sampleWeight = Float32Array.of(0.5, 2, 0)
    const data = [new NdArray(x.data.subarray(0, 9), [3, 3]), Int32Array.of(0, 1, 2)] as const
    const rows = [0, 1, 2].map((row) => (
      make().trainer.trainOnBatch(new NdArray(x.data.subarray(3 * row, 3 * row + 3), [1, 3]), Int32Array.of(row)).loss as number
    ))
    const lossOfReduction = (reduction: 'mean' | 'sumOverBatchSize' | 'sum'): number => (
      make({ loss: sparseCategoricalCrossentropy({ reduction }) }).trainer.trainOnBatch(...data, { sampleWeight }).loss as number
    )
    const sum = 0.5 * (rows[0] as number) + 2 * (rows[1] as number)
    expect(lossOfReduction('mean')).toBeCloseTo(sum / 2.5, 5)
    expect(lossOfReduction('sumOverBatchSize')).toBeCloseTo(sum / 3, 5)
    expect(lossOfReduction('sum')).toBeCloseTo(sum, 5)
  })

  it('leaves everything as it is where nothing counts', () => {
    const made = make()
    const before = weightsOf(made)
    expect(made.trainer.trainOnBatch(x, y, { mask: new Uint8Array(ROWS) })).toEqual({ loss: NaN, accuracy: NaN })
    expect(weightsOf(made)).toEqual(before)
    expect(made.trainer.steps).toBe(0)
  })

  it('reports progress: batches, loss, metrics, time left', async () => {
    const reports: FitProgress[] = []
    await make().trainer.fit(x, y, { epochs: 3, batchSize: 10, onProgress: (progress) => reports.push(progress) })
    const ends = reports.filter(({ done }) => done % 4 === 0)
    expect(ends.map(({ epoch, epochs, done, total }) => [epoch, epochs, done, total])).toEqual([[1, 3, 4, 12], [2, 3, 8, 12], [3, 3, 12, 12]])
    expect(ends.at(-1)).toMatchObject({ secondsLeft: 0, learningRate: 0.3 })
    for (const { loss, metrics } of ends) expect([loss > 0, metrics.accuracy as number > 0]).toEqual([true, true])
  })

  it('yields to the event loop', async () => {
    const made = make()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    await made.trainer.fit(x, y, { epochs: 1000, batchSize: 1 })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(2)
  })

  it('goes by schedules of epochs, over several calls', async () => {
    const made = make({ optimizer: sgd({ learningRate: cosineDecay(0.4, { epochs: 4 }) }) })
    const first = await made.trainer.fit(x, y, { epochs: 2, batchSize: ROWS })
    const second = await made.trainer.fit(x, y, { epochs: 4, initialEpoch: first.epoch, batchSize: ROWS })
    const rates = [...first.history.learningRate ?? [], ...second.history.learningRate ?? []]
    rates.forEach((rate, n) => expect(rate).toBeCloseTo(0.2 * (1 + Math.cos(Math.PI * n / 4)), 12))
    expect(rates.length).toBe(4)
  })
})

describe('fitDataset', () => {
  it('goes through batches in each epoch, asynchronous or not', async () => {
    const rows = (begin: number, end: number): { x: NdArray, y: NdArray } => (
      { x: new NdArray(x.data.subarray(3 * begin, 3 * end), [end - begin, 3]), y: new NdArray(y.data.subarray(begin, end), [end - begin]) }
    )
    const batches = [rows(0, 10), rows(10, 20), rows(20, 30), rows(30, ROWS)]
    const [arrays, list, made] = [make(), make(), make()]
    const { history } = await arrays.trainer.fit(x, y, { epochs: 2, batchSize: 10, shuffle: false })
    expect((await list.trainer.fitDataset(batches, { epochs: 2 })).history).toEqual(history)
    const epochs: number[] = []
    await made.trainer.fitDataset(async function* (epoch) {
      epochs.push(epoch)
      yield* batches
    }, { epochs: 2, validationData: [x, y] })
    expect(epochs).toEqual([0, 1])
    expect(weightsOf(list)).toEqual(weightsOf(arrays))
    expect(weightsOf(made)).toEqual(weightsOf(arrays))
    const once = batches[Symbol.iterator]()
    await expectRejection(make().trainer.fitDataset(once, { epochs: 2 }), 'VALUE', /^fitDataset: epoch 2 has no batches: give a function/)
  })
})

describe('a loss that is no number', () => {
  it('stops, says where, and goes back to the last weights whose loss was one', async () => {
    const made = make({ optimizer: adam() })
    const kept: number[][] = [weightsOf(made)]
    made.engine.spoil = (step) => {
      kept[step] = weightsOf(made)
      return step === 6
    }
    await expectRejection(made.trainer.fit(x, y, { epochs: 3, batchSize: 10 }), 'VALUE', new RegExp([
      '^fit: epoch 2, batch 3 \\(step 6\\): the loss is NaN, first in row 9 of the batch\\. The weights are those before the last step, whose loss was a number\\. ',
      'A lower learning rate, globalClipNorm in the optimizer, or a look at the data may help$',
    ].join('')))
    expect(weightsOf(made)).toEqual(kept[5])
    expect(made.trainer.steps).toBe(5)
    made.engine.spoil = undefined
    expect(() => made.trainer.trainOnBatch(x, y)).not.toThrow()
    expect(made.trainer.steps).toBe(6)
  })

  it('at the first step leaves all as it was; in validation it is a number of the history', async () => {
    const made = make()
    const before = weightsOf(made)
    made.engine.spoil = () => true
    expectError(() => made.trainer.trainOnBatch(x, y), 'VALUE', /^trainOnBatch \(step 0\): the loss is NaN, first in row 36 of the batch\. The weights are as they were\./)
    expect(weightsOf(made)).toEqual(before)
  })

  it('comes of a rate that is too high', async () => {
    const made = make({ loss: lossOf('mse', LOSSES), optimizer: sgd({ learningRate: 1e20 }), metrics: [] })
    const targets = new NdArray(pseudoRandom(4, ROWS * 3, 1), [ROWS, 3])
    await expectRejection(made.trainer.fit(x, targets, { epochs: 5 }), 'VALUE', /^fit: epoch \d, batch \d \(step \d\): (the loss is (NaN|Infinity)|a gradient is)/)
    for (const value of weightsOf(made)) expect(Number.isFinite(value)).toBe(true)
  })
})

describe('callbacks', () => {
  /** Gives numbers of one's own in the place of the epoch's. */
  const feed = (callback: Callback, values: readonly number[], name = 'valLoss'): Callback => ({
    ...callback, onEpochEnd: (epoch, _logs, control) => callback.onEpochEnd?.(epoch, { [name]: values[epoch] as number }, control),
  })

  it('earlyStopping stops after its patience, and puts the best weights back', async () => {
    const cases: [number[], options: Parameters<typeof earlyStopping>[0], epochs: number][] = [
      [[5, 4, 4.1, 4.2, 3, 1], { patience: 2 }, 4], [[5, 4, 4.1, 3.9, 3.8, 3.7], { patience: 2 }, 6],
      [[5, 4.5, 4.45, 4.4, 4.3, 1], { patience: 2, minDelta: 0.3 }, 4],
      [[5, 6, 1, 1, 1, 1], {}, 2], [[NaN, NaN, NaN, 1, 1, 1], { patience: 3 }, 3],
    ]
    for (const [values, options, epochs] of cases) {
      const made = make()
      const { epoch, history } = await made.trainer.fit(x, y, { epochs: 6, callbacks: [feed(earlyStopping(options), values)] })
      expect([epoch, history.loss?.length]).toEqual([epochs, epochs])
    }
    const made = make()
    const weights: number[][] = []
    const best = feed(earlyStopping({ monitor: 'accuracy', patience: 3, restoreBestWeights: true }), [0.1, 0.5, 0.4, 0.5, 0.2, 0.9], 'accuracy')
    await made.trainer.fit(x, y, { epochs: 6, callbacks: [{ onEpochEnd: () => void weights.push(weightsOf(made)) }, best] })
    expect(weights.length).toBe(5)
    expect(weightsOf(made)).toEqual(weights[1])
    await expectRejection(make().trainer.fit(x, y, { callbacks: [earlyStopping()] }), 'VALUE',
      "earlyStopping: monitor: no number 'valLoss'; there are loss, accuracy, learningRate; give fit validationData or a validationSplit")
  })

  it('modelCheckpoint hands over checkpoints, all or the best', async () => {
    const saved: number[] = []
    const save = async (bytes: Uint8Array, { epoch }: { epoch: number }): Promise<void> => {
      expect(readCheckpoint(bytes).state.epoch).toBe(epoch + 1)
      saved.push(epoch)
    }
    await make().trainer.fit(x, y, { epochs: 3, callbacks: [modelCheckpoint(save)] })
    expect(saved.splice(0)).toEqual([0, 1, 2])
    await make().trainer.fit(x, y, { epochs: 4, callbacks: [feed(modelCheckpoint(save, { saveBestOnly: true, monitor: 'val_loss' }), [3, 4, 2, 2])] })
    expect(saved).toEqual([0, 2])
  })

  it('learningRateScheduler and reduceOnPlateau set the rate', async () => {
    const made = make()
    const { history } = await made.trainer.fit(x, y, { epochs: 3, callbacks: [learningRateScheduler((epoch, rate) => (epoch === 0 ? rate : rate / 2))] })
    expect(history.learningRate).toEqual([0.3, 0.15, 0.075])
    await expectRejection(make().trainer.fit(x, y, { callbacks: [learningRateScheduler(() => NaN)] }), 'VALUE', 'learningRateScheduler: expected a rate >= 0 for epoch 0, got NaN')
    const plateau = feed(reduceOnPlateau({ factor: 0.5, patience: 2, cooldown: 1, minRate: 0.1 }), [5, 5, 5, 5, 5, 5, 5, 5])
    const rates = (await make().trainer.fit(x, y, { epochs: 8, callbacks: [plateau] })).history.learningRate ?? []
    ;[0.3, 0.3, 0.3, 0.15, 0.15, 0.1, 0.1, 0.1].forEach((rate, n) => expect(rates[n]).toBeCloseTo(rate, 12))
  })
})

describe('checkpoints', () => {
  it('go on bit for bit', async () => {
    const optimizer = adam({ learningRate: cosineDecay(0.1, { epochs: 6 }) })
    const [whole, first, second] = [make({ optimizer }), make({ optimizer }), make({ optimizer })]
    await whole.trainer.fit(x, y, { epochs: 6, batchSize: 10 })
    const { epoch } = await first.trainer.fit(x, y, { epochs: 3, batchSize: 10 })
    const checkpoint = readCheckpoint(first.trainer.save())
    expect(checkpoint.state).toMatchObject({ epoch: 3, steps: 12, seed: 1, optimizer, metrics: ['accuracy'], losses: [{ loss: { loss: 'sparseCategoricalCrossentropy' }, weight: 1 }] })
    second.trainer.restore(checkpoint)
    await second.trainer.fit(x, y, { epochs: 6, initialEpoch: epoch, batchSize: 10 })
    expect(weightsOf(second)).toEqual(weightsOf(whole))
    expect(second.trainer.save()).toEqual(whole.trainer.save())
  })

  it('refuse what is none, or of another model', () => {
    const made = make()
    const bytes = made.trainer.save()
    expectError(() => readCheckpoint(bytes.subarray(0, bytes.length - 8)), 'FORMAT', /./)
    expectError(() => readCheckpoint(new Uint8Array(40)), 'FORMAT', /./)
    const other = new Trainer(linearEngine(runtime, 4, 3, 'classes'), { losses: onlyLoss(lossOf('sparseCategoricalCrossentropy', LOSSES)), optimizer: sgd(), metrics: [], seed: 1 })
    const before = [...other.getWeights().values()]
    expectError(() => other.restore(readCheckpoint(bytes)), 'SHAPE',
      "checkpoint: its parameters are those of another model; 'dense.weight' has 9 float32 elements, expected 12 float32")
    expect([...other.getWeights().values()]).toEqual(before)
    const moments = make({ optimizer: adam() })
    expectError(() => moments.trainer.restore(readCheckpoint(bytes)), 'SHAPE', /^optimizer: expected 2 parameters and \d+ moments of adam, got 2 and 0/)
  })
})

describe('mistakes', () => {
  it('are told before anything is trained', async () => {
    const made = make()
    const { trainer } = made
    const cases: [options: Parameters<Trainer['fit']>, code: 'SHAPE' | 'VALUE', message: RegExp | string][] = [
      [[x, y, { epoch: 3 } as never], 'VALUE', /^fit: no option 'epoch' \(did you mean 'epochs'\?\)/],
      [[x, y, { batchSize: 0 }], 'VALUE', "fit: expected a whole number >= 1 for 'batchSize', got 0"],
      [[x, y, { validationSplit: 0.5, validationData: [x, y] }], 'VALUE', "fit: 'validationSplit' and 'validationData' say the same thing"],
      [[x, y, { validationSplit: 0.99 }], 'VALUE', /^fit: validationSplit 0\.99 of 37 rows leaves 0 to train with and 37 to validate with/],
      [[x, new NdArray(new Int32Array(36), [36])], 'SHAPE', /^sparseCategoricalCrossentropy: expected targets \[37\] for the output \[37, 3\], got \[36\]$/],
      [[x, new NdArray(Int32Array.from(y.data).fill(3, 5, 6), [ROWS])], 'VALUE', 'fit: targets: expected classes from 0 to 2, got 3 in row 5'],
      [[x, Float32Array.from(y.data).fill(0.5, 7, 8)], 'VALUE', 'fit: targets: expected int32 elements, got 0.5 at element 7'],
      [[new NdArray(Float32Array.from(x.data).fill(NaN, 31, 32), [ROWS, 3]), y], 'VALUE', "fit: input 'x': expected numbers, got NaN in row 10, at element 1 of it"],
      [[{ z: x }, y], 'VALUE', "fit: no input 'z'; inputs are 'x'"],
      [[x, y, { sampleWeight: new Float32Array(5) }], 'SHAPE', 'fit: sampleWeight: expected [37], got [5]'],
      [[x, y, { classWeight: { cat: 1 } as never }], 'VALUE', /^fit: expected numbers >= 0 by class for 'classWeight', got \{"cat":1\}$/],
      [[x, y, { mask: 'm' }], 'VALUE', "fit: mask: no input 'm'; inputs are 'x'"],
      [['data' as never, y], 'VALUE', /^fit: input 'x': expected an array with a shape, or nested arrays of numbers, got "data"$/],
    ]
    for (const [given, code, message] of cases) await expectRejection(trainer.fit(...given), code, message)
    expect(made.engine.sizes).toEqual([])
    expect(trainer.steps).toBe(0)
    expectError(() => new Trainer(made.engine, { ...trainer.settings, metrics: ['acuracy' as never] }), 'VALUE', /did you mean 'accuracy'\?$/)
    expectError(() => new Trainer(made.engine, { ...trainer.settings, metrics: ['accuracy', 'categoricalAccuracy'] }), 'VALUE',
      "metrics: 'categoricalAccuracy' does not go with the loss sparseCategoricalCrossentropy")
  })

  it('aborting ends between two steps; meanwhile the trainer is busy, and afterwards it is not', async () => {
    const made = make()
    const controller = new AbortController()
    const running = made.trainer.fit(x, y, { epochs: 1e6, batchSize: 1, signal: controller.signal })
    expectError(() => made.trainer.trainOnBatch(x, y), 'BUSY', 'trainOnBatch: the trainer is at work')
    await expectRejection(made.trainer.evaluate(x, y), 'BUSY', 'evaluate: the trainer is at work')
    expectError(() => made.trainer.dispose(), 'BUSY', /^dispose: the trainer is at work/)
    setTimeout(() => controller.abort(), 20)
    await expectRejection(running, 'ABORTED', 'fit was aborted; the trainer is as after its last step')
    expect(made.engine.sizes.length).toBe(made.trainer.steps)
    await made.trainer.fit(x, y)
    made.trainer.dispose()
    expectError(() => made.trainer.save(), 'DISPOSED', 'save: the trainer is disposed')
    await expectRejection(made.trainer.fit(x, y), 'DISPOSED', 'fit: the trainer is disposed')
  })

  it('memory is given back', () => {
    const before = runtime.memory().usedBytes
    const made = make({ optimizer: adam() })
    made.trainer.trainOnBatch(x, y)
    expect(runtime.memory().usedBytes).toBeGreaterThan(before)
    made.trainer.dispose()
    expect(runtime.memory().usedBytes).toBe(before)
  })
})

describe('predict', () => {
  it('gives the outputs of all rows, batch by batch', async () => {
    const made = make()
    const { output } = await made.trainer.predict(x, { batchSize: 10 })
    expect(output?.shape).toEqual([ROWS, 3])
    expect(output).toEqual((await made.trainer.predict({ x })).output)
  })
})
