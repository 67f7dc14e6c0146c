// Parts of arrays that tuples of indices name, one index for each of the first axes: a family, a chunk of its own.
import { Box } from '../../contract/arrays/box.ts'
import { ScatterCode, ScatterElementsCall } from '../../contract/arrays/gather.ts'
import { LstmError } from '../../errors.ts'
import { bytesOf, createData } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, isNumeric, lengthOf, sameShape, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, wordOf } from '../node/attributes.ts'
import { anyInput, label, requireInput } from '../node/checks.ts'
import { checkSizes } from '../node/sizes.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import { stridesOf } from '../layout/strides.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner, Slot } from '../operator.ts'
import { hasOpenIndices, refuseIndex } from './gather.ts'
import { checkReduction, combine, REDUCTIONS, type Reduction } from './scatter.ts'

/** Data and indices, taken apart: data [batch, indexed, row], indices [batch, tuples, indexed.length]. */
interface Tuples<Size extends Dimension> {
  readonly batch: readonly Size[]
  readonly indexed: readonly Size[]
  readonly row: readonly Size[]
  readonly tuples: readonly Size[]
}

function tuplesOf<Size extends Dimension>(data: readonly Size[], indices: readonly Size[], batchDims: number): Tuples<Size> {
  const end = batchDims + Number(indices.at(-1))
  return { batch: data.slice(0, batchDims), indexed: data.slice(batchDims, end), row: data.slice(end), tuples: indices.slice(batchDims, -1) }
}

/** The shapes of data and indices, checked; so are indices that are constants. */
function inferTuples(node: GraphNode, context: InferenceContext, batchDims: number): Tuples<Dimension> {
  const { shape } = anyInput(node, context, 0)
  const indices = requireInput(node, context, 1, 'int32').shape
  const depth = indices.at(-1)
  if (typeof depth === 'string') throw new LstmError('UNSUPPORTED', `${label(node)}: how long the tuples of indices are must be known beforehand, got ${formatShape(indices)}`)
  const fits = batchDims < indices.length && depth !== undefined && depth >= 1 && depth <= shape.length - batchDims
    && shape.slice(0, batchDims).every((size, axis) => typeof size === 'string' || typeof indices[axis] === 'string' || size === indices[axis])
  if (!fits) {
    const kept = batchDims === 0 ? '' : `, the first ${batchDims} axes being alike`
    throw new LstmError('SHAPE', `${label(node)}: expected indices [..., n] with n from 1 to the number of axes of the data${kept}, got ${formatShape(indices)} for ${formatShape(shape)}`)
  }
  const tuples = tuplesOf<Dimension>(shape, indices, batchDims)
  const value = context.value(1)
  if (value !== undefined && isNumeric(tuples.indexed)) rowsOf(label(node), value.data, tuples.indexed)
  return tuples
}

/** The number of the row that each tuple names. @throws LstmError `VALUE` for an index outside its axis */
function rowsOf(who: string, indices: ArrayLike['data'], indexed: Shape): number[] {
  const strides = stridesOf(indexed)
  return Array.from({ length: indices.length / indexed.length }, (_, n) => indexed.reduce((row, size, axis) => {
    const at = n * indexed.length + axis
    const index = indices[at] as number
    if (index < -size || index >= size) refuseIndex(who, size, at)
    return row + (index < 0 ? index + size : index) * (strides[axis] as number)
  }, 0))
}

/** A step that finds the rows of all tuples, in a buffer that is returned. */
function planRows(planner: Planner, indexed: Shape, count: number): Slot {
  const { flattenIndices } = planner.kernels
  const box = planner.record(Box, { elementBytes: 4, rank: indexed.length }, [...indexed, ...stridesOf(indexed)])
  const [indices, rows, who] = [planner.input(1), planner.workspace(count * 4), planner.label]
  planner.step(() => {
    const bad = flattenIndices(box.ptr, indices.ptr, count, rows.ptr)
    if (bad >= 0) refuseIndex(who, indexed[bad % indexed.length] as number, bad)
  })
  return rows
}

/**
 * out[i, j] = data[indices[i, j, 0], indices[i, j, 1], ...]: what a tuple of indices names, an element or all axes that are left. Inputs:
 * data, indices (int32 [..., n], n from 1 to the number of axes; negative ones count from the end). Attribute `batchDims` (default 0): so
 * many first axes are those of both. An index outside is an error `VALUE`.
 */
