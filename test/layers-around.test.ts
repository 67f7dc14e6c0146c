// What stands around recurrent layers, and single steps of them: shapes, streams, words, and what is refused. The numbers are compared with
// PyTorch's in test/formats/torch-golden.test.ts.
import { describe, expect, it } from 'vitest'
import {
  activation, batchNorm, conv1d, dense, gruCell, input, lastStep, layerNorm, lstm, lstmCell, rnnCell, sequential, type Conv1dOptions, type Layer,
} from '../src/layers/index.ts'
import { compile, NdArray } from '../src/index.ts'
import { expectError } from './expect-error.ts'
import { lstmWeights, random } from './weights.ts'

const weights = (shapes: Readonly<Record<string, readonly number[]>>): Map<string, NdArray> => (
  new Map(Object.entries(shapes).map(([name, shape], n) => [name, random(60 + n, ...shape)]))
)
const CONV = { 'conv1d.weight': [4, 3, 3], 'conv1d.bias': [4] }

describe('conv1d', () => {
  it.each<[Conv1dOptions, (number | string)[], number | string]>([
    [{}, ['timesteps', 3], 'conv1d_timesteps'], [{ padding: 1 }, ['timesteps', 3], 'timesteps'], [{ padding: 'same' }, ['timesteps', 3], 'timesteps'],
    [{ padding: 'causal', dilation: 3 }, ['timesteps', 3], 'timesteps'], [{}, [9, 3], 7], [{ padding: 2 }, [9, 3], 11], [{ padding: 'valid', stride: 2 }, [9, 3], 4],
    [{ padding: 'same', stride: 2 }, [9, 3], 5], [{ padding: 'causal', stride: 4 }, [9, 3], 3], [{ dilation: 2, padding: 3, stride: 3 }, [9, 3], 4],
  ])('with %j makes of %j so many timesteps: %s', async (options, shape, timesteps) => {
    const net = sequential([input(shape), conv1d(4, 3, options), lstm(2, { mask: true })]).loadStateDict(new Map([...weights(CONV), ...lstmWeights('lstm', 4, 2)]))
    expect(net.toGraph().inputs[1]?.shape).toEqual(['batch', timesteps])
    // The operator counts them, too.
    const model = await compile(net)
    const [row] = model.describe().rows
    expect(row?.outputShape.slice(1)).toEqual([typeof timesteps === 'number' || timesteps === 'timesteps' ? timesteps : expect.any(String), 4])
    model.dispose()
  })

  it('takes the words of Keras and PyTorch', () => {
    const nodes = (layer: Layer): unknown => sequential([layer]).loadStateDict(weights({ 'conv1d.weight': [4, 3, 3] })).toGraph().nodes
    const [keras, ours] = [{ in_channels: 3, strides: 2, dilation_rate: 2, use_bias: false }, { inputSize: 3, stride: 2, dilation: 2, bias: false }]
    expect(nodes(conv1d(4, 3, keras))).toEqual(nodes(conv1d(4, 3, ours)))
  })

  it('in streams gives the bits of a run where it is causal', async () => {
    const net = sequential([
      conv1d(4, 3, { padding: 'causal', dilation: 2 }), batchNorm(), activation('relu'), lstm(2, { returnSequences: true }), layerNorm(),
    ]).loadStateDict(new Map([
      ...weights({ ...CONV, ...Object.fromEntries(['weight', 'bias', 'running_mean'].map((name) => [`batch_norm.${name}`, [4]])), 'layer_norm.weight': [2], 'layer_norm.bias': [2] }),
      ['batch_norm.running_var', new NdArray(Float32Array.of(0.5, 1, 2, 3), [4])], ...lstmWeights('lstm', 4, 2),
    ]))
    using model = await compile(net)
    const x = random(5, 1, 8, 3)
    const whole = model.run({ input: x }).output?.data as Float32Array
    using stream = model.stream()
    const step = new Float32Array(2)
    for (let n = 0; n < 8; n++) {
      stream.step(x.data.subarray(3 * n, 3 * n + 3), step)
      expect(step).toEqual(whole.slice(2 * n, 2 * n + 2))
    }
  })

  it.each<[number, number, Conv1dOptions, string]>([
    [0, 3, {}, "conv1d: expected a whole number >= 1 for 'filters', got 0"],
    [4, 1.5, {}, "conv1d: expected a whole number >= 1 for 'kernelSize', got 1.5"],
    [4, 3, { padding: -1 }, "conv1d: expected a whole number >= 0, 'valid', 'same' or 'causal' for 'padding', got -1"],
    [4, 3, { padding: 'full' as 'same' }, "conv1d: expected a whole number >= 0, 'valid', 'same' or 'causal' for 'padding', got \"full\""],
    [4, 3, { groups: 3 }, 'conv1d: expected filters that are a multiple of groups, got 4 filters and 3 groups'],
  ])('refuses conv1d(%j, %j, %j)', (filters, size, options, message) => {
    expectError(() => conv1d(filters, size, options), 'VALUE', message)
  })

  it('refuses sequences that do not fit', () => {
    const load = (layers: Parameters<typeof sequential>[0]) => () => sequential(layers).loadStateDict(weights(CONV))
    expectError(load([input([2, 3]), conv1d(4, 3)]), 'SHAPE', "conv1d 'conv1d': a window of 3 timesteps does not fit 2 with padding 0 and 0")
    expectError(load([input([3]), conv1d(4, 3)]), 'SHAPE', /^conv1d 'conv1d': expected \[batch, timesteps, features\], got \[batch, 3\]; does the layer before/)
    expectError(load([input([9, 3]), conv1d(4, 3, { groups: 2 })]), 'SHAPE', 'conv1d: expected features that are a multiple of groups, got 3 features and 2 groups')
    expectError(load([conv1d(4, 2)]), 'SHAPE', "loadStateDict: misshapen: 'conv1d.weight' has [4, 3, 3], expected [4, 3, 2]")
  })
})

