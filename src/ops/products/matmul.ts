import { MatrixLayout } from '../../contract/products/matrix.ts'
import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { label, requireInput } from '../node/checks.ts'
import { broadcastShapes, knownLength } from '../node/sizes.ts'
import { positionsOf } from '../layout/broadcast.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner, Slot } from '../operator.ts'
import { MIXES } from '../time/reshaping.ts'
import { WORKS_ALONG } from '../time/rules.ts'
import { along, timeAxis } from '../time/timing.ts'
import { productCall } from './dense.ts'
import type { MatrixInputs, PackedConstant } from './matrices.ts'
import { isSmallProduct, matrixLayout, multiplyConstants, packedBytes, planPacked, preparePacked, workspaceOf } from './packed.ts'

/** Both operands as stacks of matrices: a vector is a row on the left and a column on the right. */
interface MatMul<Size extends Dimension> {
  readonly m: Size
  readonly k: Size
  readonly n: Size
  readonly aBatch: readonly Size[]
  readonly bBatch: readonly Size[]
  readonly outShape: (batch: readonly Size[]) => Size[]
}

function matrices<Size extends Dimension>(a: readonly Size[], b: readonly Size[]): MatMul<Size> {
  const isRow = a.length === 1
  const isColumn = b.length === 1
  const m = (isRow ? 1 : a.at(-2)) as Size
  const n = (isColumn ? 1 : b.at(-1)) as Size
  return {
    m, n, k: a.at(-1) as Size,
    aBatch: a.slice(0, -2), bBatch: b.slice(0, -2),
    outShape: (batch) => [...batch, ...(isRow ? [] : [m]), ...(isColumn ? [] : [n])],
  }
}

/** @throws LstmError unless the shapes fit */
function shapeOfProduct(node: GraphNode, context: InferenceContext): SymbolicShape {
  const [a, b] = [requireInput(node, context, 0, 'float32').shape, requireInput(node, context, 1, 'float32').shape]
  if (a.length === 0 || b.length === 0) {
    throw new LstmError('SHAPE', `${label(node)}: expected at least one axis, got ${formatShape(a)} and ${formatShape(b)}`)
  }
  const [left, right] = [a.at(-1), b.length === 1 ? b[0] : b.at(-2)]
  if (typeof left === 'number' && typeof right === 'number' && left !== right) {
    throw new LstmError('SHAPE', `${label(node)}: expected as many columns as rows, got ${formatShape(a)} and ${formatShape(b)}`)
  }
  const { aBatch, bBatch, outShape } = matrices<Dimension>(a, b)
  return outShape([...broadcastShapes(node, [aBatch, bBatch])])
}

/** The second input is the weight; one with a single axis is a column. */
const weightOf = ({ length }: Shape): MatrixInputs => ({ weight: 1, columnAxis: length > 1 ? length - 1 : -1 })

/**
 * Product of matrices as numpy's matmul. Inputs: a [..., m, k] and b [..., k, n], float32; the axes in front
 * broadcast; a with one axis is a row, b with one axis a column, and that axis is not in the result.
 * A constant b that is one matrix is packed once.
 */
