import '../guards.ts'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { GraphNode } from '../../src/graph/graph.ts'
import { categoricalCrossentropy, lossOf, sparseCategoricalCrossentropy } from '../../src/training/descriptions/losses.ts'
import { binaryCrossentropy, ctc, esr, huber, LOSSES } from '../../src/training/descriptions/more-losses.ts'
import type { DType } from '../../src/values/dtype.ts'
import { ARRAYS } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { LOSS_DISTANCE } from '../tolerance.ts'
import { lossNodeOf, runLoss, type LossTargets } from './loss-runs.ts'
import { describeTraining, trainingRuntimeOf } from './runtimes.ts'

interface GoldenArray {
  readonly shape: readonly number[]
  readonly data: readonly number[]
  readonly dtype?: DType
}

interface GoldenCase {
  readonly loss: string
  readonly options: Readonly<Record<string, unknown>>
  readonly prediction: GoldenArray
  readonly target: GoldenArray
  readonly weights: GoldenArray
  readonly losses: readonly number[]
  readonly gradient: readonly number[]
  readonly inputLengths?: readonly number[]
  readonly targetLengths?: readonly number[]
}

const { cases } = JSON.parse(readFileSync(new URL('../golden/training/losses.json', import.meta.url), 'utf8')) as { cases: Readonly<Record<string, GoldenCase>> }

function arrayOf({ shape, data, dtype = 'float32' }: GoldenArray): NdArray {
  const elements = new ARRAYS[dtype](data.length)
  elements.set(data)
  return new NdArray(elements, shape)
}

const counts = (values: readonly number[]): NdArray => new NdArray(Int32Array.from(values), [values.length])

function targetsOf({ loss, target, inputLengths = [], targetLengths = [] }: GoldenCase): LossTargets {
  if (loss !== 'ctc') return { target: arrayOf(target) }
  return { labels: arrayOf(target), inputLengths: counts(inputLengths), targetLengths: counts(targetLengths) }
}

/** The largest distance, relative to the largest expected value. */
function distance(actual: Float32Array, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length)
  const largest = Math.max(...expected.map(Math.abs))
  return Math.max(...expected.map((value, n) => Math.abs((actual[n] as number) - value))) / largest
}

