// Products of 8 bits, of every binary, beside integers and floats of JavaScript: to the bit.
import { beforeEach, describe, expect, it } from 'vitest'
import { Int8Gates } from '../../src/contract/products/int8/pack.ts'
import { MatrixLayout } from '../../src/contract/products/matrix.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'
import { placeProduct } from './product-calls.ts'

const PAGES = 96
/** What int8Kind gives. */
const [SIGNED, WIDE] = [2, 3]

/** Whole numbers from -127 to 127, the ends among them. */
function integers(seed: number, length: number, least: number = -127): Int8Array {
  const q = Int8Array.from(pseudoRandom(seed, length, 127.49), Math.round)
  if (length > 1) q.set([127, least], seed % (length - 1))
  return q
}

/** One row as the kernels quantise it: its scale, and its integers. */
function quantised(row: Float32Array): { scale: number, q: Float64Array } {
  const most = row.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0)
  if (!Number.isFinite(most) || row.some(Number.isNaN)) return { scale: NaN, q: new Float64Array(row.length).fill(NaN) }
  if (most < Math.fround(1e-36)) return { scale: 0, q: new Float64Array(row.length) }
  const factor = Math.fround(127 / most)
  const halfToEven = (x: number): number => Math.fround(Math.fround(x + 12582912) - 12582912)
  return { scale: Math.fround(most / 127), q: Float64Array.from(row, (x) => halfToEven(Math.fround(x * factor))) }
}

/** init + scale(row) scale(column) sum, the sum of whole numbers below 2^53, everything else rounded to float32. */
function expectedProduct(
  a: Float32Array, q: Int8Array, scales: Float32Array, init: (row: number, column: number) => number, rows: number, k: number, columns: number,
): Float32Array {
  const out = new Float32Array(rows * columns)
  for (let row = 0; row < rows; row++) {
    const { scale, q: x } = quantised(a.subarray(row * k, (row + 1) * k))
    for (let column = 0; column < columns; column++) {
      let sum = 0
      for (let n = 0; n < k; n++) sum += (x[n] as number) * (q[column * k + n] as number)
      const factor = Math.fround(scale * (scales[column] as number))
      // The sum of zeros is zero, also where a row is NaN, but its scale is not.
      out[row * columns + column] = Math.fround(Math.fround(Math.fround(Number.isNaN(sum) ? 0 : sum) * factor) + init(row, column))
    }
  }
  return out
}

