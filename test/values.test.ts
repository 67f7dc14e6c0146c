import { describe, expect, it } from 'vitest'
import { LstmError } from '../src/errors.ts'
import { arrayNameOf, bytesOf, createData, describeValue, dtypeOfData, isDType, storeChecked } from '../src/values/dtype.ts'
import { checkData, hasShape, NdArray } from '../src/values/ndarray.ts'
import { checkShape, formatShape, lengthOf, sameShape, shapeOfNested } from '../src/values/shape.ts'
import { expectError } from './expect-error.ts'

describe('LstmError', () => {
  it('is an Error with a name, a code and a cause', () => {
    const cause = new Error('inner')
    const error = new LstmError('SHAPE', 'text', { cause })
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.code, error.message, error.cause]).toEqual(['LstmError', 'SHAPE', 'text', cause])
    expect(String(error)).toBe('LstmError: text')
  })
})

describe('dtype', () => {
  it.each([
    ['float32', 4, 'Float32Array', Float32Array], ['int32', 4, 'Int32Array', Int32Array], ['uint8', 1, 'Uint8Array', Uint8Array],
  ] as const)('%s has %i bytes and is a %s', (dtype, bytes, name, type) => {
    expect(bytesOf(dtype)).toBe(bytes)
    expect(arrayNameOf(dtype)).toBe(name)
    expect(createData(dtype, 3)).toEqual(new type(3))
    expect(dtypeOfData(new type(1))).toBe(dtype)
    expect(isDType(dtype)).toBe(true)
  })

  it('knows no others', () => {
    for (const value of ['float64', 'toString', undefined, null, 4]) expect(isDType(value)).toBe(false)
    for (const value of [new Float64Array(1), new Int8Array(1), new DataView(new ArrayBuffer(4)), [1], null, 'float32']) {
      expect(dtypeOfData(value)).toBeUndefined()
    }
  })

  it('stores exact values only, except as float32', () => {
    const floats = new Float32Array(2)
    storeChecked(floats, 1, 'float32', 0.1, 'x')
    expect(floats).toEqual(Float32Array.of(0, 0.1))
    storeChecked(floats, 0, 'float32', NaN, 'x')
    expect(floats[0]).toBeNaN()
    const ints = new Int32Array(1)
    storeChecked(ints, 0, 'int32', -(2 ** 31), 'x')
    expect(ints[0]).toBe(-(2 ** 31))
    expectError(() => storeChecked(ints, 0, 'int32', 2 ** 31, 'x'), 'VALUE', 'x: expected int32 elements, got 2147483648 at element 0')
    expectError(() => storeChecked(ints, 0, 'int32', NaN, 'x'), 'VALUE', 'x: expected int32 elements, got NaN at element 0')
    expectError(() => storeChecked(new Uint8Array(9), 8, 'uint8', -1, 'x'), 'VALUE', 'x: expected uint8 elements, got -1 at element 8')
    expectError(() => storeChecked(floats, 1, 'float32', 1n, 'x'), 'VALUE', 'x: expected numbers, got bigint at element 1')
  })

  it.each([
    [null, 'null'], [undefined, 'undefined'], ['a "b"', '"a \\"b\\""'], ['x'.repeat(41), `"${'x'.repeat(40)}…"`], [3, '3'], [true, 'true'],
    [[1, 2], 'Array'], [new Float64Array(2), 'Float64Array(2)'], [new DataView(new ArrayBuffer(4)), 'DataView'], [{}, 'Object'],
    [Object.create(null), 'object'], [() => 1, 'function'], [Symbol('s'), 'symbol'], [1n, 'bigint'], [new Map(), 'Map'],
    [JSON.parse('{"constructor":{"name":{"toString":1,"valueOf":1}}}'), 'object'], [JSON.parse('{"constructor":null}'), 'object'],
  ])('describes a value, case %#', (value, text) => {
    expect(describeValue(value)).toBe(text)
  })
})

