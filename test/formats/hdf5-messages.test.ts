// Messages of HDF5 object headers, byte by byte as the specification has them: elements, shapes, texts, layouts; and what cannot be.
import { describe, expect, it } from 'vitest'
import type { LstmErrorCode } from '../../src/errors.ts'
import { Budget } from '../../src/formats/budget.ts'
import { Cursor } from '../../src/formats/hdf5/cursor.ts'
import { readDataset } from '../../src/formats/hdf5/dataset.ts'
import { MESSAGE, type Hdf5Bytes, type Message } from '../../src/formats/hdf5/header.ts'
import { readAttributes, readDataspace, readDatatype } from '../../src/formats/hdf5/types.ts'
import { expectError } from '../expect-error.ts'
import { numbers, UNDEFINED } from './hostile-files.ts'

const cursorOf = (bytes: Uint8Array): Cursor => new Cursor(bytes, 0, bytes.length, 'it')
const fileOf = (bytes: Uint8Array = new Uint8Array(64)): Hdf5Bytes => ({ bytes, budget: new Budget(1000), globalHeaps: new Map() })
const message = (type: number, bytes: Uint8Array): Message => ({ type, cursor: () => cursorOf(bytes) })
const space = (...shape: number[]): Buffer => Buffer.concat([numbers(1, 2, shape.length, 0, 1), numbers(8, ...shape)])
/** Class, bits and bytes, and the exponent of a float. */
const type = (kind: number, bits: number, bytes: number, exponent = 8): Buffer => (
  Buffer.concat([numbers(1, 0x10 + kind, bits), numbers(2, 0), numbers(4, bytes), numbers(1, 0, 0, 0, 0, 0, exponent)])
)
const compact = (body: Uint8Array): Buffer => Buffer.concat([numbers(1, 3, 0), numbers(2, body.length), body])

interface Parts {
  readonly shape?: readonly number[]
  readonly elements?: Buffer
  readonly layout: Buffer
  readonly filters?: Buffer
  readonly bytes?: Uint8Array
  readonly declared?: string
}

function read({ shape = [2], elements = type(1, 0x20, 4), layout, filters, bytes, declared }: Parts): unknown {
  const messages = [
    message(MESSAGE.dataspace, space(...shape)), message(MESSAGE.datatype, elements), message(MESSAGE.layout, layout),
    ...(filters === undefined ? [] : [message(MESSAGE.filters, filters)]),
  ]
  const { dtype, data } = readDataset(fileOf(bytes), messages, 'the dataset', declared)
  return [dtype, [...data]]
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)

