import { beforeEach, expect, it } from 'vitest'
import { pseudoRandom } from '../random.ts'
import { dotDistance } from '../tolerance.ts'
import { describeBinaries } from '../variants.ts'
import { Arena, rowRanges } from './arena.ts'
import { placeProduct } from './product-calls.ts'

type Call = ReturnType<typeof placeProduct>

const SIZES = [1, 3, 5, 16, 17, 33]

/** out = bias + weight @ row, in float64, and the sum of the magnitudes of all terms. */
function reference(row: Float32Array, weight: Float32Array, bias: Float32Array | undefined, column: number): [sum: number, magnitude: number] {
  let sum = bias?.[column] ?? 0
  let magnitude = Math.abs(sum)
  row.forEach((a, k) => {
    const product = a * (weight[column * row.length + k] as number)
    sum += product
    magnitude += Math.abs(product)
  })
  return [sum, magnitude]
}

describeBinaries('packDenseF32', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  it.each(SIZES.flatMap((k) => SIZES.map((columns) => [k, columns])) as [number, number][])(
    'lays %i inputs and %i columns out in blocks of 16, padded with zeros', (k, columns) => {
      const weight = pseudoRandom(1, columns * k, 1)
      const bias = pseudoRandom(2, columns, 1)
      const [weightPtr, biasPtr] = [arena.floats(weight), arena.floats(bias)]
      const blocks = Math.ceil(columns / 16)
      const bytes = kernels.packedDenseBytes(k, columns)
      expect(bytes).toBe(64 + blocks * (k + 1) * 64)
      for (const withBias of [true, false]) {
        const packedPtr = arena.allocate(bytes)
        arena.call([[packedPtr, bytes]], () => kernels.packDenseF32(packedPtr, weightPtr, withBias ? biasPtr : 0, k, columns))
        const expected = new Float32Array(bytes / 4 - 16)
        for (let column = 0; column < columns; column++) {
          const at = Math.floor(column / 16) * (k + 1) * 16 + column % 16
          if (withBias) expected[at] = bias[column] as number
          for (let row = 0; row < k; row++) expected[at + (row + 1) * 16] = weight[column * k + row] as number
        }
        expect(arena.read(packedPtr + 64, expected.length)).toEqual(expected)
        expect([...new Int32Array(arena.bytes(packedPtr, 12).buffer)]).toEqual([0, k, columns])
      }
    },
  )
})

