// The calls that pickles of PyTorch make, one by one: what each gives, and what it is given wrongly. Programs are in protocol 0: text.
import { describe, expect, it } from 'vitest'
import { Budget } from '../../src/formats/budget.ts'
import { PickleBytes } from '../../src/formats/torch/pickle-bytes.ts'
import { ForeignObject, PickleMachine } from '../../src/formats/torch/pickle.ts'
import { QuantizedTensor, torchWorld, TorchStorage, TorchTensor } from '../../src/formats/torch/tensors.ts'
import { expectError } from '../expect-error.ts'

const found: Map<string, TorchStorage> = new Map()
const run = (program: string, ...more: readonly (string | number)[]): unknown => {
  const bytes = [program, ...more].flatMap((part) => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)]))
  const budget = new Budget(bytes.length)
  return new PickleMachine(new PickleBytes(Uint8Array.from(bytes)), torchWorld(found, budget), budget).run()
}

const tuple = (...parts: readonly string[]): string => `(${parts.join('')}t`
const int = (value: number): string => `I${value}\n`
const text = (value: string): string => `S'${value}'\n`
const global = (name: string): string => `c${name.slice(0, name.lastIndexOf('.'))}\n${name.slice(name.lastIndexOf('.') + 1)}\n`
const call = (name: string, ...args: readonly string[]): string => `${global(name)}${tuple(...args)}R`
const storage = (kind = 'FloatStorage', ...more: readonly string[]): string => `${tuple(text('storage'), global(`torch.${kind}`), text('7'), text('cpu'), int(6), ...more)}Q`
const tensor = (of = storage(), offset = int(2), shape = tuple(int(2)), strides = tuple(int(1))): string => call('torch._utils._rebuild_tensor_v2', of, offset, shape, strides, 'I00\n', 'N')

