import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NdArray } from '../../../src/values/ndarray.ts'
import { expectError } from '../../expect-error.ts'
import { buildNode, ints, runNode, type Attributes } from '../one-node.ts'
import { at, expectClose, expectSame, random, rowOf, tabulate } from '../reference.ts'

/** Where element n of the result lies, by the words of ONNX. */
const PLACES: Readonly<Record<string, (n: number, size: number, out: number) => number>> = {
  half_pixel: (n, size, out) => (n + 0.5) * size / out - 0.5,
  pytorch_half_pixel: (n, size, out) => (out > 1 ? (n + 0.5) * size / out - 0.5 : 0),
  half_pixel_symmetric: (n, size, out) => (n + 0.5) * size / out - 0.5,
  align_corners: (n, size, out) => (out === 1 ? 0 : n * (size - 1) / (out - 1)),
  asymmetric: (n, size, out) => n * size / out,
}
const ROUNDINGS: Readonly<Record<string, (place: number) => number>> = {
  floor: Math.floor, ceil: Math.ceil, round_prefer_floor: (place) => Math.ceil(place - 0.5), round_prefer_ceil: (place) => Math.floor(place + 0.5),
}

/** What is summed for an element along one axis: index and weight. */
function parts(mode: string, place: number, size: number, rounding: string): [number, number][] {
  const inside = (n: number): number => Math.min(size - 1, Math.max(0, n))
  if (mode === 'nearest') return [[inside((ROUNDINGS[rounding] as (place: number) => number)(place)), 1]]
  const first = Math.floor(place)
  const part = place - first
  if (mode === 'linear') return [[inside(first), 1 - part], [inside(first + 1), part]]
  const a = -0.75
  const weight = (x: number): number => {
    const d = Math.abs(x)
    return d <= 1 ? (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1 : a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a
  }
  return [-1, 0, 1, 2].map((n) => [inside(first + n), weight(part - n)])
}

const placeOf = (coordinates: string, n: number, size: number, out: number): number => (PLACES[coordinates] as (typeof PLACES)[string])(n, size, out)

function resized(x: NdArray, out: readonly number[], mode: string, coordinates: string, rounding: string): Float64Array {
  return tabulate(out, (...index) => {
    const along = index.map((n, axis): [number, number][] => {
      const [size, outSize] = [x.shape[axis] as number, out[axis] as number]
      return outSize === size ? [[n, 1]] : parts(mode, placeOf(coordinates, n, size, outSize), size, rounding)
    })
    const sum = (axis: number, position: number[]): number => {
      if (axis === along.length) return at(x, position)
      return (along[axis] as [number, number][]).reduce((total, [n, weight]) => total + (weight === 0 ? 0 : weight * sum(axis + 1, [...position, n])), 0)
    }
    return sum(0, [])
  })
}

/** Places half way between two elements are where rounding in float32 and in float64 part, but for whole factors; tests of files have those. */
function hasHalves(coordinates: string, size: number, out: number): boolean {
  const places = Array.from({ length: out }, (_, n) => placeOf(coordinates, n, size, out) * 2)
  return !Number.isInteger(out / size) && places.some((place) => Math.abs(place - Math.round(place)) < 1e-6)
}

const sizes = fc.integer({ min: 1, max: 9 })

describe('resize', () => {
  it.each(['nearest', 'linear', 'cubic'])('agrees with float64 to any size, %s', (mode) => {
    const coordinates = fc.constantFrom(...Object.keys(PLACES))
    const how = fc.tuple(coordinates, fc.constantFrom(...Object.keys(ROUNDINGS)))
    fc.assert(fc.property(fc.tuple(sizes, sizes), fc.tuple(sizes, sizes), how, (from, to, [place, rounding]) => {
      fc.pre(mode !== 'nearest' || !(hasHalves(place, from[0], to[0]) || hasHalves(place, from[1], to[1])))
      const x = random(1, [2, 3, ...from])
      const out = [2, 3, ...to]
      const attributes: Attributes = { mode, coordinateTransformationMode: place, nearestMode: rounding }
      const got = runNode('resize', [x, ints(...out)], { attributes, constants: [1] })
      expectClose(got, out, resized(x, out, mode, place, rounding), mode === 'nearest' ? 0 : 2e-5)
      for (let row = 0; row < 2; row++) expectSame(runNode('resize', [rowOf(x, row), ints(1, ...out.slice(1))], { attributes, constants: [1] }), rowOf(got, row))
    }), { numRuns: 60, seed: 3 })
  })

  it('takes scales, of some axes or all', () => {
    const x = random(1, [2, 3, 4, 5])
    const last = runNode('resize', [x], { attributes: { scales: [2, 1.5], axes: [-1, 1] } })
    expect(last.shape).toEqual([2, 4, 4, 10])
    expectSame(runNode('resize', [x], { attributes: { scales: [1, 1.5, 1, 2] } }), last)
    expectSame(runNode('resize', [x], { attributes: { scales: [1, 1, 1, 1] } }), x)
  })

  it('knows the shapes', () => {
    const shapeOf = (attributes: Attributes): unknown => (
      buildNode('resize', [random(1, [2, 3, 4])], { attributes, shapes: [['batch', 3, 'timesteps']] }).types.get('y')?.shape
    )
    expect(shapeOf({ scales: [1, 3, 1] })).toEqual(['batch', 9, 'timesteps'])
    expect(shapeOf({ scales: [1, 1, 2] })).toEqual(['batch', 3, 'node.2'])
  })

  it('says what does not fit', () => {
    const x = random(1, [2, 3])
    const fails = (attributes: Attributes, more: NdArray[] = []) => (): NdArray => runNode('resize', [x, ...more], { attributes, constants: [1] })
    expectError(fails({}), 'SHAPE', "resize 'node': expected either 'scales' or sizes as input 1, got neither")
    expectError(fails({ scales: [1, 2] }, [ints(2, 3)]), 'VALUE', "resize 'node': expected either 'scales' or sizes as input 1, got both")
    expectError(fails({ scales: [1] }), 'SHAPE', "resize 'node': expected 2 'scales', one for each axis, got 1")
    expectError(fails({}, [ints(2, 3, 4)]), 'SHAPE', "resize 'node': expected 2 sizes, one for each axis, got 3")
    expectError(fails({}, [ints(2, 0)]), 'VALUE', "resize 'node': expected sizes of 1 or more, got 0 for axis 1")
    expectError(fails({ scales: [1, 0.2] }), 'SHAPE', /a scale of 0.2\d* leaves nothing of the 3 elements of axis 1/)
    expectError(fails({ scales: [1, 0] }), 'VALUE', "resize 'node': expected numbers above 0 for 'scales', got [1,0]")
    expectError(fails({ scales: [1, 2], axes: [0, 0] }), 'VALUE', "resize 'node': expected every axis once, got [0, 0]")
    expectError(fails({ scales: [1, 2], mode: 'area' }), 'VALUE', /'nearest' or 'linear' or 'cubic' for 'mode', got "area"/)
  })
})
