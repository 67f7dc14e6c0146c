// Protocol buffers and numbers of TensorFlow checkpoints, byte by byte.
import { describe, expect, it } from 'vitest'
import { ByteReader, protobufFields } from '../../src/formats/tf1/byte-reader.ts'
import { expectError } from '../expect-error.ts'

const fields = (...bytes: number[]): unknown[] => [...protobufFields(Uint8Array.from(bytes))].map(([field, value]) => (
  [field, typeof value === 'number' ? value : [...value]]
))

describe('fields of a message', () => {
  it('are numbers and bytes, in their order; fixed ones are passed over', () => {
    // 1: 300; 2: fixed64; 3: bytes; 4: fixed32; 17: 5
    expect(fields(0x08, 0xac, 0x02, 0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x1a, 2, 9, 8, 0x25, 1, 2, 3, 4, 0x88, 0x01, 5)).toEqual([[1, 300], [3, [9, 8]], [17, 5]])
    expect(fields()).toEqual([])
  })

  it.each([
    ['groups', [0x0b, 0], 'unknown wire type 3 of field 1'],
    ['a length beyond the end', [0x1a, 3, 1, 2], 'expected 3 bytes at byte 2, got 2'],
    ['a fixed number beyond the end', [0x11, 1, 2, 3, 4, 5, 6, 7], 'expected 8 bytes at byte 1, got 7'],
    ['a number that is cut off', [0x08, 0x80], 'expected 1 bytes at byte 2, got 0'],
    ['a number without an end', [0x08, ...Array.from({ length: 11 }, () => 0x80)], 'expected a number of at most 10 bytes before byte 11'],
  ])('refuses %s', (_title, bytes, message) => {
    expectError(() => fields(...bytes), 'FORMAT', `TensorFlow checkpoint: ${message}`)
  })
})

it.each([
  [[0], 0], [[0x7f], 127], [[0x80, 1], 128], [[0xff, 0xff, 0xff, 0xff, 0x0f], 0xffffffff], [[0x80, 0x80, 0x80, 0x80, 0x10], 2 ** 32],
  [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], 2 ** 63],
])('the varint %j is %d', (bytes, value) => {
  const reader = new ByteReader(Uint8Array.from([...bytes, 3]))
  expect(reader.varint()).toBe(value)
  expect(reader.left).toBe(1)
  expect([...reader.take(1)]).toEqual([3])
})
