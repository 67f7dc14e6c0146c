import { describe, expect, it } from 'vitest'
import { findFunction, constantNames } from '../../src/ops/elementwise/functions.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { FUNCTION_TABLE } from '../function-table.ts'
import { ones, random } from '../ops/reference.ts'
import { GRADIENT_DISTANCE } from '../tolerance.ts'
import { gradientsOf } from './differences.ts'

/** Kinks, near which a difference is no derivative. */
const KINKS: readonly number[] = [-3, -2.5, -1, -0.5, 0, 0.5, 1, 2.5, 3]
const STEP = 1e-4

/** f'(x), by Richardson's extrapolation of central differences, in float64. */
function difference(f: (x: number) => number, x: number): number {
  const central = (h: number): number => (f(x + h) - f(x - h)) / (2 * h)
  return (4 * central(STEP / 2) - central(STEP)) / 3
}

describe(`derivatives of functions, within ${GRADIENT_DISTANCE} of differences in float64`, () => {
  const names = Object.keys(FUNCTION_TABLE).filter((name) => !['linear', 'softmax', 'logSoftmax', 'sparsemax'].includes(name))

  it.each(names)('%s', (name) => {
    const { of, constants = [] } = FUNCTION_TABLE[name] as (typeof FUNCTION_TABLE)[string]
    const facts = findFunction(name)
    const positive = ['log', 'sqrt', 'reciprocal'].includes(name)
    for (const [alpha, beta] of [[facts?.alpha ?? 0, facts?.beta ?? 0] as const, ...constants]) {
      const taken = Float32Array.from(random(3, [97], 4).data, (x) => (positive ? Math.abs(x) + 0.25 : x))
        .filter((x) => KINKS.every((kink) => Math.abs(x - kink) > 1e-2))
      const x = new NdArray(taken, [taken.length])
      expect(x.data.length).toBeGreaterThan(80)
      const attributes = Object.fromEntries(constantNames(name).map((constant) => [constant, constant === 'alpha' ? alpha : beta]))
      const seed = random(5, x.shape)
      const { gradients: [gradient] } = gradientsOf({ op: name, attributes, inputs: [x] }, () => seed)
      const inFloat64 = (at: number): number => of(at, Math.fround(alpha), Math.fround(beta))
      const expected = Float64Array.from(x.data, (element, n) => (seed.data[n] as number) * difference(inFloat64, element))
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
      if (gradient === undefined) expect(expected.every((value) => value === 0), 'without a gradient').toBe(true)
      else {
        expected.forEach((value, n) => {
          const distance = Math.abs((gradient.data[n] as number) - value)
          expect(distance, `${name}'(${x.data[n]}), ${alpha} ${beta}`).toBeLessThan(GRADIENT_DISTANCE * largest)
        })
      }
    }
  })

  it('has the derivatives of PyTorch where there are kinks', () => {
    const at = (name: string, xs: readonly number[], attributes: Readonly<Record<string, number>> = {}): number[] => {
      const x = new NdArray(Float32Array.from(xs), [xs.length])
      return Array.from(gradientsOf({ op: name, attributes, inputs: [x] }, ones).gradients[0]?.data ?? [])
    }
    expect(at('relu', [-1, 0, 1])).toEqual([0, 0, 1])
    expect(at('leakyRelu', [-1, 0, 1], { alpha: 0.25 })).toEqual([0.25, 0.25, 1])
    expect(at('elu', [0, 1], { alpha: 0.5 })).toEqual([0.5, 1])
    expect(at('clipped', [-1, -0.5, 1, 2])).toEqual([0, 1, 0, 0])
    expect(at('hardSigmoid', [-2.5, 0, 2.5])).toEqual([0, Math.fround(0.2), 0])
    expect(at('hardSwish', [-3, 0, 3])).toEqual([0, 0.5, 1])
    expect(at('hardShrink', [-0.5, 0, 0.5, 0.75])).toEqual([0, 0, 0, 1])
    expect(at('softShrink', [-0.5, 0, 0.5, 0.75])).toEqual([0, 0, 0, 1])
    expect(at('thresholdedRelu', [1, 1.5])).toEqual([0, 1])
    expect(at('abs', [-1, 0, 1])).toEqual([-1, 0, 1])
    expect(at('gelu', [0])).toEqual([0.5])
    expect(at('mish', [0])[0]).toBeCloseTo(0.6, 6)
  })
})
