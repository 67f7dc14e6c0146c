// What a caller can do by mistake, or on purpose: getters that call back, buffers that change, arrays that contain themselves. Either the
// right result or a typed error, and everything else as it was.
import { beforeAll, describe, expect, it } from 'vitest'
import { GraphBuilder } from '../src/graph/builder.ts'
import { addAllOperators } from '../src/ops/all.ts'
import { compile } from '../src/model/load.ts'
import type { Model } from '../src/model/model.ts'
import type { RunInput } from '../src/plan/binding.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { createRuntime } from '../src/runtime/create.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { expectError, expectRejection } from './expect-error.ts'
import { pseudoRandom } from './random.ts'
import { charModel, torchLstm } from './streams/models.ts'

/** Two inputs and two outputs, pointwise in time: sum = a + b, difference = a - b. */
function sums(): ReturnType<GraphBuilder['finish']> {
  addAllOperators()
  const graph = new GraphBuilder()
  for (const name of ['a', 'b']) graph.input({ name, dtype: 'float32', shape: ['batch', 'timesteps', 2] })
  const node = { parameters: {}, attributes: {}, inputs: ['a', 'b'] }
  graph.add({ ...node, name: 'plus', op: 'add', outputs: ['s'] })
  graph.add({ ...node, name: 'minus', op: 'sub', outputs: ['d'] })
  return graph.finish([{ name: 'sum', value: 's' }, { name: 'difference', value: 'd' }])
}

const array = (seed: number, ...shape: number[]): NdArray => new NdArray(pseudoRandom(seed, shape.reduce((a, b) => a * b, 1), 1), shape)

let runtime: Runtime
let model: Model
let twoPorts: Model
const x = array(1, 1, 5, 3)
let expected: Float32Array

beforeAll(async () => {
  runtime = await createRuntime()
  model = await compile(torchLstm(3, 5, 1), { runtime })
  twoPorts = await compile(sums(), { runtime })
  expected = model.run({ input: x }).output?.data as Float32Array
})

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** An object whose getter does something when it is read. */
function spiked<T>(name: string, value: T, read: () => void): Record<string, T> {
  return trapped({}, name, value, read) as Record<string, T>
}

/** The same for a property of an object that has others. */
function trapped(target: object, name: string | number, value: unknown, read: () => void): object {
  return Object.defineProperty(target, name, {
    enumerable: true,
    get() {
      read()
      return value
    },
  })
}

describe('buffers that change between runs', () => {
  it('are told by their length', () => {
    const buffer = new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(60, { maxByteLength: 120 })
    const data = new Float32Array(buffer)
    data.set(x.data)
    const shrinking = new NdArray(data, [1, 5, 3])
    expect(model.run({ input: shrinking }).output?.data).toEqual(expected)
    ;(buffer as unknown as { resize(bytes: number): void }).resize(16)
    expectError(() => model.run({ input: shrinking }), 'SHAPE', "input 'input': expected float32 [batch, timesteps, 3], got 4 elements that claim the shape [1, 5, 3]")
    const given = new NdArray(x.data.slice(), [1, 5, 3])
    model.run({ input: given })
    structuredClone(given.data.buffer, { transfer: [given.data.buffer as ArrayBuffer] })
    expectError(() => model.run({ input: given }), 'SHAPE', /got 0 elements that claim the shape \[1, 5, 3\]/)
    expect(model.run({ input: x }).output?.data).toEqual(expected)
  })

  it('are told while a long run goes on: inputs and targets', async () => {
    const long = array(2, 1, 4000, 3)
    const input = new NdArray(long.data.slice(), [1, 4000, 3])
    const target = new Float32Array(4000 * 5).fill(7)
    let at = 0
    await expectRejection(model.runAsync({ input }, {
      into: { output: target },
      onProgress: ({ done }) => {
        at = done
        structuredClone(input.data.buffer, { transfer: [input.data.buffer as ArrayBuffer] })
      },
    }), 'SHAPE', "run: the input 'input' had 12000 elements when the run began, and has 0 now: inputs may not change until it is done")
    expect(at).toBeGreaterThan(0)
    expect(target.every((value) => value === 7)).toBe(true)
    const [h, y] = [new Float32Array(5).fill(7), new Float32Array(4000 * 5)]
    let told = false
    await expectRejection(model.runAsync({ input: long }, {
      into: { h_n: h, output: y }, onProgress: () => {
        if (told) return
        told = true
        structuredClone(y.buffer, { transfer: [y.buffer] })
      },
    }), 'SHAPE', "into 'output': expected float32 [1, 4000, 5], got 0 elements")
    expect([...h]).toEqual([7, 7, 7, 7, 7])
  })

  it('are right where they are views of the memory, which grows for the run', async () => {
    const own = await createRuntime()
    const small = await compile(torchLstm(3, 5, 1), { runtime: own })
    const tensor = own.tensor(pseudoRandom(3, 20_000 * 3, 1), [1, 20_000, 3])
    const copy = tensor.data.slice()
    const view = new NdArray(tensor.data, [1, 20_000, 3])
    const before = own.memory().totalBytes
    const got = small.run({ input: view }).output?.data
    expect(own.memory().totalBytes).toBeGreaterThan(before)
    const wanted = small.run({ input: new NdArray(copy, [1, 20_000, 3]) }).output?.data
    expect(Buffer.compare(bytesOf(got as Float32Array), bytesOf(wanted as Float32Array))).toBe(0)
    const source = own.tensor(copy, [60_000]).data
    const held = Array.from({ length: 20 }, () => own.tensor(source.length === 0 ? copy : source, [60_000]))
    for (const one of held) expect(Buffer.compare(bytesOf(one.data), bytesOf(copy))).toBe(0)
  })
})

