// Timesteps that are rows of one axis together with the batch, as `x.reshape(-1, features)` and `view(batch, timesteps, -1)` make them.
import { describe, expect, it } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { floatTensor, writeOnnx, type AttributeSpec, type NodeSpec, type PortSpec, type TensorSpec } from '../formats/onnx-writer.ts'
import { pseudoRandom } from '../random.ts'

const runtime = await createRuntime({ variant: 'simd' })
const [FEATURES, UNITS, BATCH, STEPS] = [3, 4, 2, 5]
const ints = (name: string, ...values: number[]): TensorSpec => ({ name, dims: [values.length], type: 7, int64s: values })
const floats = (name: string, seed: number, ...dims: number[]): TensorSpec => floatTensor(name, dims, [...pseudoRandom(seed, dims.reduce((a, b) => a * b), 1)])
const node = (op: string, inputs: readonly string[], output: string, attributes: Readonly<Record<string, AttributeSpec>> = {}): NodeSpec => (
  { op, name: output, inputs, outputs: [output], attributes }
)
const CONSTANTS = [
  floats('w', 1, 1, 4 * UNITS, FEATURES), floats('r', 2, 1, 4 * UNITS, UNITS), floats('dense', 3, UNITS, 2), floats('bias', 4, 2), floats('w2', 6, 1, 4 * UNITS, UNITS),
  floats('filters', 5, FEATURES, 1, 2, 2), ints('one', 1), ints('zero', 0), ints('two', 2), ints('rows', -1, UNITS), ints('back', 0, -1, 2), ints('cells', -1, 1, UNITS), ints('pictures', -1, 1, 2, 2),
  ints('features', -1, FEATURES), ints('first', -1),
]

/** An LSTM over `x` [batch, timesteps, features], whose outputs are `h` [batch, timesteps, units]. */
const layer = (x = 'x'): NodeSpec[] => [
  node('Transpose', [x], 'major', { perm: [1, 0, 2] }), node('LSTM', ['major', 'w', 'r'], 'states', { hidden_size: UNITS }),
  node('Squeeze', ['states', 'one'], 'plain'), node('Transpose', ['plain'], 'h', { perm: [1, 0, 2] }),
]
/** Batch and timesteps of a value, and a number behind them. */
const sizes = (value: string, last: string): NodeSpec[] => [
  node('Shape', [value], 'shape'), node('Slice', ['shape', 'zero', 'two', 'zero'], 'both'), node('Concat', ['both', last], 'sizes', { axis: 0 }),
]
const head = [node('Reshape', ['h', 'rows'], 'flat'), node('Gemm', ['flat', 'dense', 'bias'], 'scores'), node('Softmax', ['scores'], 'probs')]

async function model(nodes: readonly NodeSpec[], shape: PortSpec['shape'] = ['batch', 'time', FEATURES], more: readonly TensorSpec[] = []): Promise<Model> {
  return compile(readOnnx(writeOnnx({ inputs: [{ name: 'x', shape }], outputs: [{ name: 'y' }], initializers: [...CONSTANTS, ...more], nodes })), { runtime })
}

/** Steps and chunks give the bits of a run; so do sessions of a pool, each for itself. */
function expectBits(built: Model, features: number, width: number, batch = BATCH): void {
  const x = pseudoRandom(9, batch * STEPS * features, 1) as Float32Array
  const frame = (from: number, count: number, of: Float32Array, wide: number): number[] => (
    Array.from({ length: batch }, (_, row) => [...of.subarray((row * STEPS + from) * wide, (row * STEPS + from + count) * wide)]).flat()
  )
  const shape = built.inputs[0]?.shape.slice(2) as number[]
  const whole = built.run({ x: new NdArray(x, [batch, STEPS, ...shape]) }).y?.data as Float32Array
  using stream = built.stream({ batch })
  for (let from = 0; from < STEPS; from++) {
    const y = new Float32Array(batch * width)
    stream.step(Float32Array.from(frame(from, 1, x, features)), y)
    expect([...y]).toEqual(frame(from, 1, whole, width))
  }
  stream.reset()
  for (const [from, count] of [[0, 2], [2, 3]] as const) {
    const y = new Float32Array(batch * count * width)
    stream.process(Float32Array.from(frame(from, count, x, features)), y)
    expect([...y]).toEqual(frame(from, count, whole, width))
  }
  if (typeof built.inputs[0]?.shape[0] === 'number') return
  using pool = built.streams(3)
  const ids = Array.from({ length: batch }, () => pool.open())
  for (let from = 0; from < STEPS; from++) {
    const y = new Float32Array(batch * width)
    pool.step(ids, Float32Array.from(frame(from, 1, x, features)), y)
    expect([...y]).toEqual(frame(from, 1, whole, width))
  }
}

