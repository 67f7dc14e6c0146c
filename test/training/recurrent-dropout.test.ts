// Dropout of recurrent layers: one mask for all timesteps, of the inputs and of h. Expected numbers: the equations in float64, with the masks that the
// operator `drop` draws; gradients are differences of these.
import { describe, expect, it } from 'vitest'
import { toKeras } from '../../src/export/index.ts'
import { allFamilies } from '../../src/gradients/late/all.ts'
import { streamOf } from '../../src/gradients/usual/dropout.ts'
import { compile } from '../../src/index.ts'
import { dense, gru, input, lstm, sequential, simpleRnn, type Sequential } from '../../src/layers/index.ts'
import { readGraph } from '../../src/model/load.ts'
import { keras } from '../../src/readers/keras.ts'
import { Engine } from '../../src/training/engine.ts'
import { adam, createTrainer, resumeTrainer } from '../../src/training/index.ts'
import { initialStateDict } from '../../src/training/initializers.ts'
import { meanSquaredError } from '../../src/training/descriptions/losses.ts'
import { onlyLoss } from '../../src/training/descriptions/output-losses.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { trainingRuntimeOf } from './runtimes.ts'

const runtime = await trainingRuntimeOf()
/** More than a group of rows. */
const ROWS = 35
const STEPS = 4
const FEATURES = 5
const UNITS = 3
const SEED = 7
const STEP = 2
const RATES = { dropout: 0.4, recurrentDropout: 0.3 } as const
const x = new NdArray(pseudoRandom(1, ROWS * STEPS * FEATURES, 1), [ROWS, STEPS, FEATURES])
const target = new NdArray(pseudoRandom(2, ROWS * STEPS * UNITS, 1), [ROWS, STEPS, UNITS])

type Weights = ReadonlyMap<string, Float64Array>

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z))

/** Rows of weights times an input, from one row on: units of a gate. */
function product(weights: Float64Array, bias: Float64Array, of: readonly number[], gate: number): number[] {
  return Array.from({ length: UNITS }, (_, unit) => {
    const row = gate * UNITS + unit
    return of.reduce((sum, value, n) => sum + value * (weights[row * of.length + n] as number), bias[row] as number)
  })
}

interface State { readonly h: readonly number[], readonly c: readonly number[] }
type Cell = (input: readonly number[], drop: readonly number[], state: State, weights: Weights) => State

const named = (weights: Weights) => {
  const of = (name: string): Float64Array => weights.get(`layer.${name}_l0`) as Float64Array
  return {
    ih: (row: readonly number[], gate: number) => product(of('weight_ih'), of('bias_ih'), row, gate),
    hh: (h: readonly number[], gate: number) => product(of('weight_hh'), of('bias_hh'), h, gate),
  }
}
const times = (a: readonly number[], b: readonly number[]): number[] => a.map((value, n) => value * (b[n] as number))

const lstmCell: Cell = (row, drop, { h, c }, weights) => {
  const { ih, hh } = named(weights)
  const dropped = times(h, drop)
  const sums = [0, 1, 2, 3].map((gate) => ih(row, gate).map((value, n) => value + (hh(dropped, gate)[n] as number)))
  const [i, f, g, o] = sums as [number[], number[], number[], number[]]
  const next = c.map((old, n) => sigmoid(f[n] as number) * old + sigmoid(i[n] as number) * Math.tanh(g[n] as number))
  return { c: next, h: next.map((value, n) => sigmoid(o[n] as number) * Math.tanh(value)) }
}

const gruCell = (resetAfter: boolean): Cell => (row, drop, { h, c }, weights) => {
  const { ih, hh } = named(weights)
  const dropped = times(h, drop)
  const [r, z] = [0, 1].map((gate) => ih(row, gate).map((value, n) => sigmoid(value + (hh(dropped, gate)[n] as number)))) as [number[], number[]]
  const recurrent = resetAfter ? times(r, hh(dropped, 2)) : hh(times(r, dropped), 2)
  const candidate = ih(row, 2).map((value, n) => Math.tanh(value + (recurrent[n] as number)))
  // What stays of h is not dropped.
  return { c, h: h.map((old, n) => (1 - (z[n] as number)) * (candidate[n] as number) + (z[n] as number) * old) }
}

