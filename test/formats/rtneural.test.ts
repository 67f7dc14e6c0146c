import { describe, expect, it } from 'vitest'
import { readRtneural, readRtneuralStateDict, rtneural } from '../../src/formats/rtneural/reader.ts'
import { dense, gru, sequential } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray, type Nested } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'

const bytesOf = (json: unknown): Uint8Array => new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json))
const nested = (seed: number, ...shape: number[]): Nested => random(seed, ...shape).toArray()

const layer = (type: string, units: number, weights: readonly Nested[], more: object = {}): object => ({ type, activation: '', shape: [null, null, units], weights, ...more })
const model = (layers: unknown, more: object = {}, features: number = 2): object => ({ in_shape: [null, null, features], layers, ...more })
const X = [[1, -2], [0.5, 3], [-1, 0.25]]

/** The outputs for X (3 steps, 2 features), one list a step. */
async function run(json: object, x: Nested = X): Promise<number[][]> {
  using compiled = await compile(readRtneural(bytesOf(json)))
  const input = NdArray.from([x])
  return (compiled.run({ input }).output?.toArray() as number[][][])[0] as number[][]
}

const LSTM = layer('lstm', 3, [nested(1, 2, 12), nested(2, 3, 12), nested(3, 12)], { activation: 'tanh' })
const DENSE = layer('dense', 1, [[[1], [2]], [0.5]])

describe('layers of RTNeural', () => {
  it.each([
    ['dense', DENSE, [[-2.5], [7], [0]]],
    ['dense with activation', { ...DENSE, activation: 'relu' }, [[0], [7], [0]]],
    ['time-distributed-dense without bias', layer('time-distributed-dense', 1, [[[1], [2]]]), [[-3], [6.5], [-0.5]]],
    ['activation', layer('activation', 2, [], { activation: 'relu' }), [[1, 0], [0.5, 3], [0, 0.25]]],
    ['prelu', layer('prelu', 2, [[[0.5, 0.25]]]), [[1, -0.5], [0.5, 3], [-0.5, 0.25]]],
    ['prelu with one slope', layer('prelu', 2, [[0.5]]), [[1, -1], [0.5, 3], [-0.5, 0.25]]],
    // window 2, dilation 2: y[t] = 1 x0[t - 2] + 2 x1[t - 2] + 3 x0[t] + 4 x1[t] + 0.5
    ['conv1d', layer('conv1d', 1, [[[[1], [2]], [[3], [4]]], [0.5]], { kernel_size: [2], dilation: [2] }), [[-4.5], [14], [-4.5]]],
    ['batchnorm', layer('batchnorm', 2, [[2, 1], [0, 1], [1, 0], [4, 1]], { epsilon: 0 }), [[0, -1], [-0.5, 4], [-2, 1.25]]],
    // Keras's default, which files that do not say theirs were trained with: sqrt(0.003 + 0.001).
    ['batchnorm without epsilon', layer('batchnorm', 2, [[2, 1], [0, 1], [1, 0], [0.003, 0.999]]), [[0, -1], [-1 / Math.sqrt(0.004), 4], [-4 / Math.sqrt(0.004), 1.25]]],
    ['batchnorm without gain', layer('batchnorm', 2, [[1, 0], [4, 1]], { epsilon: 0 }), [[0, -2], [-0.25, 3], [-1, 0.25]]],
  ])('%s', async (_, entry, expected) => {
    const y = await run(model([entry]))
    y.forEach((row, t) => row.forEach((value, n) => expect(value).toBeCloseTo(expected[t]?.[n] as number, 5)))
  })

  it('gives the states of every lstm, under the names that the layers have', () => {
    const second = layer('lstm', 3, [nested(4, 3, 12), nested(5, 3, 12), nested(6, 12)])
    const graph = readRtneural(bytesOf(model([LSTM, second])))
    expect(graph.inputs.map(({ name, shape, optional }) => [name, shape, optional])).toEqual([
      ['input', ['batch', 'timesteps', 2], undefined],
      ...['lstm_h0', 'lstm_c0', 'lstm_1_h0', 'lstm_1_c0'].map((name) => [name, [1, 'batch', 3], true]),
    ])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['output', 'lstm_h', 'lstm_c', 'lstm_1_h', 'lstm_1_c'])
  })

  it('AIDA-X: gain, then skip, then gain', async () => {
    const plain = layer('dense', 1, [[[3]]])
    const decibels = 20 * Math.log10(2)
    expect((await run(model([plain], { in_skip: 1, in_gain: decibels, out_gain: -decibels }, 1), [[1]]))[0]?.[0]).toBeCloseTo(4, 5)
    expect(await run(model([plain], { in_skip: 1 }, 1), [[1]])).toEqual([[4]])
    expect(await run(model([plain], { in_skip: 0, out_gain: -90 }, 1), [[1]])).toEqual([[0]])
    // Of further inputs, which are knobs, nothing is added.
    expect(await run(model([layer('dense', 1, [[[3], [5]]])], { in_skip: 1 }), [[1, 10]])).toEqual([[54]])
  })

  it('GuitarML: rec, lin and a skip', async () => {
    const tensors = {
      'rec.weight_ih_l0': nested(1, 12, 1), 'rec.weight_hh_l0': nested(2, 12, 3), 'rec.bias_ih_l0': nested(3, 12), 'rec.bias_hh_l0': nested(4, 12),
      'lin.weight': nested(5, 1, 3), 'lin.bias': nested(6, 1),
    }
    const json = (skip: number): object => ({ model_data: { model: 'SimpleRNN', unit_type: 'LSTM', skip }, state_dict: tensors })
    expect(rtneural.detect(bytesOf(json(1)))).toBe(true)
    const [without, skipped] = [await run(json(0), [[0.5], [1]]), await run(json(1), [[0.5], [1]])]
    expect(skipped[1]?.[0]).toBeCloseTo((without[1]?.[0] as number) + 1, 6)
    expect([...readRtneuralStateDict(bytesOf(json(1))).keys()]).toEqual(Object.keys(tensors))
    const rnn = { ...json(0), model_data: { model: 'SimpleRNN', unit_type: 'RNN', skip: 1 } }
    expectError(() => readRtneural(bytesOf(rnn)), 'UNSUPPORTED', 'RTNeural: the model is "SimpleRNN" of "RNN" with skip 1; supported is "SimpleRNN" of "LSTM" or "GRU" with skip 0 or 1')
    expectError(() => readRtneural(bytesOf({ ...json(0), state_dict: { ...tensors, extra: [1] } })), 'FORMAT', 'RTNeural: tensors that a SimpleRNN has no use for: "extra"')
  })
})

