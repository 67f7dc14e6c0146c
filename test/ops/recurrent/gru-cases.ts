// Graphs of one GRU or simple recurrent node, with the float64 steps they are compared with.
import type { Graph } from '../../../src/graph/graph.ts'
import { addAllOperators } from '../../../src/ops/all.ts'
import { bindFunction } from '../../../src/ops/elementwise/functions.ts'
import type { Attribute } from '../../../src/ops/graph-data.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import { lengthOf } from '../../../src/values/shape.ts'
import { pseudoRandom } from '../../random.ts'
import { maskedSequence, type MaskRule, type Step } from '../../reference-cell.ts'
import { gruStep, rnnStep, type CellOptions, type RecurrentWeights } from '../../reference-gru.ts'

addAllOperators()

type Op = 'gru' | 'rnn'
export type Sizes = readonly [inputSize: number, hiddenSize: number, batch: number, timesteps: number]

const GATES = { gru: 3, rnn: 1 }
const USUAL = { gru: ['sigmoid', 'tanh'], rnn: ['tanh'] }
export const SIZES: readonly Sizes[] = [[3, 5, 3, 7], [1, 4, 1, 5], [17, 9, 5, 4], [4, 1, 2, 3], [5, 17, 8, 3], [2, 33, 1, 4]]

const each = (f: (x: number) => number) => (row: number[]): number[] => row.map((x) => f(x))
const softmax = (row: number[]): number[] => {
  const exps = row.map((x) => Math.exp(x))
  const sum = exps.reduce((total, x) => total + x, 0)
  return exps.map((x) => x / sum)
}
const FUNCTIONS: Readonly<Record<string, (alpha: number, beta: number) => (row: number[]) => number[]>> = {
  sigmoid: () => each((x) => 1 / (1 + Math.exp(-x))),
  tanh: () => each(Math.tanh),
  relu: () => each((x) => Math.max(0, x)),
  hardSigmoid: (alpha, beta) => each((x) => Math.min(1, Math.max(0, alpha * x + beta))),
  scaledTanh: (alpha, beta) => each((x) => alpha * Math.tanh(beta * x)),
  softsign: () => each((x) => x / (1 + Math.abs(x))),
  softmax: () => softmax,
}

export interface Case {
  readonly name: string
  readonly op: Op
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Biases that are there; default both. */
  readonly biases?: readonly ('inputBias' | 'recurrentBias')[]
  readonly mask?: boolean
}

export const both = (name: string, more: Omit<Case, 'name' | 'op'> & { readonly gru?: Case['attributes'], readonly rnn?: Case['attributes'] }): Case[] => (
  (['gru', 'rnn'] as const).map((op) => ({ ...more, op, name: `${op}: ${name}`, attributes: { ...more.attributes, ...more[op] } }))
)

export const CASES: readonly Case[] = [
  ...both('plain', {}),
  ...both('without biases', { biases: [] }),
  ...both('input bias only', { biases: ['inputBias'] }),
  ...both('recurrent bias only', { biases: ['recurrentBias'] }),
  ...both('clip', { attributes: { clip: 0.4 } }),
  ...both('functions with constants', {
    gru: { activations: ['hardSigmoid', 'scaledTanh'], activationAlpha: [0.3, 1.2], activationBeta: [0.4, 0.8] },
    rnn: { activations: ['scaledTanh'], activationAlpha: [0.7], activationBeta: [0.8] },
  }),
  ...both('softmax over the units', { gru: { activations: ['sigmoid', 'softmax'] }, rnn: { activations: ['softmax'] } }),
  ...both('other functions', { gru: { activations: ['hardSigmoid', 'softsign'] }, rnn: { activations: ['relu'], clip: 2 } }),
  ...both('backwards', { attributes: { direction: 'reverse' } }),
  ...(['zero', 'hold', 'multiply'] as const).flatMap((maskRule) => both(`masked: ${maskRule}`, { mask: true, attributes: { maskRule } })),
  ...both('masked, backwards', { mask: true, attributes: { maskRule: 'hold', direction: 'reverse' } }),
  { name: 'gru: reset before', op: 'gru', attributes: { resetAfter: false } },
  { name: 'gru: reset before, without biases', op: 'gru', biases: [], attributes: { resetAfter: false } },
  { name: 'gru: reset before, clip, functions, masked, backwards', op: 'gru', mask: true, attributes: {
    resetAfter: false, clip: 0.7, activations: ['hardSigmoid', 'softsign'], activationAlpha: [0.25, 0], activationBeta: [0.4, 0], maskRule: 'zero', direction: 'reverse',
  } },
  { name: 'gru: clip, functions, masked', op: 'gru', mask: true, attributes: { clip: 0.7, activations: ['hardSigmoid', 'relu'], maskRule: 'hold' } },
]

export interface Setup {
  readonly graph: Graph
  readonly steps: readonly Step[]
  readonly x: NdArray<'float32'>
  readonly mask: NdArray<'uint8'>
  readonly h0: NdArray<'float32'>
}

