import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { differentiate } from '../../src/gradients/differentiate.ts'
import { allFamilies } from '../../src/gradients/late/all.ts'
import { KERAS_STATISTICS, normalizationLowerings, type RunningStatistics } from '../../src/gradients/late/batch-normalization.ts'
import { lowerGraph } from '../../src/gradients/lower-graph.ts'
import { trainedNames } from '../../src/gradients/trained-constants.ts'
import type { Graph, GraphOutput } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { activation, batchNorm, conv1d, dropout, embedding, input, layerNorm, sequential } from '../../src/layers/index.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf, type Shape } from '../../src/values/shape.ts'
import { philox } from '../../src/ops/random/philox.ts'
import { streamOf } from '../../src/gradients/usual/dropout.ts'
import { expectError } from '../expect-error.ts'
import { floats, ones, random } from '../ops/reference.ts'
import { pseudoRandom } from '../random.ts'
import { GRADIENT_DISTANCE } from '../tolerance.ts'
import { runGraph } from './differences.ts'

const { lowerings, rules, weightsOf } = allFamilies()

interface Described {
  readonly shape: Shape
  readonly seed: number
  readonly scale: number
  readonly magnitude: boolean
}

const { seed: seedNumber, layers: golden } = JSON.parse(readFileSync(new URL('../golden/gradients.json', import.meta.url), 'utf8')) as {
  readonly seed: number
  readonly layers: {
    readonly ids: readonly (readonly number[])[]
    readonly weights: Readonly<Record<string, Described>>
    readonly output: readonly number[]
    readonly evaluated: readonly number[]
    readonly updates: Readonly<Record<string, readonly number[]>>
    readonly gradients: Readonly<Record<string, readonly number[]>>
  }
}

const weights = new Map(Object.entries(golden.weights).map(([name, { shape, seed, scale, magnitude }]) => {
  const data = pseudoRandom(seed, lengthOf(shape), scale)
  return [name, new NdArray(magnitude ? data.map((x) => Math.fround(Math.abs(x) + 0.25)) : data, shape)]
}))

const net = sequential([
  input([7], { dtype: 'int32' }), embedding(11, 5), conv1d(6, 3, { padding: 1 }), batchNorm(), activation('gelu'), layerNorm(),
]).loadStateDict(weights).toGraph()
const ids = new NdArray(Int32Array.from(golden.ids.flat()), [3, 7])

interface Step {
  /** By the name of the constant. */
  readonly gradients: Readonly<Record<string, NdArray>>
  readonly updates: Readonly<Record<string, NdArray>>
  readonly output: NdArray
}

interface StepOptions {
  /** Default true. */
  readonly training?: boolean
  readonly statistics?: RunningStatistics
  /** Seed, step and first row. */
  readonly draws?: readonly number[]
}

/** Runs a graph as a step of training has it: its only output, the gradients of sum(seed * output), and what constants become. */
function step(graph: Graph, x: ArrayLike, seed: NdArray, { training = true, statistics, draws = [9, 4, 0] }: StepOptions = {}): Step {
  const [port] = graph.inputs
  const name = port?.name as string
  const own = { ...lowerings, ...normalizationLowerings(statistics) }
  const lowered = lowerGraph(graph, new Map([[name, x.shape]]), own, training, trainedNames(graph, { weightsOf }))
  lowered.builder.input({ name: 'seed', dtype: 'float32', shape: seed.shape })
  const [value] = lowered.outputs.values()
  const updates = [...lowered.updates].map(([constant, to]): GraphOutput => ({ name: `next ${constant}`, value: to }))
  const typed = typeGraph(lowered.builder.finish([{ name: 'y', value: value as string }, ...updates]))
  const wanted = lowered.parameters.map(({ input: parameter }) => parameter)
  const xIsWanted = x.dtype === 'float32'
  const { graph: made } = differentiate(typed, { loss: value as string, seed: 'seed', wanted: [...wanted, ...(xIsWanted ? [name] : [])] }, rules)
  const outputs = runGraph(made.graph, {
    [name]: x, seed, ...Object.fromEntries(lowered.parameters.map(({ constant, input: parameter }) => [parameter, graph.constants.get(constant) as ArrayLike])),
    ...(lowered.seed !== undefined && { [lowered.seed]: new NdArray(Int32Array.from(draws), [3]) }),
  })
  const of = (prefix: string): Record<string, NdArray> => Object.fromEntries(Object.entries(outputs).flatMap(([output, array]) => (
    output.startsWith(prefix) ? [[output.slice(prefix.length), array]] : []
  )))
  return { gradients: { ...of('gradient of parameter '), ...of('gradient of ') }, updates: of('next '), output: outputs.y as NdArray }
}

function expectNear(got: ArrayLike | undefined, expected: readonly number[], what: string): void {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  expect(got?.data.length, what).toBe(expected.length)
  const farthest = expected.reduce((most, value, n) => Math.max(most, Math.abs((got?.data[n] as number) - value)), 0)
  expect(farthest, what).toBeLessThanOrEqual(2 * GRADIENT_DISTANCE * largest)
}

