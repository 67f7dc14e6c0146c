import { describe, expect, it } from 'vitest'
import { NdArray } from '../../../src/values/ndarray.ts'
import { expectError } from '../../expect-error.ts'
import { pseudoRandom } from '../../random.ts'
import { foldNode, runNode } from '../one-node.ts'

/** Halves go to the even one. */
function nearest(x: number): number {
  const below = Math.floor(x)
  const part = x - below
  return part < 0.5 || (part === 0.5 && below % 2 === 0) ? below : below + 1
}

describe('throughIntegers', () => {
  const odd = [0, -0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, 1e30, -1e30, Infinity, -Infinity, NaN, 1e-40]

  it.each([
    { scale: 1, zero: 0, least: 0, most: 255 }, { scale: 0.25, zero: 128, least: 0, most: 255 },
    { scale: 0.037, zero: -7, least: -128, most: 127 }, { scale: 3, zero: 2, least: -8, most: 7 },
  ])('%j is a QuantizeLinear and the DequantizeLinear after it, to the bit, on every binary and folded', (attributes) => {
    const { zero, least, most } = attributes
    const scale = Math.fround(attributes.scale)
    for (const length of [1, 3, 5, 17, 64]) {
      const numbers = [...odd, ...odd.map((value) => value * scale), ...pseudoRandom(length, 40, 300 * scale)]
      const x = new NdArray(Float32Array.from({ length }, (_, n) => numbers[(n * 7 + length) % numbers.length] as number), [length])
      const expected = Array.from(x.data, (value) => {
        const quotient = Math.fround(value / scale)
        const whole = Math.fround((Number.isFinite(quotient) ? nearest(quotient) : quotient) + zero)
        return Math.fround(Math.fround(whole < least ? least : whole > most ? most : whole) - zero) * scale
      }).map(Math.fround)
      // Which zero has which sign is what ONNX does not say.
      const plain = ({ data }: NdArray): number[] => Array.from(data, (value) => value + 0)
      expect(plain(runNode('throughIntegers', [x], { attributes }))).toEqual(expected.map((value) => value + 0))
      expect(plain(foldNode('throughIntegers', [x], attributes) as NdArray)).toEqual(expected.map((value) => value + 0))
    }
  })

  it('says what is no scale', () => {
    const x = new NdArray(new Float32Array(3), [3])
    expectError(() => runNode('throughIntegers', [x], { attributes: { scale: -1 } }), 'VALUE', "throughIntegers 'node': expected a finite number from 0 on for 'scale', got -1")
  })
})
