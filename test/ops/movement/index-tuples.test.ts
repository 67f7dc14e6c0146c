// gatherNd and scatterNd, against index arithmetic written out.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import type { DType } from '../../../src/values/dtype.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import { expectRejection } from '../../expect-error.ts'
import { describeBinaries, runtimeOf } from '../../variants.ts'
import { at, check, data, fold, ints, make, run, type OneNode } from '../one-node.ts'

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
const dtypes = fc.constantFrom<DType>('float32', 'int32', 'uint8')
const REDUCTIONS = ['none', 'add', 'mul', 'max', 'min'] as const

/** Indices [...of, depth] of both signs into the axes of `shape` from `first` on. */
const indicesInto = (shape: readonly number[], first: number, of: readonly number[], depth: number, seed: number): NdArray => (
  make('int32', [...of, depth], (index) => {
    const size = shape[first + (index.at(-1) as number)] as number
    return index.reduce((sum, n) => 5 * sum + n, seed) % (2 * size) - size
  })
)
/** The place that the tuple at `place` names. */
const named = (indices: NdArray, place: readonly number[], shape: readonly number[], first: number): number[] => (
  Array.from({ length: indices.shape.at(-1) as number }, (_, n) => {
    const size = shape[first + n] as number
    return (at(indices, [...place, n]) + size) % size
  })
)

describeBinaries('tuples of indices', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it('gatherNd: elements and whole rows, with axes of a batch', async () => {
    await fc.assert(fc.asyncProperty(shapes, dtypes, fc.nat(999), async (shape, dtype, seed) => {
      const batchDims = seed % Math.min(3, shape.length)
      const depth = 1 + seed % (shape.length - batchDims)
      const batch = shape.slice(0, batchDims)
      const indices = indicesInto(shape, batchDims, [...batch, 1 + seed % 3, 2].slice(0, batchDims + 1 + seed % 2), depth, seed)
      const x = data(dtype, shape, seed)
      const outer = indices.shape.slice(0, -1)
      const expected = make(dtype, [...outer, ...shape.slice(batchDims + depth)], (index) => (
        at(x, [...index.slice(0, batchDims), ...named(indices, index.slice(0, outer.length), shape, batchDims), ...index.slice(outer.length)])
      ))
      await check(runtime, { op: 'gatherNd', inputs: [x, indices], attributes: { batchDims } }, expected)
      await check(runtime, { op: 'gatherNd', inputs: [x, indices], attributes: { batchDims }, constants: [] }, expected)
    }), { numRuns: 60, seed: 3 })
  })

  it('scatterNd: elements and whole rows, replaced or combined; the later of two counts', async () => {
    await fc.assert(fc.asyncProperty(shapes, dtypes, fc.constantFrom(...REDUCTIONS), fc.nat(999), async (shape, dtype, wanted, seed) => {
      const reduction = dtype === 'uint8' ? 'none' : wanted
      const depth = 1 + seed % shape.length
      const outer = [2 + seed % 4, 2].slice(0, 1 + seed % 2)
      const indices = indicesInto(shape, 0, outer, depth, seed)
      const [x, updates] = [data(dtype, shape, seed), data(dtype, [...outer, ...shape.slice(depth)], seed + 1)]
      const expected = new NdArray(x.data.slice(), shape)
      make('uint8', updates.shape, (index) => {
        const to = [...named(indices, index.slice(0, outer.length), shape, 0), ...index.slice(outer.length)]
        const position = to.reduce((sum, n, axis) => sum * (shape[axis] as number) + n, 0)
        const [a, b] = [expected.data[position] as number, at(updates, index)]
        const combined = { none: b, add: a + b, mul: dtype === 'int32' ? Math.imul(a, b) : a * b, max: Math.max(a, b), min: Math.min(a, b) }
        return (expected.data[position] = combined[reduction])
      })
      await check(runtime, { op: 'scatterNd', inputs: [x, indices, updates], attributes: { reduction } }, expected)
      await check(runtime, { op: 'scatterNd', inputs: [x, indices, updates], attributes: { reduction }, constants: [] }, expected)
    }), { numRuns: 60, seed: 4 })
  })

  it('an index outside that comes at run time is told', async () => {
    const bad = ints(0, 1, 1, 3).reshape([2, 2])
    const x = data('float32', [2, 3])
    await expectRejection(run(runtime, { op: 'gatherNd', inputs: [x, bad], constants: [] }), 'VALUE', "gatherNd 'node': expected indices from -3 to 2, got another one at element 3 of the indices")
    const scatter: OneNode = { op: 'scatterNd', inputs: [x, ints(-3, 0).reshape([1, 2]), data('float32', [1])], constants: [0, 2] }
    await expectRejection(run(runtime, scatter), 'VALUE', "scatterNd 'node': expected indices from -2 to 1, got another one at element 0 of the indices")
  })

  it('how long tuples are must be known; sizes of the data need not', async () => {
    const x = data('float32', [2, 3])
    await expectRejection(run(runtime, { op: 'gatherNd', inputs: [ints(0, 1), x], constants: [1] }, ['n']), 'VALUE', "gatherNd 'node': expected int32 input, got float32 [2, 3]")
    const [y] = await run(runtime, { op: 'gatherNd', inputs: [x, ints(1, -1).reshape([1, 2])] }, ['a', 'b'])
    expect(y?.data).toEqual(x.data.slice(5))
  })
})

describe('what does not fit', () => {
  const x = data('float32', [2, 3])
  const of = (op: string, inputs: OneNode['inputs'], attributes: OneNode['attributes'] = {}) => (): unknown => fold({ op, inputs, attributes, outputs: 1 })
  const one = ints(0).reshape([1, 1])

  it.each<[string, () => unknown, string]>([
    ['gatherNd: too long', of('gatherNd', [x, ints(0, 0, 0)]), "gatherNd 'node': expected indices [..., n] with n from 1 to the number of axes of the data, got [3] for [2, 3]"],
    ['gatherNd: empty', of('gatherNd', [x, ints()]), "gatherNd 'node': expected indices [..., n] with n from 1 to the number of axes of the data, got [0] for [2, 3]"],
    ['gatherNd: batch', of('gatherNd', [x, one], { batchDims: 1 }), "gatherNd 'node': expected indices [..., n] with n from 1 to the number of axes of the data, the first 1 axes being alike, got [1, 1] for [2, 3]"],
    ['gatherNd: index', of('gatherNd', [x, ints(1, 3)]), "gatherNd 'node': expected indices from -3 to 2, got another one at element 1 of the indices"],
    ['scatterNd: updates', of('scatterNd', [x, one, data('float32', [1, 2])]), "scatterNd 'node': expected updates [1, 3], got [1, 2]"],
    ['scatterNd: dtype', of('scatterNd', [x, one, data('int32', [1, 3])]), "scatterNd 'node': expected float32 input, got int32 [1, 3]"],
    ['scatterNd: bytes', of('scatterNd', [data('uint8', [2]), one, data('uint8', [1])], { reduction: 'add' }), "scatterNd 'node': expected float32 or int32 data for the reduction 'add', got uint8 [2]"],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(expect.objectContaining({ message }) as Error)
  })
})