describe('shape', () => {
  it('multiplies sizes', () => {
    expect([lengthOf([]), lengthOf([5]), lengthOf([2, 3, 4]), lengthOf([7, 0])]).toEqual([1, 5, 24, 0])
    expect(lengthOf([...Array<number>(30).fill(2 ** 40), 0])).toBe(0)
  })

  it('prints and compares', () => {
    expect([formatShape(['batch', 28, 28]), formatShape([])]).toEqual(['[batch, 28, 28]', '[]'])
    expect(sameShape([1, 'n'], [1, 'n'])).toBe(true)
    expect(sameShape([1, 2], [1, 3])).toBe(false)
    expect(sameShape([1], [1, 1])).toBe(false)
    expect(sameShape([1, 1], [1])).toBe(false)
    expect(sameShape([2], ['2'])).toBe(false)
  })

  it('is whole numbers whose product memory can hold', () => {
    const shape = [2 ** 16, 2 ** 16]
    expect(checkShape(shape, 'x')).toBe(shape)
    expect(checkShape([0, 2 ** 40], 'x')).toEqual([0, 2 ** 40])
    expectError(() => checkShape([1.5], 'x'), 'VALUE', 'x: expected a shape of whole numbers, got [1.5]')
    expectError(() => checkShape([2, 'batch', NaN], 'x'), 'VALUE', 'x: expected a shape of whole numbers, got [2, "batch", NaN]')
    expectError(() => checkShape([Object.create(null)], 'x'), 'VALUE', 'x: expected a shape of whole numbers, got [object]')
    expectError(() => checkShape([Infinity], 'x'), 'VALUE', 'x: expected a shape of whole numbers, got [Infinity]')
    expectError(() => checkShape('23', 'x'), 'VALUE', 'x: expected a shape as an array of whole numbers, got "23"')
    expectError(() => checkShape(undefined, 'x'), 'VALUE', 'x: expected a shape as an array of whole numbers, got undefined')
    expectError(() => checkShape([2 ** 32 + 1], 'x'), 'MEMORY', 'x: shape [4294967297] has 4294967297 elements, more than memory can hold')
  })

  it('is read along the first elements of nested arrays', () => {
    expect(shapeOfNested([[[1, 2]], [[3, 4]]], 'x')).toEqual([2, 1, 2])
    expect(shapeOfNested(7, 'x')).toEqual([])
    expect(shapeOfNested([], 'x')).toEqual([0])
    expect(shapeOfNested([[], []], 'x')).toEqual([2, 0])
  })

  it('is not that of arrays nested deeper than any shape, or of one that contains itself', () => {
    const nest = (depth: number): unknown => Array.from({ length: depth }).reduce((inner: unknown) => [inner], 1)
    const self: unknown[] = []
    self.push(self)
    expect(shapeOfNested(nest(32), 'x')).toEqual(new Array(32).fill(1))
    for (const nested of [nest(33), nest(20_000), self]) {
      expectError(() => shapeOfNested(nested, 'x'), 'SHAPE', 'x: expected arrays nested at most 32 deep, got deeper ones, or an array that contains itself')
      expectError(() => NdArray.from(nested as number[]), 'SHAPE', /^nested array: expected arrays nested at most 32 deep/)
    }
  })
})

