// Operators that move elements, against index arithmetic written out for each.
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import type { Runtime } from '../../../src/runtime/runtime.ts'
import type { DType } from '../../../src/values/dtype.ts'
import { NdArray } from '../../../src/values/ndarray.ts'
import type { Shape } from '../../../src/values/shape.ts'
import { describeBinaries, runtimeOf } from '../../variants.ts'
import { at, check, data, fold, ints, make, run, type OneNode } from '../one-node.ts'

const DTYPES: readonly DType[] = ['float32', 'int32', 'uint8']
const SHAPES: readonly Shape[] = [[7], [3, 5], [1, 17], [2, 3, 5], [5, 1, 3], [2, 3, 1, 5], [2, 3, 2, 3, 5], [4, 33]]
const MAX = 2 ** 31 - 1
const MIN = -(2 ** 31)

const shapeArbitrary = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 })
const dtypeArbitrary = fc.constantFrom(...DTYPES)
const replaced = <T>(list: readonly T[], position: number, ...items: T[]): T[] => [...list.slice(0, position), ...items, ...list.slice(position + 1)]

describeBinaries('movement', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })
  const matches = (one: OneNode, ...expected: NdArray[]): Promise<void> => check(runtime, one, ...expected)

  it('identity, reshape, flatten, squeeze, unsqueeze keep the elements', async () => {
    for (const dtype of DTYPES) {
      const x = data(dtype, [2, 3, 1, 5])
      await matches({ op: 'identity', inputs: [x] }, x)
      await matches({ op: 'identity', inputs: [data(dtype, [])] }, data(dtype, []))
      await matches({ op: 'reshape', inputs: [x, ints(5, -1)] }, x.reshape([5, 6]))
      await matches({ op: 'reshape', inputs: [x, ints(0, -1, 1)] }, x.reshape([2, 15, 1]))
      await matches({ op: 'reshape', inputs: [x, ints(30)] }, x.reshape([30]))
      await matches({ op: 'reshape', inputs: [data(dtype, [1]), ints()] }, data(dtype, []))
      for (const [axis, shape] of [[0, [1, 30]], [1, [2, 15]], [2, [6, 5]], [-1, [6, 5]], [4, [30, 1]], [-4, [1, 30]]] as const) {
        await matches({ op: 'flatten', attributes: { axis }, inputs: [x] }, x.reshape(shape))
      }
      await matches({ op: 'flatten', inputs: [x] }, x.reshape([2, 15]))
      await matches({ op: 'squeeze', inputs: [x] }, x.reshape([2, 3, 5]))
      await matches({ op: 'squeeze', inputs: [x, ints(-2)] }, x.reshape([2, 3, 5]))
      await matches({ op: 'squeeze', inputs: [data(dtype, [1, 4, 1]), ints(2, 0)] }, data(dtype, [4]))
      await matches({ op: 'unsqueeze', inputs: [x, ints(0, -1)] }, x.reshape([1, 2, 3, 1, 5, 1]))
      await matches({ op: 'unsqueeze', inputs: [data(dtype, []), ints(0)] }, data(dtype, [1]))
    }
    const empty = new NdArray(new Float32Array(0), [0, 3])
    await matches({ op: 'reshape', attributes: { allowzero: true }, inputs: [empty, ints(3, 0)] }, empty.reshape([3, 0]))
    await matches({ op: 'reshape', attributes: { allowzero: 1 }, inputs: [empty, ints(0)] }, empty.reshape([0]))
  })

  it('transpose: every order of up to five axes', async () => {
    await fc.assert(fc.asyncProperty(
      shapeArbitrary.chain((shape) => fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }))), dtypeArbitrary,
      async ([shape, perm], dtype) => {
        const x = data(dtype, shape)
        const expected = make(dtype, perm.map((axis) => shape[axis] as number), (index) => at(x, shape.map((_, axis) => index[perm.indexOf(axis)] as number)))
        await matches({ op: 'transpose', attributes: { perm }, inputs: [x] }, expected)
      },
    ), { numRuns: 60, seed: 1 })
    for (const shape of SHAPES) {
      const x = data('float32', shape)
      await matches({ op: 'transpose', inputs: [x] }, make('float32', [...shape].reverse(), (index) => at(x, [...index].reverse())))
    }
  })

  it('slice: any start, end and step, negative ones too', async () => {
    const bound = fc.oneof(fc.integer({ min: -8, max: 8 }), fc.constantFrom(MAX, MIN, MIN + 1))
    const cut = fc.record({ start: bound, end: bound, step: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constantFrom(MAX, MIN)).filter((step) => step !== 0) })
    const cuts = (rank: number): fc.Arbitrary<{ start: number, end: number, step: number }[]> => fc.array(cut, { minLength: rank, maxLength: rank })
    await fc.assert(fc.asyncProperty(
      shapeArbitrary.chain((shape) => fc.tuple(fc.constant(shape), cuts(shape.length))), dtypeArbitrary, fc.boolean(),
      async ([shape, list], dtype, backwards) => {
        const x = data(dtype, shape)
        // Walked one by one. Other than in NumPy, a start before the first element is the first (ONNX).
        const taken = shape.map((size, axis) => {
          const { start, end, step } = list[axis] as { start: number, end: number, step: number }
          const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
          const place = (value: number): number => Math.min(high, Math.max(low, value < 0 ? value + size : value))
          const elements: number[] = []
          for (let n = Math.max(0, place(start)); step > 0 ? n < place(end) : n > place(end); n += step) elements.push(n)
          return elements
        })
        const axes = shape.map((_, axis) => (backwards ? axis - shape.length : axis))
        const order = backwards ? [...axes.keys()].reverse() : [...axes.keys()]
        const of = (pick: (axis: number) => number): NdArray => ints(...order.map(pick))
        const inputs = [
          x, of((axis) => list[axis]?.start as number), of((axis) => list[axis]?.end as number), of((axis) => axes[axis] as number),
          of((axis) => list[axis]?.step as number),
        ]
        const expected = make(dtype, taken.map(({ length }) => length), (index) => at(x, index.map((n, axis) => taken[axis]?.[n] as number)))
        await matches({ op: 'slice', inputs }, expected)
      },
    ), { numRuns: 150, seed: 2 })
  })

  it('slice: axes and steps left out; some axes only', async () => {
    const x = data('float32', [4, 5, 6])
    await matches({ op: 'slice', inputs: [x, ints(1, 2), ints(3, MAX)] }, make('float32', [2, 3, 6], ([i, j, k]) => at(x, [i as number + 1, j as number + 2, k as number])))
    await matches({ op: 'slice', inputs: [x, ints(-1), ints(MIN), ints(2), ints(-1)] }, make('float32', [4, 5, 6], ([i, j, k]) => at(x, [i as number, j as number, 5 - (k as number)])))
    await matches({ op: 'slice', inputs: [x, ints(-1), ints(MAX), null, ints(1)] }, make('float32', [1, 5, 6], ([, j, k]) => at(x, [3, j as number, k as number])))
    await matches({ op: 'slice', inputs: [x, ints(0), ints(MAX), ints(1)] }, x)
    await matches({ op: 'slice', inputs: [x, ints(3), ints(2), ints(1)] }, new NdArray(new Float32Array(0), [4, 0, 6]))
  })

  it('concat of what split cut is the whole again', async () => {
    const parts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
    await fc.assert(fc.asyncProperty(
      shapeArbitrary.chain((shape) => fc.tuple(fc.constant(shape), fc.integer({ min: -shape.length, max: shape.length - 1 }))), parts, dtypeArbitrary,
      async ([base, axis], sizes, dtype) => {
        const position = axis < 0 ? axis + base.length : axis
        const shape = replaced(base, position, sizes.reduce((sum, one) => sum + one, 0))
        const x = data(dtype, shape)
        let begin = 0
        const expected = sizes.map((size) => {
          const first = begin
          begin += size
          return make(dtype, replaced(shape, position, size), (index) => at(x, replaced(index, position, index[position] as number + first)))
        })
        await matches({ op: 'split', attributes: { axis }, inputs: [x, ints(...sizes)] }, ...expected)
        await matches({ op: 'concat', attributes: { axis }, inputs: expected, constants: [] }, x)
        await matches({ op: 'concat', attributes: { axis }, inputs: expected, constants: [0] }, x)
      },
    ), { numRuns: 60, seed: 3 })
  })

  it('split: equal parts, the last one smaller; concat: the same twice, empty parts', async () => {
    const x = data('float32', [3, 7])
    const part = (begin: number, size: number): NdArray => make('float32', [3, size], ([i, j]) => at(x, [i as number, j as number + begin]))
    await matches({ op: 'split', attributes: { axis: 1, numOutputs: 3 }, inputs: [x] }, part(0, 3), part(3, 3), part(6, 1))
    await matches({ op: 'split', attributes: { axis: -1 }, inputs: [x, null] }, part(0, 4), part(4, 3))
    await matches({ op: 'split', inputs: [x] }, x)
    await matches({ op: 'split', attributes: { axis: 1 }, inputs: [x, ints(0, 7)] }, part(0, 0), x)
    const empty = new NdArray(new Float32Array(0), [0, 7])
    await matches({ op: 'concat', attributes: { axis: 0 }, inputs: [x, empty, x] }, make('float32', [6, 7], ([i, j]) => at(x, [(i as number) % 3, j as number])))
  })

  it('expand: axes of one element, and new ones', async () => {
    for (const dtype of DTYPES) {
      for (const [shape, target, out] of [
        [[3, 1], [2, 1, 6], [2, 3, 6]], [[3, 1], [3, 4], [3, 4]], [[1], [5], [5]], [[], [2, 3], [2, 3]], [[2, 1, 3, 1, 2], [2, 4, 1, 5, 2], [2, 4, 3, 5, 2]],
        [[3, 4], [1], [3, 4]], [[3, 1], [3, 0], [3, 0]],
      ] as const) {
        const x = data(dtype, shape)
        const expected = make(dtype, out, (index) => at(x, index.slice(index.length - shape.length).map((n, axis) => (shape[axis] === 1 ? 0 : n))))
        await matches({ op: 'expand', inputs: [x, ints(...target)] }, expected)
      }
    }
  })

  it('tile: every axis again and again', async () => {
    for (const dtype of DTYPES) {
      for (const [shape, repeats] of [
        [[3], [4]], [[2, 3], [2, 2]], [[2, 1, 3], [1, 5, 2]], [[2, 3], [1, 1]], [[2, 3], [3, 0]], [[1, 2, 3, 2], [2, 3, 1, 2]],
      ] as const) {
        const x = data(dtype, shape)
        const out = shape.map((size, axis) => size * (repeats[axis] as number))
        await matches({ op: 'tile', inputs: [x, ints(...repeats)] }, make(dtype, out, (index) => at(x, index.map((n, axis) => n % (shape[axis] as number)))))
      }
    }
  })

  it('pad: every mode, any pads that fit, negative ones too', async () => {
    const mode = fc.constantFrom('constant', 'reflect', 'edge', 'wrap')
    const pads = (rank: number): fc.Arbitrary<[number, number][]> => (
      fc.array(fc.tuple(fc.integer({ min: -2, max: 4 }), fc.integer({ min: -2, max: 4 })), { minLength: rank, maxLength: rank })
    )
    const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
    let [fitting, refused] = [0, 0]
    await fc.assert(fc.asyncProperty(
      sizes.chain((shape) => fc.tuple(fc.constant(shape), pads(shape.length))), dtypeArbitrary, mode, fc.boolean(),
      async ([shape, list], dtype, chosen, withValue) => {
        const x = data(dtype, shape)
        const value = new NdArray(data(dtype, [3]).data.slice(1, 2), [])
        const kept = shape.map((size, axis) => size + Math.min(0, list[axis]?.[0] as number) + Math.min(0, list[axis]?.[1] as number))
        const one: OneNode = {
          op: 'pad', attributes: { mode: chosen },
          inputs: [x, ints(...list.map(([before]) => before), ...list.map(([, after]) => after)), withValue ? value : null],
        }
        const most = kept.map((size): number => {
          if (chosen === 'constant' || (chosen === 'edge' && size > 0)) return Infinity
          return chosen === 'edge' ? 0 : Math.max(0, chosen === 'wrap' ? size : size - 1)
        })
        if (kept.some((size) => size < 0) || list.some((pair, axis) => Math.max(...pair) > (most[axis] as number))) {
          refused++
          expect(() => fold(one)).toThrow(/^pad 'node': expected pads /)
          return
        }
        fitting++
        const out = shape.map((size, axis) => size + (list[axis]?.[0] as number) + (list[axis]?.[1] as number))
        const expected = make(dtype, out, (index) => {
          const source = index.map((n, axis) => {
            const size = kept[axis] as number
            let place = n - Math.max(0, list[axis]?.[0] as number)
            if (place < 0 || place >= size) {
              if (chosen === 'constant') return NaN
              if (chosen === 'edge') place = place < 0 ? 0 : size - 1
              else if (chosen === 'wrap') place = (place + size) % size
              else place = place < 0 ? -place : 2 * (size - 1) - place
            }
            return place + Math.max(0, -(list[axis]?.[0] as number))
          })
          return source.some(Number.isNaN) ? (withValue ? value.data[0] as number : 0) : at(x, source)
        })
        await matches(one, expected)
      },
    ), { numRuns: 200, seed: 4 })
    expect(fitting).toBeGreaterThan(50)
    expect(refused).toBeGreaterThan(20)
    const x = data('float32', [2, 3, 4])
    const padded = make('float32', [2, 5, 4], ([i, j, k]) => (j === 0 || j === 4 ? 0 : at(x, [i as number, j as number - 1, k as number])))
    await matches({ op: 'pad', inputs: [x, ints(1, 1), null, ints(-2)] }, padded)
  })

  it('gather: along every axis, indices of any shape, known or not', async () => {
    for (const dtype of DTYPES) {
      for (const shape of SHAPES) {
        for (let axis = -shape.length; axis < shape.length; axis++) {
          const position = axis < 0 ? axis + shape.length : axis
          const size = shape[position] as number
          for (const indexShape of [[], [4], [2, 3]]) {
            const x = data(dtype, shape)
            const indices = make('int32', indexShape, (index) => (index.reduce((sum, n) => sum * 5 + n, 3) * 7) % (2 * size) - size)
            const out = replaced(shape, position, ...indexShape)
            const expected = make(dtype, out, (index) => {
              const n = at(indices, index.slice(position, position + indexShape.length))
              return at(x, [...index.slice(0, position), n < 0 ? n + size : n, ...index.slice(position + indexShape.length)])
            })
            for (const constants of [[1], []]) await matches({ op: 'gather', attributes: { axis }, inputs: [x, indices], constants }, expected)
          }
        }
      }
    }
  })

  it('gatherElements: an index for every element', async () => {
    for (const dtype of DTYPES) {
      for (const [shape, indexShape, axis] of [
        [[5], [7], 0], [[3, 4], [2, 6], 1], [[3, 4], [5, 3], 0], [[2, 3, 4], [1, 2, 7], -1], [[4, 3, 2], [4, 5, 2], 1],
      ] as const) {
        const x = data(dtype, shape)
        const position = axis < 0 ? axis + shape.length : axis
        const size = shape[position] as number
        const indices = make('int32', indexShape, (index) => (index.reduce((sum, n) => sum * 3 + n, 1) * 5) % (2 * size) - size)
        const expected = make(dtype, indexShape, (index) => {
          const n = at(indices, index)
          return at(x, replaced(index, position, n < 0 ? n + size : n))
        })
        for (const constants of [[1], []]) await matches({ op: 'gatherElements', attributes: { axis }, inputs: [x, indices], constants }, expected)
      }
    }
  })

  it('where: all three broadcast', async () => {
    for (const dtype of DTYPES) {
      for (const shapes of [[[7], [7], [7]], [[3, 1], [1, 4], []], [[2, 1, 5], [3, 1], [1]], [[1], [4, 33], [4, 33]], [[2, 3], [1], [2, 1, 1]]] as const) {
        const rank = Math.max(...shapes.map(({ length }) => length))
        const out = Array.from({ length: rank }, (_, axis) => Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)))
        const [condition, x, y] = [
          make('uint8', shapes[0], (index) => (index.reduce((sum, n) => sum + 2 * n, 1) % 3 === 0 ? 0 : 2)), data(dtype, shapes[1], 1), data(dtype, shapes[2], 9),
        ] as [NdArray, NdArray, NdArray]
        const pick = (array: NdArray, index: readonly number[]): number => (
          at(array, index.slice(rank - array.shape.length).map((n, axis) => (array.shape[axis] === 1 ? 0 : n)))
        )
        const expected = make(dtype, out, (index) => pick(pick(condition, index) === 0 ? y : x, index))
        await matches({ op: 'where', inputs: [condition, x, y], constants: [] }, expected)
      }
    }
  })

  it('oneHot: every axis, any value, indices outside are off', async () => {
    for (const dtype of DTYPES) {
      const values = data(dtype, [2], 5)
      const [off, on] = values.data as unknown as [number, number]
      for (const shape of [[], [5], [2, 7], [2, 3, 4]]) {
        for (let axis = -shape.length - 1; axis <= shape.length; axis++) {
          const indices = make('int32', shape, (index) => index.reduce((sum, n) => sum * 3 + n, 2) % 11 - 5)
          const position = axis < 0 ? axis + shape.length + 1 : axis
          const expected = make(dtype, [...shape.slice(0, position), 4, ...shape.slice(position)], (index) => {
            const n = at(indices, [...index.slice(0, position), ...index.slice(position + 1)])
            return (n < 0 ? n + 4 : n) === index[position] ? on : off
          })
          await matches({ op: 'oneHot', attributes: { axis }, inputs: [indices, new NdArray(Int32Array.of(4), []), values] }, expected)
          await matches({ op: 'oneHot', attributes: { axis }, inputs: [indices, new NdArray(Float32Array.of(4), [1]), values], constants: [1] }, expected)
        }
      }
    }
  })

  it('reverseSequence: the first steps of every sequence', async () => {
    for (const dtype of DTYPES) {
      for (const [shape, batchAxis] of [[[5, 3], 1], [[3, 5], 0], [[5, 3, 4], 1], [[3, 5, 2, 3], 0]] as const) {
        const timeAxis = 1 - batchAxis
        const x = data(dtype, shape)
        const lengths = [0, 3, 5]
        const expected = make(dtype, shape, (index) => {
          const [row, step] = [index[batchAxis] as number, index[timeAxis] as number]
          const length = lengths[row] as number
          return at(x, replaced(index, timeAxis, step < length ? length - 1 - step : step))
        })
        for (const constants of [[1], []]) await matches({ op: 'reverseSequence', attributes: { batchAxis, timeAxis }, inputs: [x, ints(...lengths)], constants }, expected)
        if (batchAxis === 1) await matches({ op: 'reverseSequence', inputs: [x, ints(...lengths)] }, expected)
      }
    }
  })

  it('cast: truncates, saturates floats, wraps int32 to uint8; bool is 0 or 1', async () => {
    const floats = [0, -0, 0.5, -0.5, 1.99, -1.99, 254.9, 255, 256, 1e10, -1e10, Infinity, -Infinity, NaN, 1e-45, 16777216]
    const whole = [0, 0, 0, 0, 1, -1, 254, 255, 256, MAX, MIN, MAX, MIN, 0, 0, 16777216]
    const bytes = [0, 0, 0, 0, 1, 0, 254, 255, 255, 255, 0, 255, 0, 0, 0, 255]
    const truth = [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    const x = new NdArray(Float32Array.from(floats), [2, 8])
    await matches({ op: 'cast', attributes: { to: 'float32' }, inputs: [x] }, x)
    await matches({ op: 'cast', attributes: { to: 'int32' }, inputs: [x] }, new NdArray(Int32Array.from(whole), [2, 8]))
    await matches({ op: 'cast', attributes: { to: 'uint8' }, inputs: [x] }, new NdArray(Uint8Array.from(bytes), [2, 8]))
    await matches({ op: 'cast', attributes: { to: 'bool' }, inputs: [x] }, new NdArray(Uint8Array.from(truth), [2, 8]))
    const n = ints(0, 1, -1, 255, 256, -257, MAX, MIN, 16777217)
    await matches({ op: 'cast', attributes: { to: 'float32' }, inputs: [n] }, new NdArray(Float32Array.from(n.data), [9]))
    await matches({ op: 'cast', attributes: { to: 'int32' }, inputs: [n] }, n)
    await matches({ op: 'cast', attributes: { to: 'uint8' }, inputs: [n] }, new NdArray(Uint8Array.of(0, 1, 255, 255, 0, 255, 255, 0, 1), [9]))
    await matches({ op: 'cast', attributes: { to: 'bool' }, inputs: [n] }, new NdArray(Uint8Array.of(0, 1, 1, 1, 1, 1, 1, 1, 1), [9]))
    const b = new NdArray(Uint8Array.of(0, 1, 2, 255, 128), [5])
    await matches({ op: 'cast', attributes: { to: 'float32' }, inputs: [b] }, new NdArray(Float32Array.of(0, 1, 2, 255, 128), [5]))
    await matches({ op: 'cast', attributes: { to: 'int32' }, inputs: [b] }, ints(0, 1, 2, 255, 128))
    await matches({ op: 'cast', attributes: { to: 'uint8' }, inputs: [b] }, b)
    await matches({ op: 'cast', attributes: { to: 'bool' }, inputs: [b] }, new NdArray(Uint8Array.of(0, 1, 1, 1, 1), [5]))
  })

  it('shape, size, constantOfShape and range', async () => {
    const x = data('float32', [2, 3, 5])
    await matches({ op: 'shape', inputs: [x] }, ints(2, 3, 5))
    await matches({ op: 'shape', attributes: { start: -2 }, inputs: [x] }, ints(3, 5))
    await matches({ op: 'shape', attributes: { start: 1, end: -1 }, inputs: [x] }, ints(3))
    await matches({ op: 'shape', attributes: { start: -9, end: 9 }, inputs: [x] }, ints(2, 3, 5))
    await matches({ op: 'shape', attributes: { start: 2, end: 1 }, inputs: [x] }, ints())
    await matches({ op: 'size', inputs: [x] }, new NdArray(Int32Array.of(30), []))
    const filled = (sizes: number[], attributes: OneNode['attributes']): OneNode => ({ op: 'constantOfShape', attributes: attributes ?? {}, inputs: [ints(...sizes)], constants: [0] })
    await matches(filled([2, 3], {}), make('float32', [2, 3], () => 0))
    await matches(filled([3], { value: -1.5 }), make('float32', [3], () => -1.5))
    await matches(filled([2, 1], { value: 7, dtype: 'int32' }), make('int32', [2, 1], () => 7))
    await matches(filled([5], { value: 200, dtype: 'uint8' }), make('uint8', [5], () => 200))
    await matches(filled([], { value: 2 }), make('float32', [], () => 2))
    await matches(filled([3, 0], {}), make('float32', [3, 0], () => 0))
    const scalars = (dtype: 'float32' | 'int32', ...values: number[]): OneNode => ({
      op: 'range', inputs: values.map((value) => new NdArray(dtype === 'float32' ? Float32Array.of(value) : Int32Array.of(value), [])), constants: [0, 1, 2],
    })
    await matches(scalars('int32', 3, 9, 3), ints(3, 6))
    await matches(scalars('int32', 10, 4, -2), ints(10, 8, 6))
    await matches(scalars('int32', 0, 0, 1), ints())
    await matches(scalars('float32', 0, 1, 0.25), new NdArray(Float32Array.of(0, 0.25, 0.5, 0.75), [4]))
  })

  it('what is too long to be folded is made at run time', async () => {
    const zeros = { op: 'constantOfShape', attributes: { value: 3, dtype: 'uint8' }, inputs: [ints(1025, 1025)], constants: [0] }
    expect(fold(zeros)).toBeUndefined()
    const [made] = await run(runtime, zeros) as [NdArray]
    expect(made.shape).toEqual([1025, 1025])
    expect(made.data.every((element) => element === 3)).toBe(true)
    const x = data('float32', [1, 5])
    expect(fold({ op: 'expand', inputs: [x, ints(2 ** 18, 5)] })).toBeUndefined()
    const [rows] = await run(runtime, { op: 'expand', inputs: [x, ints(2 ** 18, 5)] }) as [NdArray]
    expect(rows.data.every((element, n) => element === x.data[n % 5])).toBe(true)
    const large = data('float32', [1025, 1025])
    expect(fold({ op: 'transpose', inputs: [large] })).toBeDefined()
    expect(fold({ op: 'concat', attributes: { axis: 0 }, inputs: [large, large] })).toBeUndefined()
  })
})