describe('what is called', () => {
  it('storages and tensors', () => {
    expect(run(`${storage()}.`)).toEqual(new TorchStorage('FloatStorage', '7', 6, 0))
    expect(found.get('7')).toBeInstanceOf(TorchStorage)
    expect(run(`${storage('FloatStorage', tuple(text('8'), int(3), int(2)))}.`)).toEqual(new TorchStorage('FloatStorage', '7', 6, 3))
    expect(run(`${tensor()}.`)).toEqual(new TorchTensor(new TorchStorage('FloatStorage', '7', 6, 0), 2, [2], [1]))
    for (const name of ['torch._utils._rebuild_parameter', 'torch._utils._rebuild_parameter_with_state', 'torch.nn.parameter.Parameter']) {
      expect(run(`${call(name, tensor(), 'I01\n')}.`)).toBeInstanceOf(TorchTensor)
    }
  })

  it('storages of classes that are none give objects of which nothing is read', () => {
    const odd = `${tuple(text('storage'), global('other.Storage'), text('7'), text('cpu'), int(6))}Q`
    expect(run(`${odd}.`)).toEqual(new ForeignObject('other.Storage'))
    expect(run(`${tensor(odd)}.`)).toEqual(new ForeignObject('other.Storage'))
    const quantizer = tuple(global('torch.per_tensor_affine'), 'F0.5\n', int(3))
    expect(run(`${call('torch._utils._rebuild_qtensor', odd, int(0), tuple(int(2)), tuple(int(1)), quantizer)}.`)).toEqual(new ForeignObject('other.Storage'))
    expect(run(`${call('torch._utils._rebuild_parameter', odd)}.`)).toEqual(new ForeignObject('other.Storage'))
  })

  it('quantised tensors, as a whole and by channels', () => {
    const quantised = (quantizer: string): string => call('torch._utils._rebuild_qtensor', storage('QInt8Storage'), int(0), tuple(int(2)), tuple(int(1)), quantizer)
    expect(run(`${quantised(tuple(global('torch.per_tensor_affine'), 'F0.5\n', int(3)))}.`)).toMatchObject({ scales: 0.5, zeros: 3 })
    expect(run(`${quantised(tuple(global('torch.per_channel_affine'), tensor(), tensor(), int(0)))}.`)).toBeInstanceOf(QuantizedTensor)
    const refused = (quantizer: string, scheme: string): void => {
      expectError(() => run(`${quantised(quantizer)}.`), 'UNSUPPORTED', `torch: a tensor quantised by ${scheme} is not supported; those of per_tensor_affine and per_channel_affine are`)
    }
    refused(tuple(global('torch.per_channel_affine'), tensor(), tensor(), int(1)), 'torch.per_channel_affine')
    refused(tuple(global('torch.per_channel_affine'), 'F0.5\n', tensor(), int(0)), 'torch.per_channel_affine')
    refused(tuple(global('torch.per_tensor_affine'), tensor(), int(0)), 'torch.per_tensor_affine')
    refused(tuple(global('torch.per_tensor_symmetric'), 'F0.5\n', int(0)), 'torch.per_tensor_symmetric')
    for (const none of ['N', tuple(text('affine'), 'F0.5\n', int(3))]) expectError(() => run(`${quantised(none)}.`), 'FORMAT', 'torch: expected a scheme for a quantised tensor')
  })

  it('containers: of nothing, of pairs, of what is no pair', () => {
    expect(run(`${call('collections.OrderedDict')}.`)).toEqual(new Map())
    const pairs = `(${tuple(text('a'), int(1))}${tuple(text('b'))}${int(5)}${tuple(text('c'), int(3))}l`
    expect(run(`${call('collections.OrderedDict', pairs)}.`)).toEqual(new Map([['a', 1], ['c', 3]]))
    expect(run(`${call('builtins.list', `(${int(1)}${int(2)}l`)}.`)).toEqual([1, 2])
    expect(run(`${call('builtins.set', text('none'))}.`)).toEqual([])
  })

  it('sizes, devices, texts and lists of TorchScript', () => {
    expect(run(`${call('torch.Size', tuple(int(2), int(3)))}.`)).toEqual([2, 3])
    expect(run(`${call('torch.Size', 'N')}.`)).toEqual([])
    expect(run(`${call('torch.device', text('cpu'))}.`)).toBe('device')
    expect(run(`${call('_codecs.encode', text('abc'), text('latin1'))}.`)).toBe('abc')
    expect(run(`${call('_codecs.encode')}.`)).toBe(null)
    for (const kind of ['int', 'tensor', 'double', 'bool']) {
      expect(run(`${call(`torch.jit._pickle.build_${kind}list`, `(${int(4)}l`)}.`)).toEqual([4])
      expect(run(`${call(`torch.jit._pickle.build_${kind}list`)}.`)).toBe(null)
    }
    expect(run(`${call('torch.jit._pickle.restore_type_tag', int(9), text('int'))}.`)).toBe(9)
    expect(run(`${call('torch.jit._pickle.restore_type_tag')}.`)).toBe(null)
  })

  it.each<[string, string]>([
    ['expected a persistent id of a storage: its class, key and length', `${text('storage')}Q`],
    ['expected a persistent id of a storage: its class, key and length', `${tuple(text('weights'), global('torch.FloatStorage'), text('7'), text('cpu'), int(6))}Q`],
    ['expected a persistent id of a storage: its class, key and length', `${tuple(text('storage'), text('FloatStorage'), text('7'), text('cpu'), int(6))}Q`],
    ['expected a persistent id of a storage: its class, key and length', `${tuple(text('storage'), global('torch.FloatStorage'), int(7), text('cpu'), int(6))}Q`],
    ['expected a persistent id of a storage: its class, key and length', `${tuple(text('storage'), global('torch.FloatStorage'), text('7'), text('cpu'), int(-6))}Q`],
    ["expected an offset for a part of storage '7', got -1", storage('FloatStorage', tuple(text('8'), int(-1), int(2)))],
    ['expected a storage for a tensor, got null', tensor('N')],
    ['expected an offset for a tensor, got -1', tensor(storage(), int(-1))],
    ['expected as many sizes as strides for a tensor, whole numbers', tensor(storage(), int(0), tuple(int(2), int(1)))],
    ['expected as many sizes as strides for a tensor, whole numbers', tensor(storage(), int(0), 'N')],
    ['expected as many sizes as strides for a tensor, whole numbers', tensor(storage(), int(0), tuple(int(2)), tuple(int(-1)))],
    ['expected a tensor for a parameter, got 3', call('torch._utils._rebuild_parameter', int(3))],
    ['torch.float32 is called, which is no function', call('torch.float32')],
  ])('%s', (message, program) => {
    expectError(() => run(`${program}.`), 'FORMAT', `torch: ${message}`)
  })
})

it.each<[string, readonly (string | number)[], unknown]>([
  ['LONG4', [0x8b, 2, 0, 0, 0, 0x34, 0x12, '.'], 0x1234], ['FLOAT', ['F-2.5\n.'], -2.5], ['BINSTRING', ['T', 3, 0, 0, 0, 'abc.'], 'abc'],
  ['UNICODE', ['Va\\u00e9\n.'], 'aé'], ['BINUNICODE8', [0x8d, 2, 0, 0, 0, 0, 0, 0, 0, 'xy.'], 'xy'],
  ['BINBYTES', ['B', 2, 0, 0, 0, 1, 2, '.'], Uint8Array.of(1, 2)], ['SHORT_BINBYTES', ['C', 1, 9, '.'], Uint8Array.of(9)],
  ['BINBYTES8', [0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 8, '.'], Uint8Array.of(8)], ['BYTEARRAY8', [0x96, 1, 0, 0, 0, 0, 0, 0, 0, 7, '.'], Uint8Array.of(7)],
])('%s', (_name, program, value) => {
  expect(run('', ...program)).toEqual(value)
})