const gatherNd: Operator<number> = {
  name: 'gatherNd',
  onnx: 'GatherND',
  mostInputs: 2,
  attributes: ['batchDims'],
  time: 'unknown',
  mayRefuse: hasOpenIndices,
  parse: (node) => integerOf(node, 'batchDims', 0, 0),
  infer(node, context, batchDims) {
    const { batch, tuples, row } = inferTuples(node, context, batchDims)
    return checkSizes(node, [{ dtype: anyInput(node, context, 0).dtype, shape: [...batch, ...tuples, ...row] }])
  },
  cost: movementCost,
  evaluate(node, context, batchDims, types) {
    if (!isFoldable(node, context, types)) return undefined
    const [data, indices] = [context.value(0), context.value(1)] as [ArrayLike, ArrayLike]
    const { batch, indexed, row, tuples } = tuplesOf(data.shape, indices.shape, batchDims)
    const [rows, length, count, size] = [rowsOf(label(node), indices.data, indexed), lengthOf(row), lengthOf(tuples), lengthOf(indexed)]
    const out = createData(data.dtype, lengthOf(batch) * count * length)
    rows.forEach((at, n) => {
      const begin = (Math.floor(n / count) * size + at) * length
      out.set(data.data.subarray(begin, begin + length), n * length)
    })
    return [new NdArray(out, types[0].shape as Shape)]
  },
  plan(node, planner, batchDims) {
    requireSizes(node, planner)
    const { gatherRows } = planner.kernels
    const { batch, indexed, row, tuples } = tuplesOf(planner.shapeOf(0), planner.shapeOf(1), batchDims)
    const [batches, count, size] = [lengthOf(batch), lengthOf(tuples), lengthOf(indexed)]
    const rowBytes = lengthOf(row) * bytesOf(planner.dtypeOf(0))
    const [data, out, rows] = [planner.input(0), planner.output(0), planRows(planner, indexed, batches * count)]
    planner.step(() => {
      for (let n = 0; n < batches; n++) {
        gatherRows(rows.ptr + n * count * 4, count, data.ptr + n * size * rowBytes, size, rowBytes, out.ptr + n * count * rowBytes, 0, 1)
      }
    })
  },
}

/**
 * data, but for out[indices[i, j, 0], indices[i, j, 1], ...] = updates[i, j]; of two for one place the later one counts. Inputs: data, indices
 * (as for `gatherNd`), updates (of the dtype of data, in the shape that gathering them would have). Attribute `reduction`: as for
 * `scatterElements`. An index outside is an error `VALUE`.
 */
const scatterNd: Operator<Reduction> = {
  name: 'scatterNd',
  onnx: 'ScatterND',
  mostInputs: 3,
  attributes: ['reduction'],
  time: 'unknown',
  mayRefuse: hasOpenIndices,
  parse: (node) => wordOf(node, 'reduction', REDUCTIONS),
  infer(node, context, reduction) {
    const data = anyInput(node, context, 0)
    const { tuples, row } = inferTuples(node, context, 0)
    const updates = requireInput(node, context, 2, data.dtype).shape
    const wanted: SymbolicShape = [...tuples, ...row]
    if (wanted.length !== updates.length || (isNumeric(wanted) && isNumeric(updates) && !sameShape(wanted, updates))) {
      throw new LstmError('SHAPE', `${label(node)}: expected updates ${formatShape(wanted)}, got ${formatShape(updates)}`)
    }
    checkReduction(node, reduction, data)
    return [data]
  },
  cost: movementCost,
  evaluate(node, context, reduction, types) {
    if (!isFoldable(node, context, types)) return undefined
    const [data, indices, updates] = [context.value(0), context.value(1), context.value(2)] as [ArrayLike, ArrayLike, ArrayLike]
    const { indexed, row } = tuplesOf(data.shape, indices.shape, 0)
    const length = lengthOf(row)
    const out = data.data.slice()
    rowsOf(label(node), indices.data, indexed).forEach((at, n) => {
      for (let i = 0; i < length; i++) {
        const to = at * length + i
        out[to] = combine(reduction, data.dtype === 'int32', out[to] as number, updates.data[n * length + i] as number)
      }
    })
    return [new NdArray(out, data.shape)]
  },
  plan(node, planner, reduction) {
    requireSizes(node, planner)
    const { copyRows, scatterRows } = planner.kernels
    const shape = planner.shapeOf(0)
    const { indexed, row, tuples } = tuplesOf(shape, planner.shapeOf(1), 0)
    const dtype = planner.dtypeOf(0)
    const bytes = bytesOf(dtype)
    const [dataBytes, count] = [lengthOf(shape) * bytes, lengthOf(tuples)]
    const [data, updates, out, rows] = [planner.input(0), planner.input(2), planner.output(0), planRows(planner, indexed, count)]
    const call = planner.record(ScatterElementsCall, {
      code: ScatterCode[reduction], isInt: Number(dtype === 'int32'), size: lengthOf(indexed), axisBytes: lengthOf(row) * bytes, length: count,
    })
    planner.step(() => copyRows(data.ptr, 0, out.ptr, 0, 1, dataBytes))
    planner.step(() => scatterRows(call.ptr, rows.ptr, updates.ptr, out.ptr))
  },
}

export const INDEX_TUPLES: readonly Operator[] = [gatherNd, scatterNd]
