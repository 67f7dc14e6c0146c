// What a stream remembers: read, written, saved, restored, forked, forgotten.
import { beforeAll, describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { Stream } from '../../src/streams/stream.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { randomLstm } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { carriedModel, charModel, convolutionModel, torchLstm } from './models.ts'

const BATCH = 3

function stepped(stream: Stream, seed: number, features: number, width: number): Float32Array {
  const out = new Float32Array(stream.batch * width)
  stream.step(pseudoRandom(seed, stream.batch * features, 1), out)
  return out
}

describeBinaries('the state of a stream', (binary) => {
  let runtime: Runtime
  let model: Model
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
    model = await compile(torchLstm(3, 5, 2), { runtime })
  })

  it('is h and c by layer, as run() gives them, and may be written', () => {
    const input = new NdArray(pseudoRandom(1, BATCH * 6 * 3, 1), [BATCH, 6, 3])
    const { output, h_n, c_n } = model.run({ input }) as { output: NdArray, h_n: NdArray, c_n: NdArray }
    const stream = model.stream({ batch: BATCH })
    const out = new Float32Array(output.length)
    stream.process(input.data, out)
    expect(stream.state).toEqual({ 'lstm.h': h_n, 'lstm.c': c_n })
    const other = model.stream({ batch: BATCH })
    other.state = { 'lstm.h': h_n }
    expect(other.state['lstm.c']?.data.every((value) => value === 0)).toBe(true)
    other.state = { 'lstm.c': c_n.data }
    expect(stepped(other, 9, 3, 5)).toEqual(stepped(stream, 9, 3, 5))
    expect(model.run({ input, h_0: h_n, c_0: c_n }).output?.data).toEqual(((): Float32Array => {
      other.state = { 'lstm.h': h_n, 'lstm.c': c_n }
      other.process(input.data, out)
      return out
    })())
    const before = stream.state
    for (const [length, got] of [[29, 'Float32Array(29)'], [31, 'Float32Array(31)'], [0, 'Float32Array(0)'], [15, 'Float32Array(15)']] as const) {
      expectError(() => Object.assign(stream, { state: { 'lstm.h': h_n, 'lstm.c': new Float32Array(length) } }), 'SHAPE', `state 'lstm.c': expected float32 [2, 3, 5], got ${got}`)
    }
    expectError(() => Object.assign(stream, { state: { 'lstm.c': new NdArray(new Float32Array(24), [2, 3, 4]) } }), 'SHAPE', "state 'lstm.c': expected float32 [2, 3, 5], got [2, 3, 4]")
    expect(stream.state).toEqual(before)
    expectError(() => Object.assign(stream, { state: { 'lstm.h': h_n, 'lstm.d': c_n } }), 'VALUE', "state: there is no 'lstm.d'; there are 'lstm.h', 'lstm.c'")
    expectError(() => Object.assign(stream, { state: { 'lstm.h': c_n, 'lstm.c': new NdArray(c_n.data, [30]) } }), 'SHAPE', "state 'lstm.c': expected float32 [2, 3, 5], got [30]")
    expectError(() => Object.assign(stream, { state: { 'lstm.c': new Int32Array(30) } }), 'VALUE', "state 'lstm.c': expected float32 (Float32Array), got Int32Array(30)")
    expect(stream.state).toEqual(before)
    stream.dispose()
    other.dispose()
  })

  const MODELS = [
    ['a torch lstm', () => torchLstm(3, 5, 2), 3, 5], ['a causal convolution', () => convolutionModel(), 2, 5], ['a carried state', carriedModel, 3, 4],
  ] as const
  describe.each(MODELS)('of %s', (_title, graph, features, width) => {
    it('is saved and restored, forked and reset, row by row', async () => {
      const own = await compile(graph(), { runtime })
      const stream = own.stream({ batch: BATCH })
      const first = stepped(stream, 1, features, width)
      for (let n = 2; n < 8; n++) stepped(stream, n, features, width)
      const saved = stream.save()
      const fork = stream.fork()
      const next = stepped(stream, 8, features, width)
      expect(next).not.toEqual(first)
      expect(stepped(fork, 8, features, width)).toEqual(next)
      const after = stepped(stream, 9, features, width)
      fork.restore(saved)
      expect(fork.save()).toEqual(saved)
      expect(stepped(fork, 8, features, width)).toEqual(next)
      expect(stepped(fork, 9, features, width)).toEqual(after)
      // Another model of the same file, in another runtime.
      const elsewhere = await compile(graph(), { runtime: await runtimeOf(binary) })
      const moved = elsewhere.stream({ batch: BATCH })
      moved.restore(saved)
      expect(stepped(moved, 8, features, width)).toEqual(next)
      // One row forgets, the others do not.
      fork.restore(saved)
      fork.reset(1)
      const mixed = stepped(fork, 1, features, width)
      expect(mixed.subarray(width, 2 * width)).toEqual(first.subarray(width, 2 * width))
      moved.restore(saved)
      const kept = stepped(moved, 1, features, width)
      expect(mixed.subarray(0, width)).toEqual(kept.subarray(0, width))
      expect(mixed.subarray(2 * width)).toEqual(kept.subarray(2 * width))
      expect(mixed.subarray(width, 2 * width)).not.toEqual(kept.subarray(width, 2 * width))
      fork.reset()
      expect(stepped(fork, 1, features, width)).toEqual(first)
      own.dispose()
      elsewhere.dispose()
    })
  })

  it('is of the states it was saved of: another carry of the same model is another state, of the same size too', async () => {
    const graph = new GraphBuilder()
    const node = { parameters: {}, attributes: {} }
    for (const name of ['x', 'left', 'right']) graph.input({ name, dtype: 'float32', shape: ['batch', 3] })
    graph.add({ ...node, name: 'a', op: 'add', inputs: ['x', 'left'], outputs: ['leftN'] })
    graph.add({ ...node, name: 'b', op: 'sub', inputs: ['leftN', 'right'], outputs: ['rightN'] })
    const own = await compile(graph.finish([{ name: 'leftN', value: 'leftN' }, { name: 'rightN', value: 'rightN' }]), { runtime })
    const [left, right] = [own.stream({ carry: { left: 'leftN' } }), own.stream({ carry: { right: 'rightN' } })]
    const saved = left.save()
    expect(right.save().length).toBe(saved.length)
    expectError(() => right.restore(saved), 'VALUE', /^restore: this state was saved by another model: its graph, weights or carried states differ/)
    own.stream({ carry: { left: 'leftN' } }).restore(saved)
    own.dispose()
  })

  it('is refused when it is cut off, damaged, newer, or of another model, and nothing changes', async () => {
    const stream = model.stream({ batch: BATCH })
    stepped(stream, 1, 3, 5)
    const saved = stream.save()
    const state = stream.state
    const changed = (at: number, byte: number): Uint8Array => {
      const bytes = saved.slice()
      bytes[at] = byte
      return bytes
    }
    for (let length = 0; length < saved.length; length++) {
      expectError(() => stream.restore(saved.subarray(0, length)), 'FORMAT', length < 40
        ? `restore: expected a saved state, got ${length} bytes that are none`
        : `restore: expected ${saved.length} bytes, got ${length}`)
    }
    expectError(() => stream.restore(new Uint8Array(saved.length + 1).fill(1)), 'FORMAT', /that are none$/)
    expectError(() => stream.restore(Uint8Array.from([...saved, 0])), 'FORMAT', `restore: expected ${saved.length} bytes, got ${saved.length + 1}`)
    expectError(() => stream.restore(changed(8, 2)), 'UNSUPPORTED', 'restore: expected version 1, got 2; a newer lstm-wasm may read it')
    expectError(() => stream.restore(changed(60, (saved[60] as number) ^ 4)), 'FORMAT', 'restore: the saved state is damaged')
    expectError(() => stream.restore(undefined as unknown as Uint8Array), 'VALUE', 'restore: expected the Uint8Array that save() gave, got undefined')
    const foreign = /^restore: this state was saved by another model/
    const graph = torchLstm(3, 5, 2)
    const [name, tensor] = [...graph.constants].at(-1) as [string, NdArray]
    const data = (tensor.data as Float32Array).slice()
    data[3] = (data[3] as number) + 1e-6
    const almost = await compile({ ...graph, constants: new Map([...graph.constants, [name, new NdArray(data, tensor.shape)]]) }, { runtime })
    expectError(() => stream.restore(almost.stream({ batch: BATCH }).save()), 'VALUE', foreign)
    const renamed = await compile({ ...graph, nodes: graph.nodes.map((node) => ({ ...node, name: 'other' })) }, { runtime })
    expectError(() => stream.restore(renamed.stream({ batch: BATCH }).save()), 'VALUE', foreign)
    const chars = await compile(charModel(), { runtime })
    expectError(() => stream.restore(chars.stream({ batch: BATCH }).save()), 'VALUE', foreign)
    expectError(() => stream.restore(model.stream({ batch: 2 }).save()), 'VALUE', 'restore: expected the state of 3 sequences, got 2')
    expect(stream.state).toEqual(state)
    stream.restore(saved)
    expect(stream.state).toEqual(state)
    for (const one of [almost, renamed, chars]) one.dispose()
  })
})

