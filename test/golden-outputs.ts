// Outputs of frameworks in float32, and what is to be added to them to get those of float64: test/python/golden_cases.py.
import { expect } from 'vitest'
import type { ArrayLike } from '../src/values/ndarray.ts'
import { float64Distance, PYTORCH_DISTANCE } from './tolerance.ts'

/** The tensors of a folder of golden cases. */
export type GoldenTensors = ReadonlyMap<string, ArrayLike>

/** The largest of |f(n)|; NaN where one is NaN. */
function largest(length: number, f: (n: number) => number): number {
  let most = 0
  for (let n = 0; n < length; n++) {
    const size = Math.abs(f(n))
    if (!(size <= most)) most = size
  }
  return most
}

/** The largest difference of elements; NaN where one is NaN. */
function distance(actual: ArrayLike | undefined, wanted: ArrayLike): number {
  expect([actual?.dtype, actual?.shape]).toEqual([wanted.dtype, wanted.shape])
  return largest(wanted.data.length, (n) => (actual?.data[n] as number) - (wanted.data[n] as number))
}

/**
 * Checks an output: within 5e-6 of the framework's, and no farther from float64 than twice the framework is.
 * @param prefix of the case and call: the tensors are PREFIX/out/NAME and, unless it is all zeros, PREFIX/rest/NAME
 */
export function checkOutput(tensors: GoldenTensors, prefix: string, name: string, actual: ArrayLike | undefined): void {
  const wanted = tensors.get(`${prefix}/out/${name}`) as ArrayLike
  expect(distance(actual, wanted), `${name}: distance from the framework`).toBeLessThanOrEqual(PYTORCH_DISTANCE)
  const rest = tensors.get(`${prefix}/rest/${name}`)
  if (rest !== undefined) expect([rest.dtype, rest.shape]).toEqual(['float32', wanted.shape])
  const exact = (n: number): number => (wanted.data[n] as number) + (rest?.data[n] ?? 0)
  const framework = rest === undefined ? 0 : largest(rest.data.length, (n) => rest.data[n] as number)
  const ours = largest(wanted.data.length, (n) => (actual?.data[n] as number) - exact(n))
  expect(ours, `${name}: distance from float64, the framework's being ${framework}`).toBeLessThanOrEqual(float64Distance(framework, largest(wanted.data.length, (n) => wanted.data[n] as number)))
}
