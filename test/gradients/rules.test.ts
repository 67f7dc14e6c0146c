import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { GraphNode } from '../../src/graph/graph.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf, type Shape } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'
import { GRADIENT_DISTANCE } from '../tolerance.ts'
import { gradientsOf } from './differences.ts'

/** An input as test/python/golden_gradients.py describes it. */
interface Described {
  readonly shape: Shape
  readonly seed: number
  readonly scale: number
  readonly magnitude: boolean
  readonly ints?: readonly number[]
  readonly floats?: readonly number[]
  /** Whether it is a constant. */
  readonly fixed?: boolean
}

interface Case {
  readonly name: string
  readonly op: string
  readonly attributes: GraphNode['attributes']
  readonly inputs: readonly (Described | null)[]
  readonly outputs: number
  /** Which output is differentiated, and its shape. */
  readonly output: number
  readonly shape: Shape
  readonly gradients: readonly (readonly number[] | null)[]
}

const golden = JSON.parse(readFileSync(new URL('../golden/gradients.json', import.meta.url), 'utf8')) as { readonly seed: number, readonly cases: readonly Case[] }

function arrayOf({ shape, seed, scale, magnitude, ints, floats }: Described): NdArray {
  if (ints !== undefined) return new NdArray(Int32Array.from(ints), shape)
  if (floats !== undefined) return new NdArray(Float32Array.from(floats), shape)
  const data = pseudoRandom(seed, lengthOf(shape), scale)
  return new NdArray(magnitude ? data.map((x) => Math.fround(Math.abs(x) + 0.25)) : data, shape)
}

/** Int32 inputs that operators take at run time, too. */
const INDICES: readonly string[] = ['gather', 'gatherElements', 'gatherNd', 'scatterElements', 'scatterNd', 'reverseSequence']

describe(`gradients, within ${GRADIENT_DISTANCE} of PyTorch's float64`, () => {
  it.each(golden.cases.map((one) => [one.name, one] as const))('%s', (_, { op, attributes, inputs, outputs, output, shape, gradients }) => {
    const arrays = inputs.map((described) => (described === null ? null : arrayOf(described)))
    const integers = arrays.flatMap((array, position) => (array?.dtype === 'int32' || inputs[position]?.fixed === true ? [position] : []))
    for (const constants of INDICES.includes(op) ? [integers, []] : [integers]) {
      const seedOf = (own: Shape): NdArray => {
        expect(own).toEqual(shape)
        return new NdArray(pseudoRandom(golden.seed, lengthOf(own), 1), own)
      }
      const got = gradientsOf({ op, attributes, inputs: arrays, constants, outputs }, seedOf, output)
      gradients.forEach((expected, position) => {
        const gradient = got.gradients[position]
        if (expected === null) {
          expect(gradient, `input ${position}`).toBeUndefined()
          return
        }
        expect(gradient?.shape, `input ${position}`).toEqual(arrays[position]?.shape)
        const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
        expected.forEach((value, n) => {
          const distance = Math.abs((gradient?.data[n] as number) - value)
          if (!(distance <= GRADIENT_DISTANCE * largest)) expect.fail(`input ${position}, element ${n}: ${gradient?.data[n]}, expected ${value}`)
        })
      })
    }
  })
})

it('a transposed convolution that is cut to a given shape is cut alike on the way back, whatever autoPad says', () => {
  const arrays = [[1, 2, 4], [2, 3, 4]].map((shape, n) => new NdArray(pseudoRandom(n + 1, lengthOf(shape), 1), shape))
  const cut = (autoPad: string): unknown => {
    const { output, gradients } = gradientsOf(
      { op: 'convTranspose', attributes: { strides: [3], outputShape: [12], autoPad }, inputs: arrays }, (shape) => new NdArray(pseudoRandom(3, lengthOf(shape), 1), shape),
    )
    expect(output.shape).toEqual([1, 3, 12])
    return [output, ...gradients].map((one) => one?.data)
  }
  expect(cut('VALID')).toEqual(cut('NOTSET'))
  // One element is too many: it goes in front, or behind.
  expect(cut('SAME_UPPER')).not.toEqual(cut('NOTSET'))
})