describeTraining(`losses and their gradients are within ${LOSS_DISTANCE} of PyTorch's float64`, (runtime) => {
  for (const [name, golden] of Object.entries(cases)) {
    it(name, () => {
      const loss = lossOf({ loss: golden.loss, ...golden.options }, LOSSES)
      const { losses, gradient } = runLoss(runtime, loss, arrayOf(golden.prediction), targetsOf(golden), Float32Array.from(golden.weights.data))
      expect(distance(losses, golden.losses)).toBeLessThan(LOSS_DISTANCE)
      expect(distance(gradient, golden.gradient)).toBeLessThan(LOSS_DISTANCE)
    })
  }

  it('keep what is missing to a probability near 1', () => {
    const x = new NdArray(Float32Array.of(20, 0, -3), [1, 3])
    const others = Math.exp(-20) + Math.exp(-23)
    const { losses, gradient } = runLoss(runtime, sparseCategoricalCrossentropy(), x, { target: new NdArray(Int32Array.of(0), [1]) })
    expect(Math.abs((losses[0] as number) / Math.log1p(others) - 1)).toBeLessThan(1e-5) // log(1 + e) - 20 + 20, in float64
    expect(Math.abs(-(gradient[0] as number) / (others / (1 + others)) - 1)).toBeLessThan(1e-5)
  })

  it('are finite for logits that are far apart, and NaN where a logit is', () => {
    const target = { target: new NdArray(Int32Array.of(1, 0), [2]) }
    const far = runLoss(runtime, sparseCategoricalCrossentropy(), new NdArray(Float32Array.of(1e30, -1e30, 3e38, 3e38), [2, 2]), target)
    expect([...far.losses]).toEqual([Math.fround(2e30), Math.fround(Math.LN2)])
    expect([...far.gradient]).toEqual([1, -1, -0.5, 0.5])
    for (let n = 0; n < 5; n++) {
      const data = pseudoRandom(3, 10, 1)
      data[5 + n] = NaN
      const { losses } = runLoss(runtime, sparseCategoricalCrossentropy(), new NdArray(data, [2, 5]), { target: new NdArray(Int32Array.of(1, 2), [2]) })
      expect([...losses].map(Number.isNaN)).toEqual([false, true])
    }
  })

  it('say which class or label is none', () => {
    const x = new NdArray(pseudoRandom(4, 12, 1), [4, 3])
    const run = (...classes: number[]): unknown => runLoss(runtime, sparseCategoricalCrossentropy(), x, { target: new NdArray(Int32Array.from(classes), [4]) })
    run(0, 2, 1, 1)
    expectError(() => run(0, 2, 1, 3), 'VALUE', /expected classes from 0 to 2, got another one at element 3 of the targets$/)
    expectError(() => run(0, -2, 1, 3), 'VALUE', /at element 1 of the targets$/)
    const steps = new NdArray(pseudoRandom(5, 24, 1), [2, 4, 3])
    const align = (labels: number[], inputs: number[], targets: number[]): unknown => runLoss(
      runtime, ctc(), steps, { labels: new NdArray(Int32Array.from(labels), [2, 2]), inputLengths: counts(inputs), targetLengths: counts(targets) })
    align([1, 2, 2, 99], [4, 4], [2, 1]) // what is behind the labels of a row is not looked at
    const wrong: [number[], number[], number[]][] = [
      [[1, 2, 0, 1], [4, 4], [2, 2]], [[1, 2, 3, 1], [4, 4], [2, 2]], [[1, 2, 1, 1], [4, 5], [2, 2]], [[1, 2, 1, 1], [4, 0], [2, 2]],
      [[1, 2, 1, 1], [4, 4], [2, 3]], [[1, 2, 1, 1], [4, 4], [2, -1]],
    ]
    for (const given of wrong) {
      expectError(() => align(...given), 'VALUE', /: row 1: expected 1 to 4 timesteps, and 0 to 2 labels that are classes from 0 to 2 and not the blank/)
    }
  })

  it('are Infinity where no alignment fits, unless that counts as 0', () => {
    const x = new NdArray(pseudoRandom(5, 6, 1), [1, 2, 3])
    const given = { labels: new NdArray(Int32Array.of(1, 1), [1, 2]), inputLengths: counts([2]), targetLengths: counts([2]) }
    expect([...runLoss(runtime, ctc(), x, given).losses]).toEqual([Infinity])
    const { losses, gradient } = runLoss(runtime, ctc({ zeroInfinity: true }), x, given)
    expect([...losses, ...gradient]).toEqual([0, 0, 0, 0, 0, 0, 0])
  })
})

const node = (op: string, input: string, output: string, attributes: GraphNode['attributes'] = {}): GraphNode => (
  { name: output, op, inputs: [input], outputs: [output], parameters: {}, attributes }
)

describe('the last function of a model', () => {
  const softmax = [node('softmax', 'x', 'y')]
  const ops = (nodes: readonly GraphNode[]): string[] => nodes.map(({ op }) => op)

  it('is taken off where it is a softmax, or a sigmoid', () => {
    for (const last of [softmax, [node('logSoftmax', 'x', 'y', { axis: 1 })], [node('softmax', 'x', 's'), node('dropout', 's', 'y')]]) {
      const nodes = lossNodeOf(categoricalCrossentropy(), last, 'y', [2, 3], [2, 3])
      expect(ops(nodes)).toEqual(['softmaxCrossEntropy'])
      expect(nodes[0]?.inputs[0]).toBe('x')
    }
    expect(lossNodeOf(binaryCrossentropy(), [node('sigmoid', 'x', 'y')], 'y', [2, 1], [2, 1])[0]).toMatchObject({ inputs: ['x', 'training/target'], attributes: { kind: 'binaryLogits' } })
  })

  it('stays where it is another one, or along another axis', () => {
    expect(ops(lossNodeOf(categoricalCrossentropy(), [node('softmax', 'x', 'y', { axis: 0 })], 'y', [2, 3], [2, 3]))).toEqual(['softmax', 'softmaxCrossEntropy'])
    expect(ops(lossNodeOf(sparseCategoricalCrossentropy(), [node('tanh', 'x', 'y')], 'y', [2, 3], [2]))).toEqual(['tanh', 'softmaxCrossEntropy'])
  })

  it('makes probabilities where it says so, or where only the shape has changed since', () => {
    const squeezed = [node('softmax', 'x', 's'), node('flatten', 's', 'y')]
    expect(ops(lossNodeOf(sparseCategoricalCrossentropy(), squeezed, 'y', [2, 3], [2]))).toEqual(['softmax', 'flatten', 'max', 'log', 'softmaxCrossEntropy'])
    expect(ops(lossNodeOf(sparseCategoricalCrossentropy({ fromLogits: false }), [node('relu', 'x', 'y')], 'y', [2, 3], [2])))
      .toEqual(['relu', 'max', 'log', 'softmaxCrossEntropy'])
    expect(lossNodeOf(binaryCrossentropy({ fromLogits: false }), [node('relu', 'x', 'y')], 'y', [2, 1], [2])[1]?.attributes).toMatchObject({ kind: 'binary' })
    expectError(() => lossNodeOf(sparseCategoricalCrossentropy({ fromLogits: true }), softmax, 'y', [2, 3], [2]), 'VALUE',
      "sparseCategoricalCrossentropy: fromLogits is true, but the model ends in softmax 'y': its outputs are no logits. Leave fromLogits out, and it is taken off")
  })
})

