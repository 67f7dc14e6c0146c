import type { PlannedOutput } from '../plan/plan.ts'
import type { TrainingRuntime } from '../runtime/gradient-kernels.ts'
import { copyData, createData } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import { lengthOf, sameShape } from '../values/shape.ts'

/** Outputs of the last run, put together from groups of rows. The arrays are the same from run to run of as many rows. */
export class RunOutputs {
  readonly #runtime: TrainingRuntime
  readonly #arrays: Map<string, NdArray> = new Map()

  constructor(runtime: TrainingRuntime) {
    this.#runtime = runtime
  }

  /**
   * Takes the output of a group.
   * @param rows those of the whole batch; `size` where it is not taken apart
   */
  take(name: string, { slot, shape, type }: PlannedOutput, begin: number, size: number, rows: number): void {
    const isPart = rows !== size && shape[0] === size
    const whole = isPart ? [rows, ...shape.slice(1)] : shape
    let array = this.#arrays.get(name)
    if (array === undefined || !sameShape(array.shape, whole)) {
      array = new NdArray(createData(type.dtype, lengthOf(whole)), whole)
      this.#arrays.set(name, array)
    }
    const length = lengthOf(shape)
    array.data.set(this.#runtime.linearMemory.view(type.dtype, slot.ptr, length), isPart ? begin * length / size : 0)
  }

  get(name: string): NdArray {
    return this.#arrays.get(name) as NdArray
  }

  copies(): Record<string, NdArray> {
    return Object.fromEntries([...this.#arrays].map(([name, { data, shape }]) => [name, new NdArray(copyData(data), shape)]))
  }
}
