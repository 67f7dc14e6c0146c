// Windows against loops without vectors: pools to the bit, convolutions as the product of windows that are gathered one by one.
import fc from 'fast-check'
import { beforeEach, expect, it } from 'vitest'
import { ConvolveCall } from '../../src/contract/windows/convolve.ts'
import { PoolCall } from '../../src/contract/windows/pool.ts'
import type { RecordValues } from '../../src/values/record.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries } from '../variants.ts'
import { Arena } from './arena.ts'
import { placeProduct } from './product-calls.ts'

type Pool = RecordValues<typeof PoolCall>
type Convolve = RecordValues<typeof ConvolveCall>

/** Random numbers among which are zeros of both signs, infinities and numbers below the smallest normal one. */
function unusual(length: number, seed: number, most: number): Float32Array {
  const special = [0, -0, Infinity, -Infinity, 1e-42, -1e-42]
  const [values, choice] = [pseudoRandom(seed, length, 1), pseudoRandom(seed + 1, length, 10)]
  return values.map((value, n) => Math.min(most, special[Math.floor(Math.abs(choice[n] as number))] ?? value))
}

/** Indices n of `size` that a window looks at: begin, begin + dilation, ... */
const insideOf = (begin: number, window: number, dilation: number, size: number): number[] =>
  Array.from({ length: window }, (_, n) => begin + n * dilation).filter((n) => n >= 0 && n < size)

function plainPool(call: Pool, x: Float32Array): Float32Array {
  const { what, countPad, planes, height, width, inner, windowHeight, windowWidth, strideRows, strideColumns, padTop, padLeft } = call
  const { padBottom, padRight, dilationRows, dilationColumns, outHeight, outWidth } = call
  const out = new Float32Array(planes * outHeight * outWidth * inner)
  for (let n = 0; n < out.length; n++) {
    const [channel, c] = [n % inner, Math.floor(n / inner) % outWidth]
    const [r, plane] = [Math.floor(n / inner / outWidth) % outHeight, Math.floor(n / inner / outWidth / outHeight)]
    const [top, left] = [r * strideRows - padTop, c * strideColumns - padLeft]
    const values = insideOf(top, windowHeight, dilationRows, height).flatMap((row) => (
      insideOf(left, windowWidth, dilationColumns, width).map((column) => x[((plane * height + row) * width + column) * inner + channel] as number)
    ))
    // With the padding in front, and as far as that behind goes.
    const counted = countPad
      ? insideOf(top + padTop, windowHeight, dilationRows, padTop + height + padBottom).length
      * insideOf(left + padLeft, windowWidth, dilationColumns, padLeft + width + padRight).length
      : values.length
    const sum = Math.fround(values.reduce((total, value) => Math.fround(total + value), 0))
    out[n] = what === 0 ? Math.max(...values) : what === 1 ? sum / counted : sum
  }
  return out
}

const axis = fc.record({
  window: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 1, max: 4 }), dilation: fc.integer({ min: 1, max: 2 }),
  before: fc.nat(4), after: fc.nat(4), more: fc.nat(25), ceil: fc.boolean(),
})

/** Rows, or columns: how long, and how many windows. */
function sized(one: { window: number, stride: number, dilation: number, before: number, after: number, more: number, ceil: boolean }, mostPad: number) {
  const reach = (one.window - 1) * one.dilation + 1
  const [before, after] = [Math.min(one.before, mostPad), Math.min(one.after, mostPad)]
  const size = Math.max(1, reach - before - after) + one.more
  const steps = (size + before + after - reach) / one.stride
  return { size, before, after, count: Math.floor(steps) + 1 + (one.ceil && !Number.isInteger(steps) ? 1 : 0), reach }
}

describeBinaries('poolF32', (binary) => {
  const arena = new Arena(binary, 16)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  function run(call: Pool, x: Float32Array): Float32Array {
    const [callPtr, xPtr] = [arena.record(PoolCall, call), arena.floats(x)]
    const length = call.planes * call.outHeight * call.outWidth * call.inner
    const outPtr = arena.allocate(length * 4)
    arena.call([[outPtr, length * 4]], () => kernels.poolF32(callPtr, xPtr, outPtr))
    return arena.read(outPtr, length)
  }

  const settings = fc.record({
    rows: axis, columns: axis, planes: fc.constantFrom(1, 3), inner: fc.constantFrom(1, 1, 2, 3, 4, 5, 9), what: fc.nat(2), countPad: fc.nat(1),
    seed: fc.nat(999),
    most: fc.constantFrom(Infinity, Infinity, 0, -0.25), nan: fc.constantFrom(0, 0, 0x7fc00000, 0xffc00000, 0xff800001, 0x7f800001),
  })

  it('has the bits of loops without vectors: windows, strides, padding, channels, zeros of both signs, infinities and NaN of both signs', () => {
    fc.assert(fc.property(settings, ({ rows, columns, planes, inner, what, countPad, seed, most, nan }) => {
      arena.clear()
      const [tall, wide] = [sized({ ...rows, more: rows.more % 7 }, (rows.window - 1) * rows.dilation), sized(columns, (columns.window - 1) * columns.dilation)]
      const call: Pool = {
        what, countPad: what === 1 ? countPad : 0, planes, height: tall.size, width: wide.size, inner, windowHeight: rows.window, windowWidth: columns.window,
        strideRows: rows.stride, strideColumns: columns.stride, padTop: tall.before, padLeft: wide.before, padBottom: tall.after, padRight: wide.after,
        dilationRows: rows.dilation, dilationColumns: columns.dilation, outHeight: tall.count, outWidth: wide.count,
      }
      const x = unusual(planes * tall.size * wide.size * inner, seed, most)
      const bits = new Uint32Array(x.buffer)
      for (let n = seed % 23; nan !== 0 && n < bits.length; n += 23) bits[n] = nan
      const [got, expected] = [run(call, x), plainPool(call, x)]
      const wrong = got.findIndex((value, n) => !Object.is(value, expected[n]))
      if (wrong >= 0) expect.fail(`${JSON.stringify(call)}: out[${wrong}] is ${got[wrong]}, expected ${expected[wrong]}`)
    }), { numRuns: 600, seed: 6 })
  })
})

