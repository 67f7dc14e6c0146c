// Running sums, largest elements and scattered ones, against loops over every index.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import { createData, type DType } from '../../../src/values/dtype.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import { lengthOf, type Shape } from '../../../src/values/shape.ts'
import { expectRejection } from '../../expect-error.ts'
import { BINARIES, describeBinaries, runtimeOf, type Binary } from '../../variants.ts'
import { at, check, data, fold, ints, make, run, type OneNode } from '../one-node.ts'

const moved = (index: readonly number[], axis: number, n: number): number[] => index.map((own, position) => (position === axis ? n : own))
const shapes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })
const numbers = fc.constantFrom<DType>('float32', 'int32')

/** Few distinct elements, so that many are equal. */
function coarse(dtype: DType, shape: Shape, seed: number): NdArray {
  const elements = createData(dtype, lengthOf(shape))
  data('float32', shape, seed).data.forEach((value, n) => (elements[n] = Math.trunc(value)))
  return new NdArray(elements, shape)
}

describeBinaries('ordering', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it('cumSum along any axis, both ways, with the element or without', async () => {
    await fc.assert(fc.asyncProperty(shapes, numbers, fc.nat(99), fc.boolean(), fc.boolean(), async (shape, dtype, seed, exclusive, reverse) => {
      const axis = seed % shape.length
      const x = data(dtype, shape, seed)
      const length = shape[axis] as number
      const expected = make(dtype, shape, (index) => {
        const own = index[axis] as number
        const before = Array.from({ length }, (_, n) => n).filter((n) => (reverse ? n > own : n < own) || (n === own && !exclusive))
        if (reverse) before.reverse()
        return before.reduce((sum, n) => sum + at(x, moved(index, axis, n)), 0)
      })
      const given = new NdArray(Int32Array.of(seed % 2 === 0 ? axis : axis - shape.length), [])
      await check(runtime, { op: 'cumSum', inputs: [x, given], attributes: { exclusive: Number(exclusive), reverse: Number(reverse) } }, expected)
    }), { numRuns: 60, seed: 5 })
    const large = new NdArray(Int32Array.of(2 ** 31 - 1, 1, 2), [3])
    await check(runtime, { op: 'cumSum', inputs: [large, ints(0)] }, new NdArray(Int32Array.of(2 ** 31 - 1, -(2 ** 31), 2 - 2 ** 31), [3]))
  })

  it('topK along any axis: in order, of equals the one in front', async () => {
    await fc.assert(fc.asyncProperty(shapes, numbers, fc.nat(999), fc.boolean(), async (shape, dtype, seed, largest) => {
      const axis = seed % shape.length
      const x = coarse(dtype, shape, seed)
      const length = shape[axis] as number
      const k = seed % (length + 1)
      const outShape = moved(shape, axis, k)
      const order = (index: readonly number[]): number => {
        const lane = Array.from({ length }, (_, n) => ({ n, value: at(x, moved(index, axis, n)) }))
        lane.sort((a, b) => (largest ? b.value - a.value : a.value - b.value) || a.n - b.n)
        return lane[index[axis] as number]?.n as number
      }
      const indices = make('int32', outShape, order)
      const values = make(dtype, outShape, (index) => at(x, moved(index, axis, order(index))))
      const attributes = { axis: seed % 2 === 0 ? axis : axis - shape.length, largest: Number(largest), sorted: seed % 3 === 0 ? 0 : 1 }
      await check(runtime, { op: 'topK', inputs: [x, ints(k)], attributes }, values, indices)
    }), { numRuns: 80, seed: 6 })
  })

  it('topK of many: as JavaScript sorts them; NaN is larger than Infinity, -0 is 0', async () => {
    for (const length of [17, 100, 1000]) {
      const x = data('float32', [length], length)
      const order = [...x.data.keys()].sort((a, b) => (x.data[b] as number) - (x.data[a] as number))
      await check(runtime, { op: 'topK', inputs: [x, ints(length)] },
        new NdArray(Float32Array.from(order, (n) => x.data[n] as number), [length]), new NdArray(Int32Array.from(order), [length]))
    }
    const special = new NdArray(Float32Array.of(-0, NaN, 1, -Infinity, 0, Infinity, -NaN, -1), [8])
    const take = (...order: number[]): [NdArray, NdArray] => [new NdArray(Float32Array.from(order, (n) => special.data[n] as number), [8]), ints(...order)]
    await check(runtime, { op: 'topK', inputs: [special, ints(8)] }, ...take(1, 6, 5, 2, 0, 4, 7, 3))
    await check(runtime, { op: 'topK', inputs: [special, ints(8)], attributes: { largest: 0 } }, ...take(3, 7, 0, 4, 2, 5, 1, 6))
    const extremes = new NdArray(Int32Array.of(5, -(2 ** 31), 2 ** 31 - 1, -1), [4])
    await check(runtime, { op: 'topK', inputs: [extremes, ints(4)], attributes: { largest: 0 } }, new NdArray(Int32Array.of(-(2 ** 31), -1, 5, 2 ** 31 - 1), [4]), ints(1, 3, 0, 2))
  })

  it('scatterElements along any axis, replaced or combined; the later of two counts', async () => {
    const dtypes = fc.constantFrom<DType>('float32', 'int32', 'uint8')
    const reductions = fc.constantFrom('none', 'add', 'mul', 'max', 'min')
    await fc.assert(fc.asyncProperty(shapes, dtypes, reductions, fc.nat(999), async (shape, dtype, wanted, seed) => {
      const reduction = dtype === 'uint8' ? 'none' : wanted
      const axis = seed % shape.length
      const size = shape[axis] as number
      // No longer than the data, but along the axis.
      const box = shape.map((length, n) => (n === axis ? 1 + seed % 7 : 1 + (seed + n) % length))
      const [x, updates] = [data(dtype, shape, seed), data(dtype, box, seed + 1)]
      const indices = make('int32', box, (index) => (index.reduce((sum, n) => 3 * sum + n, seed) % (2 * size)) - size)
      const expected = new NdArray(x.data.slice(), shape)
      make('uint8', box, (index) => {
        const to = moved(index, axis, (at(indices, index) + size) % size)
        const position = to.reduce((sum, n, place) => sum * (shape[place] as number) + n, 0)
        const [a, b] = [expected.data[position] as number, at(updates, index)]
        const combined = { none: b, add: a + b, mul: dtype === 'int32' ? Math.imul(a, b) : a * b, max: Math.max(a, b), min: Math.min(a, b) }
        return (expected.data[position] = combined[reduction])
      })
      await check(runtime, { op: 'scatterElements', inputs: [x, indices, updates], attributes: { axis, reduction } }, expected)
      await check(runtime, { op: 'scatterElements', inputs: [x, indices, updates], attributes: { axis, reduction }, constants: [] }, expected)
    }), { numRuns: 80, seed: 7 })
  })

  it('an index outside that comes at run time is told, and the next run is right', async () => {
    const one: OneNode = { op: 'scatterElements', inputs: [data('float32', [3]), ints(0, 3), data('float32', [2])], constants: [0, 2] }
    await expectRejection(run(runtime, one), 'VALUE', "scatterElements 'node': expected indices from -3 to 2, got another one at element 1 of the indices")
  })
})

