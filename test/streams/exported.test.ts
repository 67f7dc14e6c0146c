// What exporters write around LSTMs: sizes computed from shapes, fixed sizes, and states under any name.
import { beforeAll, describe, expect, it } from 'vitest'
import { findCarry } from '../../src/streams/found-carry.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import type { Attribute } from '../../src/ops/graph-data.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import type { Dimension } from '../../src/values/shape.ts'
import { expectError } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { createRuntime } from '../../src/runtime/create.ts'

const [UNITS, FEATURES] = [4, 3]
const ints = (...numbers: readonly number[]): NdArray => new NdArray(Int32Array.from(numbers), [numbers.length])
const node = (op: string, inputs: readonly string[], outputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): GraphNode => (
  { name: `n_${outputs.find(Boolean) as string}`, op, inputs, outputs, parameters: {}, attributes }
)

/** A time-major LSTM, as exporters have it, with its weights. */
function layer(x: string, outputs: readonly string[], states: readonly string[] = [], seed: number = 1): { node: GraphNode, constants: Graph['constants'] } {
  const graph = lstmGraph(randomLstm({ inputSize: FEATURES, hiddenSize: UNITS, numLayers: 1, bidirectional: false, bias: true }, seed), true)
  const [lstm] = graph.nodes as [GraphNode]
  const renamed = (name: string): string => `${name}.${seed}`
  return {
    node: {
      ...lstm, name: `lstm${seed}`, inputs: [x, ...states], outputs,
      parameters: Object.fromEntries(Object.entries(lstm.parameters).map(([role, name]) => [role, renamed(name)])),
    },
    constants: new Map([...graph.constants].map(([name, value]) => [renamed(name), value])),
  }
}

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

it('outputs that are left out are no states of the layer behind', async () => {
  const first = layer('x', ['one', '', ''], ['', ''], 1)
  const second = layer('three', ['y', '', ''], ['', ''], 2)
  const model = await compile({
    inputs: [{ name: 'x', dtype: 'float32', shape: ['steps', 'batch', FEATURES] }], outputs: [{ name: 'y', value: 'y' }],
    nodes: [first.node, node('slice', ['one', 'zero', 'wide', 'axis'], ['three']), second.node],
    constants: new Map([...first.constants, ...second.constants, ['zero', ints(0)], ['wide', ints(FEATURES)], ['axis', ints(2)]]),
  }, { runtime })
  const x = pseudoRandom(1, 4 * FEATURES, 1)
  const whole = model.run({ x: new NdArray(x, [4, 1, FEATURES]) }).y?.data
  using stream = model.stream()
  const y = new Float32Array(4 * UNITS)
  for (let step = 0; step < 4; step++) stream.step(x.subarray(step * FEATURES, (step + 1) * FEATURES), y.subarray(step * UNITS, (step + 1) * UNITS))
  expect(y).toEqual(whole)
  model.dispose()
})