describe('GRUs', () => {
  const tensors = {
    'rec.weight_ih_l0': nested(1, 9, 1), 'rec.weight_hh_l0': nested(2, 9, 3), 'rec.bias_ih_l0': nested(3, 9), 'rec.bias_hh_l0': nested(4, 9),
    'lin.weight': nested(5, 1, 3), 'lin.bias': nested(6, 1),
  }
  const guitar = { model_data: { model: 'SimpleRNN', unit_type: 'GRU', skip: 0 }, state_dict: tensors }
  const steps = [[0.5], [1], [-0.25]]

  it("of GuitarML are PyTorch's, those of RTNeural Keras's: gates z, r, h, and two rows of biases", async () => {
    const found = await run(guitar, steps)
    using described = await compile(sequential([gru(3, { name: 'rec', returnSequences: true }), dense(1, { name: 'lin' })]).loadStateDict(readRtneuralStateDict(bytesOf(guitar))))
    expect(found).toEqual((described.run({ input: [steps] }).output?.toArray() as Nested[])[0])
    const turned = (rows: number[][]): number[][] => (rows[0] as number[]).map((_, column) => rows.map((row) => row[column] as number))
    const zFirst = <T>(rows: T[]): T[] => [...rows.slice(3, 6), ...rows.slice(0, 3), ...rows.slice(6)]
    const kernels = ['ih', 'hh'].map((which) => turned(zFirst(tensors[`rec.weight_${which}_l0` as 'rec.weight_ih_l0'] as number[][])))
    const biases = ['ih', 'hh'].map((which) => zFirst(tensors[`rec.bias_${which}_l0` as 'rec.bias_ih_l0'] as number[]))
    const head = layer('dense', 1, [turned(tensors['lin.weight'] as number[][]), tensors['lin.bias']])
    expect(await run(model([layer('gru', 3, [...kernels, biases], { activation: 'tanh' }), head], {}, 1), steps)).toEqual(found)
  })

  it('are not corrected for another sample rate, and have tanh', () => {
    const rates = { sampleRate: 88200, trainingSampleRate: 44100 }
    const json = model([layer('gru', 1, [[[1, 1, 1]], [[1, 1, 1]]])], {}, 1)
    expectError(() => readRtneural(bytesOf(json), rates), 'UNSUPPORTED', "RTNeural: 'sampleRate' cannot be corrected for layer 0 (gru)")
    expectError(() => readRtneural(bytesOf(guitar), rates), 'UNSUPPORTED', "RTNeural: 'sampleRate' cannot be corrected for a GRU")
    expectError(() => readRtneural(bytesOf(model([layer('gru', 1, [], { activation: 'relu' })]))), 'UNSUPPORTED', /^RTNeural: layer 0 \(gru\) has the activation "relu", RTNeural's GRU has tanh; supported are/)
    expectError(() => readRtneural(bytesOf(model([layer('gru', 1, [[[1, 1, 1]], [[1, 1, 1]], [1, 1, 1]])], {}, 1))), 'FORMAT', /its biases: expected nested lists of numbers \[2, 3\], got \[3\]/)
  })
})

describe('RTNeural files that are refused', () => {
  it('lists everything that cannot be run at once', () => {
    const json = model([layer('gated', 2, []), { ...DENSE, activation: 'swish' }, DENSE, { ...LSTM, activation: 'relu' }, layer('__proto__', 1, [])])
    expectError(() => readRtneural(bytesOf(json)), 'UNSUPPORTED', 'RTNeural: layer 0 is of type "gated"; layer 1 (dense) has the activation "swish"; layer 3 (lstm) has the activation "relu", RTNeural\'s LSTM has tanh; layer 4 is of type "__proto__"; supported are dense, time-distributed-dense, lstm, gru, activation, prelu, conv1d, batchnorm with tanh, relu, sigmoid, softmax, elu or no activation')
  })

  it.each([
    ['no JSON', '{', /^RTNeural: the file is not JSON: /],
    ['a list', '[]', 'RTNeural: expected an object, got Array'],
    ['a key twice', '{"layers": [], "layers": []}', 'RTNeural: the key "layers" stands twice in one object'],
    ['no layers', model([]), "RTNeural: expected 'layers' to be a list of at least one, got Array"],
    ['a layer that is none', model([5]), 'RTNeural: expected layer 0 to be an object with a type, got 5'],
    ['no shape', model([{ type: 'dense' }]), 'RTNeural: layer 0 (dense): expected a shape that ends with a size >= 1, got undefined'],
    ['an endless size', model([layer('dense', 1e300, [])]), /expected a shape that ends with a size >= 1, got \[null,null,1e\+300\]$/],
    ['too few weights', model([layer('lstm', 3, [[]])]), 'RTNeural: layer 0 (lstm): expected 2 or 3 weights, got 1'],
    ['no weights', model([layer('dense', 1, [])]), 'RTNeural: layer 0 (dense): expected 1 or 2 weights, got 0'],
    ['more weights than a dense layer has', model([layer('dense', 1, [[[1], [2]], [0], [0]])]), 'RTNeural: layer 0 (dense): expected 1 or 2 weights, got 3'],
    ['more weights than a convolution has', model([layer('conv1d', 1, [[], [], []], { kernel_size: [1] })]), 'RTNeural: layer 0 (conv1d): expected 1 or 2 weights, got 3'],
    ['half of a normalization', model([layer('batchnorm', 2, [[0, 0], [1, 1], [1, 1]])]), 'RTNeural: layer 0 (batchnorm): expected 2 or 4 weights, got 3'],
    ['slopes twice', model([layer('prelu', 2, [[1, 1], [1, 1]])]), 'RTNeural: layer 0 (prelu): expected 1 weights, got 2'],
    ['ragged weights', model([layer('dense', 2, [[[1, 2], [3]]])]), /expected 2 elements along axis 1 of \[2, 2\], got 1$|not all of the same length$/],
    ['weights that are text', model([layer('dense', 1, [[['a'], ['b']]] as unknown as Nested[])]), /expected numbers, got "a" at element 0$/],
    ['weights of another size', model([layer('dense', 1, [[[1]]])]), 'RTNeural: layer 0 (dense) with 1 units: its kernel: expected nested lists of numbers [2, 1], got [1, 1]'],
    ['groups that do not divide', model([layer('conv1d', 1, [[]], { kernel_size: [1], groups: 3 })]), /3 groups do not divide 2 features and 1 units$/],
  ])('%s', (_, json, message) => {
    expectError(() => readRtneural(bytesOf(json)), 'FORMAT', message)
  })

  it('deep nests and wide claims', () => {
    expectError(() => readRtneural(bytesOf(`{"a": ${'['.repeat(1e5)}${']'.repeat(1e5)}}`)), 'FORMAT', /expected arrays nested at most 32 deep/)
    // The first lists say 1000 x 1000 x 1000; the others are empty.
    const claim = [[Array<number>(1000).fill(0), ...Array<number[]>(999).fill([])], ...Array<number[]>(999).fill([])]
    expectError(() => readRtneural(bytesOf({ a: claim })), 'FORMAT', /^RTNeural: tensor "a": the lists are not all of the same length$/)
  })

  it('knows its files, and no others', () => {
    expect(rtneural.detect(bytesOf(model([DENSE])))).toBe(true)
    for (const json of [{}, { modelTopology: {} }, { architecture: 'LSTM', weights: [] }, '', 'layers']) expect(rtneural.detect(bytesOf(json))).toBe(false)
  })
})
