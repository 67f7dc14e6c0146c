import { ScatterCode, ScatterElementsCall } from '../../contract/arrays/gather.ts'
import { LstmError } from '../../errors.ts'
import { bytesOf } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, isNumeric, lengthOf, sameShape } from '../../values/shape.ts'
import { resolveAxis, wordOf } from '../node/attributes.ts'
import { anyInput, label, requireInput } from '../node/checks.ts'
import { axisAttribute, boxOfIndices, hasOpenIndices, indicesWithinSteps, knownIndices, planIndexCheck, sideStrides } from './gather.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { Operator } from '../operator.ts'
import { forEachIndex, inBytes, planBox, stridesOf } from '../layout/strides.ts'

export type Reduction = keyof typeof ScatterCode

export const REDUCTIONS = Object.keys(ScatterCode) as [Reduction, ...Reduction[]]

interface ScatterSettings {
  /** As it is written: it may count from the end. */
  readonly given: number
  readonly reduction: Reduction
}

/** Rounded, or wrapped, by the array that it is stored in. */
export function combine(reduction: Reduction, isInt: boolean, a: number, b: number): number {
  switch (reduction) {
    case 'none': return b
    case 'add': return a + b
    case 'mul': return isInt ? Math.imul(a, b) : a * b
    case 'max': return Math.max(a, b)
    case 'min': return Math.min(a, b)
  }
}

/** Only numbers are combined. */
export function checkReduction(node: GraphNode, reduction: Reduction, { dtype, shape }: ValueType): void {
  if (reduction === 'none' || dtype !== 'uint8') return
  throw new LstmError('VALUE', `${label(node)}: expected float32 or int32 data for the reduction '${reduction}', got uint8 ${formatShape(shape)}`)
}

/**
 * data, but for out[i, indices[i, j, k], k] = updates[i, j, k] for axis 1, and so on; of two for one place the later
 * one counts. Inputs: data, indices (int32, as many axes as data, no longer than it but along the axis; negative ones count
 * from the end), updates (as data, shaped as the indices). Attributes: `axis` (default 0), `reduction` (default 'none': the
 * element is replaced; 'add', 'mul', 'max' or 'min' combine the two, of float32 or int32). An index outside is an error `VALUE`.
 */
export const scatterElements: Operator<ScatterSettings> = {
  name: 'scatterElements',
  onnx: ['ScatterElements', 'Scatter'],
  mostInputs: 3,
  attributes: ['axis', 'reduction'],
  time: (node, context, { given }) => indicesWithinSteps(node, context, given),
  mayRefuse: hasOpenIndices,
  parse: (node) => ({ given: axisAttribute(node), reduction: wordOf(node, 'reduction', REDUCTIONS) }),
  infer(node, context, { given, reduction }) {
    const { dtype, shape } = anyInput(node, context, 0)
    const indices = boxOfIndices(node, context, given, shape)
    const updates = requireInput(node, context, 2, dtype, shape.length)
    if (isNumeric(indices) && isNumeric(updates.shape) && !sameShape(indices, updates.shape)) {
      throw new LstmError('SHAPE', `${label(node)}: expected updates shaped as the indices, ${formatShape(indices)}, got ${formatShape(updates.shape)}`)
    }
    checkReduction(node, reduction, { dtype, shape })
    return [{ dtype, shape }]
  },
  cost: movementCost,
  evaluate(node, context, { given, reduction }, types) {
    if (!isFoldable(node, context, types)) return undefined
    const [data, indices, updates] = [context.value(0), context.value(1), context.value(2)] as [ArrayLike, ArrayLike, ArrayLike]
    const axis = resolveAxis(node, given, data.shape.length)
    const along = stridesOf(data.shape)[axis] as number
    const resolved = knownIndices(node, indices, data.shape[axis] as number)
    const out = data.data.slice()
    forEachIndex(indices.shape, [stridesOf(indices.shape), sideStrides(data.shape, axis)], (offsets) => {
      const [n, side] = offsets as [number, number]
      const to = side + (resolved[n] as number) * along
      out[to] = combine(reduction, data.dtype === 'int32', out[to] as number, updates.data[n] as number)
    })
    return [new NdArray(out, data.shape)]
  },
  plan(node, planner, { given, reduction }) {
    requireSizes(node, planner)
    const { copyRows, scatterElements: scatter } = planner.kernels
    const [shape, indexShape] = [planner.shapeOf(0), planner.shapeOf(1)]
    const axis = resolveAxis(node, given, shape.length)
    const size = shape[axis] as number
    const dtype = planner.dtypeOf(0)
    const bytes = bytesOf(dtype)
    const axisBytes = stridesOf(shape)[axis] as number * bytes
    const { box } = planBox(planner, indexShape, [inBytes(sideStrides(shape, axis), dtype)], bytes)
    const [dataBytes, length] = [lengthOf(shape) * bytes, lengthOf(indexShape)]
    const call = planner.record(ScatterElementsCall, { code: ScatterCode[reduction], isInt: Number(dtype === 'int32'), size, axisBytes, length })
    const [data, indices, updates, out] = [planner.input(0), planner.input(1), planner.input(2), planner.output(0)]
    planIndexCheck(planner, size)
    planner.step(() => copyRows(data.ptr, 0, out.ptr, 0, 1, dataBytes))
    planner.step(() => scatter(call.ptr, box.ptr, indices.ptr, updates.ptr, out.ptr))
  },
}
