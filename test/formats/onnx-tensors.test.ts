import { describe, expect, it } from 'vitest'
import { onnx, readOnnx, type OnnxOptions } from '../../src/formats/onnx/index.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { expectError, expectRejection } from '../expect-error.ts'
import { writeOnnx, type TensorSpec } from './onnx-writer.ts'

/** The value of a constant that is the model's output. */
function constantOf(tensor: TensorSpec, options?: OnnxOptions): ArrayLike | undefined {
  const graph = readOnnx(writeOnnx({ nodes: [], outputs: [{ name: 't' }], initializers: [{ ...tensor, name: 't' }] }), options)
  return graph.constants.get('t')
}

const bytes = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

describe('tensors', () => {
  const dims = [3]
  it.each([
    ['float, raw', { type: 1, raw: bytes(Float32Array.of(1.5, -2, 3)) }, Float32Array.of(1.5, -2, 3)],
    ['float, listed', { type: 1, floats: [1.5, -2, 3] }, Float32Array.of(1.5, -2, 3)],
    ['float, one by one', { type: 1, floatsApart: [1.5, -2, 3] }, Float32Array.of(1.5, -2, 3)],
    ['float, in two lists', { type: 1, floats: [1.5], floatBytes: bytes(Float32Array.of(-2, 3)) }, Float32Array.of(1.5, -2, 3)],
    ['double, raw', { type: 11, raw: bytes(Float64Array.of(0.1, -2, 3)) }, Float32Array.of(0.1, -2, 3)],
    ['double, listed', { type: 11, doubles: [0.1, -2, 3] }, Float32Array.of(0.1, -2, 3)],
    ['float16, raw', { type: 10, raw: bytes(Uint16Array.of(0x3c00, 0xc000, 0x3555)) }, Float32Array.of(1, -2, 0.333251953125)],
    ['float16, listed', { type: 10, int32s: [0x3c00, 0xc000, 0x3555] }, Float32Array.of(1, -2, 0.333251953125)],
    ['bfloat16, listed', { type: 16, int32s: [0x3f80, 0xc000, 0x3eab] }, Float32Array.of(1, -2, 0.333984375)],
    ['int64, raw', { type: 7, raw: bytes(BigInt64Array.of(1n, -2n, 2n ** 31n - 1n)) }, Int32Array.of(1, -2, 2 ** 31 - 1)],
    ['int64, listed', { type: 7, int64s: [1, -2, 300] }, Int32Array.of(1, -2, 300)],
    ['int64 bounds', { type: 7, raw: bytes(BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 0n)) }, Int32Array.of(2 ** 31 - 1, -(2 ** 31), 0)],
    ['int32, raw', { type: 6, raw: bytes(Int32Array.of(1, -2, 300)) }, Int32Array.of(1, -2, 300)],
    ['int32, listed', { type: 6, int32s: [1, -2, 300] }, Int32Array.of(1, -2, 300)],
    ['int16, raw', { type: 5, raw: bytes(Int16Array.of(1, -2, 300)) }, Int32Array.of(1, -2, 300)],
    ['uint16, raw', { type: 4, raw: bytes(Uint16Array.of(1, 65535, 300)) }, Int32Array.of(1, 65535, 300)],
    ['int8, raw', { type: 3, raw: bytes(Int8Array.of(1, -2, 100)) }, Int32Array.of(1, -2, 100)],
    ['uint8, raw', { type: 2, raw: Uint8Array.of(1, 255, 100) }, Uint8Array.of(1, 255, 100)],
    ['uint8, listed', { type: 2, int32s: [1, 255, 100] }, Uint8Array.of(1, 255, 100)],
    ['bool, raw', { type: 9, raw: Uint8Array.of(0, 1, 7) }, Uint8Array.of(0, 1, 1)],
    ['bool, listed', { type: 9, int32s: [0, 1, 1] }, Uint8Array.of(0, 1, 1)],
  ])('%s', (_name, tensor, expected) => {
    const value = constantOf({ dims, ...tensor })
    expect(value?.shape).toEqual(dims)
    expect(Array.from(value?.data ?? [])).toEqual(Array.from(expected))
    expect(value?.data.constructor).toBe(expected.constructor)
  })

  it('scalars and empty tensors', () => {
    expect(constantOf({ dims: [], type: 1, floats: [3] })?.shape).toEqual([])
    expect(constantOf({ dims: [0, 5], type: 1, raw: new Uint8Array(0) })?.data).toHaveLength(0)
  })

  it.each<[string, TensorSpec, RegExp]>([
    ['too few bytes', { dims, type: 1, raw: new Uint8Array(8) }, /the tensor 't' float \[3\] needs 12 bytes, got 8/],
    ['too many bytes', { dims, type: 1, raw: new Uint8Array(16) }, /needs 12 bytes, got 16/],
    ['too few elements', { dims, type: 1, floats: [1, 2] }, /needs 3 elements, got 2/],
    ['too many floats', { dims, type: 1, floats: [1, 2, 3, 4] }, /needs 3 elements, got 4/],
    ['a float cut off', { dims, type: 1, floatBytes: new Uint8Array(11) }, /the tensor 't': expected float32 elements of 4 bytes, got 11 bytes/],
    ['too many elements', { dims, type: 6, int32s: [1, 2, 3, 4] }, /needs 3 elements, got 4/],
    ['no elements', { dims, type: 1 }, /needs 3 elements, got 0/],
    ['elements of another type', { dims, type: 1, int32s: [1, 2, 3] }, /needs 3 elements, got 0/],
    ['a huge shape', { dims: [2 ** 31, 2 ** 20], type: 1, floats: [1] }, /needs 2251799813685248 elements/],
    ['a huge raw shape', { dims: [2 ** 40, 2 ** 40], type: 1, raw: new Uint8Array(4) }, /bytes, got 4/],
    ['a negative size', { dims: [-3], type: 1, raw: new Uint8Array(4) }, /expected a shape for the tensor 't', got \[-3\]/],
    ['a type that is none', { dims, type: 99, raw: new Uint8Array(4) }, /expected an element type for the tensor 't', got the number 99/],
  ])('%s: FORMAT', (_name, tensor, message) => {
    expectError(() => constantOf(tensor), 'FORMAT', message)
  })

  it('types and numbers that are not supported', () => {
    expectError(() => constantOf({ dims, type: 8 }), 'UNSUPPORTED', "onnx: the model asks for what is not supported: the tensor 't' has elements of type string")
    expectError(
      () => constantOf({ dims: [1], type: 7, raw: bytes(BigInt64Array.of(2n ** 40n)) }), 'UNSUPPORTED', /holds the integer 1099511627776, which is not an int32/,
    )
  })
})

