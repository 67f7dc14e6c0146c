// Golden model files as cases for threads: inputs of several sizes, and the outputs of one thread.
import type { Model } from '../../src/model/model.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { elements } from '../golden-files.ts'

export type Arrays = Readonly<Record<string, { readonly dtype: NdArray['dtype'], readonly shape: readonly number[], readonly data: NdArray['data'] }>>

/** Inputs where symbolic sizes have these numbers by turns. */
export function inputsOf(model: Model, sizes: readonly number[], seed: number): Arrays {
  const known: Map<string, number> = new Map()
  return Object.fromEntries(model.inputs.map(({ name, dtype, shape }, n) => {
    const own = shape.map((size) => {
      if (typeof size === 'number') return size
      if (!known.has(size)) known.set(size, sizes[known.size % sizes.length] as number)
      return known.get(size) as number
    })
    return [name, { dtype, shape: own, data: elements(dtype, own.reduce((a, b) => a * b, 1), seed + n) }]
  }))
}

/** What a model gives, or what it says: cases may be refused. */
export function outcome(model: Model, inputs: Arrays): Arrays | string {
  try {
    return Object.fromEntries(Object.entries(model.run(inputs)).map(([name, { dtype, shape, data }]) => [name, { dtype, shape: [...shape], data }]))
  } catch (error) {
    return (error as Error).message
  }
}
