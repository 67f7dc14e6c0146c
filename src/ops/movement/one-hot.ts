import { LstmError } from '../../errors.ts'
import { bytesOf, createData, type DataOf } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Shape } from '../../values/shape.ts'
import { integerOf, resolveAxis } from '../node/attributes.ts'
import { anyInput, label, requireInput } from '../node/checks.ts'
import { checkSizes, freshSize } from '../node/sizes.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { OTHER_AXIS } from '../time/rules.ts'
import { along, timeAxis } from '../time/timing.ts'
import { planMove, whole } from '../layout/strides.ts'

/** The number of classes, where it is known. */
function depthOf(node: GraphNode, context: InferenceContext): number | undefined {
  const { dtype, shape } = anyInput(node, context, 1)
  if (shape.length > 1 || shape.some((size) => size !== 1)) {
    throw new LstmError('SHAPE', `${label(node)}: expected a scalar for the depth, got ${dtype} ${formatShape(shape)}`)
  }
  const depth = context.value(1)?.data[0]
  if (depth !== undefined && !(Number.isInteger(depth) && depth >= 1)) {
    throw new LstmError('VALUE', `${label(node)}: expected a depth that is a whole number >= 1, got ${depth}`)
  }
  return depth
}

/**
 * A new axis with the on value at the index and the off value everywhere else. Inputs: indices (int32;
 * from -depth to depth - 1; any other one is off everywhere), depth (scalar, int32 or float32, which
 * must follow from constants and shapes), values ([off, on]; their dtype is the output's).
 * Attribute `axis`, the new one (default -1).
 */
export const oneHot: Operator<number> = {
  name: 'oneHot',
  onnx: 'OneHot',
  mostInputs: 3,
  attributes: ['axis'],
  time(node, context, given) {
    const axis = timeAxis(context)
    if (axis === undefined || context.timing(1) !== undefined || context.timing(2) !== undefined) return OTHER_AXIS
    return along(node, resolveAxis(node, given, context.outputShape(0).length) <= axis ? axis + 1 : axis)
  },
  parse: (node) => integerOf(node, 'axis', -1),
  infer(node, context, given) {
    const { shape } = requireInput(node, context, 0, 'int32')
    const values = anyInput(node, context, 2)
    if (values.shape.length !== 1 || values.shape[0] !== 2) {
      throw new LstmError('SHAPE', `${label(node)}: expected values [off, on], got ${values.dtype} ${formatShape(values.shape)}`)
    }
    const axis = resolveAxis(node, given, shape.length + 1)
    const depth = depthOf(node, context) ?? freshSize(node, axis)
    return checkSizes(node, [{ dtype: values.dtype, shape: [...shape.slice(0, axis), depth, ...shape.slice(axis)] }])
  },
  cost: movementCost,
  evaluate(node, context, given, types) {
    if (!isFoldable(node, context, types)) return undefined
    const [indices, , values] = [0, 1, 2].map((position) => context.value(position)) as [ArrayLike, ArrayLike, ArrayLike]
    const [off, on] = values.data as unknown as [number, number]
    const shape = types[0].shape as Shape
    const axis = resolveAxis(node, given, shape.length)
    const depth = shape[axis] as number
    const inner = lengthOf(shape.slice(axis + 1))
    const out: DataOf = createData(values.dtype, lengthOf(shape)).fill(off)
    indices.data.forEach((index, n) => {
      const at = index < 0 ? index + depth : index
      if (at >= 0 && at < depth) out[(Math.floor(n / inner) * depth + at) * inner + n % inner] = on
    })
    return [new NdArray(out, shape)]
  },
  plan(node, planner, given) {
    requireSizes(node, planner)
    const { placeOneHot } = planner.kernels
    const shape = planner.outputShape(0)
    const axis = resolveAxis(node, given, shape.length)
    const depth = shape[axis] as number
    const inner = lengthOf(shape.slice(axis + 1))
    const length = lengthOf(planner.shapeOf(0))
    const dtype = planner.dtypeOf(2)
    const bytes = bytesOf(dtype)
    const [indices, values, out] = [planner.input(0), planner.input(2), planner.output(0)]
    const everywhere = { offset: 0, strides: shape.map(() => 0) }
    planMove(planner, { source: 2, output: 0, shape, from: everywhere, to: whole(shape) }, values, out, dtype)
    planner.step(() => placeOneHot(indices.ptr, 0, length, depth, inner, values.ptr + bytes, out.ptr, bytes))
  },
}
