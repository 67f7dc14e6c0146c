// Models of 8 bits beside the frameworks' own.
import { expect } from 'vitest'
import type { Graph } from '../src/graph/graph.ts'
import type { Constant } from '../src/ops/constant.ts'
import type { ArrayLike } from '../src/values/ndarray.ts'

/** The root of the mean of squares of differences. */
export function distance(a: ArrayLike, b: ArrayLike): number {
  expect(a.shape).toEqual(b.shape)
  let sum = 0
  for (let n = 0; n < a.data.length; n++) sum += ((a.data[n] as number) - (b.data[n] as number)) ** 2
  return Math.sqrt(sum / a.data.length)
}

/** `44x13@0`: shapes of weights of 8 bits, and the axis of their outputs. */
export const int8In = ({ constants }: Graph): string[] => [...constants.values()].flatMap(({ shape, int8 }: Constant) => (int8 === undefined ? [] : [`${shape.join('x')}@${int8.axis}`]))
