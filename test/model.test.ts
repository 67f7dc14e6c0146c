import { describe, expect, it } from 'vitest'
import type { Graph } from '../src/graph/graph.ts'
import { readSafetensors } from '../src/formats/safetensors/safetensors.ts'
import { dense, embedding, lstm, sequential } from '../src/layers/index.ts'
import type { RunInput } from '../src/plan/binding.ts'
import type { RunTarget } from '../src/plan/targets.ts'
import { compile, load } from '../src/model/load.ts'
import type { Model } from '../src/model/model.ts'
import { createRuntime } from '../src/runtime/create.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { expectError, expectRejection } from './expect-error.ts'
import { lstmGraph } from './lstm-graph.ts'
import { denseWeights, lstmWeights, random } from './weights.ts'

const LIMIT = 2 ** 24
const makeRuntime = (): Promise<Runtime> => createRuntime({ variant: 'simd', maxMemoryBytes: LIMIT })

/** input [batch, timesteps, 3], states rnn_h0, rnn_c0 [1, batch, 4] -> output [batch, timesteps, 2], rnn_h, rnn_c. */
function sequenceGraph(): Graph {
  return sequential([lstm(4, { name: 'rnn', returnSequences: true, returnState: true, initialState: true }), dense(2)])
    .loadStateDict(new Map([...lstmWeights('rnn', 3, 4), ...denseWeights('dense', 4, 2)])).toGraph()
}

/** input int32 [batch, timesteps] -> output [batch, timesteps, 3]. */
function embeddingGraph(): Graph {
  return sequential([embedding(5, 3)]).loadStateDict({ 'embedding.weight': random(3, 5, 3) }).toGraph()
}

async function model(graph: Graph = sequenceGraph()): Promise<Model> {
  return compile(graph, { runtime: await makeRuntime() })
}