it('a stream with one batch row, whose states have two, resets these and nothing beside them', async () => {
  const runtime = await createRuntime({ variant: 'simd' })
  addAllOperators()
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: [2, 'timesteps', 3] })
  const weights = randomLstm({ inputSize: 3, hiddenSize: 16, numLayers: 1, bidirectional: false, bias: false }, 9)
  for (const [name, constant] of weights) graph.constant(name, constant)
  graph.add({
    name: 'rnn', op: 'lstm', inputs: ['x'], outputs: ['y'],
    parameters: { '0.forward.inputWeights': 'weight_ih_l0', '0.forward.recurrentWeights': 'weight_hh_l0' },
    attributes: { hiddenSize: 16, numLayers: 1, direction: 'forward', returnSequences: true },
  })
  using model = await compile(graph.finish([{ name: 'y', value: 'y' }]), { runtime })
  // Holes of the size of h and c, 2 x 16 floats, between tensors.
  const tensors = Array.from({ length: 40 }, (_, n) => runtime.tensor(pseudoRandom(n, 32, 1), [32]))
  for (const [n, tensor] of tensors.entries()) if (n % 2 === 0) tensor.dispose()
  const [x, first, again] = [pseudoRandom(50, 6, 1), new Float32Array(32), new Float32Array(32)]
  using stream = model.stream()
  stream.step(x, first)
  stream.step(x, again)
  expect(again).not.toEqual(first)
  stream.reset()
  stream.step(x, again)
  expect(again).toEqual(first)
  for (const [n, tensor] of tensors.entries()) if (n % 2 === 1) expect(tensor.data, String(n)).toEqual(pseudoRandom(n, 32, 1))
})