describeBinaries('gemmF32', (binary) => {
  const arena = new Arena(binary)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  function pack(weight: Float32Array, bias: Float32Array | undefined, k: number, columns: number): number {
    const weightPtr = arena.floats(weight)
    const biasPtr = bias === undefined ? 0 : arena.floats(bias)
    const packedPtr = arena.allocate(kernels.packedDenseBytes(k, columns))
    kernels.packDenseF32(packedPtr, weightPtr, biasPtr, k, columns)
    return packedPtr
  }

  function expectProduct(outPtr: number, row: Float32Array, weight: Float32Array, bias: Float32Array | undefined, columns: number): void {
    const got = arena.read(outPtr, columns)
    got.forEach((value, column) => {
      const [sum, magnitude] = reference(row, weight, bias, column)
      expect(Math.abs(value - sum), `column ${column}: ${value}, expected ${sum}`).toBeLessThanOrEqual(dotDistance(row.length + 1, magnitude))
    })
  }

  it.each(SIZES.flatMap((k) => SIZES.map((columns) => [k, columns])) as [number, number][])(
    'multiplies rows of %i by %i columns', (k, columns) => {
      for (const rows of [1, 2, 3, 5, 16, 17, 33]) {
        arena.clear()
        const a = pseudoRandom(rows, rows * k, 2)
        const weight = pseudoRandom(100 + k, columns * k, 1)
        const bias = rows % 2 === 1 ? pseudoRandom(200 + columns, columns, 1) : undefined
        const aPtr = arena.floats(a)
        const packedPtr = pack(weight, bias, k, columns)
        const outPtr = arena.allocate(rows * columns * 4)
        const call = placeProduct(arena, rows, k, columns)
        arena.call([[outPtr, rows * columns * 4]], () => kernels.gemmF32(call, packedPtr, aPtr, outPtr, 0))
        for (let row = 0; row < rows; row++) {
          expectProduct(outPtr + row * columns * 4, a.subarray(row * k, (row + 1) * k), weight, bias, columns)
        }
      }
    },
  )

  it('gives a row the same bits wherever it stands among any number of rows, also beyond one group of rows', () => {
    const [k, columns, rows] = [257, 33, 33] // 257 inputs: groups of 14 rows
    const packedPtr = pack(pseudoRandom(1, columns * k, 1), pseudoRandom(2, columns, 1), k, columns)
    const aPtr = arena.floats(pseudoRandom(3, rows * k, 2))
    const outPtr = arena.allocate(rows * columns * 4)
    const alonePtr = arena.allocate(columns * 4)
    kernels.gemmF32(placeProduct(arena, rows, k, columns), packedPtr, aPtr, outPtr, 0)
    const call = placeProduct(arena, 1, k, columns)
    for (let row = 0; row < rows; row++) {
      kernels.gemmF32(call, packedPtr, aPtr + row * k * 4, alonePtr, 0)
      expect(arena.bytes(outPtr + row * columns * 4, columns * 4), `row ${row}`).toEqual(arena.bytes(alonePtr, columns * 4))
    }
  })

  it.each([
    { direction: 'forwards', batch: 3, timesteps: 5 },
    { direction: 'forwards', batch: 1, timesteps: 7 },
    { direction: 'backwards', batch: 3, timesteps: 5 },
    { direction: 'backwards', batch: 5, timesteps: 33 },
  ])('reads [batch $batch, timesteps $timesteps, features] time-major, $direction, without a transposed copy', ({ direction, batch, timesteps }) => {
    const [k, columns] = [5, 17]
    const rows = batch * timesteps
    const a = pseudoRandom(1, rows * k, 2)
    const weight = pseudoRandom(2, columns * k, 1)
    const bias = pseudoRandom(3, columns, 1)
    const aPtr = arena.floats(a)
    const packedPtr = pack(weight, bias, k, columns)
    const outPtr = arena.allocate(rows * columns * 4)
    const sign = direction === 'forwards' ? 1 : -1
    const firstPtr = sign > 0 ? aPtr : aPtr + (timesteps - 1) * k * 4
    const call = placeProduct(arena, batch, k, columns, { steps: timesteps, aStepBytes: sign * k * 4, aRowBytes: timesteps * k * 4 })
    arena.call([[outPtr, rows * columns * 4]], () => kernels.gemmF32(call, packedPtr, firstPtr, outPtr, 0))
    for (let n = 0; n < timesteps; n++) {
      const t = sign > 0 ? n : timesteps - 1 - n
      for (let b = 0; b < batch; b++) {
        const at = (b * timesteps + t) * k
        expectProduct(outPtr + (n * batch + b) * columns * 4, a.subarray(at, at + k), weight, bias, columns)
      }
    }
  })

  it('walks rows of both sides backwards, and leaves the gaps between output rows alone', () => {
    const [rows, k, columns, outRow] = [5, 3, 17, 20]
    const a = pseudoRandom(1, rows * k, 2)
    const weight = pseudoRandom(2, columns * k, 1)
    const aPtr = arena.floats(a)
    const packedPtr = pack(weight, undefined, k, columns)
    const outPtr = arena.allocate(rows * outRow * 4)
    const lastRow = (rows - 1) * outRow * 4
    const call = placeProduct(arena, rows, k, columns, { aRowBytes: -k * 4, outRowBytes: -outRow * 4 })
    arena.call(rowRanges(outPtr, outRow * 4, rows, columns * 4), () => (
      kernels.gemmF32(call, packedPtr, aPtr + (rows - 1) * k * 4, outPtr + lastRow, 0)
    ))
    for (let row = 0; row < rows; row++) {
      expectProduct(outPtr + row * outRow * 4, a.subarray(row * k, (row + 1) * k), weight, undefined, columns)
    }
  })

  it.each([1, 2, 3, 5])('makes the same bits of %i steps at a time as of all at once', (length) => {
    const [batch, timesteps, k, columns] = [3, 7, 17, 33]
    const stepBytes = batch * columns * 4
    const packedPtr = pack(pseudoRandom(1, columns * k, 1), pseudoRandom(2, columns, 1), k, columns)
    const aPtr = arena.floats(pseudoRandom(3, batch * timesteps * k, 2))
    const callOf = (steps: number): Call => placeProduct(arena, batch, k, columns, { steps, aStepBytes: k * 4, aRowBytes: timesteps * k * 4 })
    const run = (call: Call, outPtr: number, begin: number): void => (
      kernels.gemmF32(call, packedPtr, aPtr + begin * k * 4, outPtr + begin * stepBytes, 0)
    )
    const [allPtr, partsPtr] = [arena.allocate(timesteps * stepBytes), arena.allocate(timesteps * stepBytes)]
    run(callOf(timesteps), allPtr, 0)
    for (let begin = 0; begin < timesteps; begin += length) {
      const steps = Math.min(length, timesteps - begin)
      const call = callOf(steps)
      arena.call([[partsPtr + begin * stepBytes, steps * stepBytes]], () => run(call, partsPtr, begin))
    }
    expect(arena.bytes(partsPtr, timesteps * stepBytes)).toEqual(arena.bytes(allPtr, timesteps * stepBytes))
  })

  it.each([[0, 1], [1, 0], [0, 0]])('does nothing for %i steps of %i rows', (steps, rows) => {
    const packedPtr = pack(pseudoRandom(1, 3, 1), undefined, 1, 3)
    const aPtr = arena.floats([1])
    const call = placeProduct(arena, rows, 1, 3, { steps })
    arena.call([], () => kernels.gemmF32(call, packedPtr, aPtr, 64, 0))
  })
})