const constantNamed = (name: string): string => {
  const found = [...net.constants.keys()].find((constant) => constant === name)
  if (found === undefined) throw new Error(`no constant '${name}'`)
  return found
}

describe('a graph of layers, lowered', () => {
  const seed = new NdArray(pseudoRandom(seedNumber, 3 * 7 * 6, 1), [3, 7, 6])

  it("has PyTorch's gradients and running statistics", () => {
    const { gradients, updates, output } = step(net, ids, seed)
    expectNear(output, golden.output, 'output')
    expect(Object.keys(golden.gradients).length).toBe(7)
    for (const [name, expected] of Object.entries(golden.gradients)) expectNear(gradients[constantNamed(name)], expected, name)
    for (const [name, expected] of Object.entries(golden.updates)) expectNear(updates[constantNamed(`batch_norm.${name}`)], expected, name)
  })

  it('gives running statistics no gradient', () => {
    expect(Object.keys(step(net, ids, seed).gradients).filter((name) => name.includes('running'))).toEqual([])
  })

  it('takes the running statistics in predictions', () => {
    const { updates } = step(net, ids, seed)
    const next = new Map(net.constants)
    for (const [name, value] of Object.entries(updates)) next.set(name, value)
    const { output, updates: none } = step({ ...net, constants: next }, ids, seed, { training: false })
    expectNear(output, golden.evaluated, 'output')
    expect(none).toEqual({})
  })

  it('follows a hundredth of the biased variance where Keras does', () => {
    const graph = sequential([input([5, 3]), batchNorm({ affine: false })])
      .loadStateDict({ 'batch_norm.running_mean': floats([1, 2, 3]), 'batch_norm.running_var': floats([0.5, 1, 2]) }).toGraph()
    const x = random(1, [2, 5, 3])
    const { updates, gradients } = step(graph, x, ones([2, 5, 3]), { statistics: KERAS_STATISTICS })
    // Layers without weights have none that is trained.
    expect(Object.keys(gradients)).toEqual(['input'])
    for (let c = 0; c < 3; c++) {
      const channel = Array.from({ length: 10 }, (_, n) => x.data[n * 3 + c] as number)
      const mean = channel.reduce((sum, value) => sum + value, 0) / 10
      const variance = channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 10
      expect(updates['batch_norm.running_mean']?.data[c]).toBeCloseTo(0.99 * (c + 1) + 0.01 * mean, 6)
      expect(updates['batch_norm.running_var']?.data[c]).toBeCloseTo(0.99 * 2 ** (c - 1) + 0.01 * variance, 6)
    }
    expectError(
      () => step(graph, random(1, [1, 1, 3]), ones([1, 1, 3])), 'SHAPE',
      /training: batchNormalization 'batch_norm': expected two elements a channel at least, got \[1, 1, 3\]; take a larger batch/,
    )
  })
})

describe('dropout', () => {
  const rows = 40
  const columns = 33
  const graph = (rate: number): Graph => sequential([input([columns]), dropout(rate)]).loadStateDict({}).toGraph()
  const x = random(3, [rows, columns])
  const seed = random(4, [rows, columns])

  it('drops elements that follow from seed, step and place, in both directions alike', () => {
    const rate = 0.3
    const { output, gradients } = step(graph(rate), x, seed, { draws: [123, 7, 5] })
    const words = new Int32Array(4)
    let dropped = 0
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        philox(words, column >> 2, 7, streamOf('dropout'), 5 + row, 123)
        const gain = (words[column & 3] as number) >>> 0 < Math.floor(rate * 2 ** 32) ? 0 : 1 / (1 - rate)
        const n = row * columns + column
        if (gain === 0) dropped++
        expect(output.data[n]).toBeCloseTo((x.data[n] as number) * gain, 5)
        expect(gradients.input?.data[n]).toBeCloseTo((seed.data[n] as number) * gain, 5)
      }
    }
    expect(Math.abs(dropped / (rows * columns) - rate)).toBeLessThan(0.03)
  })

  it('drops others in another step, with another seed, and the same of a row wherever its batch begins', () => {
    const of = (draws: readonly number[]): string => step(graph(0.5), x, seed, { draws }).output.data.map((value) => Number(value === 0)).join('')
    const first = of([1, 2, 0])
    expect(of([1, 2, 0])).toBe(first)
    expect(of([1, 3, 0])).not.toBe(first)
    expect(of([2, 2, 0])).not.toBe(first)
    expect(of([1, 2, 3]).slice(0, (rows - 3) * columns)).toBe(first.slice(3 * columns))
  })

  it('drops nothing at rate 0 and in predictions, and all at rate 1', () => {
    expect(step(graph(0), x, seed).output.data).toEqual(x.data)
    expect(step(graph(0.5), x, seed, { training: false }).output.data).toEqual(x.data)
    expect(step(graph(1), x, seed).output.data).toEqual(new Float32Array(rows * columns))
  })
})
