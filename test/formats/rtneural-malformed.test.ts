// Layers of RTNeural and tensors of GuitarML that say something wrong, and those that leave out what may be left out.
import { describe, expect, it } from 'vitest'
import type { LstmErrorCode } from '../../src/errors.ts'
import { readRtneural } from '../../src/formats/rtneural/reader.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray, type Nested } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'

const read = (json: object): ReturnType<typeof readRtneural> => readRtneural(new TextEncoder().encode(JSON.stringify(json)))
const numbers = (seed: number, ...shape: number[]): Nested => random(seed, ...shape).toArray()
const layer = (type: string, units: unknown, weights: unknown, more: object = {}): object => ({ type, activation: '', shape: [null, null, units], weights, ...more })
const model = (...layers: unknown[]): object => ({ in_shape: [null, null, 2], layers })
const pedal = (tensors: object, more: object = {}): object => ({
  model_data: { model: 'SimpleRNN', unit_type: 'LSTM', skip: 0, ...more },
  state_dict: { 'rec.weight_ih_l0': numbers(1, 12, 2), 'rec.weight_hh_l0': numbers(2, 12, 3), 'lin.weight': numbers(3, 2, 3), ...tensors },
})

async function run(json: object, x: Nested): Promise<number[][]> {
  using compiled = await compile(read(json))
  return (compiled.run({ input: NdArray.from([x]) }).output?.toArray() as number[][][])[0] as number[][]
}

it.each<[string, LstmErrorCode, object]>([
  ["expected 'layers' to be a list of at least one, got Array", 'FORMAT', model()],
  ['expected layer 0 to be an object with a type, got 5', 'FORMAT', model(5)],
  ['layer 0 (dense): expected the activation as text, got 3', 'FORMAT', model(layer('dense', 1, [], { activation: 3 }))],
  ["layer 0 (dense): expected 'weights' to be a list, got \"none\"", 'FORMAT', model(layer('dense', 1, 'none'))],
  ['layer 0 (dense): expected 1 or 2 weights, got 0', 'FORMAT', model(layer('dense', 1, undefined))],
  ['layer 0 (dense): expected a shape that ends with a size >= 1, got [null,null,0]', 'FORMAT', model(layer('dense', 0, []))],
  ['layer 0 (dense): expected a shape that ends with a size >= 1, got 4', 'FORMAT', model({ ...layer('dense', 1, []), shape: 4 })],
  ['layer 0 (activation): expected as many features as come in, 2, got 3', 'FORMAT', model(layer('activation', 3, []))],
  ['layer 0 (prelu): expected 1 or 2 slopes, got 3', 'FORMAT', model(layer('prelu', 2, [[[1, 2, 3]]]))],
  ["layer 0 (conv1d): expected a whole number >= 1 for 'kernel_size', got undefined", 'FORMAT', model(layer('conv1d', 2, [[]]))],
  ["layer 0 (conv1d): expected a whole number >= 1 for 'dilation', got 0.5", 'FORMAT', model(layer('conv1d', 2, [[]], { kernel_size: 1, dilation: 0.5 }))],
  ['layer 0 (conv1d): 3 groups do not divide 2 features and 2 units', 'FORMAT', model(layer('conv1d', 2, [[]], { kernel_size: 1, groups: 3 }))],
  ["layer 0 (batchnorm): expected a number for 'epsilon', got -1", 'FORMAT', model(layer('batchnorm', 2, [[1, 2], [3, 4]], { epsilon: -1 }))],
  ['layer 0 (batchnorm): expected 2 or 4 weights, got 3', 'FORMAT', model(layer('batchnorm', 2, [[1, 2], [3, 4], [5, 6]]))],
  ["expected a tensor 'rec.weight_ih_l0' [4 hidden size, input size]", 'FORMAT', pedal({ 'rec.weight_ih_l0': numbers(1, 11, 2) })],
  ["expected a tensor 'rec.weight_ih_l0' [4 hidden size, input size]", 'FORMAT', pedal({ 'rec.weight_ih_l0': undefined })],
  ["expected the tensor 'rec.weight_hh_l0' [12, 3], got none", 'FORMAT', pedal({ 'rec.weight_hh_l0': undefined })],
  ["expected the tensor 'rec.weight_hh_l0' [12, 3], got [12, 4]", 'FORMAT', pedal({ 'rec.weight_hh_l0': numbers(1, 12, 4) })],
  ["expected the tensor 'rec.weight_ih_l1' [12, 3], got [12, 2]", 'FORMAT', pedal({ 'rec.weight_ih_l1': numbers(1, 12, 2) })],
  ["expected the tensor 'rec.bias_hh_l0' [12], got none", 'FORMAT', pedal({ 'rec.bias_ih_l0': numbers(1, 12) })],
  ["expected the tensor 'lin.weight' [0, 3], got none", 'FORMAT', pedal({ 'lin.weight': undefined })],
  ["expected the tensor 'lin.bias' [2], got [3]", 'FORMAT', pedal({ 'lin.bias': numbers(1, 3) })],
  ['a skip connection from 2 features to 3', 'UNSUPPORTED', pedal({ 'lin.weight': numbers(3, 3, 3) }, { skip: 1 })],
])('%s', (message, code, json) => {
  expectError(() => read(json), code, `RTNeural: ${message}`)
})

const steps = [[1, -2], [0.5, 3], [-1, 0.25]]
const zerosLike = (rows: Nested): Nested => (typeof rows === 'number' ? 0 : rows.map(zerosLike))

describe('what may be left out', () => {
  it.each(['lstm', 'gru'] as const)('the bias of an %s: zeros', async (type) => {
    const columns = type === 'lstm' ? 12 : 9
    const weights = [numbers(1, 2, columns), numbers(2, 3, columns)]
    const bias = type === 'lstm' ? zerosLike(numbers(3, columns)) : zerosLike(numbers(3, 2, columns))
    expect(await run(model(layer(type, 3, weights)), steps)).toEqual(await run(model(layer(type, 3, [...weights, bias])), steps))
  })

  it('biases of GuitarML: zeros; a skip of as many outputs as inputs', async () => {
    const biases = { 'rec.bias_ih_l0': zerosLike(numbers(1, 12)), 'rec.bias_hh_l0': zerosLike(numbers(1, 12)), 'lin.bias': [0, 0] }
    const without = await run(pedal({}), steps)
    expect(await run(pedal(biases), steps)).toEqual(without)
    const skipped = await run(pedal({}, { skip: 1 }), steps)
    skipped.forEach((row, t) => row.forEach((value, n) => expect(value).toBeCloseTo((without[t]?.[n] as number) + (steps[t]?.[n] as number), 6)))
  })

  it('the activation, the dilation, the groups and the bias of a convolution', async () => {
    const { activation, ...bare } = layer('conv1d', 1, [[[[1], [2]], [[3], [4]]]], { kernel_size: [2] }) as Record<string, unknown>
    expect(activation).toBe('')
    expect(await run(model(bare), steps)).toEqual([[3 - 8], [1 - 4 + 1.5 + 12], [0.5 + 6 - 3 + 1]])
  })
})
