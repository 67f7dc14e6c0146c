// What must hold for any LSTM and any input, bit for bit: the same result however it is called.
import fc from 'fast-check'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { compile, NdArray, type Model, type Runtime } from '../src/index.ts'
import type { LstmShape, StateDict } from '../src/formats/pytorch-names.ts'
import { lstmGraph, randomLstm } from './lstm-graph.ts'
import { pseudoRandom } from './random.ts'
import { describeBinaries, runtimeOf } from './variants.ts'

/** The same draws in every run. */
const FIXED = { seed: 20260701, numRuns: 25 } as const

const BATCHES = [1, 2, 3, 5, 17, 32, 33]

interface Draw {
  readonly shape: LstmShape
  readonly seed: number
  readonly timesteps: number
}

type Results = Readonly<Record<'output' | 'h_n' | 'c_n', NdArray>>

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })

/** LSTMs of all kinds; sizes that are and are not whole blocks of 4 units or 16 columns. */
function draws(fixed: Partial<LstmShape> = {}): fc.Arbitrary<Draw> {
  const shape = fc.record({
    inputSize: size(19), hiddenSize: size(19), numLayers: size(3), bidirectional: fc.boolean(), bias: fc.boolean(),
  }).map((drawn) => ({ ...drawn, ...fixed }))
  return fc.record({ shape, seed: fc.nat(1e6), timesteps: size(9) })
}

/** A layer of 33 units over 33 rows makes more gates a step than fit a chunk of the workspace twice. */
const LARGE: Draw = {
  shape: { inputSize: 7, hiddenSize: 33, numLayers: 2, bidirectional: true, bias: true }, seed: 5, timesteps: 29,
}

/** Sums of more than 128 terms, which kernels add up in parts. */
const WIDE: Draw = {
  shape: { inputSize: 131, hiddenSize: 137, numLayers: 1, bidirectional: false, bias: true }, seed: 6, timesteps: 3,
}

/** x [batch, timesteps, inputSize], and states [layers * directions, batch, hiddenSize]. */
function randomInputs({ shape, seed, timesteps }: Draw, batch: number): { input: NdArray, h_0: NdArray, c_0: NdArray } {
  const cells = shape.numLayers * (shape.bidirectional ? 2 : 1)
  const state = (offset: number): NdArray => (
    new NdArray(pseudoRandom(seed + offset, cells * batch * shape.hiddenSize, 1), [cells, batch, shape.hiddenSize])
  )
  const x = pseudoRandom(seed + 1001, batch * timesteps * shape.inputSize, 2)
  return { input: new NdArray(x, [batch, timesteps, shape.inputSize]), h_0: state(1002), c_0: state(1003) }
}

/** The elements with index `axis` in `indices`, in that order. */
function take(array: NdArray, axis: number, indices: readonly number[]): NdArray {
  const inner = array.shape.slice(axis + 1).reduce((product, n) => product * n, 1)
  const length = array.shape[axis] as number
  const outer = array.length / inner / length
  const data = new Float32Array(outer * indices.length * inner)
  for (let o = 0; o < outer; o++) {
    indices.forEach((n, place) => data.set(array.data.subarray((o * length + n) * inner, (o * length + n + 1) * inner), (o * indices.length + place) * inner))
  }
  return new NdArray(data, array.shape.map((n, at) => (at === axis ? indices.length : n)))
}

const range = (begin: number, end: number): number[] => Array.from({ length: end - begin }, (_, n) => begin + n)

/** Swaps the first two axes. */
function transposed(array: NdArray): NdArray {
  const [first, second, inner] = array.shape as [number, number, number]
  const data = new Float32Array(first * second * inner)
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) data.set(array.data.subarray((a * second + b) * inner, (a * second + b + 1) * inner), (b * first + a) * inner)
  }
  return new NdArray(data, [second, first, inner])
}

function bitsOf({ data }: NdArray): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, data.length)
}

function expectSameBits(got: NdArray, expected: NdArray, what: string): void {
  expect(got.shape, what).toEqual(expected.shape)
  const at = bitsOf(got).findIndex((bits, n) => bits !== bitsOf(expected)[n])
  if (at >= 0) expect.fail(`${what}: element ${at} is ${got.data[at]}, expected ${expected.data[at]}`)
}

