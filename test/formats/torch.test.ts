import { readFileSync } from 'node:fs'
import { strToU8, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { writeNpz } from '../../src/export/npz.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { readTorch, torch } from '../../src/formats/torch/reader.ts'
import type { LstmErrorCode } from '../../src/errors.ts'
import { readGraph } from '../../src/model/load.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'

/** Bytes of text, in which characters up to U+00FF are bytes themselves. */
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

/** A file of torch.save with this pickle and these storages. */
function archive(pickle: string, storages: Readonly<Record<string, Uint8Array>> = {}, more: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  const data = Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`x/data/${key}`, bytes]))
  return zipSync({ 'x/data.pkl': bytesOf(pickle), ...data, 'x/version': strToU8('3\n'), ...more }, { level: 0 })
}

const SIX = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer)

/** A pickled number below 2^31. */
const int = (value: number): string => `I${value}\n`
const tuple = (values: readonly number[]): string => `(${values.map(int).join('')}t`

/** The pickle of a tensor over storage '0', in protocol 0, which is text. */
function tensor(shape: readonly number[], strides: readonly number[], offset: number = 0, { kind = 'FloatStorage', length = 6, key = '0' } = {}): string {
  const storage = `(S'storage'\nctorch\n${kind}\nS'${key}'\nS'cpu'\n${int(length)}tQ`
  return `ctorch._utils\n_rebuild_tensor_v2\n(${storage}${int(offset)}${tuple(shape)}${tuple(strides)}I00\nccollections\nOrderedDict\n)RtR`
}

const dict = (items: Readonly<Record<string, string>>): string => `(d${Object.entries(items).map(([key, value]) => `S'${key}'\n${value}s`).join('')}`
const only = (item: string): string => `${dict({ w: item })}.`
const read = (pickle: string, storages: Readonly<Record<string, Uint8Array>> = { 0: SIX }): string => {
  const [name, array] = [...readTorch(archive(pickle, storages))][0] ?? []
  return `${name} ${(array as NdArray).toString()}`.replace(/\s+/g, ' ')
}
const refuses = (pickle: string, code: LstmErrorCode, message: string | RegExp): void => {
  expectError(() => readTorch(archive(pickle, { 0: SIX })), code, message)
}

