// Arrays in float64 with loops over every index: what the operators are compared with.
import { expect } from 'vitest'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { lengthOf, type Shape } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'

/** All indices of a shape, in row-major order. */
export function indicesOf(shape: Shape): number[][] {
  let indices: number[][] = [[]]
  for (const size of shape) indices = indices.flatMap((index) => Array.from({ length: size }, (_, n) => [...index, n]))
  return indices
}

/** The element at an index; along an axis of size 1 always the one there is, and axes in front may be missing. */
export function at({ shape, data }: ArrayLike, index: readonly number[]): number {
  const own = index.slice(index.length - shape.length)
  return data[shape.reduce((position, size, axis) => position * size + (size === 1 ? 0 : own[axis] as number), 0)] as number
}

/** f of every index, in row-major order. */
export function tabulate(shape: Shape, f: (...index: number[]) => number): Float64Array {
  return Float64Array.from(indicesOf(shape), (index) => f(...index))
}

/** The shape numpy broadcasts to. */
export function broadcast(...shapes: Shape[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length))
  return Array.from({ length: rank }, (_, axis) => Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)))
}

/** float32 elements, no two alike. */
export function random(seed: number, shape: Shape, scale: number = 2): NdArray<'float32'> {
  return new NdArray(pseudoRandom(seed, lengthOf(shape), scale), shape)
}

export function ones(shape: Shape): NdArray<'float32'> {
  return new NdArray(new Float32Array(lengthOf(shape)).fill(1), shape)
}

export function floats(values: readonly number[], shape: Shape = [values.length]): NdArray<'float32'> {
  return new NdArray(new Float32Array(values), shape)
}

export function ints(values: readonly number[], shape: Shape = [values.length]): NdArray<'int32'> {
  return new NdArray(new Int32Array(values), shape)
}

export function bytes(values: readonly number[], shape: Shape = [values.length]): NdArray<'uint8'> {
  return new NdArray(new Uint8Array(values), shape)
}

/** Elements within `distance` of those expected, relative to the largest of these where it is above 1. */
export function expectClose(got: ArrayLike, shape: Shape, expected: Float64Array, distance: number): void {
  expect(got.shape).toEqual(shape)
  const bound = distance * expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1)
  expected.forEach((value, n) => {
    const element = got.data[n] as number
    if (!Number.isFinite(value)) expect(element, `element ${n}`).toBe(value)
    else if (!(Math.abs(element - value) <= bound)) expect.fail(`element ${n}: ${element}, expected ${value} within ${bound}`)
  })
}

/** The same bits. */
export function expectSame(got: ArrayLike | undefined, expected: ArrayLike): void {
  expect(got?.dtype).toBe(expected.dtype)
  expect(got?.shape).toEqual(expected.shape)
  expect(got?.data).toEqual(expected.data)
}

/** Row `row` along the first axis, as a batch of one. */
export function rowOf({ shape, data }: ArrayLike, row: number): NdArray {
  const [, ...rest] = shape
  const length = lengthOf(rest)
  return new NdArray(data.slice(row * length, (row + 1) * length), [1, ...rest])
}