describe('calls from within a call', () => {
  it('are refused, and the call goes on: run', () => {
    const actions: (() => unknown)[] = [
      () => model.run({ input: array(9, 4, 5, 3) }), model.dispose.bind(model), model.resetStates.bind(model), () => model.stream(), () => model.streams(2),
    ]
    for (const action of actions) {
      let refused = 0
      const inputs = spiked<RunInput>('input', x, () => {
        expectError(action, 'BUSY', /^this model is called from within its own call/)
        refused++
      })
      expect(model.run(inputs).output?.data).toEqual(expected)
      expect(refused).toBe(1)
    }
    const target = new Float32Array(25)
    model.run({ input: x }, { into: spiked('output', target, () => expectError(() => model.run({ input: x }), 'BUSY', /own call/)) })
    expect(target).toEqual(expected)
  })

  it('are refused, and the call goes on: streams and pools', () => {
    const stream = twoPorts.stream()
    const pool = twoPorts.streams(3)
    const [first, second] = [pool.open(), pool.open()]
    const [a, b] = [pseudoRandom(1, 4, 1), pseudoRandom(2, 4, 1)]
    const sum = new Float32Array(4)
    let refused = 0
    const trap = (...actions: (() => unknown)[]) => () => {
      for (const action of actions) expectError(action, 'BUSY', /^this (stream|pool of streams) is called from within its own call/)
      refused += actions.length
    }
    const streamTrap = trap(
      stream.process.bind(stream, { a, b }, { sum }), stream.step.bind(stream, { a, b }, { sum }), stream.dispose.bind(stream), stream.reset.bind(stream),
      () => stream.state, () => stream.save(), () => stream.fork(),
    )
    stream.process(trapped({ b }, 'a', a, streamTrap) as Record<string, Float32Array>, { sum })
    expect(sum).toEqual(a.map((value, n) => value + (b[n] as number)))
    const poolTrap = trap(
      pool.close.bind(pool, first), pool.dispose.bind(pool), () => pool.open(), pool.step.bind(pool, [first], { a, b }, { sum }),
      pool.restore.bind(pool, second, new Uint8Array()),
    )
    sum.fill(0)
    pool.step(trapped({ length: 2, 1: second }, 0, first, poolTrap) as number[], { a, b }, spiked('sum', sum, poolTrap))
    expect(sum).toEqual(a.map((value, n) => value + (b[n] as number)))
    expect(refused).toBe(7 + 10)
    stream.dispose()
    pool.dispose()
  })

  it('that dispose the model of a stream end its step, not the memory of others', async () => {
    const own = await createRuntime()
    for (const kind of ['stream', 'pool'] as const) {
      const doomed = await compile(sums(), { runtime: own })
      const [a, b] = [new Float32Array(2), new Float32Array(2)]
      const tensors: { data: Float32Array, dispose(): void }[] = []
      const inputs = trapped({ b }, 'a', a, () => {
        doomed.dispose()
        for (let n = 0; n < 50; n++) tensors.push(own.tensor(new Float32Array(200).fill(7), [200]))
      }) as never
      const sum = new Float32Array(2)
      const stream = doomed.stream()
      const pool = doomed.streams(2)
      if (kind === 'stream') expectError(stream.step.bind(stream, inputs, { sum }), 'DISPOSED', 'the model of this stream is disposed')
      else expectError(pool.step.bind(pool, [pool.open()], inputs, { sum }), 'DISPOSED', 'the model of these streams is disposed')
      expect(tensors.every(({ data }) => data.every((value) => value === 7))).toBe(true)
      for (const tensor of tensors) tensor.dispose()
    }
  })

  it('read every value once', () => {
    const counts: Record<string, number> = {}
    const counted = <T extends object>(name: string, target: T): T => new Proxy(target, {
      get: (object, key) => {
        if (typeof key === 'string') counts[`${name}.${key}`] = (counts[`${name}.${key}`] ?? 0) + 1
        return Reflect.get(object, key) as unknown
      },
    })
    const value = counted('value', { dtype: 'float32', shape: [1, 5, 3], data: x.data } as const)
    const target = counted('target', { dtype: 'float32', shape: [1, 5, 5], data: new Float32Array(25) } as const)
    const options = counted('options', { into: counted('into', { output: target }) })
    for (let n = 0; n < 2; n++) {
      for (const key of Object.keys(counts)) counts[key] = 0
      model.run(counted('inputs', { input: value }), options)
      expect(target.data).toEqual(expected)
      for (const key of ['inputs.input', 'value.data', 'value.shape', 'options.into', 'into.output', 'target.data', 'target.shape']) {
        expect([key, counts[key]]).toEqual([key, key === 'target.data' ? 2 : 1]) // once more by this test
        if (key === 'target.data') counts[key] = 1
      }
    }
  })
})