describe('readTorch', () => {
  it.each([
    ['row-major', tensor([2, 3], [3, 1]), 'w float32 [2, 3] [[0, 1, 2], [3, 4, 5]]'],
    ['transposed', tensor([3, 2], [1, 3]), 'w float32 [3, 2] [[0, 3], [1, 4], [2, 5]]'],
    ['at an offset', tensor([2, 2], [2, 1], 2), 'w float32 [2, 2] [[2, 3], [4, 5]]'],
    ['with holes', tensor([3], [2], 1), 'w float32 [3] [1, 3, 5]'],
    ['expanded', tensor([2, 2], [0, 1]), 'w float32 [2, 2] [[0, 1], [0, 1]]'],
    ['scalars', tensor([], [], 5), 'w float32 [] 5'],
    ['empty', tensor([0, 3], [3, 1], 6), 'w float32 [0, 3] []'],
    ['parameters', `ctorch._utils\n_rebuild_parameter\n(${tensor([1], [1])}I01\nNtR`, 'w float32 [1] [0]'],
  ])('reads tensors that are %s', (_, pickle, expected) => {
    expect(read(only(pickle))).toBe(expected)
  })

  it.each([
    ['CharStorage', Uint8Array.of(255, 7), 'int32 [2] [-1, 7]'],
    ['ShortStorage', new Uint8Array(Int16Array.of(-400, 300).buffer), 'int32 [2] [-400, 300]'],
    ['LongStorage', new Uint8Array(BigInt64Array.of(-1n, 5n).buffer), 'int32 [2] [-1, 5]'],
    ['BoolStorage', Uint8Array.of(1, 0), 'uint8 [2] [1, 0]'],
    ['HalfStorage', Uint8Array.of(0, 0x3e, 0, 0xc0), 'float32 [2] [1.5, -2]'],
    ['BFloat16Storage', Uint8Array.of(0xc0, 0x3f, 0, 0xc0), 'float32 [2] [1.5, -2]'],
    ['DoubleStorage', new Uint8Array(Float64Array.of(1.5, -2).buffer), 'float32 [2] [1.5, -2]'],
  ])('reads elements of %s', (kind, storage, expected) => {
    expect(read(only(tensor([2], [1], 0, { kind, length: 2 })), { 0: storage })).toBe(`w ${expected}`)
  })

  it('shares a storage between tensors', () => {
    const tensors = readTorch(archive(`${dict({ a: tensor([2], [1]), b: tensor([2], [1], 1) })}.`, { 0: SIX }))
    expect(tensors.get('a')?.data.buffer).toBe(tensors.get('b')?.data.buffer)
  })

  it('finds the state dict of a checkpoint; of several, the one that is named', () => {
    const state = dict({ w: tensor([1], [1], 3) })
    expect(read(`${dict({ epoch: int(3), names: '(lS\'a\'\na', model: state })}.`)).toBe('w float32 [1] [3]')
    const two = archive(`${dict({ model: state, ema: dict({ v: tensor([1], [1], 4) }) })}.`, { 0: SIX })
    expectError(() => readTorch(two), 'UNSUPPORTED', 'torch: the file holds several state dicts, under the keys "model", "ema"; say which: readTorch(bytes, { key: "model" })')
    expect([...readTorch(two, { key: 'ema' }).keys()]).toEqual(['v'])
    expectError(() => readTorch(two, { key: 'best' }), 'UNSUPPORTED', 'torch: no state dict under the key "best"; the file has "model": a dictionary, "ema": a dictionary')
  })

  it('takes __proto__ and its like for names', () => {
    const tensors = readTorch(archive(`${dict({ __proto__: 'N', constructor: 'N' })}.`.replaceAll('N', tensor([1], [1])), { 0: SIX }))
    expect([...tensors.keys()]).toEqual(['constructor'])
    expect([...readTorch(archive(`(dS'__proto__'\n${tensor([1], [1])}s.`, { 0: SIX })).keys()]).toEqual(['__proto__'])
  })

  it('leaves out what is not asked for', () => {
    const file = archive(`${dict({ w: tensor([1], [1]), z: tensor([2], [1], 0, { kind: 'ComplexFloatStorage', length: 3, key: '1' }) })}.`, { 0: SIX })
    expect([...readTorch(file, { only: (name) => name === 'w' }).keys()]).toEqual(['w'])
    expectError(() => readTorch(file), 'UNSUPPORTED', /^torch: tensor 'z' has elements of torch.ComplexFloatStorage .*; supported are FloatStorage,/)
  })
})

describe('readTorch runs nothing', () => {
  it.each([
    ['os.system', "cos\nsystem\n(S'touch /tmp/x'\ntR."],
    ['os.system', "(S'touch /tmp/x'\nios\nsystem\n."],
    ['os.system', "(cos\nsystem\nS'touch /tmp/x'\no."],
    ['os.system', '\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.'],
    ['builtins.eval', "c__builtin__\neval\n(S'1'\ntR."],
    ['os.system', only("cos\nsystem\n(S'x'\ntR")],
    ['os.system', "cos\nsystem\n(S'x'\ntR broken"],
    ['argparse.Namespace', `${dict({ model: dict({ w: tensor([1], [1]) }), args: 'cargparse\nNamespace\n)\x81(d' + "S'lr'\nI1\ns" + 'b' })}.`],
  ])('but refuses %s by name', (name, pickle) => {
    refuses(pickle, 'UNSUPPORTED', new RegExp(`^torch: the pickle asks for ${name}, which this library does not run: .*model.state_dict\\(\\)`))
  })

  it('names the class of a whole pickled module, and those in a checkpoint', () => {
    const module = "c__main__\nNet\n)\x81(dS'training'\nI01\nsS'_modules'\n(dsS'_parameters'\n(dsb"
    refuses(`${module}.`, 'UNSUPPORTED', /got a module without tensors, of class __main__\.Net$/)
    refuses(`${dict({ model: module, epoch: int(1) })}.`, 'UNSUPPORTED', /got a dictionary with "model": a module without tensors, of class __main__\.Net, "epoch": 1$/)
  })

  it('knows TorchScript', () => {
    const script = archive('N.', {}, { 'x/constants.pkl': bytesOf('(t.'), 'x/code/__torch__.py': strToU8('pass') })
    expect(torch.detect(script)).toBe(true)
    expectError(() => readTorch(script), 'UNSUPPORTED', /^torch: expected a state dict .*, got None$/)
  })
})