const rnnCell: Cell = (row, drop, { h, c }, weights) => {
  const { ih, hh } = named(weights)
  return { c, h: ih(row, 0).map((value, n) => Math.tanh(value + (hh(times(h, drop), 0)[n] as number))) }
}

/** The masks that training draws, [rows, features]. */
function maskOf(rate: number, stream: string, features: number): Float32Array {
  const { linearMemory, kernels } = runtime
  const [seedPtr, ones, mask] = [16, 4 * ROWS * features + 16, 4 * ROWS * features + 16].map((bytes) => linearMemory.allocate(bytes, 'a mask')) as [number, number, number]
  linearMemory.write(seedPtr, Int32Array.of(SEED, STEP, 0))
  linearMemory.write(ones, new Float32Array(ROWS * features).fill(1))
  kernels.dropoutF32(rate, streamOf(stream), seedPtr, ones, mask, ROWS, features)
  const drawn = linearMemory.view('float32', mask, ROWS * features).slice()
  for (const ptr of [seedPtr, ones, mask]) linearMemory.free(ptr)
  return drawn
}

/** Outputs of all steps, with the masks. */
function outputsOf(cell: Cell, weights: Weights): number[] {
  const inputMask = maskOf(RATES.dropout, 'layer.0.forward.dropout', FEATURES)
  const stateMask = maskOf(RATES.recurrentDropout, 'layer.0.forward.recurrentDropout', UNITS)
  return Array.from({ length: ROWS }, (_, row) => {
    const [inputs, drop] = [inputMask.subarray(row * FEATURES, (row + 1) * FEATURES), [...stateMask.subarray(row * UNITS, (row + 1) * UNITS)]]
    let state: State = { h: [0, 0, 0], c: [0, 0, 0] }
    return Array.from({ length: STEPS }, (_step, t) => {
      const begin = (row * STEPS + t) * FEATURES
      state = cell(times([...x.data.subarray(begin, begin + FEATURES)], [...inputs]), drop, state, weights)
      return [...state.h]
    }).flat()
  }).flat()
}

const lossOf = (outputs: readonly number[]): number => outputs.reduce((sum, y, n) => sum + (y - (target.data[n] as number)) ** 2, 0) / outputs.length

