import { expect } from 'vitest'
import type { NdArray } from '../../src/values/ndarray.ts'
import { REORDERED_DISTANCE } from '../tolerance.ts'

type Arrays = Readonly<Record<string, NdArray>>

/** Checks that a model gives the outputs of another one. @returns whether to the bit */
export function sameOutputs(got: Arrays, wanted: Arrays): boolean {
  expect(Object.keys(got)).toEqual(Object.keys(wanted))
  let isExact = true
  for (const [name, { dtype, shape, data }] of Object.entries(wanted)) {
    const other = got[name] as NdArray
    expect([other.dtype, other.shape]).toEqual([dtype, shape])
    const largest = Array.from(data).reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 1)
    for (let n = 0; n < data.length; n++) {
      const [mine, theirs] = [other.data[n] as number, data[n] as number]
      if (Object.is(mine, theirs)) continue
      isExact = false
      if (!(Math.abs(mine - theirs) <= REORDERED_DISTANCE * largest)) expect({ name, n, value: mine }).toEqual({ name, n, value: theirs })
    }
  }
  return isExact
}
