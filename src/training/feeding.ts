// Batches on their way into a plan.
import type { DataOf } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { LossTarget } from './loss-graph.ts'
import type { Reduction } from './losses.ts'

/** What a step is of. */
export interface EngineBatch {
  readonly rows: number
  /** Inputs of the model, by name. */
  readonly inputs: Readonly<Record<string, ArrayLike>>
  /** What the loss compares with; none for predictions. */
  readonly targets?: Readonly<Partial<Record<LossTarget['role'], ArrayLike>>> | undefined
  /** What each row counts, or each timestep: as many as there are losses, or rows. Default: 1 each. */
  readonly weights?: Float32Array | undefined
}

/** Rows `begin` to `begin + size` of an array along an axis; all of it where the axis is -1, or where it is not taken apart. */
export function copyRows({ data, shape }: ArrayLike, axis: number, begin: number, size: number, rows: number, to: DataOf): void {
  if (axis !== 0 || size === rows) {
    to.set(data)
    return
  }
  const each = data.length / (shape[0] as number)
  const from = begin * each
  for (let n = 0; n < to.length; n++) to[n] = data[from + n] as number
}

/** What losses are divided by: the sum of their weights, or how many count; 1 for sums. */
function totalWeight(reduction: Reduction, weights: Float32Array | undefined, rows: number): number {
  if (reduction === 'sum') return 1
  if (weights === undefined) return rows
  let total = 0
  for (let n = 0; n < weights.length; n++) total += reduction === 'mean' ? weights[n] as number : Number(weights[n] !== 0)
  return total === 0 ? 1 : total // nothing counts: every share is 0
}

/**
 * What each loss of a group is multiplied with: its weight over what the reduction divides by, which is told by the whole batch.
 * @param shares one for each loss of the group: for each row one or several
 */
export function writeShares(reduction: Reduction, { rows, weights }: EngineBatch, begin: number, size: number, shares: Float32Array): void {
  const each = shares.length / size
  const isOfRows = weights === undefined || weights.length === rows
  const divisor = reduction === 'sum' ? 1 : totalWeight(reduction, weights, rows) * (isOfRows ? each : 1)
  for (let n = 0; n < shares.length; n++) {
    const at = begin * each + n
    shares[n] = (weights === undefined ? 1 : weights[isOfRows ? Math.floor(at / each) : at] as number) / divisor
  }
}