describe('a model', () => {
  it('lists its inputs and outputs', async () => {
    using subject = await model()
    expect(subject.inputs).toEqual([
      { name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', 3] },
      { name: 'rnn_h0', dtype: 'float32', shape: [1, 'batch', 4], optional: true },
      { name: 'rnn_c0', dtype: 'float32', shape: [1, 'batch', 4], optional: true },
    ])
    expect(subject.outputs).toEqual([
      { name: 'output', dtype: 'float32', shape: ['batch', 'timesteps', 2] },
      { name: 'rnn_h', dtype: 'float32', shape: [1, 'batch', 4] },
      { name: 'rnn_c', dtype: 'float32', shape: [1, 'batch', 4] },
    ])
    expect(subject.describe().parameters).toBe(4 * 4 * (3 + 4 + 2) + 2 * 4 + 2)
    expect(subject.summary()).toContain('4 gates x (3 x 4 input + 4 x 4 recurrent + 2 x 4 bias) = 144 parameters')
  })

  it('is made in the shared runtime unless told otherwise', async () => {
    using a = await compile(sequenceGraph())
    using b = await compile(sequenceGraph())
    const runtime = await makeRuntime()
    using c = await compile(sequenceGraph(), { runtime })
    expect(a.runtime).toBe(b.runtime)
    expect(c.runtime).toBe(runtime)
  })
})

describe('run takes', () => {
  const x = random(1, 2, 5, 3)

  it.each<[string, (runtime: Runtime) => RunInput]>([
    ['an NdArray', () => x],
    ['nested arrays', () => x.toArray()],
    ['{ shape, dtype, data }', () => ({ shape: x.shape, dtype: x.dtype, data: x.data })],
    ['a tensor', (runtime) => runtime.tensor(x.data, x.shape)],
    ['a tensor on a typed array of another buffer', (runtime) => runtime.tensor(new Float32Array([9, ...x.data]).subarray(1), x.shape)],
  ])('%s, all with the same outputs', async (_, make) => {
    using subject = await model()
    const expected = subject.run({ input: x })
    expect(Object.keys(expected)).toEqual(['output', 'rnn_h', 'rnn_c'])
    expect(expected.output?.shape).toEqual([2, 5, 2])
    expect(subject.run({ input: make(subject.runtime) })).toEqual(expected)
    using fresh = await model()
    expect(fresh.run({ input: make(fresh.runtime) })).toEqual(expected)
  })

  it('a typed array where its length tells the one symbolic size', async () => {
    const graph = sequential([dense(2)]).loadStateDict(new Map(denseWeights('dense', 3, 2))).toGraph()
    using subject = await model(graph)
    const flat = Float32Array.of(1, 2, 3, 4, 5, 6)
    expect(subject.run({ input: flat }).output?.shape).toEqual([2, 2])
    expect(subject.run({ input: flat })).toEqual(subject.run({ input: [[1, 2, 3], [4, 5, 6]] }))
    expectError(
      () => subject.run({ input: new Float32Array(7) }), 'SHAPE',
      "input 'input': expected float32 [batch, 3], got a flat array of 7 elements, which is not a multiple of 3",
    )
    expectError(
      () => subject.run({ input: new Float32Array(0) }), 'SHAPE',
      "input 'input': expected float32 [batch, 3], got a flat array of 0 elements, which is not a multiple of 3",
    )
    using fixed = await model({ ...graph, inputs: [{ name: 'input', dtype: 'float32', shape: [2, 3] }] })
    expect(fixed.run({ input: flat })).toEqual(subject.run({ input: flat }))
    expectError(
      () => fixed.run({ input: new Float32Array(9) }), 'SHAPE', "input 'input': expected float32 [2, 3], got a flat array of 9 elements, which is not 6",
    )
  })

  it('no typed array where its length does not tell', async () => {
    using subject = await model()
    const text = "input 'input': expected float32 [batch, timesteps, 3], got a flat array of 30 elements, which does not tell batch from timesteps; give { shape, dtype, data }, a tensor or nested arrays"
    expectError(() => subject.run({ input: x.data }), 'SHAPE', text)
    subject.run({ input: x })
    expectError(() => subject.run({ input: x.data }), 'SHAPE', text)
  })

  it('states, or zeros where they are left out', async () => {
    using subject = await model()
    const zeros = new NdArray(new Float32Array(8), [1, 2, 4])
    const h = random(5, 1, 2, 4)
    const plain = subject.run({ input: x })
    const started = subject.run({ input: x, rnn_h0: h, rnn_c0: h })
    expect(started.output).not.toEqual(plain.output)
    expect(subject.run({ input: x, rnn_h0: h }).output).not.toEqual(started.output)
    expect(subject.run({ input: x })).toEqual(plain)
    expect(subject.run({ input: x, rnn_h0: zeros, rnn_c0: zeros })).toEqual(plain)
    expect(subject.run({ input: x, rnn_h0: h.data, rnn_c0: undefined as unknown as NdArray })).toEqual(subject.run({ input: x, rnn_h0: h }))
  })

  it('any batch and any number of timesteps, one after the other', async () => {
    using subject = await model()
    let reference: Float32Array | undefined
    for (const batch of [1, 500, 1, 3]) {
      const row = random(9, 1, 4, 3)
      const rows = new NdArray(Float32Array.from({ length: batch * 12 }, (_, n) => row.data[n % 12] as number), [batch, 4, 3])
      const { output } = subject.run({ input: rows })
      expect(output?.shape).toEqual([batch, 4, 2])
      for (const at of [0, batch - 1]) {
        const got = output?.data.slice(at * 8, at * 8 + 8)
        expect(got).toHaveLength(8)
        expect(got).toEqual(reference ?? got)
        reference ??= got as Float32Array
      }
    }
    const long = random(4, 1, 300, 3)
    const all = subject.run({ input: long }).output?.data
    const start = subject.run({ input: new NdArray(long.data.slice(0, 9), [1, 3, 3]) })
    expect(start.output?.shape).toEqual([1, 3, 2])
    expect(start.output?.data).toEqual(all?.slice(0, 6))
    expect(subject.run({ input: long }).output?.data).toEqual(all)
  })
})

describe('run refuses', () => {
  const x = random(1, 2, 5, 3)

  it.each<[string, unknown, 'SHAPE' | 'VALUE', string]>([
    ['no inputs', undefined, 'VALUE', "run: expected an object with inputs by name ('input', 'rnn_h0' (optional), 'rnn_c0' (optional)), got undefined"],
    ['a missing input', {}, 'VALUE', "run: the input 'input' float32 [batch, timesteps, 3] is missing"],
    ['an array without a shape under a name that is none', { data: new Float32Array(6) }, 'VALUE', "run: no input 'data'; inputs are 'input', 'rnn_h0' (optional), 'rnn_c0' (optional)"],
    ['an unknown input', { input: x, x }, 'VALUE', "run: no input 'x'; inputs are 'input', 'rnn_h0' (optional), 'rnn_c0' (optional)"],
    ['another number of axes', { input: [[1, 2, 3]] }, 'SHAPE', "input 'input': expected float32 [batch, timesteps, 3], got [1, 3]"],
    ['another size', { input: [[[1, 2]]] }, 'SHAPE', "input 'input': expected float32 [batch, timesteps, 3], got [1, 1, 2]"],
    ['an empty batch', { input: new NdArray(new Float32Array(0), [0, 5, 3]) }, 'SHAPE', "input 'input': expected float32 [batch, timesteps, 3], got [0, 5, 3]"],
    ['a scalar', { input: 5 }, 'SHAPE', "input 'input': expected float32 [batch, timesteps, 3], got []"],
    ['text', { input: 'x' }, 'VALUE', "input 'input': expected float32 [batch, timesteps, 3], got \"x\""],
    ['null', { input: null }, 'VALUE', "input 'input': expected float32 [batch, timesteps, 3], got null"],
    ['another dtype', { input: new NdArray(new Int32Array(30), [2, 5, 3]) }, 'VALUE', "input 'input': expected float32 (Float32Array), got Int32Array(30)"],
    ['another typed array', { input: new Int32Array(30) }, 'VALUE', "input 'input': expected float32 (Float32Array), got Int32Array(30)"],
    ['float64', { input: new Float64Array(30) }, 'VALUE', "input 'input': expected float32 [batch, timesteps, 3], got Float64Array(30)"],
    ['ragged arrays', { input: [[[1, 2, 3], [4, 5]]] }, 'SHAPE', "input 'input': expected 3 elements along axis 2 of [1, 2, 3], got 2"],
    ['text in arrays', { input: [[[1, 2, '3']]] }, 'VALUE', "input 'input': expected numbers, got \"3\" at element 2"],
    ['data that does not fill its shape', { input: { shape: [2, 5, 3], dtype: 'float32', data: new Float32Array(29) } }, 'SHAPE', "input 'input': expected float32 [batch, timesteps, 3], got 29 elements that claim the shape [2, 5, 3]"],
    ['a shape of fractions', { input: { shape: [2.5, 4, 3], dtype: 'float32', data: new Float32Array(30) } }, 'VALUE', "input 'input': expected a shape of whole numbers, got [2.5, 4, 3]"],
    ['sizes that differ between inputs', { input: x, rnn_h0: random(1, 1, 3, 4) }, 'SHAPE', "input 'rnn_h0': expected batch = 2 as in 'input', got 3 in [1, 3, 4]"],
    ['a state of another size', { input: x, rnn_c0: random(1, 1, 2, 5) }, 'SHAPE', "input 'rnn_c0': expected float32 [1, batch, 4], got [1, 2, 5]"],
  ])('%s', async (_, inputs, code, message) => {
    using subject = await model()
    expectError(() => subject.run(inputs as Record<string, RunInput>), code, message)
    const before = subject.run({ input: x })
    const { usedBytes } = subject.runtime.memory()
    expectError(() => subject.run(inputs as Record<string, RunInput>), code, message)
    expect(subject.runtime.memory().usedBytes).toBeLessThanOrEqual(usedBytes)
    expect(subject.run({ input: x })).toEqual(before)
    expect(subject.runtime.memory().usedBytes).toBe(usedBytes)
  })

  it('tensors that are disposed, or of another runtime', async () => {
    using subject = await model()
    const other = (await makeRuntime()).tensor(x.data, x.shape)
    expectError(() => subject.run({ input: other }), 'VALUE', "input 'input': expected a tensor of the model's own runtime (model.runtime), got one of another runtime")
    const gone = subject.runtime.tensor(x.data, x.shape)
    gone.dispose()
    expectError(() => subject.run({ input: gone }), 'DISPOSED', "input 'input': the tensor is disposed")
    expectError(() => subject.run({ input: x }, { into: { rnn_h: gone } }), 'DISPOSED', "into 'rnn_h': the tensor is disposed")
    expectError(() => subject.run({ input: x }, { into: { output: other } }), 'VALUE', "into 'output': expected a tensor of the model's own runtime (model.runtime), got one of another runtime")
  })

  it('indices outside of an embedding, and is as before then', async () => {
    using subject = await model(embeddingGraph())
    const good = subject.run({ input: [[0, 4, 2]] })
    const before = subject.runtime.memory()
    for (const bad of [5, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      expectError(
        () => subject.run({ input: [[0, 1, bad]] }), 'VALUE', /^embedding 'embedding': expected indices from 0 to 4, got .* at element 2 of the input$/,
      )
    }
    expect(subject.runtime.memory()).toEqual(before)
    expect(subject.run({ input: [[0, 4, 2]] })).toEqual(good)
    expectError(() => subject.run({ input: [[0.5]] }), 'VALUE', "input 'input': expected int32 elements, got 0.5 at element 0")
  })

  it('sizes that memory cannot hold, and runs smaller ones afterwards', async () => {
    using subject = await model()
    const good = subject.run({ input: x })
    const before = subject.runtime.memory()
    const big = { shape: [1, 2 ** 20, 3], dtype: 'float32', data: new Float32Array(3 * 2 ** 20) } as const
    expectError(
      () => subject.run({ input: big }), 'MEMORY',
      /^buffers for input \[1, 1048576, 3\], rnn_h0 \[1, 1, 4\], rnn_c0 \[1, 1, 4\]: needs \d+ bytes; \d+ are in use and maxMemoryBytes is 16777216$/,
    )
    expect(subject.run({ input: x })).toEqual(good)
    expect(subject.runtime.memory()).toEqual(before)
  })
})

describe('run with `into`', () => {
  const x = random(1, 2, 5, 3)

  it('writes tensors, typed arrays and NdArrays, and gives the object back', async () => {
    using subject = await model()
    const expected = subject.run({ input: x })
    const into = {
      output: subject.runtime.tensor(null, [2, 5, 2]), rnn_h: new Float32Array(8), rnn_c: new NdArray(new Float32Array(8), [1, 2, 4]),
    }
    const result = subject.run({ input: x }, { into })
    expect(result).toBe(into)
    expect(result.output.toArray()).toEqual(expected.output?.toArray())
    expect(into.rnn_h).toEqual(expected.rnn_h?.data)
    expect(into.rnn_c).toEqual(expected.rnn_c)
  })

  it('copies nothing between tensors: no more bytes, and every output where it was wanted', async () => {
    using subject = await model()
    const { runtime } = subject
    const expected = subject.run({ input: x })
    const input = runtime.tensor(x.data, x.shape)
    const outputs = [runtime.tensor(null, [2, 5, 2]), runtime.tensor(null, [2, 5, 2])] as const
    subject.run({ input }, { into: { output: outputs[0] } })
    const before = runtime.memory()
    for (const output of outputs) {
      output.data.fill(NaN)
      subject.run({ input }, { into: { output } })
      expect(output.data).toEqual(expected.output?.data)
    }
    input.data.set(random(2, 30).data)
    subject.run({ input }, { into: { output: outputs[1] } })
    expect(runtime.memory()).toEqual(before)
    expect(outputs[0].data).toEqual(expected.output?.data)
    expect(outputs[1].data).not.toEqual(expected.output?.data)
    expect(outputs[1].data).toEqual(subject.run({ input: random(2, 2, 5, 3) }).output?.data)
    expect(subject.run({ input: x })).toEqual(expected)
  })

  it('gives only what is asked for', async () => {
    using subject = await model()
    expect(Object.keys(subject.run({ input: x }, { into: { rnn_h: new Float32Array(8) } }))).toEqual(['rnn_h'])
    expect(subject.run({ input: x }, { into: {} })).toEqual({})
  })

  it('takes states from one run to the next', async () => {
    using subject = await model()
    const states = { rnn_h: new Float32Array(8), rnn_c: new Float32Array(8) }
    const whole = subject.run({ input: x })
    const steps = Array.from({ length: 5 }, (_, step) => new NdArray(
      Float32Array.from({ length: 6 }, (__, n) => x.data[Math.floor(n / 3) * 15 + step * 3 + n % 3] as number), [2, 1, 3],
    ))
    for (const input of steps) subject.run({ input, rnn_h0: states.rnn_h, rnn_c0: states.rnn_c }, { into: states })
    expect(states.rnn_h).toEqual(whole.rnn_h?.data)
    expect(states.rnn_c).toEqual(whole.rnn_c?.data)
  })

  it.each<[string, (runtime: Runtime) => Record<string, unknown>, 'SHAPE' | 'VALUE', string]>([
    ['an unknown output', () => ({ probs: new Float32Array(20) }), 'VALUE', "into: no output 'probs'; outputs are 'output', 'rnn_h', 'rnn_c'"],
    ['another length', () => ({ output: new Float32Array(21) }), 'SHAPE', "into 'output': expected float32 [2, 5, 2], got 21 elements"],
    ['another shape', () => ({ output: new NdArray(new Float32Array(20), [5, 2, 2]) }), 'SHAPE', "into 'output': expected float32 [2, 5, 2], got [5, 2, 2]"],
    ['a tensor of another shape', (runtime) => ({ output: runtime.tensor(null, [20]) }), 'SHAPE', "into 'output': expected float32 [2, 5, 2], got [20]"],
    ['another dtype', () => ({ output: new Int32Array(20) }), 'VALUE', "into 'output': expected float32 (Float32Array), got Int32Array(20)"],
    ['a list', () => ({ output: [1, 2] }), 'VALUE', "into 'output': expected a tensor, a typed array or an array with shape and data, got Array"],
    ['undefined', () => ({ output: undefined }), 'VALUE', "into 'output': expected a tensor, a typed array or an array with shape and data, got undefined"],
  ])('refuses %s, and writes nothing', async (_, make, code, message) => {
    using subject = await model()
    const good = new Float32Array(8).fill(7)
    const into = { rnn_h: good, ...make(subject.runtime) } as Record<string, RunTarget>
    expectError(() => subject.run({ input: x }, { into }), code, message)
    expect(good).toEqual(new Float32Array(8).fill(7))
  })

  it('refuses one memory for two purposes', async () => {
    using subject = await model()
    const { runtime } = subject
    const state = runtime.tensor(null, [1, 2, 4])
    const again = state.reshape([1, 2, 4])
    expectError(() => subject.run({ input: x }, { into: { rnn_h: state, rnn_c: state } }), 'VALUE', "into: 'rnn_h' and 'rnn_c' are the same memory")
    expectError(() => subject.run({ input: x }, { into: { rnn_h: state, rnn_c: again } }), 'VALUE', "into: 'rnn_h' and 'rnn_c' are the same memory")
    expectError(() => subject.run({ input: x, rnn_h0: state }, { into: { rnn_h: again } }), 'VALUE', "into: 'rnn_h' is the same memory as the input 'rnn_h0'")
  })

  it('forgets its tensors: also after a run that failed', async () => {
    using subject = await model(embeddingGraph())
    const good = subject.run({ input: [[0, 4]] })
    const output = subject.runtime.tensor(null, [1, 2, 3])
    expectError(() => subject.run({ input: [[0, 9]] }, { into: { output } }), 'VALUE', /expected indices from 0 to 4/)
    output.data.fill(7)
    expect(subject.run({ input: [[0, 4]] })).toEqual(good)
    expect(output.data).toEqual(new Float32Array(6).fill(7))
    const flat = new Float32Array(6)
    subject.run({ input: [[0, 4]] }, { into: { output: flat } })
    expect(flat).toEqual(good.output?.data)
  })

  it('gives an output that is an input as it is now', async () => {
    const node = { name: 'd', op: 'dropout', inputs: ['x'], outputs: ['y'], parameters: {}, attributes: {} }
    using subject = await model({
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n'] }], outputs: [{ name: 'a', value: 'y' }, { name: 'b', value: 'x' }], nodes: [node], constants: new Map(),
    })
    const { runtime } = subject
    const run = (input: RunInput): unknown => Object.values(subject.run({ x: input })).map(({ data }) => [...data])
    expect(run(Float32Array.of(1, 2))).toEqual([[1, 2], [1, 2]])
    expect(run(runtime.tensor([3, 4]))).toEqual([[3, 4], [3, 4]])
    expect(run(runtime.tensor([5, 6]))).toEqual([[5, 6], [5, 6]])
    expect(run([7, 8])).toEqual([[7, 8], [7, 8]])
    const into = { a: runtime.tensor([0, 0]), b: new Float32Array(2) }
    subject.run({ x: runtime.tensor([9, 10]) }, { into })
    expect([into.a.toArray(), [...into.b]]).toEqual([[9, 10], [9, 10]])
  })

  it('gives outputs of any name', async () => {
    const outputs = ['__proto__', 'constructor'].map((name) => ({ name, value: 'x' }))
    using subject = await model({ inputs: [{ name: 'x', dtype: 'float32', shape: [1] }], outputs, nodes: [], constants: new Map() })
    expect(Object.entries(subject.run({ x: [5] })).map(([name, { data }]) => [name, data[0]])).toEqual([['__proto__', 5], ['constructor', 5]])
  })
})

describe('views of the memory', () => {
  it('are made anew when other tensors make it grow between runs', async () => {
    using subject = await model()
    const x = random(1, 2, 5, 3)
    const expected = subject.run({ input: x })
    const { generation } = subject.runtime.linearMemory
    subject.runtime.tensor(null, [2 ** 18])
    expect(subject.runtime.linearMemory.generation).toBeGreaterThan(generation)
    expect(subject.run({ input: x })).toEqual(expected)
    const output = subject.runtime.tensor(null, [2, 5, 2])
    subject.runtime.tensor(null, [2 ** 20])
    subject.run({ input: x }, { into: { output } })
    expect(output.data).toEqual(expected.output?.data)
  })
})

describe('dispose', () => {
  it('gives all memory back, once', async () => {
    const runtime = await makeRuntime()
    const subject = await compile(sequenceGraph(), { runtime })
    subject.run({ input: random(1, 2, 5, 3) })
    expect(runtime.memory().usedBytes).toBeGreaterThan(0)
    subject.dispose()
    expect(runtime.memory()).toMatchObject({ usedBytes: 0, tensors: 0 })
    subject.dispose()
    expectError(() => subject.run({ input: random(1, 2, 5, 3) }), 'DISPOSED', 'this model is disposed')
    expect(subject.inputs).toHaveLength(3)
  })

  it('happens at the end of a `using` block', async () => {
    const runtime = await makeRuntime()
    {
      using subject = await compile(sequenceGraph(), { runtime })
      subject.run({ input: random(1, 2, 5, 3) })
    }
    expect(runtime.memory().usedBytes).toBe(0)
  })

  it('leaks nothing in a hundred turns of load, run and dispose', async () => {
    const runtime = await makeRuntime()
    const keep = runtime.tensor(null, [100])
    const bytes = (await compile(sequenceGraph(), { runtime: await makeRuntime() })).save()
    let first: unknown
    for (let turn = 0; turn < 100; turn++) {
      const subject = await load(bytes, { runtime })
      subject.run({ input: random(1, 1 + turn % 7, 5, 3) })
      subject.run({ input: random(1, 1 + turn % 3, 9, 3) })
      subject.dispose()
      first ??= runtime.memory()
      expect(runtime.memory()).toEqual(first)
    }
    expect(runtime.memory()).toMatchObject({ usedBytes: 448, tensors: 1 })
    expect(keep.data).toEqual(new Float32Array(100))
  })

  it('leaves nothing behind of a model that did not fit', async () => {
    const runtime = await createRuntime({ maxMemoryBytes: 2 * 65536 })
    const before = runtime.memory().usedBytes
    const big = lstmGraph(new Map(lstmWeights('', 30, 64)))
    await expectRejection(compile(big, { runtime }), 'MEMORY', /^(weights of 'lstm'|weight '0\.forward\.\w+' of 'lstm'): needs \d+ bytes; \d+ are in use and maxMemoryBytes is 131072$/)
    expect(runtime.memory().usedBytes).toBe(before)
    using small = await compile(sequenceGraph(), { runtime })
    expect(small.run({ input: random(1, 2, 5, 3) }).output?.shape).toEqual([2, 5, 2])
  })
})

describe('save', () => {
  it('writes a file that loads to the same model, bit for bit', async () => {
    using subject = await model()
    const x = random(1, 2, 5, 3)
    const expected = subject.run({ input: x })
    const bytes = subject.save()
    using again = await load(bytes, { runtime: subject.runtime })
    expect(again.run({ input: x })).toEqual(expected)
    expect([again.inputs, again.outputs, again.summary()]).toEqual([subject.inputs, subject.outputs, subject.summary()])
    expect(again.save()).toEqual(bytes)
  })

  it('writes a safetensors file in which other readers find the tensors by their names', async () => {
    const graph = sequenceGraph()
    using subject = await model(graph)
    const { tensors, metadata } = readSafetensors(subject.save())
    expect([...tensors]).toEqual([...graph.constants])
    expect([...tensors.keys()]).toEqual(['rnn.weight_ih_l0', 'rnn.weight_hh_l0', 'rnn.bias_ih_l0', 'rnn.bias_hh_l0', 'dense.weight', 'dense.bias'])
    expect([...metadata.keys()]).toEqual(['format', 'lstm-wasm'])
    expect(metadata.get('format')).toBe('pt')
    expect(JSON.parse(metadata.get('lstm-wasm') as string)).toMatchObject({ version: 1, inputs: graph.inputs, outputs: graph.outputs })
  })
})
