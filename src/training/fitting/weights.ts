// What each loss of a batch counts.
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import type { ArrayLike } from '../../values/ndarray.ts'
import type { Batch } from './dataset.ts'
import type { Loss } from '../descriptions/losses.ts'
import type { OutputLoss } from '../descriptions/output-losses.ts'
import type { BatchTargets } from '../trainable.ts'

/** What classes count, by their number: `{ 0: 1, 1: 5 }`. Those that are not named count 1. */
export type ClassWeight = Readonly<Record<number, number>>

/** @throws LstmError `VALUE` unless it is one, of a loss that has classes */
export function checkClassWeight(given: unknown, losses: readonly OutputLoss[], what: string): void {
  if (given === undefined) return
  const [{ loss: { loss } }, ...more] = losses as readonly [OutputLoss]
  if (more.length > 0) throw new LstmError('VALUE', `${what}: classWeight goes with one loss; use sampleWeight by the names of outputs`)
  if (!['sparseCategoricalCrossentropy', 'categoricalCrossentropy', 'binaryCrossentropy'].includes(loss)) {
    throw new LstmError('VALUE', `${what}: classWeight goes with losses of classes, not with ${loss}; use sampleWeight`)
  }
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : undefined
  if (entries?.every(([name, weight]) => /^\d+$/.test(name) && Number.isFinite(weight) && (weight as number) >= 0) !== true) {
    throw new LstmError('VALUE', `${what}: expected numbers >= 0 by class for 'classWeight', got ${entries === undefined ? describeValue(given) : JSON.stringify(given)}`)
  }
}

/** The class of the target of each loss. */
function classOf(loss: Loss, { data }: ArrayLike, n: number, columns: number): number {
  if (loss.loss === 'sparseCategoricalCrossentropy') return data[n] as number
  if (columns === 1) return Number((data[n] as number) >= 0.5)
  let best = 0
  for (let c = 1; c < columns; c++) if ((data[n * columns + c] as number) > (data[n * columns + best] as number)) best = c
  return best
}

/** What a batch counts. */
export interface BatchWeight {
  /** Of all losses. */
  sum: number
  /** Losses that count. */
  count: number
}

/**
 * Writes what each loss of a batch counts: sample weight times class weight; 0 where the mask is 0, and for classes that are ignored.
 * @param part which loss of the batch it is
 * @param weights as many as there are elements of the loss
 * @param into is written: it allocates nothing
 */
export function writeWeights(
  loss: Loss, batch: Batch, part: number, classWeight: ClassWeight | undefined, weights: Float32Array, into: BatchWeight,
): void {
  const { rows } = batch
  const [sampleWeight, mask] = [batch.sampleWeight[part], batch.mask[part]]
  const perRow = weights.length / rows
  const { target } = batch.targets[part] as BatchTargets
  const ignored = loss.loss === 'sparseCategoricalCrossentropy' ? loss.ignoreIndex : undefined
  const columns = target === undefined ? 0 : target.data.length / weights.length
  into.sum = 0
  into.count = 0
  for (let n = 0; n < weights.length; n++) {
    const row = Math.floor(n / perRow)
    let weight = sampleWeight === undefined ? 1 : sampleWeight.data[sampleWeight.data.length === rows ? row : n] as number
    const counts = mask?.data[mask.data.length === rows ? row : n] !== 0
      && (ignored === undefined || (target as ArrayLike).data[n] !== ignored)
    if (!counts) weight = 0
    else if (classWeight !== undefined) weight *= classWeight[classOf(loss, target as ArrayLike, n, columns)] ?? 1
    weights[n] = weight
    into.sum += weight
    if (counts) into.count++
  }
}

/** What the sum of weighted losses is divided by; 0 where nothing counts. */
export function divisorOf({ reduction }: Loss, { sum, count }: BatchWeight): number {
  return reduction === 'sum' ? Number(count > 0) : reduction === 'mean' ? sum : count
}
