// Threads change no bit: golden cases, and layers of all kinds, on runtimes that share everything. Outputs are filled with NaN first, so that
// what nobody writes shows; and a process spins beside them, so that threads are late, leave, and are taken over.
import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compile, createRuntime, NdArray, type Graph, type Runtime } from '../../src/index.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { Int8Weights } from '../../src/ops/products/narrow-weights.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { inTurn, isThorough } from '../thorough.ts'
import { eagerRuntime, THREAD_VARIANTS } from './eager-runtime.ts'

interface Golden {
  readonly name: string
  readonly seed: number
  readonly layers: number
  readonly bidirectional: boolean
  readonly bias: boolean
  readonly hiddenSize: number
  readonly inputSize: number
  readonly batch: number
  readonly timesteps: number
  readonly batchFirst: boolean
  readonly initialState: boolean
}

type Inputs = Readonly<Record<string, NdArray>>

const golden = readSafetensors(readFileSync(new URL('../golden/lstm-pytorch.safetensors', import.meta.url)))
const { cases } = JSON.parse(golden.metadata.get('lstm-golden') as string) as { cases: Golden[] }

function goldenCase({ seed, layers, bidirectional, bias, hiddenSize, inputSize, batch, timesteps, batchFirst, initialState }: Golden): [Graph, Inputs] {
  const tensors = randomLstm({ inputSize, hiddenSize, numLayers: layers, bidirectional, bias }, seed * 1000)
  const state = [layers * (bidirectional ? 2 : 1), batch, hiddenSize] as const
  const array = (shape: readonly number[], n: number): NdArray => new NdArray(pseudoRandom(seed * 1000 + 500 + n, shape.reduce((a, b) => a * b), 1), shape)
  return [lstmGraph(tensors, !batchFirst), {
    input: array([...(batchFirst ? [batch, timesteps] : [timesteps, batch]), inputSize], 0),
    ...(initialState && { h_0: array(state, 1), c_0: array(state, 2) }),
  }]
}

let nextSeed = 90_000
const floats = (...shape: readonly number[]): NdArray => new NdArray(pseudoRandom(nextSeed++, shape.reduce((a, b) => a * b, 1), 1), shape)

/** One node `op` with these weights, inputs and outputs. */
type Node = Graph['nodes'][number]

