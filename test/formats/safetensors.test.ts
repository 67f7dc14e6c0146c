import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LstmError, type LstmErrorCode } from '../../src/errors.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { writeSafetensors } from '../../src/formats/safetensors/writer.ts'
import { HalfWeights, Int8Weights } from '../../src/ops/products/narrow-weights.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A file with this header text and as many bytes of data, each byte its own index. */
function file(header: string | object, dataBytes: number | Uint8Array = 0): Uint8Array<ArrayBuffer> {
  const json = encode(typeof header === 'string' ? header : JSON.stringify(header))
  const data = typeof dataBytes === 'number' ? Uint8Array.from({ length: dataBytes }, (_, n) => n) : dataBytes
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  bytes.set(data, 8 + json.length)
  return bytes
}

function refuses(bytes: Uint8Array, message: string | RegExp, code: LstmErrorCode = 'FORMAT'): void {
  expectError(() => readSafetensors(bytes), code, typeof message === 'string' ? `safetensors: ${message}` : message)
}

const SMALL: ReadonlyMap<string, NdArray> = new Map<string, NdArray>([
  ['weights', NdArray.from([[1.5, -2], [3e-9, Infinity]])],
  ['ids', NdArray.from([-7, 2 ** 31 - 1], 'int32')],
  ['bytes', NdArray.from([[[0], [255], [3]]], 'uint8')],
])

describe('writeSafetensors and readSafetensors', () => {
  it('are each other\'s inverse for every dtype, in the order given', () => {
    const metadata = new Map([['format', 'pt'], ['note', 'ä "quoted" \n'], ['__proto__', 'x']])
    const bytes = writeSafetensors(SMALL, metadata)
    const again = readSafetensors(bytes)
    expect([...again.tensors]).toEqual([...SMALL])
    expect([...again.metadata]).toEqual([...metadata])
    expect(writeSafetensors(again.tensors, again.metadata)).toEqual(bytes)
  })

  it('keep scalars, empty tensors and empty files', () => {
    const tensors = new Map([['scalar', NdArray.from(5)], ['none', new NdArray(new Int32Array(0), [3, 0, 2])], ['after', NdArray.from([1])]])
    expect([...readSafetensors(writeSafetensors(tensors)).tensors]).toEqual([...tensors])
    const empty = readSafetensors(writeSafetensors(new Map()))
    expect([empty.tensors.size, empty.metadata.size]).toEqual([0, 0])
    expect(Buffer.from(writeSafetensors(SMALL)).toString('latin1')).not.toContain('__metadata__')
    expect(readSafetensors(file('{}')).tensors.size).toBe(0)
  })

  it('take any name but __metadata__', () => {
    const names = ['__proto__', 'constructor', 'toString', '', '0', 'ä😀', '"\\\n', 'a.b']
    const tensors = new Map(names.map((name, n) => [name, NdArray.from([n])]))
    expect([...readSafetensors(writeSafetensors(tensors)).tensors]).toEqual([...tensors])
    expectError(() => writeSafetensors(new Map([['__metadata__', NdArray.from([1])]])), 'VALUE', "safetensors: a tensor cannot be named '__metadata__'")
  })

  it('begin the data at a multiple of 64, whatever the header\'s length', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = writeSafetensors(new Map([['x'.repeat(length), NdArray.from([1, 2])]]))
      const headerLength = new DataView(bytes.buffer).getUint32(0, true)
      expect((8 + headerLength) % 64).toBe(0)
      expect(new Float32Array(bytes.buffer, 8 + headerLength)).toEqual(Float32Array.of(1, 2))
      const data = readSafetensors(bytes).tensors.get('x'.repeat(length))?.data
      expect(data?.buffer).toBe(bytes.buffer)
    }
  })

  it('write views of larger buffers as what they show', () => {
    const all = Float32Array.of(9, 9, 1, 2, 9)
    const bytes = writeSafetensors(new Map([['x', new NdArray(all.subarray(2, 4), [2])]]))
    expect(readSafetensors(bytes).tensors.get('x')?.toArray()).toEqual([1, 2])
  })

  it.each([['Uint8Array', (bytes: Uint8Array) => bytes], ['Buffer', (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)]] as const)(
    'read a %s at any offset', (_, view) => {
      const bytes = writeSafetensors(SMALL)
      for (let offset = 0; offset < 9; offset++) {
        const moved = new Uint8Array(bytes.length + 20).subarray(offset, offset + bytes.length)
        moved.set(bytes)
        expect([...readSafetensors(view(moved)).tensors].map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]]))
          .toEqual([...SMALL].map(([name, { dtype, shape, data }]) => [name, dtype, shape, [...data]]))
      }
    })

  it('read headers whose padding stands before, between and after', () => {
    const bytes = file(' {\n "x" : { "dtype":"U8", "shape":[2], "data_offsets":[0,2] } } \t ', 2)
    expect(readSafetensors(bytes).tensors.get('x')?.toArray()).toEqual([0, 1])
  })

  it('give tensors in the order of their data', () => {
    const bytes = file({
      b: { dtype: 'U8', shape: [1], data_offsets: [2, 3] }, empty: { dtype: 'F32', shape: [0], data_offsets: [2, 2] }, a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
    }, 3)
    expect([...readSafetensors(bytes).tensors.keys()]).toEqual(['a', 'empty', 'b'])
  })
})

