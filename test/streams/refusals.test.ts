// What streams refuse: models that need steps to come, by the name of the node; and arrays that do not fit.
import { beforeAll, describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/graph/builder.ts'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { lstm, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { lstmWeights } from '../weights.ts'
import { carriedModel, charModel, convolutionModel, torchLstm } from './models.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

/** lstm (3 -> 5, every step) between nodes; `x` [batch, timesteps, 3] is what goes in. */
function around(before: readonly Partial<GraphNode>[], after: readonly Partial<GraphNode>[], constants: Readonly<Record<string, NdArray>> = {}): Graph {
  addAllOperators()
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', 3] })
  for (const [name, constant] of Object.entries(constants)) graph.constant(name, constant)
  let value = 'x'
  const add = (node: Partial<GraphNode>): void => {
    const name = node.name ?? node.op ?? ''
    graph.add({ op: '', parameters: {}, attributes: {}, ...node, name, inputs: node.inputs?.map((input) => (input === '$' ? value : input)) ?? [value], outputs: [`${name}/out`] })
    value = `${name}/out`
  }
  for (const node of before) add(node)
  const weights = randomLstm({ inputSize: 3, hiddenSize: 5, numLayers: 1, bidirectional: false, bias: false }, 8)
  for (const [name, tensor] of weights) graph.constant(name, tensor)
  add({
    name: 'rnn', op: 'lstm', parameters: { '0.forward.inputWeights': 'weight_ih_l0', '0.forward.recurrentWeights': 'weight_hh_l0' },
    attributes: { hiddenSize: 5, numLayers: 1, direction: 'forward', returnSequences: true },
  })
  for (const node of after) add(node)
  return graph.finish([{ name: 'out', value }])
}

const ints = (...values: number[]): NdArray => new NdArray(Int32Array.from(values), [values.length])

const NEEDS_FUTURE: readonly (readonly [string, () => Graph, string])[] = [
  ['a bidirectional layer', () => lstmGraph(randomLstm({ inputSize: 3, hiddenSize: 5, numLayers: 1, bidirectional: true, bias: true }, 1)),
    "lstm 'lstm' is bidirectional: it needs the whole sequence"],
  ['a layer that walks backwards', () => sequential([lstm(5, { name: 'back', go_backwards: true, returnSequences: true })])
    .loadStateDict(new Map(lstmWeights('back', 3, 5))).toGraph(), "lstm 'back' walks backwards: it needs the whole sequence"],
  ['a mean over time', () => around([], [{ name: 'mean', op: 'reduceMean', inputs: ['$', 'axes'] }], { axes: ints(1) }), "reduceMean 'mean' sums up over the timesteps"],
  ['a softmax over time', () => around([], [{ name: 'weights', op: 'softmax', attributes: { axis: 1 } }]), "softmax 'weights' works along the timesteps"],
  ['pooling over time', () => around([], [
    { name: 'turn', op: 'transpose', attributes: { perm: [0, 2, 1] } }, { name: 'pool', op: 'maxPool', attributes: { kernelShape: [2] } },
  ]), "maxPool 'pool' pools over the timesteps"],
  ['every second step', () => around([], [
    { name: 'turn', op: 'transpose', attributes: { perm: [0, 2, 1] } }, { name: 'pool', op: 'maxPool', attributes: { kernelShape: [1], strides: [2] } },
  ]), "maxPool 'pool' pools over the timesteps"],
  ['global pooling', () => around([], [
    { name: 'turn', op: 'transpose', attributes: { perm: [0, 2, 1] } }, { name: 'pool', op: 'globalAveragePool' },
  ]), "globalAveragePool 'pool' pools over the timesteps"],
  ['a convolution that looks ahead', () => convolutionModel([2, 2]), "conv 'conv' looks 2 steps ahead; streams take padding in front only ('causal')"],
  ['a convolution without padding', () => convolutionModel([0, 0]), "conv 'conv' has its first output after 5 steps; streams take windows that are padded in front ('causal')"],
  ['a part of the sequence', () => around([], [{ name: 'cut', op: 'slice', inputs: ['$', 'starts', 'ends', 'axes'] }], { starts: ints(1), ends: ints(2 ** 31 - 1), axes: ints(1) }),
    "slice 'cut' cuts steps out of the sequence"],
  ['the first step', () => around([], [{ name: 'first', op: 'gather', inputs: ['$', 'zero'], attributes: { axis: 1 } }], { zero: new NdArray(Int32Array.of(0), []) }),
    "gather 'first' takes steps out of the sequence"],
  ['attention', () => around([], [
    { name: 'keys', op: 'transpose', attributes: { perm: [0, 2, 1] } }, { name: 'scores', op: 'matMul', inputs: ['rnn/out', '$'] },
  ]), "matMul 'scores' multiplies by what other steps have come to"],
  ['steps together with the last one', () => around([], [
    { name: 'last', op: 'slice', inputs: ['$', 'starts', 'ends', 'axes'] }, { name: 'sum', op: 'add', inputs: ['rnn/out', '$'] },
  ], { starts: ints(-1), ends: ints(2 ** 31 - 1), axes: ints(1) }), "add 'sum' takes single steps together with what all of them come to"],
  ['the last one again for each step, as a decoder takes it', () => around([], [
    { name: 'last', op: 'slice', inputs: ['$', 'starts', 'ends', 'axes'] }, { name: 'size', op: 'shape', inputs: ['x'], attributes: { start: 0, end: 2 } },
    { name: 'sizes', op: 'concat', inputs: ['$', 'five'], attributes: { axis: 0 } }, { name: 'again', op: 'expand', inputs: ['last/out', '$'] },
  ], { starts: ints(-1), ends: ints(2 ** 31 - 1), axes: ints(1), five: ints(5) }), "expand 'again' repeats for each step what all of them come to"],
  ['a running sum', () => around([{ name: 'sums', op: 'cumSum', inputs: ['$', 'axis'] }], [], { axis: new NdArray(Int32Array.of(1), []) }),
    "cumSum 'sums' works along the timesteps"],
  ['time that is mixed with the features', () => around([], [{ name: 'flat', op: 'flatten', attributes: { axis: 1 } }]), "flatten 'flat' mixes timesteps with other axes"],
]

describe('a model that needs the future', () => {
  it.each(NEEDS_FUTURE)('%s: the error names the node', async (_title, graph, reason) => {
    const model = await compile(graph(), { runtime })
    const before = runtime.memory()
    expectError(() => model.stream(), 'UNSUPPORTED', `stream: ${reason}, so that this model cannot be run step by step`)
    expectError(() => model.streams(5), 'UNSUPPORTED', `stream: ${reason}, so that this model cannot be run step by step`)
    expect(runtime.memory()).toEqual(before)
    model.dispose()
  })

  it('is told from one that does not: the same graph without the node streams', async () => {
    const model = await compile(around([], [{ name: 'mean', op: 'reduceMean', inputs: ['$', 'axes'] }], { axes: ints(2) }), { runtime })
    model.stream().dispose()
    model.dispose()
  })
})

describe('a stream', () => {
  let model: Model
  beforeAll(async () => {
    model = await compile(torchLstm(3, 5, 1), { runtime })
  })

  it('refuses arrays that do not fit, and is as before', () => {
    const stream = model.stream({ batch: 2 })
    const [x, out] = [pseudoRandom(1, 6, 1), new Float32Array(10)]
    stream.step(x, out)
    const saved = stream.save()
    expectError(() => stream.step(x.subarray(1), out), 'SHAPE', "stream: expected 6 elements for 'input', got 5")
    expectError(() => stream.step(new Float32Array(12), out), 'SHAPE', "stream: expected 6 elements for 'input', got 12")
    expectError(() => stream.process(new Float32Array(13), out), 'SHAPE', "stream: expected a multiple of 6 elements for 'input', got 13")
    expectError(() => stream.step(x, out.subarray(1)), 'SHAPE', "stream: expected at least 10 elements for 'output', got 9")
    expectError(() => stream.process(new Float32Array(12), new Float32Array(19)), 'SHAPE', "stream: expected at least 20 elements for 'output', got 19")
    expectError(() => stream.step([1, 2, 3, 4, 5, 6] as unknown as Float32Array, out), 'VALUE', /expected a Float32Array for 'input' \[batch, timesteps, 3\], got Array/)
    expectError(() => stream.step(new Float64Array(6) as unknown as Float32Array, out), 'VALUE', /got Float64Array\(6\)/)
    expectError(() => stream.step(x, undefined as unknown as Float32Array), 'VALUE', "stream: expected an object with outputs by name ('output'), got undefined")
    expectError(() => stream.step(null as unknown as Float32Array, out), 'VALUE', /got null/)
    for (const row of [-1, 2, 0.5, NaN]) expectError(() => stream.reset(row), 'VALUE', `stream: expected a row from 0 to 1, got ${row}`)
    expect(stream.save()).toEqual(saved)
    stream.dispose()
  })

  it('refuses arrays whose buffer was given away', () => {
    const stream = model.stream()
    const [x, out] = [new Float32Array(3), new Float32Array(5)]
    const saved = stream.save()
    structuredClone(out.buffer, { transfer: [out.buffer] })
    expectError(() => stream.step(x, out), 'SHAPE', "stream: expected at least 5 elements for 'output', got 0 (an array has none when its buffer was given away)")
    structuredClone(x.buffer, { transfer: [x.buffer] })
    expectError(() => stream.step(x, new Float32Array(5)), 'SHAPE', "stream: expected 3 elements for 'input', got 0 (an array has none when its buffer was given away)")
    expectError(() => stream.process(x, new Float32Array(5)), 'SHAPE', /got 0/)
    expect(stream.save()).toEqual(saved)
    stream.dispose()
  })

  it('refuses to work after dispose, its own or that of its model; others go on', async () => {
    const other = await compile(torchLstm(3, 5, 1), { runtime })
    const [mine, theirs] = [model.stream(), other.stream()]
    const calls = (stream: typeof mine): (() => unknown)[] => [
      () => stream.step(new Float32Array(3), new Float32Array(5)), () => stream.process(new Float32Array(3), new Float32Array(5)), () => stream.reset(),
      () => stream.save(), () => stream.restore(new Uint8Array(9)), () => stream.fork(), () => stream.state, () => { stream.state = {} },
    ]
    other.dispose()
    for (const call of calls(theirs)) expectError(call, 'DISPOSED', 'the model of this stream is disposed')
    theirs.dispose()
    for (const call of calls(theirs)) expectError(call, 'DISPOSED', 'this stream is disposed')
    expectError(() => other.stream(), 'DISPOSED', 'this model is disposed')
    for (const call of calls(mine).slice(0, 3)) call()
    mine.dispose()
  })

  it('has one batch row where the first axis has no name', async () => {
    const graph = new GraphBuilder()
    graph.input({ name: 'x', dtype: 'float32', shape: [2, 3] })
    graph.add({ name: 'turn', op: 'neg', inputs: ['x'], outputs: ['y'], parameters: {}, attributes: {} })
    using fixed = await compile(graph.finish([{ name: 'y', value: 'y' }]), { runtime })
    expectError(() => fixed.stream({ batch: 2 }), 'VALUE', "stream: expected a whole number from 1 to 1 for 'batch', got 2")
    using stream = fixed.stream()
    const [x, y] = [pseudoRandom(5, 6, 1), new Float32Array(6)]
    stream.step(x, y)
    expect(y).toEqual(x.map((value) => -value))
  })

  it('refuses options that do not fit, and models that were made without streams', async () => {
    for (const batch of [0, 1.5, -1, NaN]) expectError(() => model.stream({ batch }), 'VALUE', `stream: expected a whole number from 1 to 1048576 for 'batch', got ${batch}`)
    expectError(() => model.stream({ chunk: 0 }), 'VALUE', "stream: expected a whole number from 1 to 65536 for 'chunk', got 0")
    const without = await compile(torchLstm(3, 5, 1), { runtime, streams: false })
    expectError(() => without.stream(), 'ENVIRONMENT', /^this model was made without streams/)
    without.dispose()
  })

  it('gives back what it took when the memory limit is reached', async () => {
    const small = await createRuntime({ variant: 'simd', maxMemoryBytes: 2 ** 20 })
    const limited = await compile(torchLstm(3, 33, 1), { runtime: small })
    const before = small.memory()
    expectError(() => limited.stream({ batch: 500 }), 'MEMORY', /maxMemoryBytes is 1048576/)
    expectError(() => limited.streams(10_000), 'MEMORY', /maxMemoryBytes is 1048576/)
    expect(small.memory().usedBytes).toBe(before.usedBytes)
    limited.stream().dispose()
    expect(small.memory().usedBytes).toBe(before.usedBytes)
  })

  it('refuses an index outside the vocabulary, in the middle of a chunk too, and is as before', async () => {
    const chars = await compile(charModel(), { runtime })
    const stream = chars.stream({ chunk: 2 })
    const out = new Float32Array(5 * 11)
    stream.process(Int32Array.of(1, 2, 3), out)
    const saved = stream.save()
    for (const bad of [-1, 11]) expectError(() => stream.process(Int32Array.of(1, 2, 3, bad, 5), out), 'VALUE', /expected indices from 0 to 10 for '.*', got -?1+ at element 3/)
    expect(stream.save()).toEqual(saved)
    chars.dispose()
  })

  it('takes indices for indices only', async () => {
    const chars = await compile(charModel(), { runtime })
    const stream = chars.stream()
    const out = new Float32Array(11)
    stream.step(Int32Array.of(2), out)
    const saved = stream.save()
    for (const bad of [Float32Array.of(2), Uint8Array.of(2), Float32Array.of(1e9)]) {
      expectError(() => stream.step(bad, out), 'VALUE', /expected an? Int32Array/)
      expectError(() => stream.process(bad, out), 'VALUE', /expected an? Int32Array/)
    }
    expect(stream.save()).toEqual(saved)
    chars.dispose()
  })

  it('goes back when a node refuses an element halfway', async () => {
    const addressed = around([], [
      { name: 'as indices', op: 'cast', inputs: ['x'], attributes: { to: 'int32' } },
      { name: 'table', op: 'gather', inputs: ['rows', '$'], attributes: { axis: 0 } },
      { name: 'with', op: 'matMul', inputs: ['table/out', 'ones'] }, { name: 'both', op: 'add', inputs: ['rnn/out', '$'] },
    ], { rows: new NdArray(pseudoRandom(3, 4, 1), [4]), ones: new NdArray(pseudoRandom(4, 15, 1), [3, 5]) })
    const own = await compile(addressed, { runtime })
    const stream = own.stream({ chunk: 2 })
    const out = new Float32Array(4 * 5)
    stream.process(Float32Array.of(1, 2, 3, 0, 1, 2), out)
    const saved = stream.save()
    const bad = Float32Array.of(1, 2, 3, 0, 1, 2, 3, 3, 3, 4, 0, 0)
    expectError(() => stream.process(bad, out), 'VALUE', /gather 'table': expected indices from -4 to 3/)
    expect(stream.save()).toEqual(saved)
    const pool = own.streams(200)
    const ids = Array.from({ length: 130 }, () => pool.open())
    const many = new Float32Array(130 * 3).fill(2)
    const results = new Float32Array(130 * 5)
    pool.step(ids, many, results)
    const before = ids.map((id) => pool.save(id))
    many[129 * 3] = 7
    expectError(() => pool.step(ids, many, results), 'VALUE', /gather 'table'/)
    expect(ids.map((id) => pool.save(id))).toEqual(before)
    own.dispose()
  })
})

describe('carry', () => {
  it('refuses names that are none, outputs that go to two inputs, and shapes that do not fit', async () => {
    const model = await compile(carriedModel(), { runtime })
    expectError(() => model.stream({ carry: { stat: 'stateN' } }), 'VALUE', "carry: no input 'stat'; inputs are 'x', 'state'")
    expectError(() => model.stream({ carry: { state: 'state' } }), 'VALUE', "carry: no output 'state'; outputs are 'out', 'stateN'")
    expectError(() => model.stream({ carry: { state: 'stateN', x: 'stateN' } }), 'VALUE', "carry: the output 'stateN' goes to two inputs")
    expectError(() => model.stream({ carry: { state: 'out' } }), 'SHAPE', "carry: expected 'out' to be as 'state' is, float32 [2, size, 4], got float32 [batch, 4]")
    model.dispose()
  })
})

it('refuses first states that follow from an input which the steps take as well: it would come too late', async () => {
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', 3] })
  graph.input({ name: 'first', dtype: 'float32', shape: [1, 'batch', 4] })
  const weights = randomLstm({ inputSize: 3, hiddenSize: 4, numLayers: 1, bidirectional: false, bias: false }, 9)
  for (const [name, tensor] of weights) graph.constant(name, tensor)
  graph.add({
    name: 'rnn', op: 'lstm', inputs: ['x', 'first', 'first'], outputs: ['y'],
    parameters: { '0.forward.inputWeights': 'weight_ih_l0', '0.forward.recurrentWeights': 'weight_hh_l0' },
    attributes: { hiddenSize: 4, numLayers: 1, direction: 'forward', returnSequences: true },
  })
  const apart = await compile(graph.finish([{ name: 'y', value: 'y' }]))
  apart.stream().dispose()
  const both = await compile(graph.finish([{ name: 'y', value: 'y' }, { name: 'first', value: 'first' }]))
  expectError(() => both.stream(), 'UNSUPPORTED', "stream: the first states of this model follow from 'first', which its steps take as well; use run or runAsync, "
  + "or give 'first' when the model is loaded (option constants)")
  const inputs = { x: pseudoRandom(1, 900, 1), first: pseudoRandom(2, 4, 1) }
  const given = { x: new NdArray(inputs.x, [1, 300, 3]), first: new NdArray(inputs.first, [1, 1, 4]) }
  // A run that has all inputs goes in chunks.
  const seen: number[] = []
  expect((await both.runAsync(given, { onProgress: ({ done }) => seen.push(done) })).y?.data).toEqual(both.run(given).y?.data)
  expect(seen).toEqual([256, 300])
})

it.each<[string, readonly (string | number)[], Readonly<Record<string, boolean>>, boolean]>([
  ['a mask of each step', ['batch', 'timesteps'], {}, true],
  ['a mask that does not come with the steps', ['batch', 4], {}, false],
  ['a mask that may clear the first states', ['batch', 'timesteps'], { zeroEmptyState: true }, false],
])('streams take %s, or refuse it', async (_title, shape, attributes, taken) => {
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', 3] })
  graph.input({ name: 'mask', dtype: 'uint8', shape })
  for (const [name, tensor] of randomLstm({ inputSize: 3, hiddenSize: 4, numLayers: 1, bidirectional: false, bias: false }, 9)) graph.constant(name, tensor)
  graph.add({
    name: 'rnn', op: 'lstm', inputs: ['x', '', '', 'mask'], outputs: ['y'],
    parameters: { '0.forward.inputWeights': 'weight_ih_l0', '0.forward.recurrentWeights': 'weight_hh_l0' },
    attributes: { hiddenSize: 4, numLayers: 1, direction: 'forward', returnSequences: true, ...attributes },
  })
  using model = await compile(graph.finish([{ name: 'y', value: 'y' }]), { runtime })
  if (!taken) {
    expectError(() => model.stream(), 'UNSUPPORTED', /lstm 'rnn' takes a mask of whole sequences/)
    return
  }
  using stream = model.stream()
  const [x, mask, y] = [pseudoRandom(1, 12, 1), Uint8Array.of(1, 0, 1, 1), new Float32Array(16)]
  stream.process({ x, mask }, y)
  const whole = model.run({ x: new NdArray(x, [1, 4, 3]), mask: { dtype: 'uint8', shape: [1, 4], data: mask } })
  expect(y).toEqual(whole.y?.data)
})
