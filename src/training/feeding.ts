// Batches on their way into a plan.
import type { DataOf } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'

/** Rows `begin` to `begin + size` of an array along its first axis; all of it where another axis is the batch, or none (-1), or where it is not taken apart. */
export function copyRows({ data, shape }: ArrayLike, axis: number, begin: number, size: number, rows: number, to: DataOf): void {
  if (axis !== 0 || size === rows) {
    to.set(data)
    return
  }
  const each = data.length / (shape[0] as number)
  const from = begin * each
  for (let n = 0; n < to.length; n++) to[n] = data[from + n] as number
}