describe('arrays that are none', () => {
  it.each<[string, () => unknown]>([
    ['one that contains itself', () => {
      const self: unknown[] = []
      self.push(self)
      return self
    }],
    ['one 20,000 deep', () => Array.from({ length: 20_000 }).reduce<unknown>((inner) => [inner], 1)],
  ])('%s', (_title, make) => {
    expectError(() => model.run({ input: make() as RunInput }), 'SHAPE', "input 'input': expected arrays nested at most 32 deep, got deeper ones, or an array that contains itself")
    expectError(() => runtime.tensor(make() as number[]), 'SHAPE', /^tensor: expected arrays nested at most 32 deep/)
    expect(model.run({ input: x }).output?.data).toEqual(expected)
  })

  it('a nested array that grows the memory while it is read', async () => {
    const own = await createRuntime()
    const small = await compile(torchLstm(3, 5, 1), { runtime: own })
    small.run({ input: x })
    const rows = x.toArray() as number[][][]
    let grown = 0
    const first = rows[0] as number[][]
    trapped(first, 2, [...x.data.subarray(6, 9)], () => {
      grown++
      own.tensor(null, [1_000_000]).dispose()
    })
    expect(small.run({ input: rows }).output?.data).toEqual(expected)
    expect(grown).toBeGreaterThan(0)
  })

  it('shapes that claim more than memory can hold', () => {
    const wide = Array.from({ length: 72_000 }, (_, n) => (n === 0 ? Array.from({ length: 60_000 }, () => 0) : []))
    let error: unknown
    try {
      NdArray.from(wide)
    } catch (caught) {
      error = caught
    }
    expect(error).toMatchObject({ name: 'LstmError', code: 'MEMORY' })
  })
})

