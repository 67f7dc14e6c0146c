// Settings that the file of a model leaves out: Keras's defaults, each told from another value.
import { describe, expect, it } from 'vitest'
import { addAllOperators } from '../../src/ops/all.ts'
import { parseModel } from '../../src/formats/keras/config.ts'
import { KERAS_3 } from '../../src/formats/keras/dialect.ts'
import { buildModel } from '../../src/formats/keras/network.ts'
import type { Json } from '../../src/formats/json.ts'
import { NamedWeights } from '../../src/formats/keras/weights.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { random } from '../weights.ts'

addAllOperators()

type Settings = Readonly<Record<string, Json>>

interface Case {
  readonly of: string
  /** Sizes of the input behind the batch. */
  readonly input: readonly number[]
  /** What the layer cannot do without. */
  readonly given?: Settings
  readonly tensors?: readonly (readonly [name: string, ...shape: number[]])[]
  /** Each setting: its default, and another value. */
  readonly defaults: Readonly<Record<string, readonly [Json, Json]>>
}

const CASES: readonly Case[] = [
  {
    of: 'LSTM', input: [5, 3], given: { units: 2 }, tensors: [['kernel', 3, 8], ['recurrent_kernel', 2, 8], ['bias', 8]],
    defaults: {
      activation: ['tanh', 'relu'], recurrent_activation: ['sigmoid', 'hard_sigmoid'], use_bias: [true, false], return_sequences: [false, true], return_state: [false, true],
      go_backwards: [false, true], stateful: [false, true], time_major: [false, true],
    },
  },
  { of: 'Dense', input: [3], given: { units: 2 }, tensors: [['kernel', 3, 2], ['bias', 2]], defaults: { activation: ['linear', 'relu'], use_bias: [true, false] } },
  { of: 'ELU', input: [3], defaults: { alpha: [1, 1.001] } },
  { of: 'LeakyReLU', input: [3], defaults: { negative_slope: [0.3, 0.2] } },
  { of: 'ReLU', input: [3], defaults: { negative_slope: [0, 0.1], max_value: [null, 6] } },
  { of: 'Softmax', input: [4, 3], defaults: { axis: [-1, 1] } },
  { of: 'UnitNormalization', input: [4, 3], defaults: { axis: [-1, 1] } },
  { of: 'Rescaling', input: [3], given: { scale: 0.5 }, defaults: { offset: [0, 1] } },
  {
    of: 'BatchNormalization', input: [4, 3], tensors: [['gamma', 3], ['beta', 3], ['moving_mean', 3], ['moving_variance', 3]],
    defaults: { epsilon: [0.001, 0.0010001], axis: [-1, 1], center: [true, false], scale: [true, false] },
  },
  {
    of: 'LayerNormalization', input: [4, 3], tensors: [['gamma', 3], ['beta', 3]],
    defaults: { epsilon: [0.001, 0.0010001], center: [true, false], scale: [true, false] },
  },
  {
    of: 'Conv1D', input: [9, 2], given: { filters: 4, kernel_size: 3 }, tensors: [['kernel', 3, 2, 4], ['bias', 4]],
    defaults: { strides: [1, 2], padding: ['valid', 'causal'], dilation_rate: [1, 2], activation: ['linear', 'tanh'], use_bias: [true, false] },
  },
  { of: 'MaxPooling1D', input: [9, 2], defaults: { pool_size: [2, 3], strides: [2, 1], padding: ['valid', 'same'] } },
  { of: 'AveragePooling1D', input: [9, 2], defaults: { pool_size: [2, 3], strides: [2, 1], padding: ['valid', 'same'] } },
  { of: 'GlobalMaxPooling1D', input: [9, 2], defaults: { keepdims: [false, true] } },
  { of: 'GlobalAveragePooling1D', input: [9, 2], defaults: { keepdims: [false, true] } },
  { of: 'ZeroPadding1D', input: [9, 2], defaults: { padding: [1, 2] } },
  { of: 'Cropping1D', input: [9, 2], defaults: { cropping: [1, 2] } },
  { of: 'UpSampling1D', input: [9, 2], defaults: { size: [2, 3] } },
  { of: 'Masking', input: [9, 2], defaults: { mask_value: [0, 1] } },
]

function build({ of, input, given, tensors = [] }: Case, settings: Settings): Graph {
  const layers = [
    { class_name: 'InputLayer', config: { name: 'x', batch_shape: [null, ...input] } },
    { class_name: of, config: { name: 'layer', ...given, ...settings } },
  ]
  const named = tensors.map(([name, ...shape], n) => ({ segments: ['layer', name], read: () => random(n + 5, ...shape) }))
  return buildModel(parseModel({ class_name: 'Sequential', config: { name: 'model', layers } }), new NamedWeights(named), { dialect: KERAS_3, note: 'a test' })
}

/** All that makes a model what it is; or the error, where it is refused. */
function described(one: Case, settings: Settings): unknown {
  try {
    const { inputs, outputs, nodes, constants } = build(one, settings)
    return { inputs, outputs, nodes, constants: [...constants].map(([name, { shape, data }]) => [name, shape, [...data]]) }
  } catch (error) {
    return error
  }
}

describe.each(CASES.map((one) => [one.of, one] as const))('%s', (_name, one) => {
  it.each(Object.entries(one.defaults))('without %s', (key, [usual, other]) => {
    const without = described(one, {})
    expect(without).toHaveProperty('nodes')
    expect(described(one, { [key]: usual })).toEqual(without)
    expect(described(one, { [key]: null })).toEqual(without)
    expect(described(one, { [key]: other })).not.toEqual(without)
  })
})
