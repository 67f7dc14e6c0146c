// Numbers and texts of HDF5 files, one after the other, and never beyond the end.
import { describe, expect, it } from 'vitest'
import { Cursor, decodeText, UNDEFINED_ADDRESS } from '../../src/formats/hdf5/cursor.ts'
import { expectError } from '../expect-error.ts'

const BYTES = Uint8Array.from({ length: 40 }, (_, n) => n + 1)
const at = (position: number, length: number = BYTES.length - position): Cursor => new Cursor(BYTES, position, length, 'a header')

describe('a cursor', () => {
  it('reads numbers, the lowest byte first', () => {
    const cursor = at(2)
    expect([cursor.u8(), cursor.u16(), cursor.u32(), cursor.u64(), cursor.uint(3)]).toEqual([
      3, 0x0504, 0x09080706, 0x0d0c0b0a + 0x11100f0e * 2 ** 32, 0x141312,
    ])
    expect([cursor.position, cursor.left, cursor.end]).toEqual([20, 20, 40])
    expect(new Cursor(new Uint8Array(8).fill(255), 0, 8, 'an address').u64()).toBe(UNDEFINED_ADDRESS)
  })

  it('counts its alignment from where it is told to, not from the beginning of the file', () => {
    for (let from = 0; from < 11; from++) {
      for (let distance = 0; distance < 18; distance++) {
        const cursor = at(from)
        cursor.skip(distance)
        cursor.align(from)
        expect(cursor.position - from, `${distance} bytes after ${from}`).toBe(Math.ceil(distance / 8) * 8)
      }
    }
  })

  it('ends at its end, not at that of the file', () => {
    const cursor = at(5, 3)
    expect([...cursor.take(2)]).toEqual([6, 7])
    expectError(() => cursor.u16(), 'FORMAT', 'HDF5: a header: expected 2 more bytes at 7, got 1')
    expect(cursor.u8()).toBe(8)
    expectError(() => cursor.skip(1), 'FORMAT', 'HDF5: a header: expected 1 more bytes at 8, got 0')
    for (const length of [-1, NaN, Infinity]) expectError(() => cursor.take(length), 'FORMAT', `HDF5: a header: expected ${length} more bytes at 8, got 0`)
    expect([...at(40).take(0)]).toEqual([])
  })

  it.each([[-1, 2], [39, 2], [41, 0], [0, 41], [2, -1], [NaN, 1], [1, NaN], [2 ** 64, 1]])('is not made for %d, %d', (position, length) => {
    expectError(() => at(position, length), 'FORMAT', `HDF5: a header: expected ${length} bytes at ${position}, got a file of 40`)
  })

  it('knows signatures and versions', () => {
    const cursor = new Cursor(new TextEncoder().encode('OHDR\x02'), 0, 5, 'an object')
    cursor.expectSignature('OHDR')
    expect(cursor.expectVersion(1, 2)).toBe(2)
    expectError(() => new Cursor(BYTES, 2, 4, 'an object').expectVersion(1, 2), 'UNSUPPORTED', 'HDF5: an object of version 3; supported are 1, 2')
    const other = new Cursor(new TextEncoder().encode('.OHDX'), 1, 4, 'an object')
    expectError(() => other.expectSignature('OHDR'), 'FORMAT', 'HDF5: an object: expected OHDR at byte 1, got "OHDX"')
  })
})

it('text ends at the first zero byte', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  expect([bytes('kernel\0\0x'), bytes('é'), bytes(''), bytes('\0a')].map(decodeText)).toEqual(['kernel', 'é', '', ''])
})
