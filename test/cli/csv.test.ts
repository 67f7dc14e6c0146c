import { describe, expect, it } from 'vitest'
import { formatCsv, parseCsv } from '../../src/cli/csv.ts'
import { shortest } from '../../src/cli/shortest.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'

describe('parseCsv', () => {
  it.each([
    ['1,2\n3,4\n', [[1, 2], [3, 4]]],
    ['1,2\r\n3,4\r\n\r\n', [[1, 2], [3, 4]]],
    ['\ufeff1\r2\r3', [[1], [2], [3]]],
    ['a, b\n 1 , -2.5e-3\n', [[1, Math.fround(-0.0025)]]],
    ['x\n+.5\n1.\n1E+2', [[0.5], [1], [100]]],
    ['nan,-inf,Infinity,+INF\n', [[NaN, -Infinity, Infinity, Infinity]]],
  ])('reads %j', (text, expected) => {
    expect(parseCsv(text, 'float32').toArray()).toEqual(expected)
  })

  it('reads whole numbers for int32 and uint8', () => {
    expect(parseCsv('1,-2\n3.0,2e3', 'int32')).toEqual(NdArray.from([[1, -2], [3, 2000]], 'int32'))
    expect(parseCsv('0,255', 'uint8').data).toEqual(Uint8Array.of(0, 255))
  })

  it.each([
    ['', 'expected lines of numbers, got an empty file'],
    ['a,b\n', 'expected lines of numbers, got one line without any: "a,b"'],
    ['1,2\n3\n', 'line 2: expected 2 columns as in line 1, got 1'],
    ['a\n1\n2,3\n', 'line 3: expected 1 column as in line 2, got 2'],
    ['1,2\n\n3,4\n', 'line 2: expected 2 columns as in line 1, got an empty line'],
    ['1,2\n3,x\n', 'line 2, column 2: expected a number, got "x"'],
    ['a,b\nc,d\n', 'line 2, column 1: expected a number, got "c"'],
    [',0,1\n0,5,6', 'line 1, column 1: expected a number, got an empty cell'],
    ['1,2,\n', 'line 1, column 3: expected a number, got an empty cell'],
    ['1,0x10', 'line 1, column 2: expected a number, got "0x10"'],
    ['1,constructor', 'line 1, column 2: expected a number, got "constructor"'],
    ['a\n1;2', 'line 2, column 1: expected a number, got "1;2"; cells are separated by commas'],
    ['a\n1 2', 'line 2, column 1: expected a number, got "1 2"; cells are separated by commas'],
    [`1,${'x'.repeat(99)}`, `line 1, column 2: expected a number, got "${'x'.repeat(40)}…"`],
  ])('refuses %j', (text, message) => {
    expectError(() => parseCsv(text, 'float32'), 'FORMAT', message)
  })

  it.each([
    ['1,2\n3,4.5', 'int32', 'line 2, column 2: expected a whole number (int32), got 4.5'],
    ['2147483648', 'int32', 'line 1, column 1: expected a whole number (int32), got 2147483648'],
    ['nan', 'int32', 'line 1, column 1: expected a whole number (int32), got NaN'],
    ['-1', 'uint8', 'line 1, column 1: expected a whole number (uint8, 0 to 255), got -1'],
  ] as const)('refuses %j for %s', (text, dtype, message) => {
    expectError(() => parseCsv(text, dtype), 'VALUE', message)
  })
})

describe('formatCsv', () => {
  it('writes the last axis as columns and all others as rows', () => {
    expect(formatCsv(NdArray.from([[[1, 2], [3, 4]], [[5, 6], [7, 0.1]]]))).toBe('1,2\n3,4\n5,6\n7,0.1\n')
    expect(formatCsv(NdArray.from([1, -2], 'int32'))).toBe('1,-2\n')
    expect(formatCsv(NdArray.from(3))).toBe('3\n')
    expect(formatCsv(NdArray.from([NaN, -Infinity]))).toBe('NaN,-Infinity\n')
  })

  it('writes what parseCsv reads, bit for bit', () => {
    const bits = Uint32Array.from({ length: 4000 }, (_, n) => Math.imul(n + 1, 2654435761))
    const array = new NdArray(new Float32Array(bits.buffer), [400, 10])
    expect(parseCsv(formatCsv(array), 'float32')).toEqual(array)
  })
})

describe('shortest', () => {
  it('has no more digits than tell a float32 from its neighbours', () => {
    expect([0.1, 16777216, 1e-45, 3.4028234663852886e38, 0.3333333432674408, -0.5].map((value) => shortest(Math.fround(value))))
      .toEqual([0.1, 16777216, 1.4013e-45, 3.4028235e38, 0.33333334, -0.5])
    expect([NaN, Infinity, 0].map(shortest)).toEqual([NaN, Infinity, 0])
  })
})
