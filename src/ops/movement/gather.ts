import { LstmError } from '../../errors.ts'
import { bytesOf, createData, type DataOf } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, resolveAxis } from '../node/attributes.ts'
import { anyInput, label, requireInput } from '../node/checks.ts'
import { checkSizes } from '../node/sizes.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import { movingSizes } from '../layout/moved-sizes.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner } from '../operator.ts'
import { OTHER_AXIS, WORKS_ALONG } from '../time/rules.ts'
import { along, timeAxis, type TimeContext, type TimedNode } from '../time/timing.ts'
import { forEachIndex, inBytes, planBox, stridesOf } from '../layout/strides.ts'

/** Throws for an index that is none. */
export function refuseIndex(who: string, size: number, position: number): never {
  throw new LstmError('VALUE', `${who}: expected indices from ${-size} to ${size - 1}, got another one at element ${position} of the indices`)
}

/** Indices that are known, checked and counted from the front. */
export function knownIndices(node: GraphNode, indices: ArrayLike, size: number): number[] {
  const resolved = Array.from(indices.data, (index) => (index < 0 ? index + size : index))
  const bad = resolved.findIndex((index) => index < 0 || index >= size)
  if (bad >= 0) refuseIndex(label(node), size, bad)
  return resolved
}

/** Refuses constant indices as soon as the size is known. */
function checkConstantIndices(node: GraphNode, context: InferenceContext, size: Dimension): void {
  const indices = context.value(1)
  if (indices !== undefined && typeof size === 'number') knownIndices(node, indices, size)
}

/** Appends the step that checks the indices of every run; constant ones are checked already. */
export function planIndexCheck(planner: Planner, size: number): void {
  if (planner.value(1) !== undefined) return
  const { findBadIndex } = planner.kernels
  const who = planner.label
  const indices = planner.input(1)
  const length = lengthOf(planner.shapeOf(1))
  planner.step(() => {
    const bad = findBadIndex(indices.ptr, length, size)
    if (bad >= 0) refuseIndex(who, size, bad)
  })
}

/** The attribute `axis`, along which indices count. */
export function axisAttribute(node: GraphNode): number {
  return integerOf(node, 'axis', 0)
}

/** Constant indices are checked beforehand. */
export function hasOpenIndices(_node: GraphNode, context: InferenceContext): boolean {
  return context.value(1) === undefined
}

/** Elements of all axes before `axis`, and from behind it on. */
function around(shape: Shape, axis: number): { outer: number, inner: number } {
  return { outer: lengthOf(shape.slice(0, axis)), inner: lengthOf(shape.slice(axis + 1)) }
}

/**
 * Parts of an axis, by index: the axis gives way to the axes of the indices. Inputs: data, indices
 * (int32, any shape; negative ones count from the end). Attribute `axis` (default 0).
 * An index outside is an error `VALUE`: at run time, or at once for constant indices.
 */
export const gather: Operator<number> = movingSizes({
  name: 'gather',
  onnx: 'Gather',
  mostInputs: 2,
  attributes: ['axis'],
  /** Indices into another axis; the last step alone; or a table whose indices come step by step. */
  time(node, context, given) {
    const rank = context.shape(0)?.length as number
    const along0 = resolveAxis(node, given, rank)
    const [data, indices] = [context.timing(0), context.timing(1)]
    if (typeof indices === 'number') return data === undefined ? along(node, along0 + indices) : OTHER_AXIS
    const axis = data as number
    const added = (context.shape(1)?.length as number) - 1
    if (along0 !== axis) return along(node, axis > along0 ? axis + added : axis)
    const wanted = context.numbers(1)
    return wanted?.length === 1 && wanted[0] === -1 ? along(node, 'last') : 'takes steps out of the sequence'
  },
  /** A table whose rows are looked up. */
  narrowWeights: ({ inputs: [constant = ''] }, { value }, axis) => (axis === 0 && value(0)?.shape.length === 2 ? [{ constant, axis, products: 'float32' }] : []),
  mayRefuse: hasOpenIndices,
  indexBounds(_node, context, given) {
    const size = context.value(0)?.shape.at(given)
    return size === undefined ? undefined : { input: 1, least: -size, most: size - 1 }
  },
  carriesZeros: true,
  parse: axisAttribute,
  infer(node, context, given) {
    const { dtype, shape } = anyInput(node, context, 0)
    const indices = requireInput(node, context, 1, 'int32')
    const axis = resolveAxis(node, given, shape.length)
    checkConstantIndices(node, context, shape[axis] as Dimension)
    return checkSizes(node, [{ dtype, shape: [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)] }])
  },
  cost: movementCost,
  evaluate(node, context, given, types) {
    if (!isFoldable(node, context, types)) return undefined
    const [data, indices] = [context.value(0), context.value(1)] as [ArrayLike, ArrayLike]
    const axis = resolveAxis(node, given, data.shape.length)
    const size = data.shape[axis] as number
    const { outer, inner } = around(data.shape, axis)
    const out = createData(data.dtype, outer * indices.data.length * inner)
    const resolved = knownIndices(node, indices, size)
    for (let row = 0; row < outer; row++) {
      resolved.forEach((index, n) => {
        const begin = (row * size + index) * inner
        out.set(data.data.subarray(begin, begin + inner), (row * resolved.length + n) * inner)
      })
    }
    return [new NdArray(out, types[0].shape as Shape)]
  },
  plan(node, planner, given) {
    requireSizes(node, planner)
    const { gatherRows } = planner.kernels
    const shape = planner.shapeOf(0)
    const axis = resolveAxis(node, given, shape.length)
    const size = shape[axis] as number
    const { outer, inner } = around(shape, axis)
    const rowBytes = inner * bytesOf(planner.dtypeOf(0))
    const length = lengthOf(planner.shapeOf(1))
    const [data, indices, out] = [planner.input(0), planner.input(1), planner.output(0)]
    planIndexCheck(planner, size)
    planner.step(() => gatherRows(indices.ptr, length, data.ptr, size, rowBytes, out.ptr, 0, outer))
  },
})

