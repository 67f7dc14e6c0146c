// Golden cases of Keras and TensorFlow.js: models in files, what they are run with, call by call, and what they gave.
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import type { Model } from '../../src/model/model.ts'
import type { DType } from '../../src/values/dtype.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { checkOutput } from '../golden-outputs.ts'

interface Call {
  readonly inputs: Readonly<Record<string, unknown>>
  readonly outputs: Readonly<Record<string, unknown>>
  /** States are forgotten first. */
  readonly reset?: boolean
}

export interface GoldenCase extends Partial<Call> {
  readonly name: string
  readonly file: string
  readonly options: Readonly<Record<string, unknown>>
  /** Several calls, one after the other, of one model. */
  readonly calls?: readonly Call[]
}

/** The cases of a folder in test/golden. */
export class GoldenFolder {
  readonly cases: readonly GoldenCase[]
  readonly url: URL
  readonly #tensors: ReadonlyMap<string, ArrayLike>

  constructor(name: string) {
    this.url = new URL(`../golden/${name}/`, import.meta.url)
    this.cases = (JSON.parse(readFileSync(new URL('cases.json', this.url), 'utf8')) as { cases: GoldenCase[] }).cases
    this.#tensors = readSafetensors(readFileSync(new URL('cases.safetensors', this.url))).tensors
  }

  read(file: string): Uint8Array {
    return readFileSync(new URL(file, this.url))
  }

  /** Makes all calls of a case. Inputs and outputs go by the model's order: some names are made up by the framework. */
  check(golden: GoldenCase, model: Model): void {
    this.callsOf(golden).forEach(({ reset, prefix, inputs, outputs }) => {
      if (reset) model.resetStates()
      const given = model.inputs.map(({ name, dtype }, position) => [name, withDtype(inputs[position]?.[1], dtype)] as const)
      const results = Object.values(model.run(Object.fromEntries(given)))
      expect(results.length).toBe(outputs.length)
      outputs.forEach(([name], position) => this.checkOutput(prefix, name, results[position]))
    })
  }

  /** Checks one output of a call: see `checkOutput`. */
  checkOutput(prefix: string, name: string, actual: ArrayLike | undefined): void {
    checkOutput(this.#tensors, prefix, name, actual)
  }

  callsOf(golden: GoldenCase): { prefix: string, reset: boolean, inputs: [string, ArrayLike][], outputs: [string, ArrayLike][] }[] {
    const calls = golden.calls ?? [{ inputs: golden.inputs ?? {}, outputs: golden.outputs ?? {} }]
    return calls.map((call, index) => {
      const prefix = calls.length === 1 ? golden.name : `${golden.name}/${index}`
      const tensors = (side: 'in' | 'out', names: readonly string[]): [string, ArrayLike][] => (
        names.map((name) => [name, this.#tensors.get(`${prefix}/${side}/${name}`) as ArrayLike])
      )
      return { prefix, reset: call.reset ?? false, inputs: tensors('in', Object.keys(call.inputs)), outputs: tensors('out', Object.keys(call.outputs)) }
    })
  }
}

/** Indices that the framework takes as floats. */
function withDtype(array: ArrayLike | undefined, dtype: DType): ArrayLike {
  if (array === undefined) throw new Error('the case has fewer inputs than the model')
  return dtype === 'int32' && array.dtype === 'float32' ? new NdArray(Int32Array.from(array.data), array.shape) : array
}