describe('readSafetensors converts', () => {
  const one = (dtype: string, length: number, data: ArrayBuffer): NdArray => {
    const bytes = file({ x: { dtype, shape: [length], data_offsets: [0, data.byteLength] } }, new Uint8Array(data))
    return readSafetensors(bytes).tensors.get('x') as NdArray
  }

  it('all 65536 float16 patterns exactly', () => {
    const patterns = Uint16Array.from({ length: 65536 }, (_, n) => n)
    const { dtype, data } = one('F16', 65536, patterns.buffer)
    expect(dtype).toBe('float32')
    for (let pattern = 0; pattern < 65536; pattern++) {
      // Independent of the reader: the same fields placed in a float32, whose exponent has 127 - 15 more.
      const fields = pattern & 0x7fff
      const wide = new DataView(new ArrayBuffer(4))
      wide.setUint32(0, fields << 13)
      const magnitude = fields >= 0x7c00 ? (fields === 0x7c00 ? Infinity : NaN) : wide.getFloat32(0) * 2 ** 112
      const expected = pattern >= 0x8000 ? -magnitude : magnitude
      if (!Object.is(data[pattern], expected)) expect([pattern, data[pattern]]).toEqual([pattern, expected])
    }
    expect([0x3c00, 0xc000, 0x7bff, 1, 0x0400].map((pattern) => data[pattern])).toEqual([1, -2, 65504, 2 ** -24, 2 ** -14])
  })

  it('all 65536 bfloat16 patterns exactly', () => {
    const { dtype, data } = one('BF16', 65536, Uint16Array.from({ length: 65536 }, (_, n) => n).buffer)
    expect(dtype).toBe('float32')
    const view = new DataView(new ArrayBuffer(4))
    for (let pattern = 0; pattern < 65536; pattern++) {
      view.setUint32(0, pattern * 65536)
      if (!Object.is(data[pattern], view.getFloat32(0))) expect([pattern, data[pattern]]).toEqual([pattern, view.getFloat32(0)])
    }
    expect([0x3f80, 0xc000].map((pattern) => data[pattern])).toEqual([1, -2])
  })

  it('float64 to the nearest float32', () => {
    const values = [0.1, -1 / 3, 1e300, -0, 2 ** -149, 2 ** -160, NaN, 16777217]
    const { dtype, data } = one('F64', values.length, Float64Array.from(values).buffer)
    expect(dtype).toBe('float32')
    expect([...data]).toEqual(values.map(Math.fround))
  })

  it('int64 that fit int32, and refuses others', () => {
    const { dtype, data } = one('I64', 4, BigInt64Array.of(0n, -1n, 2n ** 31n - 1n, -(2n ** 31n)).buffer)
    expect(dtype).toBe('int32')
    expect(data).toEqual(Int32Array.of(0, -1, 2 ** 31 - 1, -(2 ** 31)))
    expectError(
      () => one('I64', 2, BigInt64Array.of(5n, 2n ** 31n).buffer), 'VALUE',
      "safetensors: tensor 'x': expected int64 elements that fit int32, got 2147483648 at element 1",
    )
    expectError(
      () => one('I64', 1, BigInt64Array.of(-(2n ** 63n)).buffer), 'VALUE',
      "safetensors: tensor 'x': expected int64 elements that fit int32, got -9223372036854775808 at element 0",
    )
  })

  it('bool as uint8', () => {
    expect(one('BOOL', 2, Uint8Array.of(1, 0).buffer)).toEqual(NdArray.from([1, 0], 'uint8'))
  })

  it('int32 and uint8 not at all', () => {
    expect(one('I32', 2, Int32Array.of(-5, 6).buffer)).toEqual(NdArray.from([-5, 6], 'int32'))
    expect(one('U8', 2, Uint8Array.of(5, 255).buffer)).toEqual(NdArray.from([5, 255], 'uint8'))
  })
})