describe('readTorch of hostile files', () => {
  it.each([
    ['beyond its storage', tensor([7], [1]), 'FORMAT', "torch: tensor 'w' [7] with strides [1] ends at element 6, beyond the 6 of its storage"],
    ['of huge strides', tensor([2, 2], [2 ** 52, 1]), 'FORMAT', /ends at element 4503599627370497/],
    ['of a huge offset', tensor([1], [1], 2 ** 53 - 1), 'FORMAT', /ends at element 9007199254740991/],
    ['of more elements than a file of this size has', tensor([1e6, 1e6], [0, 0]), 'FORMAT', /^torch: tensor 'w' \[1000000, 1000000\]: a file of \d+ bytes that unpacks to more than \d+ is not read$/],
    ['of sizes that overflow', tensor([2 ** 53 - 1, 2 ** 53 - 1], [0, 0]), 'FORMAT', /^torch: tensor 'w' \[.*: a file of \d+ bytes that unpacks to more than \d+ is not read$/],
    ['of a storage that is longer in the pickle', tensor([6], [1], 0, { length: 7 }), 'FORMAT', "torch: the storage '0' of tensor 'w' has 7 elements of 4 bytes, got 24 bytes"],
    ['of a storage that is not there', tensor([6], [1], 0, { key: '../x' }), 'FORMAT', 'torch: no storage "../x" in the archive'],
    ['of negative sizes', tensor([-1], [1]), 'FORMAT', 'torch: expected as many sizes as strides for a tensor, whole numbers'],
    ['of 65 axes', tensor(Array<number>(65).fill(1), Array<number>(65).fill(1)), 'FORMAT', 'torch: expected as many sizes as strides for a tensor, whole numbers'],
  ] as const)('refuses a tensor %s', (_, pickle, code, message) => {
    refuses(only(pickle), code, message)
  })

  it.each([
    ['an empty stack', '.', /^pickle: expected an object on the stack before byte 1$/],
    ['no end', 'N', /^pickle: expected 1 bytes at byte 1, got 0$/],
    ['an unknown opcode', '\xff', /^pickle: unknown opcode 0xff at byte 0$/],
    ['a mark as an object', '(.', /^pickle: expected an object on the stack before byte 2$/],
    ['a memo that is not written', 'h\x05.', /^pickle: memo 5 is read before it is written$/],
    ['text longer than the file', 'X\xff\xff\xff\x7fa', /^pickle: expected 2147483647 bytes at byte 5, got 1$/],
    ['an endless number', `L${'9'.repeat(5000)}L\n.`, /^pickle: expected a whole number before byte 5003$/],
    ['a persistent id that is none', "S'x'\nQ.", /^torch: expected a persistent id of a storage/],
    ['a call of a number', 'I1\n)R.', /^pickle: expected a class or function to call$/],
    ['a call of a storage class', 'ctorch\nFloatStorage\n)R.', /^torch: torch.FloatStorage is called, which is no function$/],
    ['an odd dictionary', "(S'a'\nd.", /^pickle: expected a value for every key of a dictionary$/],
    ['items of a number', "I1\n(S'a'\nS'b'\nu.", /^pickle: expected a dictionary to set items of$/],
    ['a list that is a tuple', ')I1\na.', /^pickle: expected a list to append to$/],
    ['text that is no UTF-8', 'X\x01\x00\x00\x00\xff.', /^pickle: the text before byte 6 is not UTF-8$/],
  ])('refuses a pickle with %s', (_, pickle, message) => {
    refuses(pickle, 'FORMAT', message)
  })

  it('takes deep nests and cycles as they come', () => {
    refuses(`${'('.repeat(1e5)}${'t'.repeat(1e5)}.`, 'UNSUPPORTED', /got a list$/)
    refuses(']q\x00h\x00a.', 'UNSUPPORTED', /got a list$/)
    refuses("}q\x00S'a'\nh\x00s.", 'UNSUPPORTED', 'torch: expected a state dict (names and tensors), or a dictionary with one in it, got a dictionary with "a": a dictionary')
  })

  it('bounds what small files can make', () => {
    refuses(`${'}'.repeat(3e5)}.`, 'FORMAT', /^pickle: a file of \d+ bytes that unpacks to more than \d+ is not read$/)
    refuses(`N${'\x94'.repeat(1.5e6)}.`, 'FORMAT', /^pickle: a file of \d+ bytes that unpacks to more than \d+ is not read$/)
  })

  it('refuses archives that are none', () => {
    expectError(() => readTorch(new Uint8Array(0)), 'FORMAT', 'torch: expected a file of torch.save, got an empty file')
    expectError(() => readTorch(bytesOf('PK\x03\x04')), 'FORMAT', 'torch: no end of central directory: the file is cut off, or no zip archive')
    expectError(() => readTorch(zipSync({ 'a.txt': strToU8('a') })), 'FORMAT', 'torch: expected one file data.pkl in the archive, got 0')
    expectError(() => readTorch(archive('N.', {}, { 'x/byteorder': strToU8('big') })), 'UNSUPPORTED', /big-endian/)
    // Many megabytes of zeros in a few bytes is no file of weights.
    const bomb = zipSync({ 'x/data.pkl': bytesOf('N.'), 'x/data/0': new Uint8Array(2 ** 26) }, { level: 9 })
    expectError(() => readTorch(bomb), 'FORMAT', /^torch: "x\/data\/0": a file of \d+ bytes that unpacks to more than \d+ is not read$/)
  })

  it('needs no checksums, which PyTorch can be told to leave out', () => {
    const file = archive(`${dict({ w: tensor([2], [1]) })}.`, { 0: SIX })
    for (let n = 0; n + 4 < file.length; n++) if (file[n] === 0x50 && file[n + 1] === 0x4b && file[n + 2] === 1) file.fill(0, n + 16, n + 20)
    expect(readTorch(file).get('w')?.shape).toEqual([2])
  })

  it('reads a state dict that NumPy wrote', async () => {
    const { tensors } = readSafetensors(readFileSync(new URL('../golden/state-dicts/lstm-2layer-bidirectional.safetensors', import.meta.url)))
    const npz = writeNpz(tensors)
    expect(await readGraph(npz, { batchFirst: false })).toMatchObject({ inputs: [{ shape: ['timesteps', 'batch', 3] }, {}, {}], nodes: [{ op: 'lstm', attributes: { numLayers: 2, direction: 'bidirectional' } }] })
    expect(torch.detect(npz)).toBe(true)
    expect([...readTorch(npz, { only: (name) => name.startsWith('weight') }).keys()].every((name) => name.startsWith('weight_'))).toBe(true)
    expectError(() => readTorch(npz, { key: 'model' }), 'VALUE', "torch: the option 'key' is for checkpoints, and this file is a state dict (.npz): \"model\" would name nothing")
  })

  it('knows its files, and no others', () => {
    expect(torch.detect(archive('N.'))).toBe(true)
    for (const bytes of [new Uint8Array(0), bytesOf('PK\x03\x04'), zipSync({ 'a.npy': strToU8('a') }), bytesOf('\x80\x02}.')]) {
      expect(torch.detect(bytes)).toBe(false)
    }
  })
})