describe('elements', () => {
  it.each<[string, Buffer, Uint8Array, unknown]>([
    ['float32', type(1, 0x20, 4), floats(1.5, -2), ['float32', [1.5, -2]]],
    ['float32, the largest byte first', type(1, 0x21, 4), Uint8Array.of(0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0), ['float32', [1.5, -2]]],
    ['float64', type(1, 0x20, 8, 11), new Uint8Array(Float64Array.of(0.5, 7).buffer), ['float32', [0.5, 7]]],
    ['float16', type(1, 0x20, 2, 5), Uint8Array.of(0, 0x3c, 0, 0xc0), ['float32', [1, -2]]],
    ['bfloat16, by its exponent', type(1, 0x20, 2, 8), Uint8Array.of(0xc0, 0x3f, 0, 0xc0), ['float32', [1.5, -2]]],
    ['int8', type(0, 8, 1), Uint8Array.of(0xff, 5), ['int32', [-1, 5]]],
    ['uint8', type(0, 0, 1), Uint8Array.of(0xff, 5), ['uint8', [255, 5]]],
    ['int32', type(0, 8, 4), new Uint8Array(Int32Array.of(-3, 9).buffer), ['int32', [-3, 9]]],
    ['uint64', type(0, 0, 8), new Uint8Array(BigInt64Array.of(3n, 9n).buffer), ['int32', [3, 9]]],
    // NumPy's bool: an enumeration, whose base type follows.
    ['an enumeration', Buffer.concat([numbers(1, 0x18, 2), numbers(2, 0), numbers(4, 1), type(0, 0, 1)]), Uint8Array.of(1, 0), ['uint8', [1, 0]]],
  ])('%s', (_name, elements, body, expected) => {
    expect(read({ elements, layout: compact(body) })).toEqual(expected)
  })

  it('bfloat16 where an attribute says so, and not of other sizes', () => {
    expect(read({ elements: type(0, 0, 2), layout: compact(Uint8Array.of(0xc0, 0x3f, 0, 0xc0)), declared: 'bfloat16' })).toEqual(['float32', [1.5, -2]])
    expect(read({ layout: compact(floats(1, 2)), declared: 'bfloat16' })).toEqual(['float32', [1, 2]])
  })

  it.each<[string, Buffer, Uint8Array]>([
    ['the dataset has elements of kind uint with 2 bytes', type(0, 0, 2), new Uint8Array(4)],
    ['the dataset has elements of kind float with 16 bytes', type(1, 0x20, 16, 15), new Uint8Array(32)],
    ['the dataset has elements that are not numbers', type(3, 0, 4), new Uint8Array(8)],
    ['the dataset has elements that are not numbers', type(5, 0, 4), new Uint8Array(8)],
  ])('%s: refused', (words, elements, body) => {
    expectError(() => read({ elements, layout: compact(body) }), 'UNSUPPORTED', `HDF5: ${words}`)
  })

  it('of no bytes are none; other classes are told by their number', () => {
    expectError(() => readDatatype(cursorOf(type(1, 0, 0))), 'FORMAT', 'HDF5: it: expected elements of at least a byte')
    expect(readDatatype(cursorOf(type(9, 1, 16)))).toEqual({ kind: 'heapText', bytes: 16 })
    expect(readDatatype(cursorOf(type(9, 0, 16)))).toEqual({ kind: 'other', bytes: 16, class: 9 })
  })
})

describe('shapes', () => {
  it('of no axes, of no elements, of axes as they are', () => {
    expect(readDataspace(cursorOf(space()))).toEqual([])
    expect(readDataspace(cursorOf(numbers(1, 2, 0, 0, 2)))).toEqual([0])
    expect(readDataspace(cursorOf(space(3, 4)))).toEqual([3, 4])
    expect(readDataspace(cursorOf(Buffer.concat([numbers(1, 1, 1, 0, 0, 0, 0, 0, 0), numbers(8, 5)])))).toEqual([5])
  })

  it('of more than can be are refused', () => {
    expectError(() => readDataspace(cursorOf(numbers(1, 2, 33, 0, 1))), 'FORMAT', 'HDF5: it: expected at most 32 axes, got 33')
    expectError(() => readDataspace(cursorOf(space(2 ** 31, 2 ** 31))), 'FORMAT', 'HDF5: it: [2147483648, 2147483648] has more elements than can be')
  })
})

