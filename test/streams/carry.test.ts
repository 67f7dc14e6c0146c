// States that go through a graph's own outputs and inputs.
import { beforeAll, describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { findCarry } from '../../src/streams/found-carry.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { compile, load } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import type { SymbolicShape } from '../../src/values/shape.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { carriedModel, charModel, torchLstm } from './models.ts'

describe('pairs of states', () => {
  const pairs = (inputs: readonly string[], outputs: readonly string[], shape: readonly number[] = [2, 4]): Record<string, string> => {
    const graph = {
      inputs: ['x', ...inputs].map((name) => ({ name, dtype: 'float32' as const, shape })),
      outputs: ['y', ...outputs].map((name, n) => ({ name, value: `v${n}` })),
      nodes: ['y', ...outputs].map((name, n) => ({ name, op: 'relu', inputs: ['x'], outputs: [`v${n}`], parameters: {}, attributes: {} })),
      constants: new Map(),
    }
    return Object.fromEntries(findCarry(graph, typeGraph(graph).types))
  }

  it.each([
    ['state', 'stateN'], ['h0', 'hn'], ['c_0', 'c_n'], ['h', 'h_out'], ['lstm_h_in', 'lstm_h_out'], ['prev_state', 'next_state'], ['hidden', 'hidden'],
    ['initial_h', 'final_h'], ['encoder.memory_in', 'encoder.memory_out'], ['cache', 'new_cache'], ['States', 'statesOut'],
  ])('%s and %s are one', (input, output) => {
    expect(pairs([input], [output])).toEqual({ [input]: output })
  })

  it.each([
    ['audio', 'audio'], ['input_2', 'output_2'], ['noise', 'noise_out'], ['h0', 'c0'], ['x_in', 'x_out'], ['state', 'status'],
  ])('%s and %s are not', (input, output) => {
    expect(pairs([input], [output])).toEqual({})
  })

  it('must be clear: no two of the same name, and something besides', () => {
    expect(pairs(['h', 'h_in'], ['h_out'])).toEqual({})
    expect(pairs(['h'], ['h_out', 'h_n'])).toEqual({})
    expect(pairs(['h0', 'c0'], ['hn', 'cn'])).toEqual({ h0: 'hn', c0: 'cn' })
  })

  it('must have shapes that fit, axis by axis', () => {
    const found = (from: SymbolicShape, to: SymbolicShape): boolean => {
      const inputs = [{ name: 'x', dtype: 'float32' as const, shape: to }, { name: 'state', dtype: 'float32' as const, shape: from }]
      const node = { name: 'n', op: 'relu', inputs: ['x'], outputs: ['v'], parameters: {}, attributes: {} }
      const graph = { inputs, outputs: [{ name: 'y', value: 'v' }, { name: 'stateN', value: 'v' }], nodes: [node], constants: new Map() }
      return findCarry(graph, typeGraph(graph).types).get('state') === 'stateN'
    }
    expect(found([2, 4], [2, 4])).toBe(true)
    expect(found(['batch', 4], ['n', 4])).toBe(true)
    for (const other of [[2, 5], [3, 4], [2], [2, 4, 1]]) expect(found([2, 4], other), String(other)).toBe(false)
    expect(found(['batch', 4], ['batch', 5])).toBe(false)
  })

  it('are said in the summary', async () => {
    const model = await compile(carriedModel())
    expect(model.describe().carry).toEqual({ state: 'stateN' })
    expect(model.summary()).toContain('\nstream  carries stateN to state\n')
    model.dispose()
    const without = await compile(charModel())
    expect(without.summary()).not.toContain('carries')
    without.dispose()
  })
})

describeBinaries('a stream with carried states', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it('has the bits of runs with the state put back by hand, frame by frame and in chunks', async () => {
    const model = await compile(carriedModel(), { runtime })
    const frames = pseudoRandom(3, 2 * 9 * 3, 1) // [batch 2, 9 frames, 3]
    let state = new NdArray(new Float32Array(16), [2, 2, 4])
    const expected = new Float32Array(2 * 9 * 4)
    const frame = (n: number): Float32Array => Float32Array.from({ length: 6 }, (_, i) => frames[(Math.floor(i / 3) * 9 + n) * 3 + i % 3] as number)
    const stream = model.stream({ batch: 2, carry: { state: 'stateN' } })
    const out = new Float32Array(8)
    for (let n = 0; n < 9; n++) {
      const outputs = model.run({ x: new NdArray(frame(n), [2, 3]), state })
      stream.step(frame(n), out)
      expect(out).toEqual(outputs.out?.data)
      state = outputs.stateN as typeof state
      for (const row of [0, 1]) expected.set(out.subarray(row * 4, row * 4 + 4), (row * 9 + n) * 4)
    }
    expect(stream.state).toEqual({ state })
    stream.reset()
    const all = new Float32Array(expected.length)
    stream.process(frames, all)
    expect(all).toEqual(expected)
    expect(stream.state).toEqual({ state })
    model.dispose()
  })

  // Such an output is no other buffer's place: it is copied to the state after the step.
  it('carries an output that is another one as well, a view, and a state that passes through', async () => {
    const node = { parameters: {}, attributes: {} }
    const graph = new GraphBuilder()
    for (const name of ['x', 'twice_in', 'view_in', 'kept_in']) graph.input({ name, dtype: 'float32', shape: ['batch', 3] })
    graph.constant('shape', new NdArray(Int32Array.of(-1, 3), [2]))
    graph.add({ ...node, name: 'a', op: 'add', inputs: ['x', 'twice_in'], outputs: ['a'] })
    graph.add({ ...node, name: 'b', op: 'sub', inputs: ['a', 'view_in'], outputs: ['b'] })
    graph.add({ ...node, name: 'v', op: 'reshape', inputs: ['b', 'shape'], outputs: ['v'] })
    graph.add({ ...node, name: 'c', op: 'mul', inputs: ['v', 'kept_in'], outputs: ['c'] })
    const outputs = { out: 'a', twice_out: 'a', other: 'b', view_out: 'v', product: 'c', kept_out: 'kept_in' }
    const model = await compile(graph.finish(Object.entries(outputs).map(([name, value]) => ({ name, value }))), { runtime })
    const carry = { twice_in: 'twice_out', view_in: 'view_out', kept_in: 'kept_out' }
    const stream = model.stream({ batch: 2, carry })
    let states: Record<string, NdArray> = Object.fromEntries(Object.keys(carry).map((name, n) => [name, new NdArray(pseudoRandom(n + 10, 6, 1), [2, 3])]))
    stream.state = states
    const [out, other, product] = [new Float32Array(6), new Float32Array(6), new Float32Array(6)]
    for (let step = 0; step < 4; step++) {
      const x = pseudoRandom(step, 6, 1)
      const expected = model.run({ x: new NdArray(x, [2, 3]), ...states })
      stream.step(x, { out, other, product })
      expect([out, other, product]).toEqual(['out', 'other', 'product'].map((name) => expected[name]?.data))
      states = Object.fromEntries(Object.entries(carry).map(([from, to]) => [from, expected[to] as NdArray]))
      expect(stream.state).toEqual(states)
    }
    model.dispose()
  })

  it('takes a torch lstm for the one it is: its states are not among the inputs', async () => {
    const model = await compile(torchLstm(3, 5, 1), { runtime })
    const [found, told, none] = [model.stream(), model.stream({ carry: { h_0: 'h_n', c_0: 'c_n' } }), model.stream({ carry: false })]
    const x = pseudoRandom(1, 9 * 3, 1)
    const outputs = [found, told].map((stream) => {
      const out = new Float32Array(9 * 5)
      stream.process(x, out)
      return out
    })
    expect(outputs[1]).toEqual(outputs[0])
    expect(outputs[0]).toEqual(model.run({ input: new NdArray(x, [1, 9, 3]) }).output?.data)
    // Without them, the final states are outputs: after each step.
    const [output, h_n, c_n] = [new Float32Array(9 * 5), new Float32Array(9 * 5), new Float32Array(9 * 5)]
    none.process(x, { output, h_n, c_n })
    expect(h_n).toEqual(output)
    expect(output).toEqual(outputs[0])
    expect(c_n.subarray(40)).toEqual(none.state['lstm.c']?.data)
    model.dispose()
  })

  it('carries h to c and c to h where that is what it is told: these are no states that the layer keeps itself', async () => {
    using model = await compile(torchLstm(3, 5, 1), { runtime })
    using stream = model.stream({ carry: { h_0: 'c_n', c_0: 'h_n' } })
    let [h, c] = [pseudoRandom(4, 5, 1), pseudoRandom(5, 5, 1)]
    stream.state = { h_0: h, c_0: c }
    const out = new Float32Array(5)
    for (let step = 0; step < 4; step++) {
      const x = pseudoRandom(step, 3, 1)
      const { output, h_n, c_n } = model.run({ input: new NdArray(x, [1, 1, 3]), h_0: h, c_0: c })
      stream.step(x, out)
      expect(out).toEqual(output?.data)
      ;[h, c] = [c_n?.data as Float32Array<ArrayBuffer>, h_n?.data as Float32Array<ArrayBuffer>]
      expect([stream.state.h_0?.data, stream.state.c_0?.data]).toEqual([h, c])
    }
  })

  it('takes no memory for outputs of states that a layer keeps itself', async () => {
    const own = await createRuntime({ variant: 'simd' })
    const graph = torchLstm(3, 200, 1)
    const bytes = async (source: Graph): Promise<number> => {
      using model = await compile(source, { runtime: own })
      const before = own.memory().usedBytes
      using stream = model.stream({ batch: 7 })
      expect(Object.keys(stream.state)).toEqual(['lstm.h', 'lstm.c'])
      return own.memory().usedBytes - before
    }
    const plain: Graph = {
      ...graph, inputs: graph.inputs.slice(0, 1), outputs: graph.outputs.slice(0, 1),
      nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.slice(0, 1), outputs: node.outputs.slice(0, 1) })),
    }
    expect(await bytes(graph)).toBe(await bytes(plain))
  })

  it.each(['silero_vad_v5', 'silero_vad_v6'])('%s: the bits of runs, alone, forked, and as a pool of odd size', async (name) => {
    const model = await load(new URL(`../../node_modules/@ricky0123/vad-web/dist/${name}.onnx`, import.meta.url), { runtime, constants: { sr: 16000 } })
    expect(model.describe().carry).toEqual({ state: 'stateN' })
    expectError(() => model.stream(), 'VALUE', /the size '.*' of the input 'input' .* is not known; say it in the option sizes/)
    const [, samples] = model.inputs[0]?.shape as [string, string]
    const options = { sizes: { [samples]: 576 } }
    const stream = model.stream(options)
    const pool = model.streams(3, options)
    const ids = [pool.open(), pool.open(), pool.open()]
    const frames = pseudoRandom(5, 6 * 576, 0.3)
    let state = new NdArray(new Float32Array(256), [2, 1, 128])
    const [one, three] = [new Float32Array(1), new Float32Array(3)]
    for (let n = 0; n < 6; n++) {
      const input = frames.slice(n * 576, (n + 1) * 576)
      const outputs = model.run({ input: new NdArray(input, [1, 576]), state })
      state = outputs.stateN as typeof state
      stream.step(input, one)
      expect(one).toEqual(outputs.output?.data)
      pool.step(ids, Float32Array.from([...input, ...input, ...input]), three)
      expect([...three]).toEqual([one[0], one[0], one[0]])
    }
    expect(stream.state.state?.data).toEqual(state.data)
    model.dispose()
  })
})