describe('sizes that are computed', () => {
  /** The sequence goes through an axis for directions, which a reshape to computed sizes takes away again. */
  function dynamo(shape: readonly [Dimension, Dimension], sizes: readonly (number | 'batch' | 'steps')[], extra: readonly GraphNode[] = []): Graph {
    const { node: lstm, constants } = layer('xt', ['seq', '', ''])
    return {
      inputs: [{ name: 'x', dtype: 'float32', shape: [...shape, FEATURES] }],
      outputs: [{ name: 'y', value: 'y' }],
      nodes: [
        node('transpose', ['x'], ['xt'], { perm: [1, 0, 2] }), lstm, node('unsqueeze', ['seq', 'one'], ['four']), node('transpose', ['four'], ['back'], { perm: [0, 2, 1, 3] }),
        node('shape', ['back'], ['sizes'], { start: 0 }), node('slice', ['sizes', 'zero', 'one'], ['steps']), node('slice', ['sizes', 'one', 'two'], ['batch']),
        node('mul', ['batch', 'one'], ['batch_']), ...extra,
        node('concat', [...sizes.map((size) => (typeof size === 'number' ? `number${size}` : size === 'batch' ? 'batch_' : 'steps'))], ['target'], { axis: 0 }),
        node('reshape', ['back', 'target'], ['three']), node('transpose', ['three'], ['y'], { perm: [1, 0, 2] }),
      ],
      constants: new Map([
        ...constants, ['zero', ints(0)], ['one', ints(1)], ['two', ints(2)],
        ...sizes.flatMap((size): [string, NdArray][] => (typeof size === 'number' ? [[`number${size}`, ints(size)]] : [])),
      ]),
    }
  }

  /** The same once more: the second time, the number of steps is known to be that of the first. */
  function twice(graph: Graph): Graph {
    const again = [
      node('unsqueeze', ['three', 'one'], ['four again']), node('transpose', ['four again'], ['back again'], { perm: [0, 2, 1, 3] }),
      node('reshape', ['back again', 'target'], ['three again']), node('transpose', ['three again'], ['y'], { perm: [1, 0, 2] }),
    ]
    return { ...graph, nodes: [...graph.nodes.slice(0, -1), ...again] }
  }

  it.each<[string, Graph, number, Dimension[]?]>([
    ['all sizes open', dynamo(['batch', 'time'], ['steps', 'batch', 4]), 2],
    ['a fixed number of steps', dynamo(['batch', 5], [5, 'batch', 4]), 2],
    ['what is left over', dynamo(['batch', 5], [5, -1, 4]), 2],
    ['steps that only the input leaves open', twice(dynamo(['batch', 'time'], [5, -1, 4])), 2, ['n_three.1', 5]],
    ['all fixed', dynamo([2, 5], [5, 2, 4]), 2],
    ['one sequence', dynamo([1, 5], [5, 1, 4]), 1],
  ])('%s: names go through, and streams step', async (_what, graph, batch, sizes = graph.inputs[0]?.shape.slice(0, 2) ?? []) => {
    const model = await compile(graph, { runtime })
    expect(model.outputs[0]?.shape).toEqual([...sizes, UNITS])
    const x = new NdArray(pseudoRandom(2, batch * 5 * FEATURES, 1), [batch, 5, FEATURES])
    const { y } = model.run({ x })
    const stream = model.stream({ batch })
    const out = new Float32Array(batch * UNITS)
    for (let t = 0; t < 5; t++) {
      const frame = new Float32Array(batch * FEATURES)
      for (let row = 0; row < batch; row++) frame.set((x.data as Float32Array).subarray((row * 5 + t) * FEATURES, (row * 5 + t + 1) * FEATURES), row * FEATURES)
      stream.step(frame, out)
      for (let row = 0; row < batch; row++) {
        expect(out.subarray(row * UNITS, (row + 1) * UNITS)).toEqual((y?.data as Float32Array).subarray((row * 5 + t) * UNITS, (row * 5 + t + 1) * UNITS))
      }
    }
    model.dispose()
  })

  it('products of names are names, and the number of steps is no number to compute with', async () => {
    const shapes = (graph: Graph): unknown => Object.fromEntries([...typeGraph(graph).types].map(([name, { shape }]) => [name, shape]))
    const { node: lstm, constants } = layer('xt', ['seq', '', ''])
    const graph: Graph = {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 'time', FEATURES] }],
      outputs: [{ name: 'y', value: 'y' }],
      nodes: [
        node('transpose', ['x'], ['xt'], { perm: [1, 0, 2] }), lstm, node('shape', ['seq'], ['sizes']), node('reshape', ['seq', 'rows'], ['flat']), node('relu', ['flat'], ['flat2']),
        node('reshape', ['flat2', 'sizes'], ['y']),
      ],
      constants: new Map([...constants, ['rows', ints(-1, UNITS)]]),
    }
    expect(shapes(graph)).toMatchObject({ flat: ['batch * time', UNITS], y: ['time', 'batch', UNITS] })
    const mean = { ...graph, nodes: [...graph.nodes.slice(0, 3), node('gather', ['sizes', 'zero'], ['count']), node('cast', ['count'], ['float'], { to: 'float32' }), node('div', ['seq', 'float'], ['y'])] }
    const model = await compile({ ...mean, constants: new Map([...mean.constants, ['zero', new NdArray(Int32Array.of(0), [])]]) }, { runtime })
    expectError(() => model.stream(), 'UNSUPPORTED', /^stream: cast 'n_float' asks how long the sequence is, so that this model cannot be run step by step$/)
    model.dispose()
  })
})