describe('layouts', () => {
  const chunk = (flags: number, axes: number, rest: Buffer, sizes: number[] = [2, 4]): Buffer => (
    Buffer.concat([numbers(1, 4, 2, flags, axes, 4), numbers(4, ...sizes), rest])
  )
  const single = (address: number | bigint, filtered?: readonly [stored: number, mask: number]): Buffer => Buffer.concat([
    numbers(1, 1), ...(filtered === undefined ? [] : [numbers(8, filtered[0]), numbers(4, filtered[1])]), numbers(8, address),
  ])
  const inFile = Buffer.concat([Buffer.alloc(16), floats(3, -4)])

  it('one piece of the file, or nothing that was ever written', () => {
    expect(read({ layout: Buffer.concat([numbers(1, 3, 1), numbers(8, 16, 8)]), bytes: inFile })).toEqual(['float32', [3, -4]])
    expect(read({ layout: Buffer.concat([numbers(1, 3, 1), numbers(8, UNDEFINED, 8)]) })).toEqual(['float32', [0, 0]])
    expect(read({ layout: chunk(0, 2, single(16)), bytes: inFile })).toEqual(['float32', [3, -4]])
    expect(read({ layout: chunk(0, 2, single(UNDEFINED)) })).toEqual(['float32', [0, 0]])
    // A filter that its mask leaves out.
    const filters = Buffer.concat([numbers(1, 2, 1), numbers(2, 2, 0, 1), numbers(4, 4)])
    expect(read({ layout: chunk(2, 2, single(16, [8, 1])), filters, bytes: inFile })).toEqual(['float32', [3, -4]])
    // Version 1 of filters: named, with room to a multiple of eight bytes, and a value more where they are odd.
    const named = Buffer.concat([numbers(1, 1, 1, 0, 0, 0, 0, 0, 0), numbers(2, 2, 8, 0, 1), Buffer.from('shuffle\0'), numbers(4, 1, 0)])
    expect(read({ layout: chunk(2, 2, single(16, [8, 0])), filters: named, bytes: inFile })).toEqual(['float32', [3, -4]])
  })

  it.each<[string, LstmErrorCode, Omit<Parts, 'elements'>]>([
    ['the dataset: expected 8 bytes of elements, got 4', 'FORMAT', { layout: compact(floats(1)) }],
    ['the dataset has a layout of class 3', 'UNSUPPORTED', { layout: numbers(1, 3, 3) }],
    ['the dataset: expected chunks of 2 axes, got 3', 'FORMAT', { layout: numbers(1, 3, 2, 3) }],
    ['the dataset: expected chunks of 2 axes, got 1', 'FORMAT', { layout: chunk(0, 1, single(16)) }],
    ['the dataset: expected chunks that are not empty, got [0]', 'FORMAT', { layout: chunk(0, 2, single(16), [0, 4]) }],
    ['the dataset has chunks with an index of kind 3; write it without compression, or in one chunk', 'UNSUPPORTED', { layout: chunk(0, 2, numbers(1, 3)) }],
    ['the dataset is written with filter 4; supported are deflate, shuffle and fletcher32', 'UNSUPPORTED', {
      layout: chunk(2, 2, single(16, [8, 0])), filters: Buffer.concat([numbers(1, 2, 1), numbers(2, 4, 0, 0)]), bytes: inFile,
    }],
  ])('%s', (words, code, parts) => {
    expectError(() => read(parts), code, `HDF5: ${words}`)
  })
})

describe('attributes', () => {
  const attribute = (version: number, flags: number, elements: Buffer, shape: Buffer, body: Uint8Array): Message => {
    const padded = (bytes: Buffer): Buffer => (version === 1 ? Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)]) : bytes)
    const name = Buffer.from('a\0')
    return message(MESSAGE.attribute, Buffer.concat([
      numbers(1, version, flags), numbers(2, name.length, elements.length, shape.length), ...(version === 3 ? [numbers(1, 0)] : []),
      padded(name), padded(elements), padded(shape), body,
    ]))
  }
  const value = (...given: Parameters<typeof attribute>): unknown => readAttributes(fileOf(), [attribute(...given)]).get('a')

  it('are texts, or lists of them, in every version; others are left', () => {
    for (const version of [1, 2, 3]) {
      expect(value(version, 0, type(3, 0, 3), space(), Buffer.from('one'))).toBe('one')
      expect(value(version, 0, type(3, 0, 3), space(2), Buffer.from('onetwo'))).toEqual(['one', 'two'])
      expect(value(version, 0, type(1, 0x20, 4), space(1), floats(1))).toBeUndefined()
    }
    expect(value(3, 0, type(9, 1, 16), space(), Buffer.concat([numbers(4, 0), numbers(8, 0), numbers(4, 0)]))).toBe('')
  })

  it('that share their type, or have fewer bytes than they say, are refused', () => {
    expectError(() => value(3, 1, type(3, 0, 3), space(), Buffer.from('one')), 'UNSUPPORTED', 'HDF5: it shares its type')
    expectError(() => value(3, 0, type(3, 0, 3), space(2), Buffer.from('one')), 'FORMAT', 'HDF5: it: expected 2 texts of 3 bytes, got 3 bytes')
  })

  it('in a heap of their own that was never made are none', () => {
    const info = (flags: number): Message => message(MESSAGE.attributeInfo, Buffer.concat([
      numbers(1, 0, flags), ...(flags === 1 ? [numbers(2, 7)] : []), numbers(8, UNDEFINED, UNDEFINED),
    ]))
    expect(readAttributes(fileOf(), [info(0), info(1)]).size).toBe(0)
  })
})
