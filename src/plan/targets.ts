// Targets: arrays and tensors to write outputs to.
import { LstmError } from '../errors.ts'
import type { Kind } from '../options.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { describeValue, dtypeOfData, type DataOf, type DType } from '../values/dtype.ts'
import { checkData, type ArrayLike } from '../values/ndarray.ts'
import { formatShape, sameShape, type Shape } from '../values/shape.ts'
import type { Tensor } from '../runtime/tensor.ts'
import { checkTensor, takeArray, type ByName, type Taken } from './binding.ts'
import { takeNamed, type NamedPort } from './named.ts'

/** Where `run` may write an output: a tensor of the model's runtime, a typed array, or an array with shape and data. */
export type RunTarget = Tensor | ArrayLike | Float32Array | Int32Array | Uint8Array

/** Where outputs are to be written: arrays by name, or one for the only output. */
export type RunTargets = ByName<RunTarget> | RunTarget

/** The option `into` of `run` and `runAsync`; `takeTargets` looks closer. */
export const INTO: Kind = { expected: 'arrays by the names of outputs', test: (value) => typeof value === 'object' && value !== null }

const WORDS = { call: 'into', port: 'output' } as const

/** Takes the targets of outputs; see `takeNamed`. @throws LstmError `VALUE` for what can be no target */
export function takeTargets(ports: readonly NamedPort[], into: unknown, values: unknown[], taken: readonly Taken[]): void {
  takeNamed(into, ports, values, WORDS)
  for (let n = 0; n < ports.length; n++) {
    const value = values[n]
    values[n] = undefined
    const isNamed = value !== undefined || Object.hasOwn(into as object, (ports[n] as NamedPort).name)
    if (!takeArray(value, taken[n] as Taken) && isNamed) {
      throw new LstmError('VALUE', `into '${(ports[n] as NamedPort).name}': expected a tensor, a typed array or an array with shape and data, got ${describeValue(value)}`)
    }
  }
}

export function isGiven({ tensor, data }: Taken): boolean {
  return tensor !== undefined || data !== undefined
}

/** @throws LstmError `VALUE`, `SHAPE` or `DISPOSED` unless an output can be written to a target */
export function checkTarget(place: Taken, runtime: Runtime, name: string, dtype: DType, shape: Shape, length: number): void {
  const { tensor, data, shape: claimed } = place
  if (tensor !== undefined) checkTensor(tensor, runtime, 'into', name)
  if (tensor === undefined ? dtypeOfData(data) !== dtype : tensor.dtype !== dtype) checkData(tensor?.data ?? data, dtype, `into '${name}'`)
  const got = ((tensor ?? data) as { readonly length: number }).length
  if (got !== length || (claimed !== undefined && !sameShape(claimed, shape))) {
    throw new LstmError('SHAPE', `into '${name}': expected ${dtype} ${formatShape(shape)}, got ${claimed === undefined || got !== length ? `${got} elements` : formatShape(claimed)}`)
  }
}

/** Whether two arrays have elements in common. */
export function overlaps(a: DataOf, b: DataOf): boolean {
  if (a === b) return a.length > 0
  return a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
}

/** Memory that is written may not be read, or written twice, in the same run. @throws LstmError `VALUE` */
export function checkOverlaps(targets: readonly Taken[], outputs: readonly NamedPort[], taken: readonly Taken[], inputs: readonly NamedPort[]): void {
  for (let n = 0; n < targets.length; n++) {
    const { tensor, data } = targets[n] as Taken
    if (tensor === undefined && data === undefined) continue
    for (let m = n + 1; m < targets.length; m++) {
      const other = targets[m] as Taken
      if (!isGiven(other) || !isShared(targets[n] as Taken, other)) continue
      throw new LstmError('VALUE', `into: '${(outputs[n] as NamedPort).name}' and '${(outputs[m] as NamedPort).name}' are the same memory`)
    }
    // Elements of typed arrays are copied before anything is written.
    for (let m = 0; tensor !== undefined && m < taken.length; m++) {
      if ((taken[m] as Taken).tensor?.ptr !== tensor.ptr) continue
      throw new LstmError('VALUE', `into: '${(outputs[n] as NamedPort).name}' is the same memory as the input '${(inputs[m] as NamedPort).name}'`)
    }
  }
}

function isShared(a: Taken, b: Taken): boolean {
  if (a.tensor !== undefined && b.tensor !== undefined) return a.tensor.ptr === b.tensor.ptr
  return overlaps(dataOf(a), dataOf(b))
}

function dataOf({ tensor, data }: Taken): DataOf {
  return (tensor?.data ?? data) as DataOf
}
