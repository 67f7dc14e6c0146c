// Steady state allocates nothing: not in linear memory, and not on the JavaScript heap.
import { beforeAll, describe, expect, it } from 'vitest'
import { compile, type Model, type Runtime } from '../src/index.ts'
import type { LstmShape } from '../src/formats/pytorch-names.ts'
import { dense, lstm, sequential } from '../src/layers/index.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { heapBytesPerCall } from './heap-bytes.ts'
import { lstmGraph, randomLstm } from './lstm-graph.ts'
import { pseudoRandom } from './random.ts'
import { STEADY_STATE_BYTES } from './tolerance.ts'
import { carriedModel, charModel, convolutionModel, gruModel, torchLstm } from './streams/models.ts'
import { describeReleases, runtimeOf } from './variants.ts'

/** Where the meter's test puts its objects, so that no compiler can leave them out. */
let sink: unknown

/** With LSTM_REPORT=1: what was measured. */
function report(what: string, bytes: number): number {
  if (process.env.LSTM_REPORT === '1') console.log(`${what}: ${bytes.toFixed(3)} heap bytes per call`)
  return bytes
}

describe('the meter of heap bytes', () => {
  it('sees nothing where nothing is allocated', () => {
    const data = new Float32Array(64)
    const bytes = heapBytesPerCall(() => data.fill(sink === undefined ? 1 : 2))
    expect(report('nothing', bytes)).toBeLessThan(STEADY_STATE_BYTES)
  })

  it.each([
    ['an empty object', () => ({})],
    ['an array of one number', () => [1]],
    ['a closure', () => () => sink],
  ] as const)('sees %s', (what, make) => {
    const bytes = heapBytesPerCall(() => {
      sink = make()
    })
    expect(report(what, bytes)).toBeGreaterThanOrEqual(2 * STEADY_STATE_BYTES)
    sink = undefined
  })

  it('sees a typed array view, as a run that made one would', () => {
    const { buffer } = new Float32Array(64)
    const bytes = heapBytesPerCall(() => {
      sink = new Float32Array(buffer, 0, 8)
    })
    expect(report('a view', bytes)).toBeGreaterThanOrEqual(8 * STEADY_STATE_BYTES)
    sink = undefined
  })
})

const SHAPE: LstmShape = { inputSize: 3, hiddenSize: 5, numLayers: 2, bidirectional: true, bias: true }
const [BATCH, TIMESTEPS] = [2, 3]

describeReleases('a model that runs again and again with the same sizes', (binary) => {
  let runtime: Runtime
  let model: Model
  let stack: Model
  const input = new NdArray(pseudoRandom(1, BATCH * TIMESTEPS * 3, 1), [BATCH, TIMESTEPS, 3])
  const h_0 = new NdArray(pseudoRandom(2, 4 * BATCH * 5, 1), [4, BATCH, 5])
  const c_0 = new NdArray(pseudoRandom(3, 4 * BATCH * 5, 1), [4, BATCH, 5])
  const lengths = { output: BATCH * TIMESTEPS * 10, h_n: 4 * BATCH * 5, c_n: 4 * BATCH * 5 }

  beforeAll(async () => {
    runtime = await runtimeOf(binary)
    model = await compile(lstmGraph(randomLstm(SHAPE, 1)), { runtime })
    // An LSTM whose only symbolic size is the batch takes flat arrays.
    const dimensions = { ...SHAPE, numLayers: 1, bidirectional: false }
    const tensors = [...randomLstm(dimensions, 50)].map(([name, tensor]) => [`lstm.${name}`, tensor] as const)
    const net = sequential([{ kind: 'input', name: 'frames', shape: [TIMESTEPS, 3], dtype: 'float32' }, lstm(5), dense(4, { activation: 'softmax' })])
    stack = await compile(net.loadStateDict(new Map([
      ...tensors,
      ['dense.weight', new NdArray(pseudoRandom(60, 20, 1), [4, 5])],
      ['dense.bias', new NdArray(pseudoRandom(61, 4, 1), [4])],
    ])), { runtime })
  })

  /** Inputs and targets made beforehand, of every kind that `run` takes without making anything. */
  const calls: Record<string, () => () => void> = {
    'arrays with a shape, into Float32Arrays': () => {
      const inputs = { input, h_0, c_0 }
      const options = {
        into: { output: new Float32Array(lengths.output), h_n: new Float32Array(lengths.h_n), c_n: new Float32Array(lengths.c_n) },
      }
      return () => model.run(inputs, options)
    },
    'arrays with a shape, into arrays with a shape': () => {
      const inputs = { input }
      const options = { into: { output: new NdArray(new Float32Array(lengths.output), [BATCH, TIMESTEPS, 10]) } }
      return () => model.run(inputs, options)
    },
    'tensors, into tensors': () => {
      const inputs = { input: runtime.tensor(input.data, input.shape), h_0: runtime.tensor(h_0.data, h_0.shape), c_0: runtime.tensor(c_0.data, c_0.shape) }
      const options = {
        into: { output: runtime.tensor(null, [BATCH, TIMESTEPS, 10]), h_n: runtime.tensor(null, [4, BATCH, 5]), c_n: runtime.tensor(null, [4, BATCH, 5]) },
      }
      return () => model.run(inputs, options)
    },
    'tensors, into Float32Arrays, initial states left out': () => {
      const inputs = { input: runtime.tensor(input.data, input.shape) }
      const options = { into: { output: new Float32Array(lengths.output) } }
      return () => model.run(inputs, options)
    },
    'a Float32Array, into a Float32Array, through several layers': () => {
      const inputs = { frames: input.data as Float32Array }
      const options = { into: { output: new Float32Array(BATCH * 4) } }
      return () => stack.run(inputs, options)
    },
  }

  it.each(Object.keys(calls))('allocates nothing on the JavaScript heap: %s', (name) => {
    const bytes = heapBytesPerCall((calls[name] as () => () => void)())
    expect(report(`${binary.name}, ${name}`, bytes)).toBeLessThan(STEADY_STATE_BYTES)
  })

  it.each(Object.keys(calls))('allocates nothing in linear memory: %s', (name) => {
    const call = (calls[name] as () => () => void)()
    call()
    const before = runtime.memory()
    const { generation } = runtime.linearMemory
    for (let n = 0; n < 1000; n++) call()
    expect(runtime.memory()).toEqual(before)
    expect(runtime.linearMemory.generation).toBe(generation)
  })

  it('holds the same linear memory after sizes went back and forth, and after outputs were copied', () => {
    const at = (batch: number): void => {
      model.run({ input: new NdArray(pseudoRandom(9, batch * 3, 1), [batch, 1, 3]) })
    }
    const round = (): void => [1, 33, 2, 17].forEach(at)
    round()
    const before = runtime.memory()
    for (let n = 0; n < 100; n++) round()
    expect(runtime.memory()).toEqual(before)
  })

  it('is seen to take linear memory while a tensor lives', () => {
    const before = runtime.memory()
    const tensor = runtime.tensor(null, [100])
    expect(runtime.memory().usedBytes).toBeGreaterThan(before.usedBytes)
    expect(runtime.memory().tensors).toBe(before.tensors + 1)
    tensor.dispose()
    expect(runtime.memory()).toEqual(before)
  })
})