describe('NdArray', () => {
  it('shows the array it is given, without copying', () => {
    const data = Int32Array.of(1, 2, 3, 4, 5, 6)
    const array = new NdArray(data, [2, 3])
    expect([array.dtype, array.shape, array.length]).toEqual(['int32', [2, 3], 6])
    expect(array.data).toBe(data)
    const other = array.reshape([3, 2])
    expect(other.data).toBe(data)
    expect(other.toArray()).toEqual([[1, 2], [3, 4], [5, 6]])
  })

  it('is made from nested arrays and gives them back', () => {
    const array = NdArray.from([[[1.5, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]])
    expect([array.dtype, array.shape]).toEqual(['float32', [3, 2, 2]])
    expect(array.toArray()).toEqual([[[1.5, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]])
    expect(NdArray.from(3, 'uint8').toArray()).toBe(3)
    expect(NdArray.from([], 'int32').toArray()).toEqual([])
    expect(NdArray.from([[], []]).shape).toEqual([2, 0])
  })

  it('refuses what does not fit, by text', () => {
    expectError(() => new NdArray(new Float32Array(5), [2, 3]), 'SHAPE', 'NdArray: expected 6 elements for shape [2, 3], got 5')
    expectError(() => new NdArray(new Float64Array(1) as unknown as Float32Array, [1]), 'VALUE', 'NdArray: expected a Float32Array, Int32Array or Uint8Array, got Float64Array(1)')
    expectError(() => new NdArray([1, 2] as unknown as Float32Array, [2]), 'VALUE', 'NdArray: expected a Float32Array, Int32Array or Uint8Array, got Array')
    expectError(() => new NdArray(new Float32Array(1), [-1]), 'VALUE', 'NdArray: expected a shape of whole numbers, got [-1]')
    expectError(() => NdArray.from([1]).reshape([2]), 'SHAPE', 'NdArray: expected 2 elements for shape [2], got 1')
    expectError(() => NdArray.from([[1, 2], [3]]), 'SHAPE', 'nested array: expected 2 elements along axis 1 of [2, 2], got 1')
    expectError(() => NdArray.from([[1, 2], 3]), 'SHAPE', 'nested array: expected 2 elements along axis 1 of [2, 2], got 3')
    expectError(() => NdArray.from([1, [2]]), 'VALUE', 'nested array: expected numbers, got Array at element 1')
    expectError(() => NdArray.from([[1], [300]], 'uint8'), 'VALUE', 'nested array: expected uint8 elements, got 300 at element 1')
  })

  it('prints dtype, shape and elements, axes longer than 6 cut to their ends', () => {
    expect(String(NdArray.from(1.25))).toBe('float32 [] 1.25')
    expect(String(NdArray.from([]))).toBe('float32 [0] []')
    expect(String(NdArray.from([0.1, -1 / 3, 1e10, NaN, Infinity]))).toBe('float32 [5] [0.1, -0.33333, 10000000000, NaN, Infinity]')
    const data = Int32Array.from({ length: 7 * 2 * 8 }, (_, n) => n)
    expect(String(new NdArray(data, [7, 2, 8]))).toBe([
      'int32 [7, 2, 8] [[[0, 1, 2, …, 5, 6, 7],',
      '  [8, 9, 10, …, 13, 14, 15]],',
      ' [[16, 17, 18, …, 21, 22, 23],',
      '  [24, 25, 26, …, 29, 30, 31]],',
      ' [[32, 33, 34, …, 37, 38, 39],',
      '  [40, 41, 42, …, 45, 46, 47]],',
      ' …,',
      ' [[64, 65, 66, …, 69, 70, 71],',
      '  [72, 73, 74, …, 77, 78, 79]],',
      ' [[80, 81, 82, …, 85, 86, 87],',
      '  [88, 89, 90, …, 93, 94, 95]],',
      ' [[96, 97, 98, …, 101, 102, 103],',
      '  [104, 105, 106, …, 109, 110, 111]]]',
    ].join('\n'))
  })

  it('is told from values without a shape', () => {
    expect(hasShape(NdArray.from([1]))).toBe(true)
    expect(hasShape({ shape: [1], data: [] })).toBe(true)
    for (const value of [null, 1, [1], new Float32Array(1), { shape: 1, data: [] }, { data: [] }, { shape: [1] }]) expect(hasShape(value)).toBe(false)
  })

  it('checks array types by name', () => {
    expectError(() => checkData(new Int32Array(1), 'uint8', 'x'), 'VALUE', 'x: expected uint8 (Uint8Array), got Int32Array(1)')
    checkData(new Int32Array(1), 'int32', 'x')
  })
})
