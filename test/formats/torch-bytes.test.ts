// Numbers and texts of pickles, byte by byte, as Python's pickletools reads them.
import { describe, expect, it } from 'vitest'
import { PickleBytes } from '../../src/formats/torch/pickle-bytes.ts'
import { expectError } from '../expect-error.ts'

const of = (...bytes: number[]): PickleBytes => new PickleBytes(Uint8Array.from(bytes))
const text = (line: string): PickleBytes => new PickleBytes(new TextEncoder().encode(`${line}\nrest`))

describe('integers of any length', () => {
  it.each<[number[], number | bigint]>([
    [[], 0], [[0], 0], [[0x7f], 127], [[0x80], -128], [[0xff], -1], [[0xff, 0], 255], [[0x34, 0x12], 0x1234], [[0, 0x80], -32768],
    [[0x78, 0x56, 0x34, 0x12], 0x12345678], [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f], 2 ** 53 - 1],
    [[0, 0, 0, 0, 0, 0, 0x20], 2n ** 53n], [[0, 0, 0, 0, 0, 0, 0, 0, 1], 2n ** 64n], [[0, 0, 0, 0, 0, 0, 0, 0x80], -(2n ** 63n)],
  ])('%j', (bytes, value) => {
    const reader = of(...bytes, 9)
    expect(reader.integer(bytes.length)).toBe(value)
    expect(reader.left).toBe(1)
  })

  it('of at most 1000 bytes', () => {
    expect(new PickleBytes(new Uint8Array(1000)).integer(1000)).toBe(0)
    expectError(() => new PickleBytes(new Uint8Array(1001)).integer(1001), 'FORMAT', 'pickle: expected an integer of at most 1000 bytes, got 1001')
    expectError(() => of(1, 2).integer(3), 'FORMAT', 'pickle: expected 3 bytes at byte 0, got 2')
  })
})

it('numbers of fixed lengths, one after the other, from a position on', () => {
  const bytes = Uint8Array.from([99, 0xfe, 0x34, 0x12, 0x78, 0x56, 0x34, 0x92, 1, 0, 0, 0, 2, 0, 0, 0, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0, 7])
  const reader = new PickleBytes(bytes, 1)
  expect([reader.uint8(), reader.uint16(), reader.uint32(), reader.uint64(), reader.float64()]).toEqual([0xfe, 0x1234, 0x92345678, 2 * 2 ** 32 + 1, -1.5])
  expect(reader.left).toBe(1)
  expectError(() => reader.uint16(), 'FORMAT', 'pickle: expected 2 bytes at byte 24, got 1')
})

describe('lines', () => {
  const MANY = '9'.repeat(1000)
  it.each<[string, (reader: PickleBytes) => unknown, unknown]>([
    ['123', (one) => one.decimal(), 123], ['-45L', (one) => one.decimal(), -45], ['+6', (one) => one.decimal(), 6],
    ['9007199254740993', (one) => one.decimal(), 9007199254740993n], [MANY, (one) => one.decimal(), BigInt(MANY)],
    ['01', (one) => one.decimalOrFlag(), true], ['00', (one) => one.decimalOrFlag(), false], ['1', (one) => one.decimalOrFlag(), 1],
    ['0', (one) => one.decimalOrFlag(), 0], ['-12', (one) => one.decimalOrFlag(), -12],
    ['1.5', (one) => one.decimalFloat(), 1.5], ['-2e-3', (one) => one.decimalFloat(), -0.002], ['.5', (one) => one.decimalFloat(), 0.5],
    ['3.', (one) => one.decimalFloat(), 3], ['inf', (one) => one.decimalFloat(), Infinity], ['-inf', (one) => one.decimalFloat(), -Infinity],
    ['+inf', (one) => one.decimalFloat(), Infinity], ['nan', (one) => one.decimalFloat(), NaN], ['-nan', (one) => one.decimalFloat(), NaN],
    ["'a.b'", (one) => one.quoted(), 'a.b'], ['"it\'s"', (one) => one.quoted(), "it's"], ["''", (one) => one.quoted(), ''],
    ['a\\u00e9\\u20ACz', (one) => one.escapedLine(), 'aé€z'],
  ])('%s', (line, read, value) => {
    const reader = text(line)
    expect(read(reader)).toEqual(value)
    expect(reader.latin1(reader.left)).toBe('rest')
  })

  it.each<[string, (reader: PickleBytes) => unknown, string]>([
    ['1.0', (one) => one.decimal(), 'expected a whole number before byte 4'], ['', (one) => one.decimal(), 'expected a whole number before byte 1'],
    [`${MANY}9`, (one) => one.decimal(), 'expected a whole number before byte 1002'],
    ['1x', (one) => one.decimalFloat(), 'expected a number before byte 3'], ['infinity', (one) => one.decimalFloat(), 'expected a number before byte 9'],
    ['.', (one) => one.decimalFloat(), 'expected a number before byte 2'],
    ["'a", (one) => one.quoted(), 'expected a string in quotes, without escapes, before byte 3'],
    ["'a\\n'", (one) => one.quoted(), 'expected a string in quotes, without escapes, before byte 6'],
  ])('%s is refused', (line, read, message) => {
    expectError(() => read(text(line)), 'FORMAT', `pickle: ${message}`)
  })

  it('end', () => {
    expectError(() => of(0x31, 0x32).decimal(), 'FORMAT', 'pickle: expected a line that ends at byte 0')
  })
})

it('text is UTF-8, byte order marks and all', () => {
  expect(of(0xef, 0xbb, 0xbf, 0xc3, 0xa9).utf8(5)).toBe('\ufeffé')
  expectError(() => of(0xff, 1).utf8(2), 'FORMAT', 'pickle: the text before byte 2 is not UTF-8')
  expectError(() => of(0x61).utf8(2), 'FORMAT', 'pickle: expected 2 bytes at byte 0, got 1')
})