describe('what does not fit', () => {
  const x = data('float32', [2, 3])
  const of = (op: string, inputs: OneNode['inputs'], attributes: OneNode['attributes'] = {}) => (): unknown => fold({ op, inputs, attributes, outputs: 1 })

  it.each<[string, () => unknown, string]>([
    ['cumSum: axis', of('cumSum', [x, ints(2)]), "cumSum 'node': expected an axis from -2 to 1, got 2"],
    ['cumSum: two axes', of('cumSum', [x, ints(0, 1)]), "cumSum 'node': expected one axis, got 2"],
    ['cumSum: flag', of('cumSum', [x, ints(0)], { reverse: 2 }), "cumSum 'node': expected true or false for 'reverse', got 2"],
    ['cumSum: dtype', of('cumSum', [data('uint8', [2]), ints(0)]), "cumSum 'node': expected float32 or int32 input, got uint8 [2]"],
    ['topK: too many', of('topK', [x, ints(4)]), "topK 'node': expected a number of elements from 0 to 3, got 4"],
    ['topK: negative', of('topK', [x, ints(-1)]), "topK 'node': expected a number of elements from 0 to 3, got -1"],
    ['topK: two numbers', of('topK', [x, ints(1, 2)]), "topK 'node': expected one number of elements, got 2"],
    ['topK: axis', of('topK', [x, ints(1)], { axis: 2 }), "topK 'node': expected an axis from -2 to 1, got 2"],
    ['scatterElements: rank', of('scatterElements', [x, ints(0), data('float32', [1])]), "scatterElements 'node': expected an input with 2 axes, got [1]"],
    ['scatterElements: updates', of('scatterElements', [x, ints(0).reshape([1, 1]), data('float32', [1, 2])]), "scatterElements 'node': expected updates shaped as the indices, [1, 1], got [1, 2]"],
    ['scatterElements: dtype', of('scatterElements', [x, ints(0).reshape([1, 1]), data('int32', [1, 1])]), "scatterElements 'node': expected float32 input, got int32 [1, 1]"],
    ['scatterElements: longer', of('scatterElements', [x, ints(0, 0, 0, 0).reshape([1, 4]), data('float32', [1, 4])]), "scatterElements 'node': expected indices no longer than [2, 3] but along axis 0, got [1, 4]"],
    ['scatterElements: index', of('scatterElements', [x, ints(-3).reshape([1, 1]), data('float32', [1, 1])]), "scatterElements 'node': expected indices from -2 to 1, got another one at element 0 of the indices"],
    ['scatterElements: word', of('scatterElements', [x, ints(0).reshape([1, 1]), data('float32', [1, 1])], { reduction: 'sub' }), "scatterElements 'node': expected 'none' or 'add' or 'mul' or 'max' or 'min' for 'reduction', got \"sub\""],
    ['scatterElements: bytes', of('scatterElements', [data('uint8', [2]), ints(0), data('uint8', [1])], { reduction: 'add' }), "scatterElements 'node': expected float32 or int32 data for the reduction 'add', got uint8 [2]"],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(expect.objectContaining({ message }) as Error)
  })

  it('a number of elements, or an axis, that only a run tells', async () => {
    const runtime = await runtimeOf(BINARIES[0] as Binary)
    await expectRejection(run(runtime, { op: 'cumSum', inputs: [x, ints(0)], constants: [] }), 'UNSUPPORTED', "cumSum 'node': axis (input 'x1') must follow from constants and shapes")
    await expectRejection(run(runtime, { op: 'topK', inputs: [x, ints(1)], constants: [], outputs: 2 }), 'UNSUPPORTED', "topK 'node': its output shape [2, node.k] depends on elements that are known only when the model runs")
  })
})