describe('steps that are rows', () => {
  it('have their own axis again, by the sizes that they had', async () => {
    using built = await model([...layer(), ...head, ...sizes('h', 'two'), node('Reshape', ['probs', 'sizes'], 'y')])
    expectBits(built, FEATURES, 2)
  })

  it('in front of the layer too, where flatten makes them', async () => {
    using built = await model([
      node('Flatten', ['x'], 'flattened', { axis: 2 }), node('Tanh', ['flattened'], 'bent'), ...sizes('x', 'three'), node('Reshape', ['bent', 'sizes'], 'again'), ...layer('again'),
      node('Identity', ['h'], 'y'),
    ], undefined, [ints('three', FEATURES)])
    expectBits(built, FEATURES, UNITS)
  })

  it('where the file has numbers for batch and timesteps', async () => {
    using built = await model(
      [...layer(), node('Reshape', ['h', 'numbers'], 'flat'), ...head.slice(1), node('Reshape', ['probs', 'apart'], 'y')], [BATCH, STEPS, FEATURES], [ints('numbers', BATCH * STEPS, UNITS), ints('apart', BATCH, STEPS, 2)],
    )
    expectBits(built, FEATURES, 2)
  })

  it('where it leaves the batch open, and fixes the timesteps', async () => {
    using built = await model([...layer(), ...head, node('Reshape', ['probs', 'apart'], 'y')], ['batch', STEPS, FEATURES], [ints('apart', -1, STEPS, 2)])
    expectBits(built, FEATURES, 2)
  })

  it('are the output: a run gives rows, a stream those of its step', async () => {
    using built = await model([...layer(), ...head, node('Identity', ['probs'], 'y')])
    expect(built.outputs[0]?.shape).toEqual(['batch * time', 2])
    expectBits(built, FEATURES, 2)
  })

  it('are pictures that a convolution takes one by one', async () => {
    using built = await model(
      [node('Reshape', ['x', 'pictures'], 'seen'), node('Conv', ['seen', 'filters'], 'found'), ...sizes('x', 'three'), node('Reshape', ['found', 'sizes'], 'again'), ...layer('again'), node('Identity', ['h'], 'y')],
      ['batch', 'time', 4], [ints('three', FEATURES)],
    )
    expectBits(built, 4, UNITS)
  })

  it('run in chunks, bit for bit', async () => {
    using built = await model([...layer(), ...head, node('Identity', ['probs'], 'y')])
    const x = new NdArray(pseudoRandom(3, BATCH * 600 * FEATURES, 1), [BATCH, 600, FEATURES])
    expect(await built.runAsync({ x })).toEqual(built.run({ x }))
  })

  it.each<[string, readonly NodeSpec[], string]>([
    ['of another order', [...head, ...sizes('plain', 'two'), node('Reshape', ['probs', 'sizes'], 'y')], "reshape 'y' mixes timesteps with other axes"],
    ['summed up', [...head.slice(0, 1), node('Softmax', ['flat'], 'y', { axis: 0 })], "softmax 'y' works along the timesteps"],
    ['of which one is taken', [...head, node('Gather', ['probs', 'first'], 'y')], "gather 'y' works along the timesteps"],
    ['in another layer, each for itself', [node('Reshape', ['h', 'cells'], 'flat'), node('LSTM', ['flat', 'w2', 'r'], 'y', { hidden_size: UNITS })], "lstm 'y' works along the timesteps"],
    ['beside steps with an axis of their own', [...head.slice(0, 1), node('Add', ['flat', 'h'], 'y')], "add 'y' takes inputs whose timesteps lie on different axes"],
  ])('are refused: %s', async (_what, nodes, reason) => {
    using built = await model([...layer(), ...nodes])
    expectError(() => built.stream(), 'UNSUPPORTED', `stream: ${reason}, so that this model cannot be run step by step`)
  })
})
