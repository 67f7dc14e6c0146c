// Losses on several outputs: their sum by weights, targets and numbers by name.
import { describe, expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { dense, input, lstm, sequential } from '../../src/layers/index.ts'
import { adam, createTrainer, earlyStopping, resumeTrainer, sparseCategoricalCrossentropy, type ModelTrainer } from '../../src/training/index.ts'
import { initialStateDict } from '../../src/training/initializers.ts'
import type { CreateTrainerOptions } from '../../src/training/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

const runtime = await createRuntime({ variant: 'simd' })
/** More than a group of rows. */
const ROWS = 37
const STEPS = 5
const KINDS = 3

/** An LSTM with two heads: `kinds`, probabilities at every timestep, and `sizes`, a number at every timestep. */
function twoHeads(): Graph {
  const net = sequential([input([STEPS, 2]), lstm(6, { returnSequences: true, name: 'layer' }), dense(KINDS, { activation: 'softmax', name: 'kinds' })])
  const graph = net.toGraph(initialStateDict(net.weightSpecs(), undefined, 4))
  const value = graph.nodes.find(({ op }) => op === 'lstm')?.outputs[0] as string
  return {
    ...graph,
    outputs: [{ name: 'kinds', value: graph.outputs[0]?.value as string }, { name: 'sizes', value: 'sizes' }],
    nodes: [...graph.nodes, { name: 'sizes', op: 'linear', inputs: [value], outputs: ['sizes'], parameters: { weight: 'sizes.weight' }, attributes: {} }],
    constants: new Map([...graph.constants, ['sizes.weight', new NdArray(pseudoRandom(9, 6, 0.5), [1, 6])]]),
  }
}

const x = new NdArray(pseudoRandom(1, ROWS * STEPS * 2, 1), [ROWS, STEPS, 2])
const IGNORED = -1
const kinds = new NdArray(Int32Array.from(pseudoRandom(2, ROWS * STEPS, 3), (value, n) => (n % 7 === 0 ? IGNORED : Math.abs(Math.trunc(value)))), [ROWS, STEPS])
const sizes = new NdArray(pseudoRandom(3, ROWS * STEPS, 1), [ROWS, STEPS, 1])
const sampleWeight = {
  kinds: Float32Array.from({ length: ROWS }, (_, row) => 1 + row % 3),
  sizes: new NdArray(Float32Array.from({ length: ROWS * STEPS }, (_, n) => n % 4), [ROWS, STEPS]),
}
const LOSSES = { kinds: sparseCategoricalCrossentropy({ ignoreIndex: IGNORED }), sizes: 'mse' } as const
const WEIGHTS = { kinds: 0.5, sizes: 3 } as const
const OPTIONS = { optimizer: adam({ learningRate: 0.01 }), seed: 3, runtime } as const
type Choice = Pick<CreateTrainerOptions, 'loss' | 'lossWeights' | 'metrics'>
const trainerOf = (options: Choice): Promise<ModelTrainer> => createTrainer(twoHeads(), { ...OPTIONS, ...options })
const gradientsOf = ({ engine }: ModelTrainer): Map<string, Float32Array> => (
  new Map(engine.parameters.map((parameter) => [parameter.name, parameter.readGradient()]))
)

describe('losses on several outputs', () => {
  it('are the sum of single ones by their weights: numbers, and every gradient', async () => {
    const both = await trainerOf({ loss: LOSSES, lossWeights: WEIGHTS, metrics: { kinds: ['accuracy'], sizes: ['mae'] } })
    const first = await trainerOf({ loss: { kinds: LOSSES.kinds }, metrics: { kinds: ['accuracy'] } })
    const second = await trainerOf({ loss: { sizes: 'mse' }, metrics: ['mae'] })
    const numbers = both.trainOnBatch(x, { kinds, sizes }, { sampleWeight })
    const one = first.trainOnBatch(x, { kinds }, { sampleWeight: sampleWeight.kinds })
    const other = second.trainOnBatch(x, sizes, { sampleWeight: sampleWeight.sizes })
    expect(Object.keys(numbers)).toEqual(['loss', 'kinds_loss', 'sizes_loss', 'kinds_accuracy', 'sizes_mae'])
    expect(numbers).toMatchObject({ kinds_loss: one.loss, sizes_loss: other.loss, kinds_accuracy: one.accuracy, sizes_mae: other.mae })
    expect(numbers.loss).toBe(0.5 * (one.loss as number) + 3 * (other.loss as number))
    const [a, b] = [gradientsOf(first), gradientsOf(second)]
    for (const [name, gradient] of gradientsOf(both)) {
      const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expect(largest, name).toBeGreaterThan(0)
      gradient.forEach((value, n) => {
        const expected = 0.5 * (name.startsWith('sizes') ? 0 : a.get(name)?.[n] as number) + 3 * (name.startsWith('kinds') ? 0 : b.get(name)?.[n] as number)
        expect(Math.abs(value - expected) / largest, name).toBeLessThan(2e-6)
      })
    }
    for (const trainer of [both, first, second]) trainer.dispose()
  })

  it('are told by name in the history, validated, followed by callbacks, and go on from checkpoints', async () => {
    const trainer = await trainerOf({ loss: LOSSES, lossWeights: WEIGHTS, metrics: { kinds: ['accuracy'] } })
    const seen: string[] = []
    const { history } = await trainer.fit(x, { kinds, sizes }, {
      epochs: 3, batchSize: 10, validationSplit: 0.3, callbacks: [earlyStopping({ monitor: 'val_sizes_loss', patience: 5 })],
      onProgress: ({ metrics }) => seen.push(Object.keys(metrics).join(' ')),
    })
    expect(Object.keys(history)).toEqual([
      'loss', 'kinds_loss', 'sizes_loss', 'kinds_accuracy', 'valLoss', 'val_kinds_loss', 'val_sizes_loss', 'val_kinds_accuracy', 'learningRate',
    ])
    expect(new Set(seen)).toEqual(new Set(['kinds_loss sizes_loss kinds_accuracy']))
    expect(history.loss?.[2]).toBeLessThan(history.loss?.[0] as number)
    const evaluated = await trainer.evaluate(x, { kinds, sizes }, { mask: new NdArray(new Uint8Array(ROWS * STEPS).fill(1), [ROWS, STEPS]) })
    expect(evaluated.loss).toBeCloseTo(0.5 * (evaluated.kinds_loss as number) + 3 * (evaluated.sizes_loss as number), 10)
    const resumed = await resumeTrainer(trainer.save(), { runtime })
    expect(resumed.trainOnBatch(x, { kinds, sizes })).toEqual(trainer.trainOnBatch(x, { kinds, sizes }))
    trainer.dispose()
    resumed.dispose()
  })

  it('leave out what does not count', async () => {
    const trainer = await trainerOf({ loss: LOSSES })
    const none = trainer.trainOnBatch(x, { kinds, sizes }, { mask: { kinds: new Uint8Array(ROWS) } })
    expect(none.loss).toBe(none.sizes_loss)
    expect(none.kinds_loss).toBeNaN()
    trainer.dispose()
  })

  it('say what is wrong with names', async () => {
    await expectRejection(trainerOf({ loss: { kind: 'mse' } }), 'VALUE', "loss: no output 'kind'; outputs are 'kinds', 'sizes'")
    await expectRejection(trainerOf({ loss: {} }), 'VALUE', 'loss: expected a loss, or losses by the names of outputs, got none')
    await expectRejection(trainerOf({ loss: 'mse', lossWeights: { kinds: 1 } }), 'VALUE', /lossWeights go with losses by name/)
    await expectRejection(trainerOf({ loss: LOSSES, lossWeights: { size: 1 } }), 'VALUE', "lossWeights: no loss 'size'; losses are 'kinds', 'sizes'")
    await expectRejection(trainerOf({ loss: LOSSES, lossWeights: { sizes: -1 } }), 'VALUE', "lossWeights: expected a number >= 0 for 'sizes', got -1")
    await expectRejection(trainerOf({ loss: LOSSES, metrics: ['accuracy'] }), 'VALUE', /metrics: expected metrics by the names of outputs/)
    await expectRejection(trainerOf({ loss: LOSSES, metrics: { other: ['mae'] } }), 'VALUE', "metrics: no loss 'other'; losses are 'kinds', 'sizes'")
    await expectRejection(trainerOf({ loss: { kinds: sparseCategoricalCrossentropy({ output: 'sizes' }) } }), 'VALUE', /'kinds' is a loss on the output 'sizes'/)
    const trainer = await trainerOf({ loss: LOSSES })
    expectError(() => trainer.trainOnBatch(x, sizes), 'SHAPE', "trainOnBatch: expected targets by name for the outputs 'kinds', 'sizes', got one array")
    expectError(() => trainer.trainOnBatch(x, { kinds }), 'SHAPE', "trainOnBatch: expected targets of 'sizes', got none")
    expectError(() => trainer.trainOnBatch(x, { kinds, sizes, more: sizes }), 'VALUE', "trainOnBatch: targets: no loss 'more'; losses are 'kinds', 'sizes'")
    expectError(() => trainer.trainOnBatch(x, { kinds, sizes }, { classWeight: { 0: 2 } }), 'VALUE', /classWeight goes with one loss/)
    expectError(() => trainer.trainOnBatch(x, { kinds: new NdArray(new Int32Array(ROWS * STEPS).fill(9), [ROWS, STEPS]), sizes }), 'VALUE',
      "trainOnBatch: targets of 'kinds': expected classes from 0 to 2, got 9 in row 0, at element 0 of it")
    trainer.dispose()
  })
})