describe('batchNorm and layerNorm', () => {
  it('take the words of Keras and PyTorch, and leave out what is not there', async () => {
    const four = { 'n.running_mean': [2], 'n.running_var': [2] }
    const net = sequential([batchNorm({ name: 'n', num_features: 2, eps: 0, scale: false, center: true })])
    const variance = new NdArray(Float32Array.of(4, 0.25), [2])
    using model = await compile(net.loadStateDict(new Map([...weights({ ...four, 'n.bias': [2] }), ['n.running_var', variance]])))
    const parts = weights({ ...four, 'n.bias': [2] })
    const [mean, bias] = ['n.running_mean', 'n.bias'].map((name) => parts.get(name)?.data as Float32Array) as [Float32Array, Float32Array]
    const { output } = model.run({ input: [[3, -1]] })
    expect(output?.data[0]).toBeCloseTo((3 - (mean[0] as number)) / 2 + (bias[0] as number), 6)
    expect(output?.data[1]).toBeCloseTo((-1 - (mean[1] as number)) * 2 + (bias[1] as number), 6)
  })

  it('load what only training needs, and refuse what is missing', () => {
    const all = weights({ 'batch_norm.weight': [2], 'batch_norm.bias': [2], 'batch_norm.running_mean': [2], 'batch_norm.running_var': [2] })
    const tracked = new Map([...all, ['batch_norm.num_batches_tracked', new NdArray(Int32Array.of(7), [])]])
    expect([...sequential([batchNorm()]).loadStateDict(tracked).toGraph().constants.keys()]).toEqual([...all.keys()])
    expectError(() => sequential([layerNorm()]).loadStateDict(tracked), 'SHAPE', /input size of 'layer_norm' is not known/)
    expectError(() => sequential([input([2]), layerNorm()]).loadStateDict(all), 'SHAPE', /^loadStateDict: missing: 'layer_norm.weight' \[2\], 'layer_norm.bias' \[2\]; unused: /)
    expectError(() => sequential([input(['features']), layerNorm({ affine: false })]).loadStateDict(new Map()), 'SHAPE', /^layerNorm 'layer_norm': expected \[batch, features\] or/)
    expectError(() => batchNorm({ epsilon: -1 }), 'VALUE', "batchNorm: expected a number >= 0 for 'epsilon', got -1")
    expectError(() => layerNorm({ momentum: 0.1 } as object), 'VALUE', /^layerNorm: no option 'momentum'; options are name, inputSize, epsilon, affine, bias$/)
  })

  it('run without a batch', async () => {
    using model = await compile(sequential([input(['timesteps', 2]), layerNorm({ affine: false })], { unbatched: true }).loadStateDict(new Map()))
    expect(model.run({ input: [[1, 3]] }).output?.data[1]).toBeCloseTo(1, 4)
  })
})

