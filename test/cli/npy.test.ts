import { describe, expect, it } from 'vitest'
import { LstmError } from '../../src/errors.ts'
import { readNpy, writeNpy } from '../../src/formats/npy.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { NUMPY_FILES } from './numpy-files.ts'

const numpy = (name: keyof typeof NUMPY_FILES): Uint8Array => new Uint8Array(Buffer.from(NUMPY_FILES[name], 'base64'))

/** A version 1.0 file with this header and so many bytes of zeros. */
function file(header: string, dataBytes = 0): Uint8Array {
  const bytes = new Uint8Array(10 + header.length + dataBytes)
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  bytes.set(new TextEncoder().encode(header), 10)
  return bytes
}

describe('readNpy', () => {
  it.each([
    ['float32', 'float32', [2, 3], [1.5, -2.25, Math.fround(3e-40), Infinity, Math.fround(0.1), -0]],
    ['fortran', 'float32', [2, 3, 4], Array.from({ length: 24 }, (_, n) => n)],
    ['float64', 'float32', [3], [Math.fround(0.1), Infinity, -2]],
    ['float16', 'float32', [3], [0.0999755859375, 65504, 2 ** -24]],
    ['int32', 'int32', [1, 2], [-1, 2 ** 31 - 1]],
    ['int64', 'int32', [2], [3, -7]],
    ['uint8', 'uint8', [2], [0, 255]],
    ['scalar', 'float32', [], [7]],
    ['empty', 'float32', [0, 3], []],
    ['version2', 'float32', [2], [1, 2]],
    ['version3', 'float32', [2], [1, 2]],
  ] as const)('reads what NumPy wrote: %s', (name, dtype, shape, elements) => {
    const array = readNpy(numpy(name))
    expect([array.dtype, array.shape, [...array.data]]).toEqual([dtype, shape, elements])
  })

  it('reads from any offset of a larger buffer, also of a Node Buffer', () => {
    for (let offset = 0; offset < 9; offset++) {
      for (const name of ['float32', 'float64', 'fortran'] as const) {
        const inner = numpy(name)
        const outer = Buffer.alloc(inner.length + 16)
        outer.set(inner, offset)
        const array = readNpy(outer.subarray(offset, offset + inner.length))
        expect(array.data).toEqual(readNpy(inner).data)
      }
    }
  })

  it('reads column-major arrays of every rank', () => {
    // Element [i, j] of column-major [2, 3] is stored at i + 2 j.
    const header = (shape: string): string => `{'descr': '|u1', 'fortran_order': True, 'shape': ${shape}, }`
    const filled = (shape: string, length: number): Uint8Array => {
      const bytes = file(header(shape), length)
      for (let n = 0; n < length; n++) bytes[bytes.length - length + n] = n
      return bytes
    }
    expect(readNpy(filled('(2, 3)', 6)).toArray()).toEqual([[0, 2, 4], [1, 3, 5]])
    expect(readNpy(filled('(4,)', 4)).toArray()).toEqual([0, 1, 2, 3])
    expect(readNpy(filled('()', 1)).toArray()).toBe(0)
    expect(readNpy(filled('(3, 0, 2)', 0)).shape).toEqual([3, 0, 2])
    expect(readNpy(filled('(1, 2, 1, 2)', 4)).toArray()).toEqual([[[[0, 2]], [[1, 3]]]])
  })

  it('reads headers as other writers lay them out', () => {
    const expected = NdArray.from([[0], [0]], 'uint8')
    for (const header of [
      '{"shape":(2,1),"fortran_order":False,"descr":"|u1"}',
      "  { 'fortran_order' : False , 'descr' : '|u1' , 'shape' : ( 2 , 1 , ) , }  \n",
      "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 1L)}\n",
    ]) expect(readNpy(file(header, 2))).toEqual(expected)
  })

  it.each([
    ['', 'npy: expected a file that begins with 93 4e 55 4d 50 59, got an empty file'],
    ['PK\u0003\u0004', 'npy: expected a file that begins with 93 4e 55 4d 50 59, got 50 4b 03 04'],
  ])('refuses other files: %j', (text, message) => {
    expectError(() => readNpy(new TextEncoder().encode(text)), 'FORMAT', message)
  })

  it('refuses other versions', () => {
    for (const [major, minor] of [[0, 0], [1, 1], [4, 0], [255, 255]] as const) {
      const bytes = numpy('float32')
      bytes.set([major, minor], 6)
      expectError(() => readNpy(bytes), 'UNSUPPORTED', `npy: expected version 1.0, 2.0 or 3.0, got ${major}.${minor}`)
    }
  })

  it('reads bool as uint8, and does not advise to convert text', () => {
    expect(readNpy(numpy('bool'))).toEqual(new NdArray(Uint8Array.of(1), [1]))
    const text = Buffer.from(numpy('bool')).toString('latin1').replace("'|b1'", "'<U1'")
    expectError(() => readNpy(Buffer.from(text, 'latin1')), 'UNSUPPORTED', "npy: the dtype is '<U1'; supported are '<f4', '<f8', '<f2', '<i4', '<i8', '|u1', '|b1'")
  })

  it('refuses header lengths beyond the file or reason before reading the header', () => {
    const beyond = numpy('version2')
    beyond.set([255, 255, 255, 255], 8)
    expectError(() => readNpy(beyond), 'FORMAT', 'npy: expected a header of 4294967295 bytes, got a file with 124 bytes after its length')
    const long = new Uint8Array(70_000)
    long.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 0, 0, 1, 0])
    expectError(() => readNpy(long), 'FORMAT', 'npy: expected a header of at most 65535 bytes, got 65536')
  })

  it.each([
    ['bigEndian', "npy: the dtype is '>f4' (big-endian); "],
  ] as const)('refuses dtypes it does not have: %s', (name, start) => {
    expectError(() => readNpy(numpy(name)), 'UNSUPPORTED',
      `${start}supported are '<f4', '<f8', '<f2', '<i4', '<i8', '|u1', '|b1': convert it in Python with array.astype('<f4')`)
  })

  it('refuses records, Python objects and integers that do not fit', () => {
    expectError(() => readNpy(numpy('structured')), 'UNSUPPORTED',
      'npy: the elements are records with fields (a structured dtype); save each field as an array of its own')
    expectError(() => readNpy(file("{'descr': '|O', 'fortran_order': False, 'shape': (), }")), 'UNSUPPORTED', /the dtype is '\|O' \(Python objects\)/)
    expectError(() => readNpy(file("{'descr': 'constructor', 'fortran_order': False, 'shape': (), }")), 'UNSUPPORTED', /the dtype is 'constructor'/)
    expectError(() => readNpy(numpy('hugeInt64')), 'VALUE', 'npy: expected int64 elements that fit int32, got 1099511627776 at element 0')
  })

  const shaped = (shape: string): string => `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`
  it.each([
    ['', "expected '{' at character 0 of the header, got its end"],
    ['[]', 'expected \'{\' at character 0 of the header, got "[]"'],
    ['{descr: 1}', 'expected a key at character 1 of the header, got "descr: 1}"'],
    ["{'descr' '<f4'}", 'expected \':\' at character 9 of the header, got "\'<f4\'}"'],
    ["{'descr': 4}", 'expected a dtype at character 10 of the header, got "4}"'],
    ["{'descr': '<f4", 'expected a dtype at character 10 of the header, got "\'<f4"'],
    ["{'descr': '\\x3cf4'}", 'expected a dtype at character 10 of the header, got "\'\\\\x3cf4\'}"'],
    ["{'fortran_order': 0}", 'expected True or False at character 18 of the header, got "0}"'],
    ["{'descr': '<f4', 'descr': '<f4'}", "expected 'descr', 'fortran_order' and 'shape' once each in the header, got 'descr'"],
    ["{'colour': '<f4'}", "expected 'descr', 'fortran_order' and 'shape' once each in the header, got 'colour'"],
    ['{}', "the header lacks 'descr'"],
    ["{'descr': '<f4', 'shape': ()}", "the header lacks 'fortran_order'"],
    ["{'descr': '<f4', 'fortran_order': False}", "the header lacks 'shape'"],
    [`${shaped('()')} + 1`, 'expected the end of the header at character 55 of the header, got " + 1"'],
    [shaped('[2]'), 'expected \'(\' at character 50 of the header, got "[2], }"'],
    [shaped('(2)'), 'expected \',\' at character 52 of the header, got "), }"'],
    [shaped('(,)'), 'expected a size at character 51 of the header, got ",), }"'],
    [shaped('(-1,)'), 'expected a size at character 51 of the header, got "-1,), }"'],
    [shaped('(1e3,)'), 'expected \',\' at character 52 of the header, got "e3,), }"'],
    [shaped('(9007199254740992,)'), 'expected a size at character 67 of the header, got ",), }"'],
    [shaped('(2, 3'), 'expected a size at character 57 of the header, got "}"'],
    [shaped(`(${'1, '.repeat(65)})`), 'expected at most 64 axes'],
    [shaped('(3,)'), "expected 12 bytes of data for '<f4' [3], got 0"],
    [shaped('(9007199254740991, 9007199254740991)'),
      "expected 324518553658426654725561982648324 bytes of data for '<f4' [9007199254740991, 9007199254740991], got 0"],
  ])('refuses the header %s', (header, message) => {
    expectError(() => readNpy(file(header)), 'FORMAT', `npy: ${message}`)
  })

  it('refuses data after the elements', () => {
    expectError(() => readNpy(file(shaped('(1,)'), 8)), 'FORMAT', "npy: expected 4 bytes of data for '<f4' [1], got 8")
  })

  it('refuses every file that was cut off, with nothing but an LstmError', () => {
    for (const name of Object.keys(NUMPY_FILES) as (keyof typeof NUMPY_FILES)[]) {
      const whole = numpy(name)
      for (let length = 0; length < whole.length; length++) {
        expect(() => readNpy(whole.slice(0, length)), `${name} cut to ${length} bytes`).toThrow(LstmError)
      }
    }
  })

  it('gives an array or an LstmError for every file with a byte changed', () => {
    const whole = numpy('float32')
    for (let position = 0; position < whole.length; position++) {
      for (const byte of [0, 0x20, 0x27, 0x28, 0x29, 0x2c, 0x39, 0x7b, 0xff]) {
        const bytes = whole.slice()
        bytes[position] = byte
        let error: unknown
        try {
          readNpy(bytes)
        } catch (caught) {
          error = caught
        }
        if (error !== undefined) expect(error, `byte ${position} = ${byte}`).toBeInstanceOf(LstmError)
      }
    }
  })
})

describe('writeNpy', () => {
  it.each(['float32', 'int32', 'uint8', 'scalar', 'empty'] as const)('writes the bytes NumPy writes: %s', (name) => {
    expect(writeNpy(readNpy(numpy(name)))).toEqual(numpy(name))
  })

  it('writes what readNpy reads, whatever the shape', () => {
    for (const shape of [[1], [17], [1, 1], [5, 3], [2, 3, 5, 7], Array.from({ length: 64 }, () => 1)]) {
      const length = shape.reduce((product, size) => product * size, 1)
      const array = new NdArray(Float32Array.from({ length }, (_, n) => Math.sin(n + 1)), shape)
      const bytes = writeNpy(array)
      expect((bytes.length - array.data.byteLength) % 64).toBe(0)
      expect(readNpy(bytes)).toEqual(array)
    }
  })

  it('writes a part of a larger buffer', () => {
    const array = new NdArray(Float32Array.of(9, 1, 2, 9).subarray(1, 3), [2])
    expect(readNpy(writeNpy(array)).data).toEqual(Float32Array.of(1, 2))
  })
})