describe('states that belong together', () => {
  const inputs = (...states: readonly (readonly [string, readonly Dimension[]])[]): Graph['inputs'] => [
    { name: 'x', dtype: 'float32', shape: ['time', 'batch', FEATURES] }, ...states.map(([name, shape]) => ({ name, dtype: 'float32' as const, shape })),
  ]
  const carryOf = (graph: Graph): unknown => Object.fromEntries(findCarry(graph, typeGraph(graph).types))
  const outputs = (...names: readonly string[]): Graph['outputs'] => ['seq', ...names].map((name) => ({ name, value: name }))

  it('are found whatever they are called', async () => {
    const { node: lstm, constants } = layer('x', ['seq', 'getitem_1', 'output_9'], ['input_7', 'left'])
    const graph: Graph = { inputs: inputs(['left', [1, 'batch', UNITS]], ['input_7', [1, 'batch', UNITS]]), outputs: outputs('output_9', 'getitem_1'), nodes: [lstm], constants }
    expect(carryOf(graph)).toEqual({ left: 'output_9', input_7: 'getitem_1' })
    const model = await compile(graph, { runtime })
    const stream = model.stream({ batch: 2 })
    const x = pseudoRandom(3, 2 * FEATURES, 1)
    const out = new Float32Array(2 * UNITS)
    stream.step(x, out)
    stream.step(x, out)
    const zeros = new NdArray(new Float32Array(2 * UNITS), [1, 2, UNITS])
    const first = model.run({ x: new NdArray(x, [1, 2, FEATURES]), left: zeros, input_7: zeros })
    const second = model.run({ x: new NdArray(x, [1, 2, FEATURES]), left: first.output_9 as NdArray, input_7: first.getitem_1 as NdArray })
    expect(out).toEqual(second.seq?.data)
    expect(model.streams(3).capacity).toBe(3)
    model.dispose()
  })

  it('are found in one memory, if they lie there in the same order before and after', () => {
    const { node: lstm, constants } = layer('x', ['seq', 'hn', 'cn'], ['h', 'c'])
    const memory = (before: readonly string[], after: readonly string[]): Graph => ({
      inputs: inputs(['recurrent_in', [1, 'batch', 2 * UNITS]]), outputs: outputs('recurrent_out'),
      nodes: [node('split', ['recurrent_in'], before, { axis: 2 }), lstm, node('concat', after, ['recurrent_out'], { axis: 2 })], constants,
    })
    expect(carryOf(memory(['h', 'c'], ['hn', 'cn']))).toEqual({ recurrent_in: 'recurrent_out' })
    expect(carryOf(memory(['c', 'h'], ['cn', 'hn']))).toEqual({ recurrent_in: 'recurrent_out' })
    expect(carryOf(memory(['h', 'c'], ['cn', 'hn']))).toEqual({})
  })

  it('of several layers, cut out of one input and joined to one output', () => {
    const [first, second] = [layer('x', ['seq1', 'h1', 'c1'], ['h_a', 'c_a'], 1), layer('narrow', ['seq', 'h2', 'c2'], ['h_b', 'c_b'], 2)]
    const cut = (from: string, start: string, end: string, to: string): GraphNode => node('slice', [from, start, end, 'zero'], [to])
    const graph = (joined: readonly string[]): Graph => ({
      inputs: inputs(['hs', [2, 'batch', UNITS]], ['cs', [2, 'batch', UNITS]]), outputs: outputs('out_a', 'out_b'),
      nodes: [
        cut('hs', 'zero', 'one', 'h_a'), cut('hs', 'one', 'two', 'h_b'), cut('cs', 'zero', 'one', 'c_a'), cut('cs', 'one', 'two', 'c_b'),
        first.node, node('slice', ['seq1', 'zero', 'three', 'two'], ['narrow']), second.node,
        node('concat', joined, ['out_a'], { axis: 0 }), node('concat', ['c1', 'c2'], ['out_b'], { axis: 0 }),
      ],
      constants: new Map([...first.constants, ...second.constants, ['zero', ints(0)], ['one', ints(1)], ['two', ints(2)], ['three', ints(3)]]),
    })
    expect(carryOf(graph(['h1', 'h2']))).toEqual({ hs: 'out_a', cs: 'out_b' })
    expect(carryOf(graph(['h2', 'h1']))).toEqual({ cs: 'out_b' })
  })

  it('are asked for where a refusal comes of them', async () => {
    const { node: lstm, constants } = layer('x', ['seq', 'hn', 'cn'], ['h', 'c'])
    const graph: Graph = {
      inputs: inputs(['h', [1, 'batch', UNITS]], ['c', [1, 'batch', UNITS]]), outputs: [{ name: 'y', value: 'y' }],
      nodes: [lstm, node('softmax', ['seq'], ['y'], { axis: 0 })], constants,
    }
    const model = await compile(graph, { runtime })
    expectError(() => model.stream(), 'UNSUPPORTED', 'stream: softmax \'n_y\' works along the timesteps, so that this model cannot be run step by step; if states are carried from outputs to inputs, say so: stream({ carry: { "h": \'...\', "c": \'...\' } })')
    model.dispose()
  })
})
