import type { TrainingKernels } from '../../runtime/gradient-kernels.ts'
import { checkShape, lengthOf, type Shape } from '../../values/shape.ts'
import { integerOf, resolveAxis } from '../node/attributes.ts'
import { label, requireInput } from '../node/checks.ts'
import { planIndexCheck } from '../movement/gather.ts'
import { movementCost } from '../layout/movement.ts'
import type { Operator } from '../operator.ts'

interface ScatterAddSettings {
  /** Of the result. */
  readonly shape: Shape
  /** Along which the indices count. */
  readonly axis: number
}

/**
 * The gradient of `gather` by its data: zeros, with each part of the updates added to the place its index names, in the order of the indices.
 * Inputs: updates (float32, in the shape that gathering has), indices (int32). Attributes: `shape` of the result, `axis`.
 */
export const scatterAdd: Operator<ScatterAddSettings> = {
  name: 'scatterAdd',
  mostInputs: 2,
  attributes: ['shape', 'axis'],
  time: 'unknown',
  mayRefuse: (_node, context) => context.value(1) === undefined,
  parse(node) {
    const shape = checkShape(node.attributes.shape, label(node))
    return { shape, axis: resolveAxis(node, integerOf(node, 'axis'), shape.length) }
  },
  infer(node, context, { shape }) {
    requireInput(node, context, 0, 'float32')
    requireInput(node, context, 1, 'int32')
    return [{ dtype: 'float32', shape }]
  },
  cost: movementCost,
  plan(_node, planner, { shape, axis }) {
    const { scatterAddF32 } = planner.kernels as TrainingKernels
    const count = lengthOf(planner.shapeOf(1))
    const [outer, size, length] = [lengthOf(shape.slice(0, axis)), shape[axis] as number, lengthOf(shape.slice(axis + 1))]
    const [updates, indices, out] = [planner.input(0), planner.input(1), planner.output(0)]
    planIndexCheck(planner, size)
    planner.step(() => scatterAddF32(indices.ptr, count, updates.ptr, outer, size, length, out.ptr))
  },
}