describe.each([
  ['lstm', lstm(UNITS, { name: 'layer', returnSequences: true, ...RATES }), lstmCell],
  ['gru', gru(UNITS, { name: 'layer', returnSequences: true, ...RATES }), gruCell(true)],
  ['gru with the reset before', gru(UNITS, { name: 'layer', returnSequences: true, resetAfter: false, ...RATES }), gruCell(false)],
  ['simpleRnn', simpleRnn(UNITS, { name: 'layer', returnSequences: true, ...RATES }), rnnCell],
] as const)('%s', (_name, layer, cell) => {
  const net = sequential([input([STEPS, FEATURES]), layer])
  const state = initialStateDict(net.weightSpecs(), { bias: 'randomNormal' }, 5)
  const exact: Weights = new Map([...state].map(([name, { data }]) => [name, Float64Array.from(data)]))

  it('drops in training what the masks say, and learns by that', () => {
    const engine = new Engine(runtime, net.toGraph(state), { losses: onlyLoss(meanSquaredError()), gradients: allFamilies(), seed: SEED })
    const count = ROWS * STEPS
    const weights = [new Float32Array(count).fill(1 / count)]
    const [prediction] = engine.run({ input: x }, [{ target }], { rows: ROWS, weights, step: STEP, training: true }).predictions as [Float32Array]
    const expected = outputsOf(cell, exact)
    expected.forEach((value, n) => expect(Math.abs(value - (prediction[n] as number))).toBeLessThan(1e-6))
    for (const [name, data] of exact) {
      const gradient = engine.parameters.filter(({ constant }) => constant === name).flatMap((part) => [...part.readGradient()])
      for (const n of [0, 1, data.length - 1]) {
        const lossAt = (by: number): number => lossOf(outputsOf(cell, new Map([...exact, [name, data.map((value, at) => (at === n ? value + by : value))]])))
        expect(Math.abs((lossAt(1e-5) - lossAt(-1e-5)) / 2e-5 - (gradient[n] as number)), `${name} ${n}`).toBeLessThan(2e-7)
      }
    }
    engine.dispose()
  })

  it('does nothing in inference, and travels through .keras files', async () => {
    const plain = (options: object): Sequential => sequential([input([STEPS, FEATURES]), { ...layer, ...options }])
    const model = await compile(plain({}).toGraph(state), { runtime })
    const engine = new Engine(runtime, net.toGraph(state), { losses: onlyLoss(meanSquaredError()), gradients: allFamilies() })
    const { output } = model.run({ input: x }) as unknown as { output: NdArray<'float32'> }
    expect(engine.predict({ input: x }).output?.data.length).toBe(output.data.length)
    engine.predict({ input: x }).output?.data.forEach((value, n) => expect(Math.abs(value - (output.data[n] as number))).toBeLessThan(1e-6))
    const { nodes } = await readGraph(toKeras(net.toGraph(state)), { readers: [keras] })
    expect(nodes.find(({ op }) => ['lstm', 'gru', 'rnn'].includes(op))?.attributes).toMatchObject(RATES)
    model.dispose()
    engine.dispose()
  })
})

interface Losses { readonly begun: readonly number[], readonly rest: readonly number[], readonly resumed: readonly number[] }

describe('a trainer', () => {
  const net = (): Sequential => sequential([input([STEPS, FEATURES]), lstm(4, { bidirectional: true, numLayers: 2, ...RATES }), dense(1)])
  const y = new NdArray(pseudoRandom(3, ROWS, 1), [ROWS, 1])
  const OPTIONS = { loss: 'mse', optimizer: adam({ learningRate: 0.01 }), runtime } as const

  it('draws other masks at each step and seed, and the same ones again, also where it goes on from a checkpoint', async () => {
    const losses = async (seed: number): Promise<Losses> => {
      const trainer = await createTrainer(net(), { ...OPTIONS, seed })
      const begun = [0, 1].map(() => trainer.trainOnBatch(x, y).loss as number)
      const other = await resumeTrainer(trainer.save(), { runtime })
      const [rest, resumed] = [trainer, other].map((one) => [0, 1, 2].map(() => one.trainOnBatch(x, y).loss as number)) as [number[], number[]]
      expect(allOf(other.getWeights())).toEqual(allOf(trainer.getWeights()))
      trainer.dispose()
      other.dispose()
      return { begun, rest, resumed }
    }
    const first = await losses(1)
    expect(first.resumed).toEqual(first.rest)
    expect(await losses(1)).toEqual(first)
    expect((await losses(2)).begun).not.toEqual(first.begun)
    const frozen = await createTrainer(net(), { ...OPTIONS, optimizer: adam({ learningRate: 0 }), seed: 1 })
    // Weights that stay: what differs from step to step are the masks.
    expect(new Set([0, 1, 2].map(() => frozen.trainOnBatch(x, y).loss)).size).toBe(3)
    frozen.dispose()
  })

  it('refuses rates that are none', () => {
    expectError(() => lstm(4, { dropout: 1 }), 'VALUE', /a number from 0 to below 1 for 'dropout', got 1/)
    expectError(() => gru(4, { recurrentDropout: -0.1 }), 'VALUE', /a number from 0 to below 1 for 'recurrentDropout', got -0.1/)
  })
})

const allOf = (weights: ReadonlyMap<string, Float32Array>): number[] => [...weights.values()].flatMap((data) => [...data])
