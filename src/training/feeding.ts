// Batches on their way into a plan.
import type { GraphInput } from '../graph/graph.ts'
import type { PlannedValue } from '../plan/plan.ts'
import type { DataOf } from '../values/dtype.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import type { BatchPlan } from './batch-plan.ts'
import type { OutputLoss } from './descriptions/output-losses.ts'
import type { PlanViews } from './plan-views.ts'
import type { BatchInputs, BatchOptions, BatchTargets } from './trainable.ts'

/** Rows `begin` to `begin + size` of an array along its first axis; all of it where another axis is the batch, or none (-1), or where it is not taken apart. */
function copyRows({ data, shape }: ArrayLike, axis: number, begin: number, size: number, rows: number, to: DataOf): void {
  if (axis !== 0 || size === rows) {
    to.set(data)
    return
  }
  const each = data.length / (shape[0] as number)
  to.set(data.subarray(begin * each, begin * each + to.length))
}

/** Rows `begin` to `begin + size` of the inputs, into a plan; zeros where one is left out. @param axes of each that are the batch */
export function feedInputs(
  views: PlanViews, plan: BatchPlan, ports: readonly GraphInput[], axes: ReadonlyMap<string, number>, inputs: BatchInputs, begin: number, size: number,
  rows: number,
): void {
  for (const { name } of ports) {
    const value = plan.inputs.get(name)
    if (value === undefined) continue
    const view = views.of(value)
    const given = inputs[name]
    if (given === undefined) view.fill(0)
    else copyRows(given, axes.get(name) ?? -1, begin, size, rows, view)
  }
}

/** What losses are given, of a whole batch. */
export interface LossData extends Pick<BatchOptions, 'weights'> {
  readonly targets: readonly BatchTargets[]
}

/** Targets and weights of rows `begin` to `begin + size`, into a plan. */
export function feedLosses(
  views: PlanViews, plan: BatchPlan, losses: readonly OutputLoss[], { targets, weights }: LossData, begin: number, size: number, rows: number,
): void {
  if (plan.weights === undefined) return
  const counts = views.of(plan.weights)
  let at = 0
  for (let n = 0; n < plan.parts.length; n++) {
    const { targets: inputs, length } = plan.parts[n] as BatchPlan['parts'][number]
    for (const { role, input } of inputs) {
      const value = plan.inputs.get(input.name) as PlannedValue
      copyRows((targets[n] as BatchTargets)[role] as ArrayLike, 0, begin, size, rows, views.of(value))
    }
    const [own, { weight }] = [weights[n] as Float32Array, losses[n] as OutputLoss]
    const from = begin * length / size
    for (let i = 0; i < length; i++) counts[at++] = (own[from + i] as number) * weight
  }
}

/** The losses of these rows, out of a plan that has run. @param into those of the whole batch, of each loss */
export function takeLosses(views: PlanViews, plan: BatchPlan, into: readonly Float32Array[], begin: number, size: number): void {
  if (plan.losses === undefined) return
  const all = views.of(plan.losses)
  let at = 0
  for (let n = 0; n < plan.parts.length; n++) {
    const { length } = plan.parts[n] as BatchPlan['parts'][number]
    const [own, from] = [into[n] as Float32Array, begin * length / size]
    for (let i = 0; i < length; i++) own[from + i] = all[at++] as number
  }
}