export const matMul: Operator<unknown, PackedConstant | undefined> = {
  name: 'matMul',
  onnx: 'MatMul',
  mostInputs: 2,
  attributes: [],
  /** a's rows are independent of each other; b must stay the same. */
  time(node, context) {
    const axis = timeAxis(context)
    const rank = context.shape(0)?.length as number
    if (axis === undefined || context.timing(1) !== undefined) return 'multiplies by what other steps have come to'
    if (axis === rank - 1) return WORKS_ALONG
    const stack = (context.shape(1)?.length as number) - 2
    const outRank = context.outputShape(0).length
    if (stack > 0 && rank - outRank !== 0) return MIXES
    const size = context.shape(1)?.[axis - rank + (context.shape(1)?.length as number)]
    return axis < rank - 2 && stack > 0 && size !== undefined && size !== 1 ? 'takes other numbers at each timestep' : along(node, axis)
  },
  infer: (node, context) => [{ dtype: 'float32', shape: shapeOfProduct(node, context) }],
  cost(node, context) {
    const shape = shapeOfProduct(node, context)
    const [a, b] = [context.input(0)?.shape ?? [], context.input(1)?.shape ?? []]
    const { k, n } = matrices<Dimension>(a, b)
    return { detail: `${k} -> ${n}`, multiplyAdds: knownLength(shape.slice(1)) * knownLength([k]) }
  },
  evaluate(node, context, _settings, [type]) {
    const [a, b] = [context.value(0), context.value(1)]
    if (a === undefined || b === undefined) return undefined
    const shape = type.shape as Shape
    const { m, k, n, aBatch, bBatch } = matrices(a.shape, b.shape)
    if (!isSmallProduct(lengthOf(shape) * k)) return undefined
    const batch = broadcastShapes(node, [aBatch, bBatch]) as Shape
    const out = new Float32Array(lengthOf(shape))
    const bPositions = positionsOf(bBatch, batch)
    positionsOf(aBatch, batch).forEach((position, index) => {
      multiplyConstants(
        { data: a.data, rowStride: k, columnStride: 1 }, position * m * k,
        { data: b.data, rowStride: n, columnStride: 1 }, (bPositions[index] as number) * k * n, m, k, n, out, index * m * n,
      )
    })
    return [new NdArray(out, shape)]
  },
  narrowWeights: ({ inputs: [, constant = ''] }, { value }) => [{ constant, axis: weightOf(value(1)?.shape ?? []).columnAxis, products: 'int8' }],
  prepare(_node, packer) {
    const shape = packer.value(1)?.shape
    if (shape === undefined || lengthOf(shape.slice(0, -2)) !== 1) return undefined
    const [k, n = 1] = shape.slice(-2) as [number, number?]
    return preparePacked(packer, weightOf(shape), matrixLayout(k, n))
  },
  plan(_node, planner, _settings, constant) {
    const product = matrices(planner.shapeOf(0), planner.shapeOf(1))
    const { m, k, n, aBatch, bBatch } = product
    const [a, out] = [planner.input(0), planner.output(0)]
    if (lengthOf(planner.outputShape(0)) === 0) return
    if (lengthOf(bBatch) === 1) {
      const { gemmF32 } = planner.kernels
      const packed = planPacked(planner, weightOf(planner.shapeOf(1)), matrixLayout(k, n), constant)
      const rows = lengthOf(aBatch) * m
      const workspace = workspaceOf(planner, packed, rows)
      const call = productCall(planner, rows, k, n)
      planner.step(() => gemmF32(call.ptr, packed.ptr, a.ptr, out.ptr, workspace.ptr))
    } else {
      planStack(planner, product, a, planner.input(1), out)
    }
  },
}

/** One matrix after the other: b's is packed, then all rows of a's go through it. */
function planStack(planner: Planner, { m, k, n, aBatch, bBatch }: MatMul<number>, a: Slot, b: Slot, out: Slot): void {
  const { gemmF32, packStridedF32 } = planner.kernels
  const rank = Math.max(aBatch.length, bBatch.length)
  const batch = Array.from({ length: rank }, (_, axis) => Math.max(aBatch[axis - rank + aBatch.length] ?? 1, bBatch[axis - rank + bBatch.length] ?? 1))
  const aPositions = positionsOf(aBatch, batch)
  const bPositions = positionsOf(bBatch, batch)
  const layout = matrixLayout(k, n)
  const record = planner.record(MatrixLayout, layout)
  const packed = planner.workspace(packedBytes(planner, layout))
  const call = productCall(planner, m, k, n)
  planner.step(() => {
    let inside = -1
    for (let index = 0; index < aPositions.length; index++) {
      const position = bPositions[index] as number
      if (position !== inside) packStridedF32(record.ptr, packed.ptr, b.ptr + position * k * n * 4, 0)
      inside = position
      gemmF32(call.ptr, packed.ptr, a.ptr + (aPositions[index] as number) * m * k * 4, out.ptr + index * m * n * 4, 0)
    }
  })
}