/** Strides of data along the axes of the indices, but 0 along the axis the indices count along. */
export function sideStrides(shape: Shape, axis: number): number[] {
  return stridesOf(shape).map((stride, n) => (n === axis ? 0 : stride))
}

/** The shape of the indices of a node that has one for every element; they must fit into `shape` but along the axis. */
export function boxOfIndices(node: GraphNode, context: InferenceContext, given: number, shape: SymbolicShape): SymbolicShape {
  const indices = requireInput(node, context, 1, 'int32', shape.length)
  const axis = resolveAxis(node, given, shape.length)
  const fits = indices.shape.every((size, n) => {
    const most = shape[n]
    return n === axis || typeof size === 'string' || typeof most === 'string' || size <= (most as number)
  })
  if (!fits) {
    throw new LstmError('SHAPE', `${label(node)}: expected indices no longer than ${formatShape(shape)} but along axis ${axis}, got ${formatShape(indices.shape)}`)
  }
  checkConstantIndices(node, context, shape[axis] as Dimension)
  return indices.shape
}

/** Indices count within each timestep, if all inputs have these on one axis, and it is another one than that of the indices. */
export function indicesWithinSteps(node: GraphNode, context: TimeContext, given: number): TimedNode | string {
  const axis = timeAxis(context)
  if (axis === undefined || node.inputs.some((_, position) => context.timing(position) !== axis)) return OTHER_AXIS
  const [shape, indices] = [context.shape(0), context.shape(1)] as [SymbolicShape, SymbolicShape]
  return resolveAxis(node, given, shape.length) === axis || shape[axis] !== indices[axis] ? WORKS_ALONG : along(node, axis)
}

/**
 * out[i, j, k] = data[i, indices[i, j, k], k] for axis 1, and so on: an index for every element.
 * Inputs: data, indices (int32, as many axes as data, no longer than it but along the axis; negative
 * ones count from the end). Attribute `axis` (default 0). An index outside is an error `VALUE`.
 */
export const gatherElements: Operator<number> = {
  name: 'gatherElements',
  onnx: 'GatherElements',
  mostInputs: 2,
  attributes: ['axis'],
  time: indicesWithinSteps,
  mayRefuse: hasOpenIndices,
  parse: axisAttribute,
  infer(node, context, given) {
    const { dtype, shape } = anyInput(node, context, 0)
    return [{ dtype, shape: boxOfIndices(node, context, given, shape) }]
  },
  cost: movementCost,
  evaluate(node, context, given, types) {
    if (!isFoldable(node, context, types)) return undefined
    const [data, indices] = [context.value(0), context.value(1)] as [ArrayLike, ArrayLike]
    const axis = resolveAxis(node, given, data.shape.length)
    const along = stridesOf(data.shape)[axis] as number
    const resolved = knownIndices(node, indices, data.shape[axis] as number)
    const out: DataOf = createData(data.dtype, resolved.length)
    forEachIndex(indices.shape, [stridesOf(indices.shape), sideStrides(data.shape, axis)], (offsets) => {
      const [n, side] = offsets as [number, number]
      out[n] = data.data[side + (resolved[n] as number) * along] as number
    })
    return [new NdArray(out, indices.shape)]
  },
  plan(node, planner, given) {
    requireSizes(node, planner)
    const { gatherElements: gatherEach } = planner.kernels
    const [shape, indexShape] = [planner.shapeOf(0), planner.shapeOf(1)]
    const axis = resolveAxis(node, given, shape.length)
    const size = shape[axis] as number
    const dtype = planner.dtypeOf(0)
    const axisBytes = stridesOf(shape)[axis] as number * bytesOf(dtype)
    const { box } = planBox(planner, indexShape, [inBytes(sideStrides(shape, axis), dtype)], bytesOf(dtype))
    const length = lengthOf(indexShape)
    const [data, indices, out] = [planner.input(0), planner.input(1), planner.output(0)]
    planIndexCheck(planner, size)
    planner.step(() => gatherEach(box.ptr, indices.ptr, data.ptr, out.ptr, size, axisBytes, 0, length))
  },
}