describe('external data', () => {
  const external = (location: string, more: Record<string, string> = {}): TensorSpec => ({ dims: [2], type: 1, external: { location, ...more } })
  const file = bytes(Float32Array.of(1, 2, 3, 4))
  const model = (location: string): Uint8Array => writeOnnx({
    nodes: [], outputs: [{ name: 't' }], initializers: [{ ...external(location, { offset: '8', length: '8' }), name: 't' }],
  })

  it('is read from a file beside the model', async () => {
    const asked: string[] = []
    const graph = await onnx.read({
      bytes: model('weights/a.bin'), name: 'm.onnx', sibling: async (name) => {
        asked.push(name)
        return file
      },
    }, {})
    expect(asked).toEqual(['weights/a.bin'])
    expect(graph.constants.get('t')?.data).toEqual(Float32Array.of(3, 4))
    const data = constantOf(external('a.bin', { length: '8' }), { files: new Map([['a.bin', file]]) })?.data
    expect(data).toEqual(Float32Array.of(1, 2))
  })

  it.each(['../a.bin', '/a.bin', 'a/../../b', 'C:\\a.bin', 'a\\..\\b', '', '.', 'a//b', 'file:a', 'a\0b'])('refuses the location %j', async (location) => {
    let asked = 0
    const files = {
      bytes: model(location), name: undefined, sibling: async () => {
        asked++
        return file
      },
    }
    await expectRejection(onnx.read(files, {}), 'FORMAT', /^onnx: expected tensor 't' in a file beside the model, got "/)
    expect(asked).toBe(0)
  })

  it('checks offset and length', () => {
    const files = new Map([['a', file]])
    expectError(() => constantOf(external('a', { offset: '17' }), { files }), 'FORMAT', /expected an offset within the 16 bytes of 'a', got 17/)
    expectError(() => constantOf(external('a', { offset: '-1' }), { files }), 'FORMAT', /got -1/)
    expectError(() => constantOf(external('a', { offset: '12', length: '8' }), { files }), 'FORMAT', /stands at bytes 12 to 20 of 'a', which has 16/)
    expectError(() => constantOf(external('a', { length: '12' }), { files }), 'FORMAT', /needs 8 bytes, got 12/)
    expectError(() => constantOf(external('b'), { files }), 'ENVIRONMENT', /is in the file "b", which was not given/)
  })

  it('says what to do where there is no place to look', async () => {
    await expectRejection(onnx.read(onlyBytes(model('a.bin')), {}), 'ENVIRONMENT', /the model refers to the file "a.bin", but only the bytes/)
  })
})