describeReleases('streams and pools that step again and again', (binary) => {
  let runtime: Runtime
  const calls: Record<string, () => void> = {}
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
    const model = await compile(torchLstm(3, 5, 2), { runtime })
    const stream = model.stream()
    const rows = model.stream({ batch: 3, chunk: 4 })
    const [x, y] = [pseudoRandom(1, 3, 1), new Float32Array(5)]
    calls['a step'] = () => stream.step(x, y)
    // 11 steps are two chunks of 4, one of 2 and one of 1.
    const [xs, ys] = [pseudoRandom(1, 3 * 11 * 3, 1), new Float32Array(3 * 11 * 5)]
    calls['a chunk of odd length, in three rows'] = () => rows.process(xs, ys)
    const chars = (await compile(charModel(), { runtime })).stream()
    const [index, probabilities] = [Int32Array.of(3), new Float32Array(11)]
    calls['a step through embedding and softmax'] = () => chars.step(index, probabilities)
    const windows = (await compile(convolutionModel(), { runtime })).stream()
    const [sample, filtered] = [pseudoRandom(3, 2, 1), new Float32Array(5)]
    calls['a step with a ring of past steps'] = () => windows.step(sample, filtered)
    const gru = (await compile(gruModel(), { runtime })).stream()
    const units = new Float32Array(4)
    calls['a step of GRU layers and a simple recurrent one'] = () => gru.step(x, units)
    const carried = (await compile(carriedModel(), { runtime })).stream()
    const [frames, outputs] = [{ x }, { out: new Float32Array(4) }]
    calls['a step with a carried state, by name'] = () => carried.step(frames, outputs)
    // Batches of 16, 8, 4, 2 and 1.
    const pool = model.streams(32)
    const ids = Int32Array.from({ length: 32 }, () => pool.open())
    const [inputs, results] = [pseudoRandom(4, 96, 1), new Float32Array(160)]
    let count = 0
    calls['sessions of a pool, another number each time'] = () => pool.step(ids, inputs, results, count = (count * 5 + 3) % 32)
  })

  const NAMES = [
    'a step', 'a chunk of odd length, in three rows', 'a step through embedding and softmax', 'a step with a ring of past steps',
    'a step of GRU layers and a simple recurrent one', 'a step with a carried state, by name', 'sessions of a pool, another number each time',
  ]

  it.each(NAMES)('allocate nothing: %s', (name) => {
    const call = calls[name] as () => void
    call()
    const before = runtime.memory()
    const bytes = heapBytesPerCall(call)
    expect(report(`${binary.name}, ${name}`, bytes)).toBeLessThan(STEADY_STATE_BYTES)
    expect(runtime.memory()).toEqual(before)
  })

  it('are all that is measured', () => {
    expect(Object.keys(calls)).toEqual(NAMES)
  })
})
