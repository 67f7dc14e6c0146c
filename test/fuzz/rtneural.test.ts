import { describe, expect, it } from 'vitest'
import { rtneural } from '../../src/formats/rtneural/reader.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { mutateMany } from './mutate.ts'

const matrix = (rows: number, columns: number): number[][] => Array.from({ length: rows }, () => Array<number>(columns).fill(0.5))
const layer = (type: string, units: number, weights: unknown, more: object = {}): object => ({ type, activation: 'tanh', shape: [null, null, units], weights, ...more })

const FILES: Readonly<Record<string, object>> = {
  'layers': {
    in_shape: [null, null, 1], in_skip: 1, in_gain: 3, out_gain: -3,
    layers: [layer('dense', 2, [matrix(1, 2), [0, 1]]), layer('lstm', 1, [matrix(2, 4), matrix(1, 4), [1, 2, 3, 4]]), layer('prelu', 1, [[[0.5]]])],
  },
  'other layers': {
    in_shape: [null, null, 1],
    layers: [layer('conv1d', 2, [[matrix(1, 2), matrix(1, 2)], [0, 1]], { kernel_size: [2], dilation: [2] }), layer('batchnorm', 2, [[1, 2], [1, 2]])],
  },
  'a state dict': { 'rnn.weight_ih_l0': matrix(4, 2), 'rnn.weight_hh_l0': matrix(4, 1), 'rnn.bias_ih_l0': [1, 2, 3, 4], 'rnn.bias_hh_l0': [1, 2, 3, 4] },
  'a SimpleRNN': {
    model_data: { model: 'SimpleRNN', unit_type: 'LSTM', skip: 1 },
    state_dict: { 'rec.weight_ih_l0': matrix(4, 1), 'rec.weight_hh_l0': matrix(4, 1), 'lin.weight': matrix(1, 1), 'lin.bias': [1] },
  },
}

describe('broken RTNeural models', () => {
  it.each(Object.entries(FILES))('%s: they are read or refused', async (_, json) => {
    const bytes = new TextEncoder().encode(JSON.stringify(json))
    await rtneural.read(onlyBytes(bytes), {})
    const { read, refused } = await mutateMany(bytes, 2500, 3, async (broken) => {
      rtneural.detect(broken)
      await rtneural.read(onlyBytes(broken), {})
    })
    expect(read).toBeGreaterThan(10)
    expect(refused).toBeGreaterThan(1000)
  })
})