describeBinaries('convolveF32', (binary) => {
  const arena = new Arena(binary, 16)
  const { kernels } = arena
  beforeEach(() => arena.clear())

  /** A group of channels of x (height, width, groups channels), gathered by the kernel and one by one: the same product of both. */
  function expectSame(call: Convolve, groups: number, columns: number, seed: number): void {
    const { height, width, channels, windowHeight, windowWidth, strideRows, strideColumns, padTop, padLeft } = call
    const { dilationRows, dilationColumns, outHeight, outWidth } = call
    const [rows, k] = [outHeight * outWidth, windowHeight * windowWidth * channels]
    const x = pseudoRandom(seed, height * width * groups * channels, 1)
    const wPtr = arena.allocate(kernels.packedDenseBytes(k, columns))
    kernels.packDenseF32(wPtr, arena.floats(pseudoRandom(seed + 1, columns * k, 1)), arena.floats(pseudoRandom(seed + 2, columns, 1)), k, columns)
    const group = groups - 1
    const windows = new Float32Array(rows * k)
    for (let n = 0, position = 0; position < rows; position++) {
      for (let tap = 0; tap < windowHeight * windowWidth; tap++) {
        const row = Math.floor(position / outWidth) * strideRows - padTop + Math.floor(tap / windowWidth) * dilationRows
        const column = position % outWidth * strideColumns - padLeft + tap % windowWidth * dilationColumns
        const isInside = row >= 0 && row < height && column >= 0 && column < width
        for (let c = 0; c < channels; c++) windows[n++] = isInside ? x[((row * width + column) * groups + group) * channels + c] as number : 0
      }
    }
    const expectedPtr = arena.allocate(rows * columns * 4)
    kernels.gemmF32(placeProduct(arena, rows, k, columns), wPtr, arena.floats(windows), expectedPtr, 0)
    const [callPtr, xPtr, outPtr] = [arena.record(ConvolveCall, call), arena.floats(x), arena.allocate(rows * columns * 4)]
    const workspaceBytes = kernels.convolveWorkspaceBytes(rows, k, 0)
    const workspacePtr = arena.allocate(workspaceBytes)
    arena.call([[outPtr, rows * columns * 4], [workspacePtr, workspaceBytes]], () => (
      kernels.convolveF32(callPtr, wPtr, xPtr + group * channels * 4, outPtr, workspacePtr)
    ))
    expect(arena.read(outPtr, rows * columns), JSON.stringify(call)).toEqual(arena.read(expectedPtr, rows * columns))
  }

  const settings = fc.record({
    rows: axis, columns: axis, channels: fc.constantFrom(1, 1, 2, 3, 4, 5, 8, 9), groups: fc.constantFrom(1, 1, 3), filters: fc.constantFrom(1, 3, 17),
    seed: fc.nat(999),
  })

  it('has the bits of the product of its windows: channels, groups, strides, dilations, padding that is wider than a window', () => {
    fc.assert(fc.property(settings, ({ rows, columns, channels, groups, filters, seed }) => {
      arena.clear()
      const [tall, wide] = [sized({ ...rows, more: rows.more % 7, ceil: false }, 4), sized({ ...columns, more: columns.more % 11, ceil: false }, 4)]
      expectSame({
        height: tall.size, width: wide.size, channels, xPixelBytes: groups * channels * 4, windowHeight: rows.window, windowWidth: columns.window,
        strideRows: rows.stride, strideColumns: columns.stride, padTop: tall.before, padLeft: wide.before, dilationRows: rows.dilation,
        dilationColumns: columns.dilation, outHeight: tall.count, outWidth: wide.count, outPixelBytes: filters * 4,
      }, groups, filters, seed)
    }), { numRuns: 300, seed: 7 })
  })

  it.each([1, 2])('%i channels, in portions that end within a row', (channels) => {
    expectSame({
      height: 61, width: 67, channels, xPixelBytes: channels * 4, windowHeight: 3, windowWidth: 3, strideRows: 1, strideColumns: 1, padTop: 1, padLeft: 1,
      dilationRows: 1, dilationColumns: 1, outHeight: 61, outWidth: 67, outPixelBytes: 20,
    }, 1, 5, 3)
  })
})