describe('readSafetensors refuses', () => {
  const x = { dtype: 'U8', shape: [2], data_offsets: [0, 2] }

  it('a file cut off anywhere', () => {
    const bytes = writeSafetensors(SMALL, new Map([['format', 'pt']]))
    for (let length = 0; length < bytes.length; length++) {
      const message = /^safetensors: (expected .* bytes|tensor '.*' stands at .*, expected them inside)/
      refuses(bytes.slice(0, length), message)
      refuses(bytes.subarray(0, length), message)
    }
    expect(readSafetensors(bytes).tensors.size).toBe(3)
    refuses(new Uint8Array(7), 'expected at least 8 bytes, got 7')
    refuses(bytes.subarray(0, 100), `expected a header of ${new DataView(bytes.buffer).getUint32(0, true)} bytes, got a file with 92 bytes after its length`)
    refuses(bytes.subarray(0, -1), 'tensor \'bytes\' stands at bytes 24 to 27, expected them inside the 26 bytes of data')
  })

  it('bytes after the data', () => {
    const bytes = writeSafetensors(SMALL)
    refuses(Uint8Array.of(...bytes, 0), 'expected 27 bytes of data after the header, got 28')
  })

  it.each([
    [0xffffffffffffffffn, 'expected a header of at most 100000000 bytes, got 18446744073709552000'],
    [2n ** 32n, 'expected a header of at most 100000000 bytes, got 4294967296'],
    [8n * 1024n ** 3n, 'expected a header of at most 100000000 bytes, got 8589934592'],
    [100_000_001n, 'expected a header of at most 100000000 bytes, got 100000001'],
    [100_000_000n, 'expected a header of 100000000 bytes, got a file with 2 bytes after its length'],
    [3n, 'expected a header of 3 bytes, got a file with 2 bytes after its length'],
    [0n, /^safetensors: the header is not JSON: SyntaxError/],
    [1n, /^safetensors: the header is not JSON: SyntaxError/],
  ])('a header length of %d, without allocating it', (length, message) => {
    const bytes = file('{}')
    new DataView(bytes.buffer).setBigUint64(0, length, true)
    const before = process.memoryUsage().arrayBuffers
    refuses(bytes, message)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })

  it('headers that are no JSON object', () => {
    refuses(file('{"x":'), /^safetensors: the header is not JSON: SyntaxError: /)
    refuses(file('{"x":1}x'), /^safetensors: the header is not JSON: SyntaxError: /)
    refuses(file('[]'), 'expected the header to be an object, got Array')
    refuses(file('null'), 'expected the header to be an object, got null')
    refuses(file('"x"'), 'expected the header to be an object, got "x"')
    refuses(file('5'), 'expected the header to be an object, got 5')
    const invalidUtf8 = file('{"x":1}')
    invalidUtf8[10] = 0xff
    refuses(invalidUtf8, /^safetensors: the header is not JSON: TypeError/)
  })

  it('data that overlaps, leaves holes, or stands outside', () => {
    refuses(file({ x, y: { ...x, data_offsets: [1, 3] } }, 3), "tensor 'y' at bytes 1 to 3 overlaps the tensor before it, expected it at 2")
    refuses(file({ x, y: x }, 2), "tensor 'y' at bytes 0 to 2 overlaps the tensor before it, expected it at 2")
    refuses(file({ x, y: { ...x, data_offsets: [3, 5] } }, 5), "tensor 'y' at bytes 3 to 5 leaves a hole before it, expected it at 2")
    refuses(file({ x: { ...x, data_offsets: [1, 3] } }, 3), "tensor 'x' at bytes 1 to 3 leaves a hole before it, expected it at 0")
    refuses(file({ x }, 1), "tensor 'x' stands at bytes 0 to 2, expected them inside the 1 bytes of data")
    refuses(file({ x: { ...x, data_offsets: [2, 0] } }, 2), "tensor 'x' stands at bytes 2 to 0, expected them inside the 2 bytes of data")
    refuses(file({ x: { ...x, data_offsets: [0, 2 ** 52] } }, 2), "tensor 'x' stands at bytes 0 to 4503599627370496, expected them inside the 2 bytes of data")
  })

  it.each<[unknown, string]>([
    [[-1, 2], '[-1,2]'], [[0, 1.5], '[0,1.5]'], [[0], '[0]'], [[0, 2, 4], '[0,2,4]'], [['0', '2'], '["0","2"]'], [{}, '{}'], [null, 'null'],
    [undefined, 'undefined'], [[0, 2 ** 53], '[0,9007199254740992]'], [[0, null], '[0,null]'],
  ])('data_offsets %j', (offsets, got) => {
    refuses(file({ x: { ...x, data_offsets: offsets } }, 2), `expected two data_offsets for tensor 'x', got ${got}`)
  })

  it.each<[unknown, string]>([
    [[-2], '[-2]'], [[0.5, 4], '[0.5,4]'], ['2', '"2"'], [2, '2'], [null, 'null'], [['2'], '["2"]'], [[[2]], '[[2]]'], [undefined, 'undefined'],
    [[2 ** 53], '[9007199254740992]'], [{ length: 1, 0: 2 }, '{"0":2,"length":1}'],
  ])('shape %j', (shape, got) => {
    refuses(file({ x: { ...x, shape } }, 2), `expected a shape for tensor 'x', got ${got}`)
  })

  it('shapes that need other than the bytes they have, however large their product', () => {
    refuses(file({ x: { ...x, shape: [3] } }, 2), "tensor 'x' U8 [3] needs 3 bytes, got 2")
    refuses(file({ x: { ...x, dtype: 'F32' } }, 2), "tensor 'x' F32 [2] needs 8 bytes, got 2")
    refuses(file({ x: { ...x, shape: [0] } }, 2), "tensor 'x' U8 [0] needs 0 bytes, got 2")
    refuses(file({ x: { ...x, shape: [2 ** 32, 2 ** 32] } }, 2), "tensor 'x' U8 [4294967296, 4294967296] needs 18446744073709552000 bytes, got 2")
    // 2^64 + 2 would be 2 in 64 bits.
    refuses(file({ x: { ...x, shape: [2 ** 31, 2 ** 31, 4] } }, 0), /^safetensors: tensor 'x' stands/)
    const many = Array<number>(40).fill(2 ** 40)
    refuses(file({ x: { ...x, shape: many } }, 2), `tensor 'x' U8 [${many.join(', ')}] needs Infinity bytes, got 2`)
  })

  it('shapes of a million axes', () => {
    refuses(file({ x: { ...x, shape: Array<number>(1e6).fill(2 ** 53 - 1) } }, 2), /^safetensors: tensor 'x' U8 \[.* needs Infinity bytes, got 2$/)
  })

  it('nothing about a huge empty tensor', () => {
    const shape = [...Array<number>(40).fill(2 ** 40), 0]
    const { tensors } = readSafetensors(file({ x: { dtype: 'F32', shape, data_offsets: [0, 0] } }))
    expect(tensors.get('x')?.data).toEqual(new Float32Array(0))
  })

  it.each([
    ['{"x":ENTRY,"x":OTHER}', 'x'], ['{"x":ENTRY,"x":ENTRY}', 'x'], ['{"x":ENTRY,"\\u0078":ENTRY}', 'x'], ['{"\\u0078":OTHER,"x":ENTRY}', 'x'],
    ['{"__proto__":ENTRY,"__proto__":ENTRY}', '__proto__'], ['{"x":{"dtype":"U8","dtype":"I8","shape":[2],"data_offsets":[0,2]}}', 'dtype'],
    ['{"__metadata__":{"a":"1","a":"2"},"x":ENTRY}', 'a'], ['{"__metadata__":{},"__metadata__":{},"x":ENTRY}', '__metadata__'],
  ])('a name that stands twice: %s', (header, name) => {
    const text = header.replaceAll('ENTRY', JSON.stringify(x)).replaceAll('OTHER', JSON.stringify({ ...x, data_offsets: [2, 4] }))
    refuses(file(text, header.includes('OTHER') ? 4 : 2), `the name '${name}' stands twice in the header`)
  })

  it.each([['__proto__'], ['constructor'], ['hasOwnProperty']])('nothing about the name %s', (name) => {
    const bytes = file(`{"${name}":${JSON.stringify(x)}}`, 2)
    expect([...readSafetensors(bytes).tensors.keys()]).toEqual([name])
    expect(readSafetensors(bytes).tensors.get(name)?.toArray()).toEqual([0, 1])
    refuses(file(`{"x":{"${name}":${JSON.stringify(x)}}}`, 2), "expected a dtype for tensor 'x', got undefined")
  })

  it.each([['F8_E4M3'], ['U64'], ['f32'], ['toString'], ['__proto__']])('the dtype %s, by name', (dtype) => {
    refuses(
      file({ x: { ...x, dtype } }, 2), `safetensors: tensor 'x' has dtype "${dtype}"; supported are F32, F64, F16, BF16, I64, I32, U8, BOOL, I8 with scales`.slice('safetensors: '.length), 'UNSUPPORTED',
    )
  })

  it('entries and metadata of another form', () => {
    refuses(file({ x: 5 }), "expected tensor 'x' to be an object, got 5")
    refuses(file({ x: null }), "expected tensor 'x' to be an object, got null")
    refuses(file({ x: [] }), "expected a dtype for tensor 'x', got undefined")
    refuses(file({ x: { ...x, dtype: 1 } }, 2), "expected a dtype for tensor 'x', got 1")
    refuses(file({ __metadata__: 'x' }), "expected '__metadata__' to be an object, got \"x\"")
    refuses(file({ __metadata__: ['x'] }), "expected '__metadata__' to be an object, got Array")
    refuses(file({ __metadata__: null }), "expected '__metadata__' to be an object, got null")
    refuses(file({ __metadata__: { a: 'x', b: 5 } }), "expected '__metadata__' to hold strings, got 5 for 'b'")
    refuses(file({ __metadata__: { a: null } }), "expected '__metadata__' to hold strings, got null for 'a'")
    refuses(
      file('{"__metadata__":{"a":{"constructor":{"name":{"toString":1,"valueOf":1}}}}}'), "expected '__metadata__' to hold strings, got object for 'a'",
    )
  })

  it('nothing about metadata of many megabytes', () => {
    const metadata = new Map([['notes', 'x'.repeat(2e7)], ['lines', '\n'.repeat(5e6)]])
    expect(readSafetensors(writeSafetensors(new Map(), metadata)).metadata.get('lines')?.length).toBe(5e6)
  })

  it.each<[string, ReadonlyMap<string, ArrayLike>]>([
    ['32 bits', SMALL],
    ['8 and 16 bits', new Map<string, ArrayLike>([
      ['w', new Int8Weights({ q: Int8Array.of(1, -2, 3, 4, 5, 6), scales: Float32Array.of(0.5, 2), axis: 0 }, [2, 3])],
      ['half', new HalfWeights(Float32Array.of(1, 2.5), [2])],
      ['v', new Int8Weights({ q: Int8Array.of(1, -127, 3, 4), scales: Float32Array.of(0.5, 2), axis: 1 }, [2, 2], false)],
    ])],
  ])('any mutation of %s either with an LstmError or not at all (2000 of them)', (_what, tensorsOfFile) => {
    const valid = writeSafetensors(tensorsOfFile, new Map([['format', 'pt']]))
    const headerEnd = 8 + new DataView(valid.buffer).getUint32(0, true)
    // Most of them in the header, where the structure is, and with bytes that mean something to JSON.
    const position = fc.oneof({ weight: 3, arbitrary: fc.nat(headerEnd - 1) }, { weight: 1, arbitrary: fc.integer({ min: headerEnd, max: valid.length - 1 }) })
    const value = fc.oneof(fc.nat(255), fc.constantFrom(...encode('{}[]",:0123456789-.eE\\ ntfu')))
    const outcomes = { success: 0, refused: 0 }
    fc.assert(fc.property(fc.array(fc.tuple(position, value), { minLength: 1, maxLength: 3 }), (mutations) => {
      const bytes = valid.slice()
      for (const [index, byte] of mutations) bytes[index] = byte
      try {
        const { tensors } = readSafetensors(bytes)
        for (const { shape, data } of tensors.values()) expect(shape.reduce((product, size) => product * size, 1)).toBe(data.length)
        outcomes.success++
      } catch (error) {
        expect(error).toBeInstanceOf(LstmError)
        expect(['FORMAT', 'UNSUPPORTED', 'VALUE']).toContain((error as LstmError).code)
        outcomes.refused++
      }
    }), { numRuns: 2000 })
    expect(outcomes.success).toBeGreaterThan(50)
    expect(outcomes.refused).toBeGreaterThan(1000)
  })
})