describe('cells', () => {
  const CELL = { 'lstm_cell.weight_ih': [8, 3], 'lstm_cell.weight_hh': [8, 2], 'lstm_cell.bias_ih': [8], 'lstm_cell.bias_hh': [8] }

  it('carry their states in streams, as the layer over the sequence does', async () => {
    const cell = weights(CELL)
    using steps = await compile(sequential([lstmCell(2), dense(1, { bias: false })]).loadStateDict(new Map([...cell, ...weights({ 'dense.weight': [1, 2] })])))
    const renamed = [...cell].map(([name, array]) => [`${name.replace('lstm_cell', 'lstm')}_l0`, array] as const)
    using layer = await compile(sequential([lstm(2, { returnSequences: true }), dense(1, { bias: false })]).loadStateDict(new Map([...renamed, ...weights({ 'dense.weight': [1, 2] })])))
    expect(steps.outputs.map(({ name }) => name)).toEqual(['output', 'lstm_cell_h', 'lstm_cell_c'])
    const x = random(3, 1, 6, 3)
    const whole = layer.run({ input: x }).output?.data as Float32Array
    let states = {}
    for (let n = 0; n < 6; n++) {
      const { output, lstm_cell_h: h, lstm_cell_c: c } = steps.run({ input: { dtype: 'float32', shape: [1, 3], data: x.data.slice(3 * n, 3 * n + 3) }, ...states })
      states = { lstm_cell_h0: h, lstm_cell_c0: c }
      expect(output?.data[0]).toBe(whole[n])
    }
  })

  it('take tensors of layers of one layer, too, and refuse sequences', () => {
    const layer = weights(Object.fromEntries(Object.entries(CELL).map(([name, shape]) => [`${name}_l0`, shape])))
    expect(sequential([lstmCell(2)]).loadStateDict(layer).toGraph().inputs.map(({ name }) => name)).toEqual(['input', 'lstm_cell_h0', 'lstm_cell_c0'])
    expectError(() => sequential([input([5, 3]), lstmCell(2)]).loadStateDict(layer), 'SHAPE', "lstmCell 'lstm_cell': expected [batch, features], got [batch, 5, 3]; lstm runs over whole sequences")
    expectError(() => sequential([input([5, 3]), rnnCell(2)]).loadStateDict(weights({ 'rnn_cell.weight_ih': [2, 3] })), 'SHAPE', /simpleRnn runs over whole sequences$/)
    expectError(() => sequential([lstmCell(2)]).loadStateDict(weights({ 'lstm_cell.weight_ih': [8, 3] })), 'SHAPE', /^loadStateDict: missing: 'lstm_cell.weight_hh' \[8, 2\], /)
    expectError(() => gruCell(0), 'VALUE', "gruCell: expected a whole number >= 1 for 'units', got 0")
    expectError(() => lstmCell(2, { numLayers: 2 } as object), 'VALUE', /^lstmCell: no option 'numLayers'/)
  })
})

it('lastStep takes a sequence', async () => {
  using model = await compile(sequential([input(['timesteps', 2]), lastStep()]).loadStateDict(new Map()))
  expect([...model.run({ input: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]] }).output?.data ?? []]).toEqual([3, 4, 7, 8])
  expectError(() => sequential([input([2]), lastStep()]).loadStateDict(new Map()), 'SHAPE', /^lastStep 'last_step': expected \[batch, timesteps, features\], got \[batch, 2\]/)
})
