// State dicts with packed weights, as quantize_dynamic makes them: what is under which name, and what cannot be.
import { describe, expect, it } from 'vitest'
import type { LstmErrorCode } from '../../src/errors.ts'
import { PackedObject } from '../../src/formats/torch/packed-object.ts'
import { PickleGlobal } from '../../src/formats/torch/pickle.ts'
import { unpacked } from '../../src/formats/torch/quantized.ts'
import { TorchStorage, TorchTensor } from '../../src/formats/torch/tensors.ts'
import { expectError } from '../expect-error.ts'

let key = 0
/** A tensor unlike all others. */
const tensor = (...shape: number[]): TorchTensor => new TorchTensor(new TorchStorage('FloatStorage', String(key++), 1000, 0), 0, shape, shape.map(() => 1))

function packed(state: unknown): PackedObject {
  const object = new PackedObject()
  object.state = state
  return object
}

const cell = (features: number, units: number, kind = 'quantized_dynamic'): PackedObject => (
  packed([[kind, [], [], [], [[tensor(4 * units, features), tensor(4 * units)], packed([[tensor(4 * units, units), null]])]]])
)
const layers = (...cells: readonly unknown[]): Map<unknown, unknown> => new Map(cells.map((one, n) => [`rnn._all_weight_values.${n}.param`, one]))
const names = (object: ReadonlyMap<unknown, unknown>): string[] | undefined => {
  const found = unpacked(object)
  return found && [...found.keys()]
}

describe('names', () => {
  it('of linear layers and cells, with biases and without; plain tensors stay', () => {
    const [weight, bias, own] = [tensor(3, 4), tensor(3), tensor(2)]
    const found = unpacked(new Map<unknown, unknown>([
      ['own', own], ['fc._packed_params.dtype', new PickleGlobal('torch.qint8')], ['fc._packed_params._packed_params', [weight, bias]],
      ['_packed_params._packed_params', packed([[tensor(5, 3), null]])], ['c._packed_weight_ih', [tensor(8, 3), tensor(8)]], ['c._packed_weight_hh', [tensor(8, 2), null]],
    ]))
    expect([...found?.keys() ?? []]).toEqual(['own', 'fc.weight', 'fc.bias', 'weight', 'c.weight_ih', 'c.bias_ih', 'c.weight_hh'])
    expect([found?.get('own'), found?.get('fc.weight'), found?.get('fc.bias')]).toEqual([own, weight, bias])
  })

  it('of layers, one on top of the other, or of both directions, which their features tell', () => {
    const of = (...suffixes: string[]): string[] => suffixes.flatMap((suffix) => [`rnn.weight_ih${suffix}`, `rnn.bias_ih${suffix}`, `rnn.weight_hh${suffix}`])
    expect(names(layers(cell(3, 5)))).toEqual(of('_l0'))
    expect(names(layers(cell(3, 5), cell(5, 5)))).toEqual(of('_l0', '_l1'))
    expect(names(layers(cell(3, 5), cell(3, 5)))).toEqual(of('_l0', '_l0_reverse'))
    expect(names(layers(cell(3, 5), cell(5, 5), cell(5, 5)))).toEqual(of('_l0', '_l1', '_l2'))
    expect(names(layers(cell(3, 5), cell(3, 5), cell(10, 5, 'quantized_fp16'), cell(10, 5)))).toEqual(of('_l0', '_l0_reverse', '_l1', '_l1_reverse'))
  })

  it('are none of what is no state dict', () => {
    expect(names(new Map<unknown, unknown>([[3, tensor(1)]]))).toBeUndefined()
    expect(names(new Map<unknown, unknown>([['epoch', 7]]))).toBeUndefined()
    expect(names(new Map<unknown, unknown>([['fc._packed_params._packed_params', [tensor(3), null]]]))).toBeUndefined()
    expect(names(new Map<unknown, unknown>([['fc._packed_params._packed_params', [tensor(3, 4), 5]]]))).toBeUndefined()
  })
})

it.each<[string, LstmErrorCode, ReadonlyMap<unknown, unknown>]>([
  ["expected 'fc.weight' packed or plain, got both", 'FORMAT', new Map<unknown, unknown>([['fc._packed_params._packed_params', [tensor(3, 4), null]], ['fc.weight', tensor(3, 4)]])],
  ["expected 'rnn._all_weight_values.2.param' after those before it", 'FORMAT', new Map([['rnn._all_weight_values.0.param', cell(3, 5)], ['rnn._all_weight_values.2.param', cell(3, 5)]])],
  ["'rnn._all_weight_values.0.param' holds packed weights of a kind that is not read: expected quantized_dynamic or quantized_fp16", 'UNSUPPORTED', layers(cell(3, 5, 'quantized'))],
  ["'rnn._all_weight_values.0.param' holds packed weights of a kind that is not read: expected quantized_dynamic or quantized_fp16", 'UNSUPPORTED', layers(packed('none'))],
  ["expected packed input and recurrent weights for 'rnn._all_weight_values.0.param'", 'FORMAT', layers(packed([['quantized_dynamic', [], [], [], [[tensor(8, 3), null]]]]))],
  ["expected packed input and recurrent weights for 'rnn._all_weight_values.0.param'", 'FORMAT', layers(packed([['quantized_dynamic', [], [], [], 'none']]))],
  ["'conv._packed' holds packed weights, and those of Linear, LSTM, GRU and their cells alone are read", 'UNSUPPORTED', new Map([['conv._packed', packed([1])]])],
])('%s', (message, code, object) => {
  expectError(() => unpacked(object), code, `torch: ${message}`)
})
