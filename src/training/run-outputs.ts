import type { PlannedOutput } from '../plan/plan.ts'
import { copyData, createData } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import { lengthOf } from '../values/shape.ts'
import { areAlike } from './batch-sizes.ts'
import type { PlanViews } from './plan-views.ts'

/** Outputs of the last run, put together from groups of rows. The arrays are the same from run to run of as many rows. */
export class RunOutputs {
  readonly #views: PlanViews
  readonly #arrays: Map<string, NdArray> = new Map()

  constructor(views: PlanViews) {
    this.#views = views
  }

  /**
   * Takes the output of a group.
   * @param rows those of the whole batch; `size` where it is not taken apart
   */
  take(name: string, output: PlannedOutput, begin: number, size: number, rows: number): void {
    const { shape, type } = output
    const isPart = rows !== size && shape[0] === size
    let array = this.#arrays.get(name)
    if (array === undefined || !areAlike(array.shape, shape, 1) || array.shape[0] !== (isPart ? rows : shape[0])) {
      const whole = isPart ? [rows, ...shape.slice(1)] : shape
      array = new NdArray(createData(type.dtype, lengthOf(whole)), whole)
      this.#arrays.set(name, array)
    }
    const view = this.#views.of(output)
    array.data.set(view, isPart ? begin * view.length / size : 0)
  }

  get(name: string): NdArray {
    return this.#arrays.get(name) as NdArray
  }

  copies(): Record<string, NdArray> {
    return Object.fromEntries([...this.#arrays].map(([name, { data, shape }]) => [name, new NdArray(copyData(data), shape)]))
  }
}