describe('which array is whose', () => {
  it('is told by name; the array of the only one may stand alone', () => {
    expect(model.run(x).output?.data).toEqual(expected)
    expect(model.run(x.toArray()).output?.data).toEqual(expected)
    expect(model.run({ dtype: 'float32', shape: [1, 5, 3], data: x.data }).output?.data).toEqual(expected)
    const [a, b] = [array(5, 1, 4, 2), array(6, 1, 4, 2)]
    expectError(() => twoPorts.run(a), 'VALUE', "run: expected an object with inputs by name ('a', 'b'), got NdArray")
    expectError(() => twoPorts.run({ a, b }, { into: new Float32Array(8) }), 'VALUE', "into: expected an object with outputs by name ('sum', 'difference'), got Float32Array(8)")
    expectError(() => twoPorts.run({ a, b, c: a }), 'VALUE', "run: no input 'c'; inputs are 'a', 'b'")
    expectError(() => twoPorts.run({ a, b }, { into: { sums: new Float32Array(8) } }), 'VALUE', "into: no output 'sums'; outputs are 'sum', 'difference'")
  })

  it('is the same rule for streams, pools and long runs', async () => {
    const [a, b] = [new Float32Array(2), new Float32Array(2)]
    const out = new Float32Array(2)
    const stream = twoPorts.stream()
    const pool = twoPorts.streams(2)
    const id = pool.open()
    type Call = (inputs: unknown, outputs: unknown) => void
    const calls = [stream.step.bind(stream) as Call, stream.process.bind(stream) as Call, pool.step.bind(pool, [id]) as Call]
    for (const call of calls) {
      expectError(call.bind(undefined, { a, b }, out), 'VALUE', "stream: expected an object with outputs by name ('sum', 'difference'), got Float32Array(2)")
      expectError(call.bind(undefined, { a, b }, { summ: out }), 'VALUE', "stream: no output 'summ'; outputs are 'sum', 'difference'")
      expectError(call.bind(undefined, a, { sum: out }), 'VALUE', "stream: expected an object with inputs by name ('a', 'b'), got Float32Array(2)")
      expectError(call.bind(undefined, { a, b, c: a }, { sum: out }), 'VALUE', "stream: no input 'c'; inputs are 'a', 'b'")
      expectError(call.bind(undefined, { a }, { sum: out }), 'VALUE', "stream: expected a Float32Array for 'b' [batch, timesteps, 2], got undefined")
      call({ a, b }, { difference: out })
    }
    await expectRejection(twoPorts.runAsync(array(1, 1, 4, 2)), 'VALUE', "run: expected an object with inputs by name ('a', 'b'), got NdArray")
    expect((await model.runAsync(x)).output?.data).toEqual(expected)
    for (const held of [stream, pool]) held.dispose()
  })

  it('refuses an array that is written for two outputs, or before it is read', () => {
    const [a, b] = [array(5, 1, 4, 2), array(6, 1, 4, 2)]
    const shared = new Float32Array(12)
    const [front, back] = [shared.subarray(0, 8), shared.subarray(4)]
    expectError(() => twoPorts.run({ a, b }, { into: { sum: front, difference: front } }), 'VALUE', "into: 'sum' and 'difference' are the same memory")
    expectError(() => twoPorts.run({ a, b }, { into: { sum: front, difference: back } }), 'VALUE', "into: 'sum' and 'difference' are the same memory")
    expect([...shared]).toEqual(new Array(12).fill(0))
    twoPorts.run({ a, b }, { into: { sum: a.data.slice(), difference: back } })
    const stream = twoPorts.stream({ chunk: 2 })
    const inPlace = a.data.slice()
    const second = b.data.slice()
    stream.process({ a: inPlace, b: second }, { sum: inPlace })
    expect(inPlace).toEqual(a.data.map((value, n) => value + (b.data[n] as number)))
    expectError(stream.process.bind(stream, { a: inPlace, b: second }, { sum: front, difference: back }), 'VALUE', "stream: the outputs 'sum' and 'difference' are the same memory")
    const wide = new Float32Array(10)
    expectError(stream.process.bind(stream, { a: wide.subarray(2), b: second }, { sum: wide }), 'VALUE', "stream: the output 'sum' is the same memory as the input 'a', which is still to be read when it is written")
    stream.dispose()
  })

  it('knows names that every object has', async () => {
    addAllOperators()
    const graph = new GraphBuilder()
    for (const name of ['x', 'constructor', '__proto__']) graph.input({ name, dtype: 'float32', shape: ['batch', 2], optional: name !== 'x' })
    const node = { parameters: {}, attributes: {} }
    graph.add({ ...node, name: 'p', op: 'add', inputs: ['x', 'constructor'], outputs: ['s'] })
    graph.add({ ...node, name: 'q', op: 'add', inputs: ['s', '__proto__'], outputs: ['toString'] })
    const named = await compile(graph.finish([{ name: 'toString', value: 'toString' }, { name: 'hasOwnProperty', value: 's' }]), { runtime })
    expect(named.run({ x: [[1, 2]] })['hasOwnProperty' as string]?.data).toEqual(Float32Array.of(1, 2))
    const all = JSON.parse('{ "x": [[1, 2]], "constructor": [[3, 4]], "__proto__": [[5, 6]] }') as Record<string, RunInput>
    expect(Object.values(named.run(all))[0]?.data).toEqual(Float32Array.of(9, 12))
    expect(Object.values((await named.runAsync(all)))[0]?.data).toEqual(Float32Array.of(9, 12))
    expectError(() => named.run({}), 'VALUE', "run: the input 'x' float32 [batch, 2] is missing")
    named.dispose()
  })
})

describe('a model that fails halfway', () => {
  it('is as before: its stateful layers too', async () => {
    const graph = charModel()
    const nodes = graph.nodes.map((node) => (node.op === 'lstm' ? { ...node, attributes: { ...node.attributes, stateful: true } } : node))
    // The first LSTM has gone on when the index that is none comes to the second table.
    const second = { ...graph.nodes[0] as (typeof nodes)[number], name: 'late', inputs: ['late'], outputs: ['late-out'] }
    const late = await compile({
      ...graph, inputs: [...graph.inputs, { name: 'late', dtype: 'int32', shape: ['batch', 'timesteps'] }],
      nodes: [...nodes, second], outputs: [...graph.outputs, { name: 'late', value: 'late-out' }],
    }, { runtime })
    const [name] = graph.inputs.map((input) => input.name) as [string]
    const good = { [name]: [[1, 2, 3]], late: [[0, 1, 2]] }
    const outputs = [1, 2].map(() => late.run(good))
    late.resetStates()
    expect(late.run(good)).toEqual(outputs[0])
    expectError(() => late.run({ ...good, late: [[0, 1, 99]] }), 'VALUE', /indices/)
    expect(late.run(good)).toEqual(outputs[1])
    late.dispose()
  })
})
