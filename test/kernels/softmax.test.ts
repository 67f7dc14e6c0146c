import { beforeEach, expect, it } from 'vitest'
import { pseudoRandom } from '../random.ts'
import { SMALLEST_FLOAT32, softmaxRelative } from '../tolerance.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'

describeBinaries('softmaxF32', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  function expectSoftmax(got: Float32Array, row: Float32Array): void {
    const highest = Math.max(...row)
    const exps = Array.from(row, (x) => Math.exp(x - highest))
    const sum = exps.reduce((total, e) => total + e, 0)
    got.forEach((value, n) => {
      const expected = (exps[n] as number) / sum
      const bound = softmaxRelative(highest - (row[n] as number), row.length) * expected + SMALLEST_FLOAT32
      expect(Math.abs(value - expected), `element ${n}: ${value}, expected ${expected}`).toBeLessThanOrEqual(bound)
    })
  }

  it.each([1, 2, 3, 4, 5, 16, 17, 33])('of %i columns agrees with the reference in every row, also in place', (columns) => {
    for (const scale of [1, 30, 120]) {
      arena.clear()
      const rows = 3
      const x = pseudoRandom(columns, rows * columns, scale)
      const inPtr = arena.floats(x)
      const outPtr = arena.allocate(rows * columns * 4)
      arena.call([[outPtr, rows * columns * 4]], () => kernels.softmaxF32(inPtr, outPtr, 0, rows, columns))
      const got = arena.read(outPtr, rows * columns)
      for (let row = 0; row < rows; row++) {
        expectSoftmax(got.slice(row * columns, (row + 1) * columns), x.slice(row * columns, (row + 1) * columns))
      }
      arena.call([[inPtr, rows * columns * 4]], () => kernels.softmaxF32(inPtr, inPtr, 0, rows, columns))
      expect(arena.read(inPtr, rows * columns)).toEqual(got)
    }
  })

  it.each([[0, 1], [1, 3], [4, 5], [2, 2]] as const)('works on rows %i to %i only', (begin, end) => {
    const [rows, columns] = [5, 7]
    const inPtr = arena.floats(pseudoRandom(1, rows * columns, 3))
    const [allPtr, outPtr] = [arena.allocate(rows * columns * 4), arena.allocate(rows * columns * 4)]
    kernels.softmaxF32(inPtr, allPtr, 0, rows, columns)
    const [offset, bytes] = [begin * columns * 4, (end - begin) * columns * 4]
    arena.call([[outPtr + offset, bytes]], () => kernels.softmaxF32(inPtr, outPtr, begin, end, columns))
    expect(arena.bytes(outPtr + offset, bytes)).toEqual(arena.bytes(allPtr + offset, bytes))
  })

  it('does not overflow, and gives equal shares to equal elements', () => {
    const ptr = arena.floats([3e38, 3e38, -3e38, 3e38, 3e38])
    kernels.softmaxF32(ptr, ptr, 0, 1, 5)
    expect([...arena.read(ptr, 5)]).toEqual([0.25, 0.25, 0, 0.25, 0.25])
  })

  it('gives 0 to -Infinity beside finite elements', () => {
    const ptr = arena.floats([-Infinity, 1, -Infinity, 1, -Infinity])
    kernels.softmaxF32(ptr, ptr, 0, 1, 5)
    expect([...arena.read(ptr, 5)]).toEqual([0, 0.5, 0, 0.5, 0])
  })

  it.each([
    ['a NaN', [1, 2, NaN, 3, 4]],
    ['Infinity', [1, 2, 3, 4, Infinity]],
    ['nothing but -Infinity', [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity]],
  ] as const)('makes a row with %s NaN, as PyTorch does, and no other row', (_what, row) => {
    const clean = [0.5, -1, 2, 0, 1]
    const ptr = arena.floats([...clean, ...row, ...clean])
    kernels.softmaxF32(ptr, ptr, 0, 3, 5)
    const got = arena.read(ptr, 15)
    expect([...got.subarray(5, 10)]).toEqual([NaN, NaN, NaN, NaN, NaN])
    expectSoftmax(got.slice(0, 5), Float32Array.from(clean))
    expect(got.slice(10)).toEqual(got.slice(0, 5))
  })
})