/** A graph of one node; the reference's step of every layer and direction. */
export function setUp({ op, attributes = {}, biases = ['inputBias', 'recurrentBias'], mask = false }: Omit<Case, 'name'>, sizes: Sizes, seed: number): Setup {
  const [inputSize, hiddenSize, batch, timesteps] = sizes
  const { direction = 'forward', timeMajor = false, activationAlpha, activationBeta } = attributes
  const numLayers = (attributes.numLayers as number | undefined) ?? 1
  const directions = direction === 'bidirectional' ? ['forward', 'reverse'] : [direction as string]
  const constants: Map<string, NdArray<'float32'>> = new Map()
  const steps: Step[] = []
  const names = (attributes.activations as readonly string[] | undefined) ?? directions.flatMap(() => USUAL[op])
  const functions = names.map((name, n) => {
    const { alpha, beta } = bindFunction(name, (activationAlpha as number[] | undefined)?.[n], (activationBeta as number[] | undefined)?.[n], 'test')
    return (FUNCTIONS[name] as typeof FUNCTIONS[string])(alpha, beta)
  })
  for (let layer = 0; layer < numLayers; layer++) {
    directions.forEach((way, index) => {
      const features = layer === 0 ? inputSize : hiddenSize * directions.length
      const shapes: Record<string, number[]> = {
        inputWeights: [GATES[op] * hiddenSize, features], recurrentWeights: [GATES[op] * hiddenSize, hiddenSize],
        ...Object.fromEntries(biases.map((bias) => [bias, [GATES[op] * hiddenSize]])),
      }
      const weights: Record<string, Float32Array> = {}
      for (const [weight, shape] of Object.entries(shapes)) {
        weights[weight] = pseudoRandom(seed + constants.size, lengthOf(shape), 1)
        constants.set(`${layer}.${way}.${weight}`, new NdArray(weights[weight], shape))
      }
      const own = functions.slice(index * USUAL[op].length, (index + 1) * USUAL[op].length)
      const options: CellOptions = {
        hiddenSize, clip: (attributes.clip as number | undefined) ?? 0, resetAfter: attributes.resetAfter !== false,
        gate: own[0] as CellOptions['gate'], candidate: own.at(-1),
      }
      steps.push((op === 'gru' ? gruStep : rnnStep)(weights as unknown as RecurrentWeights, options))
    })
  }
  const order = (first: string, second: string): [string, string] => (timeMajor === true ? [second, first] : [first, second])
  const graph: Graph = {
    inputs: [
      { name: 'x', dtype: 'float32', shape: [...order('batch', 'timesteps'), inputSize] },
      { name: 'h0', dtype: 'float32', shape: [numLayers * directions.length, 'batch', hiddenSize], optional: true },
      ...(mask ? [{ name: 'mask', dtype: 'uint8', shape: ['batch', 'timesteps'] } as const] : []),
    ],
    outputs: ['y', 'h'].map((name) => ({ name, value: name })),
    nodes: [{
      name: 'layer', op, inputs: ['x', 'h0', ...(mask ? ['mask'] : [])], outputs: ['y', 'h'],
      parameters: Object.fromEntries([...constants.keys()].map((name) => [name, name])),
      attributes: { hiddenSize, numLayers: 1, direction: 'forward', returnSequences: true, ...attributes },
    }],
    constants,
  }
  return {
    graph, steps,
    x: new NdArray(
      pseudoRandom(seed + 50, batch * timesteps * inputSize, 1), timeMajor === true ? [timesteps, batch, inputSize] : [batch, timesteps, inputSize],
    ),
    // The first step of the first row is masked: what is held then must come from somewhere.
    mask: new NdArray(Uint8Array.from({ length: batch * timesteps }, (_, n) => (n === 0 || (n * 7) % 5 === 0 ? 0 : 1)), [batch, timesteps]),
    h0: new NdArray(pseudoRandom(seed + 51, numLayers * directions.length * batch * hiddenSize, 0.5), [numLayers * directions.length, batch, hiddenSize]),
  }
}

/** One layer in one direction. */
export function reference(
  setup: Setup, test: Omit<Case, 'name'>, [inputSize, hiddenSize, batch, timesteps]: Sizes, h0: Float32Array | undefined,
): ReturnType<typeof maskedSequence> {
  return maskedSequence(setup.steps[0] as Step, { inputSize, outputSize: hiddenSize, cellSize: 0 }, setup.x.data, batch, timesteps, {
    reverse: test.attributes?.direction === 'reverse', rule: (test.attributes?.maskRule ?? 'zero') as MaskRule, h0,
    mask: test.mask === true ? Array.from(setup.mask.data) : undefined,
  })
}

/** NaN is far from everything. */
export const farthest = (got: ArrayLike<number>, expected: readonly number[]): number => (
  expected.reduce((most, value, n) => Math.max(most, Number.isNaN(got[n]) ? Infinity : Math.abs(value - (got[n] as number))), 0)
)
export const floats = (value: unknown): Float32Array => (value as NdArray<'float32'>).data
/** Rows of the first axis. */
export const rowsOf = (values: NdArray<'float32'>, begin: number, end: number): NdArray<'float32'> => {
  const width = values.data.length / (values.shape[0] as number)
  return new NdArray(values.data.slice(begin * width, end * width), [end - begin, ...values.shape.slice(1)])
}
export const stepsOf = (x: NdArray<'float32'>, begin: number, end: number): NdArray<'float32'> => {
  const [batch, timesteps, width] = x.shape as [number, number, number]
  const rows = Array.from({ length: batch }, (_, b) => [...x.data.subarray((b * timesteps + begin) * width, (b * timesteps + end) * width)])
  return new NdArray(Float32Array.from(rows.flat()), [batch, end - begin, width])
}
