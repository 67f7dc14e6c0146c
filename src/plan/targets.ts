// Where outputs may be written.
import { LstmError } from '../errors.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tensor } from '../runtime/tensor.ts'
import { dtypeOfData, type DType } from '../values/dtype.ts'
import { checkData, hasShape, type ArrayLike } from '../values/ndarray.ts'
import { formatShape, sameShape, type Shape } from '../values/shape.ts'
import { checkTensor } from './binding.ts'

/** Where `run` may write an output: a tensor of the model's runtime, a typed array, or an array with shape and data. */
export type RunTarget = Tensor | ArrayLike | Float32Array | Int32Array | Uint8Array

/** @throws LstmError `VALUE`, `SHAPE` or `DISPOSED` unless an output can be written to a target */
export function checkTarget(target: RunTarget, runtime: Runtime, name: string, dtype: DType, shape: Shape, length: number): void {
  checkTensor(target, runtime, 'into', name)
  const data = hasShape(target) ? target.data : target
  if (dtypeOfData(data) !== dtype) checkData(data, dtype, `into '${name}'`)
  if ((hasShape(target) && !sameShape(target.shape, shape)) || data.length !== length) {
    const got = hasShape(target) ? formatShape(target.shape) : `${data.length} elements`
    throw new LstmError('SHAPE', `into '${name}': expected ${dtype} ${formatShape(shape)}, got ${got}`)
  }
}

export function noOutput(name: string, outputs: readonly { readonly name: string }[]): LstmError {
  return new LstmError('VALUE', `into: no output '${name}'; outputs are ${outputs.map((output) => `'${output.name}'`).join(', ')}`)
}