describe('descriptions of losses', () => {
  it('are plain data, which are read back; names do', () => {
    for (const loss of [sparseCategoricalCrossentropy({ ignoreIndex: -100, reduction: 'sum' }), ctc({ blank: -1 }), esr({ dcWeight: 0 }), huber({ delta: 2, output: 'y' })]) {
      expect(lossOf(JSON.parse(JSON.stringify(loss)), LOSSES)).toEqual(loss)
    }
    expect(lossOf('mse', LOSSES)).toEqual({ loss: 'meanSquaredError', reduction: 'mean' })
    expect(lossOf('mae', LOSSES)).toEqual(lossOf('meanAbsoluteError', LOSSES))
    expectError(() => lossOf('toString', LOSSES), 'VALUE', /^loss: expected one of categoricalCrossentropy, .*, got "toString"$/)
    expectError(() => huber({ delta: 0 }), 'VALUE', /^huber: expected a number >= .* for 'delta', got 0$/)
    expectError(() => ctc({ blanks: 3 } as never), 'VALUE', /^ctc: no option 'blanks' \(did you mean 'blank'\?\)/)
  })

  it('say what targets should be', async () => {
    const runtime = await trainingRuntimeOf()
    const x = new NdArray(pseudoRandom(1, 6, 1), [2, 3])
    expectError(() => runLoss(runtime, sparseCategoricalCrossentropy(), x, { target: x }), 'SHAPE',
      "sparseCategoricalCrossentropy: expected targets [2] for the output [2, 3], got [2, 3]. One-hot targets are those of 'categoricalCrossentropy'")
    expectError(() => runLoss(runtime, categoricalCrossentropy(), x, { target: counts([1, 2]) }), 'SHAPE', /Targets that are one class each are those of 'sparseCategoricalCrossentropy'$/)
    expectError(() => runLoss(runtime, lossOf('mse', LOSSES), x, { target: counts([1, 2]) }), 'SHAPE', 'meanSquaredError: expected targets [2, 3] for the output [2, 3], got [2]')
    expectError(() => runLoss(runtime, ctc(), x, { labels: x }), 'SHAPE', 'ctc: expected an output of the model with at least 3 axes, got [2, 3]')
    const steps = new NdArray(pseudoRandom(1, 60, 1), [5, 4, 3])
    expectError(() => runLoss(runtime, ctc(), steps, { labels: new NdArray(new Int32Array(8), [4, 2]) }), 'SHAPE',
      'ctc: expected labels [5, labels] for the output [5, 4, 3], got [4, 2]. The output has its timesteps first, as PyTorch\'s ctc_loss takes it; here it is [batch, timesteps, classes]: leave out the transpose at the end of the model')
    const list = new NdArray(pseudoRandom(2, 4, 1), [4, 1])
    expect(runLoss(runtime, lossOf('mse', LOSSES), list, { target: new NdArray(pseudoRandom(3, 4, 1), [4]) }).losses.length).toBe(4)
  })
})