describeBinaries('products of 8 bits', (binary) => {
  const arena = new Arena(binary, PAGES)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  /** weight (columns, k) with its scales and bias, packed. */
  const pack = (q: Int8Array, scales: Float32Array, bias: Float32Array | undefined, k: number, columns: number): number => {
    const kind = kernels.int8Kind(Number(q.includes(-128)))
    const packedPtr = arena.allocate(kernels.packedInt8Bytes(k, columns, kind))
    const layout = arena.record(MatrixLayout, { outer: 1, inner: k, columns, outerStride: 0, innerStride: 1, columnStride: k })
    kernels.packStridedI8(layout, packedPtr, arena.int8s(q), arena.floats(scales), bias === undefined ? 0 : arena.floats(bias), kind)
    return packedPtr
  }
  const product = (packedPtr: number, a: Float32Array, rows: number, k: number, columns: number): Float32Array => {
    const outPtr = arena.allocate(rows * columns * 4)
    kernels.gemmF32(placeProduct(arena, rows, k, columns), packedPtr, arena.floats(a), outPtr, arena.allocate(kernels.gemmWorkspaceBytes(packedPtr, rows)))
    return arena.read(outPtr, rows * columns)
  }

  // Around the lengths at which turns, tiles and blocks end.
  it.each([
    [1, 1, 1], [1, 3, 17], [2, 5, 33], [3, 15, 16], [4, 16, 5], [5, 17, 48], [6, 31, 97], [7, 130, 31], [13, 257, 31], [1, 300, 129], [25, 385, 50],
    [64, 260, 260],
    [7, 4099, 6], [2, 1, 200],
  ])('of %i rows, %i terms and %i columns', (rows, k, columns) => {
    const a = Float32Array.from(pseudoRandom(1, rows * k, 3))
    const q = integers(2, columns * k)
    const [scales, bias] = [Float32Array.from(pseudoRandom(3, columns, 0.01)), Float32Array.from(pseudoRandom(4, columns, 2))]
    const packedPtr = pack(q, scales, bias, k, columns)
    const expected = expectedProduct(a, q, scales, (_row, column) => bias[column] as number, rows, k, columns)
    expect(product(packedPtr, a, rows, k, columns)).toEqual(expected)
  })

  it('sums of the largest numbers do not wrap, of either sign', () => {
    const k = 131072
    const q = new Int8Array(2 * k).fill(127, 0, k).fill(-127, k)
    const packedPtr = pack(q, Float32Array.of(1, 1), undefined, k, 2)
    for (const sign of [1, -1]) {
      const a = new Float32Array(k).fill(sign)
      const most = sign * Math.fround(127 * 127 * k) * Math.fround(1 / 127)
      expect(product(packedPtr, a, 1, k, 2)).toEqual(Float32Array.of(most, -most))
      arena.clear()
      pack(q, Float32Array.of(1, 1), undefined, k, 2)
    }
  })

  it('a row with a NaN or an infinite number makes NaN, of its own outputs alone; tiny rows are zeros', () => {
    const [rows, k, columns] = [9, 21, 19]
    const a = Float32Array.from(pseudoRandom(5, rows * k, 1))
    a[k + 20] = NaN
    a[2 * k] = Infinity
    a[3 * k + 16] = -Infinity
    a.fill(0, 5 * k, 6 * k)
    a.fill(1e-37, 6 * k, 7 * k)
    a[8 * k + 4] = 3e38
    const q = integers(6, columns * k)
    q.fill(0, 0, k)
    const [scales, bias] = [new Float32Array(columns).fill(0.5), Float32Array.from(pseudoRandom(7, columns, 2))]
    const got = product(pack(q, scales, bias, k, columns), a, rows, k, columns)
    expect(got).toEqual(expectedProduct(a, q, scales, (_row, column) => bias[column] as number, rows, k, columns))
    for (const row of [1, 2, 3]) expect(got.subarray(row * columns, (row + 1) * columns).every(Number.isNaN)).toBe(true)
    for (const row of [5, 6]) expect(got.subarray(row * columns, (row + 1) * columns)).toEqual(bias)
    expect(got.subarray(4 * columns, 5 * columns).some(Number.isNaN)).toBe(false)
  })

  it('weights of -128 are multiplied exactly as well', () => {
    const [rows, k, columns] = [7, 37, 21]
    const a = Float32Array.from(pseudoRandom(8, rows * k, 1))
    const q = integers(9, columns * k, -128)
    expect(q.includes(-128)).toBe(true)
    const scales = new Float32Array(columns).fill(0.01)
    const packedPtr = pack(q, scales, undefined, k, columns)
    expect(arena.readInts(packedPtr, 1)[0]).not.toBe(SIGNED)
    expect(product(packedPtr, a, rows, k, columns)).toEqual(expectedProduct(a, q, scales, () => 0, rows, k, columns))
  })

  it('rows alone, in a batch and in groups give the same bits', () => {
    const [rows, k, columns] = [61, 5000, 20]
    const a = Float32Array.from(pseudoRandom(10, rows * k, 1))
    const packedPtr = pack(integers(11, columns * k), new Float32Array(columns).fill(0.01), undefined, k, columns)
    const together = product(packedPtr, a, rows, k, columns)
    const [aPtr, outPtr, workspacePtr] = [arena.floats(a), arena.allocate(columns * 4), arena.allocate(kernels.gemmWorkspaceBytes(packedPtr, 1))]
    const call = placeProduct(arena, 1, k, columns)
    for (let row = 0; row < rows; row++) {
      kernels.gemmF32(call, packedPtr, aPtr + row * k * 4, outPtr, workspacePtr)
      expect(arena.read(outPtr, columns)).toEqual(together.slice(row * columns, (row + 1) * columns))
    }
  })

  it('gates lie as those of float32: units of four side by side, biases added', () => {
    const [k, hiddenSize, gates] = [11, 6, 4]
    const q = integers(12, gates * hiddenSize * k)
    const scales = Float32Array.from(pseudoRandom(13, gates * hiddenSize, 0.01))
    const [first, second] = [Float32Array.from(pseudoRandom(14, gates * hiddenSize, 1)), Float32Array.from(pseudoRandom(15, gates * hiddenSize, 1))]
    const a = Float32Array.from(pseudoRandom(16, k, 1))
    const kind = kernels.int8Kind(0)
    const packedPtr = arena.allocate(kernels.packedInt8GatesBytes(k, hiddenSize, gates, kind))
    const call = arena.record(Int8Gates, { k, hiddenSize, gates, forgetBias: 1.5, kind })
    kernels.packGatesI8(call, packedPtr, arena.int8s(q), arena.floats(scales), arena.floats(first), arena.floats(second))
    const got = product(packedPtr, a, 1, k, 32)
    const bias = first.map((value, n) => Math.fround(value + (second[n] as number)) + (n >= hiddenSize && n < 2 * hiddenSize ? 1.5 : 0))
    const expected = expectedProduct(a, q, scales, (_row, column) => bias[column] as number, 1, k, gates * hiddenSize)
    for (let gate = 0; gate < gates; gate++) {
      for (let unit = 0; unit < 8; unit++) {
        const column = (Math.floor(unit / 4) * gates + gate) * 4 + unit % 4
        expect(got[column]).toBe(unit < hiddenSize ? expected[gate * hiddenSize + unit] : 0)
      }
    }
  })
})

describe('the way of 8 bits', () => {
  describeBinaries('', (binary) => {
    it('is the widening one without a dot, and one of three with it', () => {
      const { int8Kind } = new Arena(binary, 8).kernels
      if (binary.name === 'relaxed-simd') expect([1, SIGNED, WIDE]).toContain(int8Kind(0))
      else expect(int8Kind(0)).toBe(WIDE)
      expect(int8Kind(1)).toBe(int8Kind(0) === SIGNED ? WIDE : int8Kind(0))
    })
  })
})
