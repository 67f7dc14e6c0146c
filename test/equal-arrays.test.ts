import { expect, it } from 'vitest'

it.each([
  ['of another type', Float32Array.of(1), Int32Array.of(0x3f800000)],
  ['longer', Float32Array.of(1, 2), Float32Array.of(1)],
  ['that differ in one element', Float32Array.of(1, 2, 3), Float32Array.of(1, 2, 4)],
  ['that differ in the sign of zero', Float32Array.of(0), Float32Array.of(-0)],
  ['within other values', { x: [Uint8Array.of(1)] }, { x: [Uint8Array.of(2)] }],
])('typed arrays %s are not equal', (_title, a, b) => {
  expect(a).not.toEqual(b)
})

it('typed arrays with the same bytes are equal, and so is one NaN and another', () => {
  expect(new Float32Array([9, 1, NaN]).subarray(1)).toEqual(Float32Array.of(1, NaN))
  const [one, other] = [new Float32Array(1), new Float32Array(1)]
  new Uint32Array(one.buffer)[0] = 0x7fc00000
  new Uint32Array(other.buffer)[0] = 0x7fc1a5e7
  expect({ x: one }).toEqual({ x: other })
})