function graphOf(op: string, attributes: Node['attributes'], weights: Readonly<Record<string, NdArray>>, inputs: Inputs, outputs: readonly string[]): Graph {
  const parameters = Object.fromEntries(Object.keys(weights).map((name) => [name, name]))
  return {
    inputs: Object.entries(inputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    outputs: outputs.map((name) => ({ name, value: name })),
    nodes: [{ name: 'node', op, inputs: Object.keys(inputs), outputs, parameters, attributes }],
    constants: new Map(Object.entries(weights)),
  }
}

interface LayerOptions {
  readonly layers?: number
  readonly bidirectional?: boolean
  readonly mask?: boolean
  readonly lastStep?: boolean
  readonly projection?: number
}

type Sizes = readonly [batch: number, timesteps: number, features: number, units: number]

function recurrent(op: 'lstm' | 'gru' | 'rnn', [batch, timesteps, features, units]: Sizes, options: LayerOptions = {}): [Graph, Inputs] {
  const gates = { lstm: 4, gru: 3, rnn: 1 }[op]
  const { layers = 1, bidirectional = false, projection } = options
  const directions = bidirectional ? ['forward', 'reverse'] : ['forward']
  const out = projection ?? units
  const weights: Record<string, NdArray> = {}
  for (let layer = 0; layer < layers; layer++) {
    for (const direction of directions) {
      const shapes: Record<string, number[]> = {
        inputWeights: [gates * units, layer === 0 ? features : out * directions.length], recurrentWeights: [gates * units, out],
        inputBias: [gates * units], recurrentBias: [gates * units], ...(projection !== undefined && { projection: [projection, units] }),
      }
      for (const [weight, shape] of Object.entries(shapes)) {
        const array = floats(...shape)
        array.data.forEach((value, n) => (array.data[n] = value / Math.sqrt(units)))
        weights[`${layer}.${direction}.${weight}`] = array
      }
    }
  }
  const states = op === 'lstm' ? ['h', 'c'] : ['h']
  const mask = new NdArray(Uint8Array.from({ length: batch * timesteps }, (_, n) => Number((n * 7 + 3) % 5 > 1)), [batch, timesteps])
  const inputs: Inputs = { x: floats(batch, timesteps, features), ...(options.mask === true && { mask }) }
  const graph = graphOf(op, {
    hiddenSize: units, numLayers: layers, direction: bidirectional ? 'bidirectional' : 'forward', returnSequences: options.lastStep !== true,
    ...(projection !== undefined && { projSize: projection }), ...(options.mask === true && { maskRule: 'hold' }),
  }, weights, inputs, ['y', ...states])
  const [node] = graph.nodes as [Node]
  return [{ ...graph, nodes: [{ ...node, inputs: options.mask === true ? ['x', ...states.map(() => ''), 'mask'] : ['x'] }] }, inputs]
}

function convolution(attributes: Node['attributes'], x: NdArray, w: NdArray): [Graph, Inputs] {
  return [graphOf('conv', attributes, {}, { x, w }, ['y']), { x, w }]
}

/** The same graph with its matrices in 8 bits. */
function inEightBits([graph, inputs]: [Graph, Inputs]): [Graph, Inputs] {
  const narrow = ({ shape }: NdArray): NdArray => new Int8Weights({
    q: Int8Array.from({ length: (shape[0] as number) * (shape[1] as number) }, (_, n) => (n * 37 + 11) % 251 - 125),
    scales: pseudoRandom(nextSeed++, shape[0] as number, 0.002), axis: 0,
  }, shape) as unknown as NdArray
  const constants = [...graph.constants].map(([name, array]) => [name, array.shape.length === 2 ? narrow(array as NdArray) : array] as const)
  return [{ ...graph, constants: new Map(constants) }, inputs]
}

const LAYERS: Readonly<Record<string, [Graph, Inputs]>> = {
  'one sequence, units split': recurrent('lstm', [1, 90, 37, 51]),
  'one sequence, of which only the last step is wanted': recurrent('lstm', [1, 45, 12, 64], { lastStep: true }),
  'one step': recurrent('lstm', [1, 1, 5, 96]),
  'one sequence, both directions': recurrent('lstm', [1, 40, 9, 48], { layers: 3, bidirectional: true }),
  'odd batch, both directions': recurrent('lstm', [5, 13, 9, 33], { layers: 2, bidirectional: true }),
  'a batch': recurrent('lstm', [33, 7, 64, 130]),
  'a batch with a mask': recurrent('lstm', [7, 17, 6, 21], { mask: true, bidirectional: true }),
  'a batch that is projected': recurrent('lstm', [6, 8, 6, 40], { projection: 11 }),
  'a GRU': recurrent('gru', [7, 9, 24, 52]),
  'a GRU, both directions': recurrent('gru', [1, 9, 24, 52], { bidirectional: true }),
  'a simple recurrent layer': recurrent('rnn', [9, 9, 4, 35]),
  'one sequence in 8 bits': inEightBits(recurrent('lstm', [1, 50, 37, 51])),
  'a batch in 8 bits': inEightBits(recurrent('lstm', [7, 9, 37, 51], { bidirectional: true })),
  'a linear layer in 8 bits': inEightBits(((x) => [graphOf('linear', {}, { weight: floats(70, 129), bias: floats(70) }, { x }, ['y']), { x }])(floats(131, 129))),
  'a linear layer': ((x) => [graphOf('linear', {}, { weight: floats(70, 129), bias: floats(70) }, { x }, ['y']), { x }])(floats(131, 129)),
  'a convolution over an image': convolution({ kernelShape: [3, 3], strides: [2, 1], pads: [1, 1, 1, 1] }, floats(2, 3, 37, 29), floats(8, 3, 3, 3)),
  'a convolution over a line, dilated': convolution({ kernelShape: [3], dilations: [2], pads: [2, 2] }, floats(1, 5, 301), floats(9, 5, 3)),
}

const bitsOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()

let spinning: ChildProcess
beforeAll(() => {
  // As long as these tests run, however they end; half of the time, where not all combinations are tried.
  spinning = spawn(process.execPath, ['-e', `
    const nothing = new Int32Array(new SharedArrayBuffer(4))
    while (process.ppid === ${process.pid}) {
      for (const end = performance.now() + 4; performance.now() < end;);
      Atomics.wait(nothing, 0, 0, ${isThorough ? 0 : 4})
    }
  `])
})
afterAll(() => spinning.kill())

describe.each(THREAD_VARIANTS.flatMap((variant) => [[variant, 2, 50], [variant, 2, 0.05], [variant, 3, 50], [variant, 3, 0.3]] as const))(
  '%s, %i threads that wait %f times as long for each other: the same bits as one thread', (variant, threads, eager) => {
    let one: Runtime
    let many: Runtime
    beforeAll(async () => {
      one = await createRuntime({ variant })
      many = await eagerRuntime(threads, variant, eager)
    })
    afterAll(() => many.dispose())

    async function compare([graph, inputs]: [Graph, Inputs], runs: number): Promise<void> {
      const alone = await compile(graph, { runtime: one })
      const shared = await compile(graph, { runtime: many })
      const expected = Object.entries(alone.run(inputs)) as [string, NdArray][]
      const into = Object.fromEntries(expected.map(([name, { shape }]) => [name, many.tensor(null, shape)]))
      for (let run = 0; run < runs; run++) {
        for (const tensor of Object.values(into)) tensor.data.fill(NaN)
        shared.run(inputs, { into })
        for (const [name, { data }] of expected) expect(bitsOf(into[name]?.data as Float32Array), `${name}, run ${run}`).toEqual(bitsOf(data))
      }
      for (const { dispose } of [alone, shared, ...Object.values(into)].map((own) => ({ dispose: () => own.dispose() }))) dispose()
    }

    it('it has its threads', () => {
      expect(many.threads).toEqual({ count: threads, why: undefined })
      expect(many.variant).toBe(variant)
    })

    it.each(Object.keys(LAYERS))('%s', (name) => compare(LAYERS[name] as [Graph, Inputs], 8))

    it('golden cases', async () => {
      expect(cases.length).toBeGreaterThanOrEqual(60)
      for (const test of inTurn(cases, threads + Number(eager > 1))) await compare(goldenCase(test), 1)
    })

    // A worker that is late may find that the model is disposed, and its memory something else's.
    it('no worker has died of it', () => {
      expect(many.threads).toEqual({ count: threads, why: undefined })
    })
  },
)