function expectSame(got: Results, expected: Results, what: string = 'run'): void {
  for (const name of ['output', 'h_n', 'c_n'] as const) expectSameBits(got[name], expected[name], `${what}: ${name}`)
}

describeBinaries('for any LSTM', (binary) => {
  let runtime: Runtime
  let models: Model[] = []
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })
  afterEach(() => {
    disposeModels()
    expect(runtime.memory()).toMatchObject({ usedBytes: 0, tensors: 0 })
  })

  function disposeModels(): void {
    for (const model of models) model.dispose()
    models = []
  }

  async function modelOf(tensors: StateDict, timeMajor?: boolean): Promise<(inputs: Parameters<Model['run']>[0]) => Results> {
    const model = await compile(lstmGraph(tensors, timeMajor), { runtime })
    models.push(model)
    return (inputs) => model.run(inputs) as Results
  }

  /** Checks a property of drawn LSTMs, and of the examples. */
  function check<T extends { readonly draw: Draw }>(
    arbitrary: fc.Arbitrary<T>, property: (drawn: T) => Promise<void>, examples: readonly T[] = [],
  ): Promise<void> {
    const disposing = async (drawn: T): Promise<void> => {
      await property(drawn).finally(disposeModels)
    }
    return fc.assert(fc.asyncProperty(arbitrary, disposing), { ...FIXED, examples: examples.map((example) => [example]) })
  }

  it(`a row has the same bits alone and in batches of ${BATCHES.join(', ')}`, () => check(
    fc.record({ draw: draws() }),
    async ({ draw }) => {
      const inputs = randomInputs(draw, 33)
      const run = await modelOf(randomLstm(draw.shape, draw.seed))
      const all = run(inputs)
      for (const batch of BATCHES) {
        for (let begin = 0; begin + batch <= 33; begin += Math.max(batch, 4)) {
          const rows = range(begin, begin + batch)
          const part = run({ input: take(inputs.input, 0, rows), h_0: take(inputs.h_0, 1, rows), c_0: take(inputs.c_0, 1, rows) })
          expectSame(part, { output: take(all.output, 0, rows), h_n: take(all.h_n, 1, rows), c_n: take(all.c_n, 1, rows) }, `rows ${begin} to ${begin + batch}`)
        }
      }
    },
    [{ draw: LARGE }, { draw: WIDE }],
  ))

  it('a sequence has the same bits at once, in chunks with the states carried over, and step by step', () => check(
    fc.record({ draw: draws({ bidirectional: false }), batch: fc.constantFrom(...BATCHES), chunk: size(5) }),
    async ({ draw, batch, chunk }) => {
      const inputs = randomInputs(draw, batch)
      const run = await modelOf(randomLstm(draw.shape, draw.seed))
      const whole = run(inputs)
      for (const length of [chunk, 1]) {
        let { h_0, c_0 } = inputs
        for (let begin = 0; begin < draw.timesteps; begin += length) {
          const steps = range(begin, Math.min(draw.timesteps, begin + length))
          const part = run({ input: take(inputs.input, 1, steps), h_0, c_0 })
          expectSameBits(part.output, take(whole.output, 1, steps), `steps from ${begin}, ${length} at a time`)
          h_0 = part.h_n
          c_0 = part.c_n
        }
        expectSameBits(h_0, whole.h_n, 'h_n')
        expectSameBits(c_0, whole.c_n, 'c_n')
      }
    },
    [
      { draw: { ...LARGE, shape: { ...LARGE.shape, bidirectional: false } }, batch: 33, chunk: 4 },
      { draw: WIDE, batch: 3, chunk: 2 },
    ],
  ))

  it('the forward half of a bidirectional layer is a forward layer, the other half one that reads backwards', () => check(
    fc.record({ draw: draws({ bidirectional: true, numLayers: 1 }), batch: size(5) }),
    async ({ draw, batch }) => {
      const inputs = randomInputs(draw, batch)
      const tensors = randomLstm(draw.shape, draw.seed)
      const halves = [...tensors].map(([name, tensor]) => ({ name: name.replace('_reverse', ''), reverse: name.endsWith('_reverse'), tensor }))
      const both = (await modelOf(tensors))(inputs)
      for (const reverse of [false, true]) {
        const run = await modelOf(new Map(halves.filter((half) => half.reverse === reverse).map(({ name, tensor }) => [name, tensor])))
        const backwards = range(0, draw.timesteps).reverse()
        const ordered = (array: NdArray): NdArray => (reverse ? take(array, 1, backwards) : array)
        const at = reverse ? 1 : 0
        const half = run({ input: ordered(inputs.input), h_0: take(inputs.h_0, 0, [at]), c_0: take(inputs.c_0, 0, [at]) })
        const units = range(at * draw.shape.hiddenSize, (at + 1) * draw.shape.hiddenSize)
        expectSame(
          { ...half, output: ordered(half.output) },
          { output: take(both.output, 2, units), h_n: take(both.h_n, 0, [at]), c_n: take(both.c_n, 0, [at]) },
          reverse ? 'reverse' : 'forward',
        )
      }
    },
  ))

  it('a stack of layers is its layers one after the other', () => check(
    fc.record({ draw: draws({ numLayers: 3 }), batch: size(5) }),
    async ({ draw, batch }) => {
      const directions = draw.shape.bidirectional ? 2 : 1
      const inputs = randomInputs(draw, batch)
      const tensors = randomLstm(draw.shape, draw.seed)
      const stacked = (await modelOf(tensors))(inputs)
      let x = inputs.input
      for (let layer = 0; layer < 3; layer++) {
        const own = [...tensors].filter(([name]) => name.includes(`_l${layer}`)).map(([name, tensor]) => [name.replace(`_l${layer}`, '_l0'), tensor] as const)
        const run = await modelOf(new Map(own))
        const states = range(layer * directions, (layer + 1) * directions)
        const { output, h_n, c_n } = run({ input: x, h_0: take(inputs.h_0, 0, states), c_0: take(inputs.c_0, 0, states) })
        expectSameBits(h_n, take(stacked.h_n, 0, states), `h_n of layer ${layer}`)
        expectSameBits(c_n, take(stacked.c_n, 0, states), `c_n of layer ${layer}`)
        x = output
      }
      expectSameBits(x, stacked.output, 'output')
    },
  ))

  it('time-major is batch-first transposed', () => check(
    fc.record({ draw: draws(), batch: fc.constantFrom(...BATCHES) }),
    async ({ draw, batch }) => {
      const inputs = randomInputs(draw, batch)
      const tensors = randomLstm(draw.shape, draw.seed)
      const batchFirst = (await modelOf(tensors))(inputs)
      const timeMajor = (await modelOf(tensors, true))({ ...inputs, input: transposed(inputs.input) })
      expectSame({ ...timeMajor, output: transposed(timeMajor.output) }, batchFirst)
    },
  ))

  it('permuted rows give permuted results', () => check(
    fc.constantFrom(2, 3, 5, 8).chain((batch) => fc.record({
      draw: draws(), order: fc.shuffledSubarray(range(0, batch), { minLength: batch, maxLength: batch }),
    })),
    async ({ draw, order }) => {
      const inputs = randomInputs(draw, order.length)
      const run = await modelOf(randomLstm(draw.shape, draw.seed))
      const straight = run(inputs)
      const permuted = run({ input: take(inputs.input, 0, order), h_0: take(inputs.h_0, 1, order), c_0: take(inputs.c_0, 1, order) })
      expectSame(permuted, { output: take(straight.output, 0, order), h_n: take(straight.h_n, 1, order), c_n: take(straight.c_n, 1, order) })
    },
  ))

  it('NaN in one row makes this row NaN from then on, and leaves the others alone', () => check(
    fc.constantFrom(2, 3, 5, 8).chain((batch) => fc.record({
      draw: draws({ bidirectional: false }), batch: fc.constant(batch), row: fc.nat(batch - 1), step: fc.nat(8),
    })),
    async ({ draw, batch, row, step }) => {
      const inputs = randomInputs(draw, batch)
      const run = await modelOf(randomLstm(draw.shape, draw.seed))
      const clean = run(inputs)
      const from = step % draw.timesteps
      inputs.input.data.fill(NaN, (row * draw.timesteps + from) * draw.shape.inputSize, (row * draw.timesteps + from + 1) * draw.shape.inputSize)
      const got = run(inputs)
      const others = range(0, batch).filter((other) => other !== row)
      const rowsOf = ({ output, h_n, c_n }: Results, rows: readonly number[]): Results => (
        { output: take(output, 0, rows), h_n: take(h_n, 1, rows), c_n: take(c_n, 1, rows) }
      )
      expectSame(rowsOf(got, others), rowsOf(clean, others))
      const poisoned = rowsOf(got, [row])
      expectSameBits(take(poisoned.output, 1, range(0, from)), take(rowsOf(clean, [row]).output, 1, range(0, from)), 'before the NaN')
      for (const { data } of [take(poisoned.output, 1, range(from, draw.timesteps)), poisoned.h_n, poisoned.c_n]) {
        expect([...data].every(Number.isNaN)).toBe(true)
      }
    },
  ))

  it('an input of nothing but NaN gives nothing but NaN', () => check(
    fc.record({ draw: draws(), batch: size(5) }),
    async ({ draw, batch }) => {
      const inputs = randomInputs(draw, batch)
      inputs.input.data.fill(NaN)
      const run = await modelOf(randomLstm(draw.shape, draw.seed))
      for (const { data } of Object.values(run(inputs))) expect([...data].every(Number.isNaN)).toBe(true)
    },
  ))

  it('results stay the same when sizes go back and forth', () => check(
    fc.record({ draw: draws(), sizes: fc.array(fc.tuple(size(6), size(9)), { minLength: 2, maxLength: 4 }) }),
    async ({ draw, sizes }) => {
      const run = await modelOf(randomLstm(draw.shape, draw.seed))
      const runs = sizes.map(([batch, timesteps]) => {
        const inputs = randomInputs({ ...draw, timesteps }, batch)
        return { inputs, first: run(inputs) }
      })
      for (const { inputs, first } of [...runs].reverse()) expectSame(run(inputs), first)
    },
  ))

  it('results stay the same when the memory grows in between, also those written to tensors and read from them', async () => {
    const draw: Draw = { ...LARGE, timesteps: 5 }
    const grown = await runtimeOf(binary)
    const model = await compile(lstmGraph(randomLstm(draw.shape, draw.seed)), { runtime: grown })
    const inputs = randomInputs(draw, 3)
    const before = model.run(inputs) as Results
    const x = grown.tensor(inputs.input.data, inputs.input.shape)
    const y = grown.tensor(null, before.output.shape)
    const flat = new Float32Array(before.h_n.length)
    for (let round = 0; round < 3; round++) {
      const { generation } = grown.linearMemory
      const large = grown.tensor(null, [grown.memory().totalBytes / 4])
      expect(grown.linearMemory.generation).toBeGreaterThan(generation)
      expectSame(model.run(inputs) as Results, before, `round ${round}`)
      y.data.fill(NaN)
      model.run({ ...inputs, input: x }, { into: { output: y, h_n: flat } })
      expectSameBits(new NdArray(y.data.slice(), y.shape), before.output, `round ${round}: into a tensor`)
      expectSameBits(new NdArray(flat, before.h_n.shape), before.h_n, `round ${round}: into an array`)
      if (round === 1) large.dispose()
    }
  })

  it('infinite inputs saturate the gates', async () => {
    // One unit: gates i, f, g, o see +x, -x, +x, +x: h = tanh(tanh(g)) for large x, 0 for large -x.
    const tensors = new Map([
      ['weight_ih_l0', new NdArray(Float32Array.of(1, -1, 1, 1), [4, 1])],
      ['weight_hh_l0', new NdArray(new Float32Array(4), [4, 1])],
    ])
    const run = await modelOf(tensors)
    const { output, c_n } = run({ input: NdArray.from([[[Infinity]], [[-Infinity]]]), c_0: NdArray.from([[[0.25], [0.5]]]) })
    expect(c_n.toArray()).toEqual([[[1], [0.5]]])
    expect(output.data[0]).toBeCloseTo(Math.tanh(1), 6)
    expect(output.data[1]).toBe(0)
  })
})
