// Running sums, and the largest elements in order, as in ONNX.
import { TopKCall } from '../../contract/arrays/sort.ts'
import { LstmError } from '../../errors.ts'
import { createData, type DataOf } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { lengthOf, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { numericInput } from '../elementwise/arithmetic.ts'
import { integerOf, resolveAxis, switchOf } from '../node/attributes.ts'
import { label } from '../node/checks.ts'
import { freshSize, integerList, knownIntegers } from '../node/sizes.ts'
import { FOLD_LENGTH } from '../layout/broadcast.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { rowwise } from '../time/rules.ts'

/** A shape around one of its axes. */
interface Lanes {
  readonly outer: number
  readonly length: number
  readonly inner: number
}

function lanesOf(shape: Shape, axis: number): Lanes {
  return { outer: lengthOf(shape.slice(0, axis)), length: shape[axis] as number, inner: lengthOf(shape.slice(axis + 1)) }
}

/** Calls `visit` with the position of the first element of every lane, and with the number of the lane. */
function forEachLane({ outer, length, inner }: Lanes, visit: (begin: number, lane: number) => void): void {
  for (let n = 0; n < outer; n++) for (let i = 0; i < inner; i++) visit(n * length * inner + i, n * inner + i)
}

/** The axis that an input names. */
function summedAxis(node: GraphNode, context: Pick<InferenceContext, 'value'>, shape: SymbolicShape): number {
  const axes = knownIntegers(node, context, 1, 'axis')
  if (axes.length !== 1) throw new LstmError('SHAPE', `${label(node)}: expected one axis, got ${axes.length}`)
  return resolveAxis(node, axes[0] as number, shape.length)
}

/**
 * Sums of all elements up to each one along an axis. Inputs: x (float32 or int32), axis (int32, known before run time).
 * Attributes: `exclusive` 0: with 1, without the element itself; `reverse` 0: with 1, from the end. int32 wraps.
 */
export const cumSum: Operator<{ readonly exclusive: boolean, readonly reverse: boolean }> = {
  name: 'cumSum',
  onnx: 'CumSum',
  mostInputs: 2,
  attributes: ['exclusive', 'reverse'],
  time: rowwise((_node, _shape, _settings, context) => context.numbers(1)),
  parse: (node) => ({ exclusive: switchOf(node, 'exclusive'), reverse: switchOf(node, 'reverse') }),
  infer(node, context) {
    const { dtype, shape } = numericInput(node, context, 0)
    summedAxis(node, context, shape)
    return [{ dtype, shape }]
  },
  cost: movementCost,
  evaluate(node, context, { exclusive, reverse }, types) {
    if (!isFoldable(node, context, types)) return undefined
    const { dtype, shape, data } = context.value(0) as ArrayLike
    const lanes = lanesOf(shape, summedAxis(node, context, shape))
    const out = createData(dtype, data.length)
    forEachLane(lanes, (begin) => {
      let sum = 0
      for (let n = 0; n < lanes.length; n++) {
        const at = begin + (reverse ? lanes.length - 1 - n : n) * lanes.inner
        if (exclusive) out[at] = sum
        sum += data[at] as number
        if (dtype === 'int32') sum |= 0
        if (!exclusive) out[at] = sum
      }
    })
    return [new NdArray(out, shape)]
  },
  plan(node, planner, { exclusive, reverse }) {
    const { cumSum: sum } = planner.kernels
    const shape = planner.shapeOf(0)
    const { outer, length, inner } = lanesOf(shape, summedAxis(node, planner, shape))
    const isInt = Number(planner.dtypeOf(0) === 'int32')
    const [x, y] = [planner.input(0), planner.output(0)]
    planner.step(() => sum(isInt, Number(exclusive), Number(reverse), x.ptr, y.ptr, outer, length, inner))
  },
}

/** How many elements are wanted: of an axis of `size`. */
function countOf(node: GraphNode, context: InferenceContext, size: Dimension): Dimension {
  const { count, values } = integerList(node, context, 1, 'numbers of elements')
  if (count !== 1) throw new LstmError('SHAPE', `${label(node)}: expected one number of elements, got ${count}`)
  const k = values?.[0]
  if (k === undefined) return freshSize(node, 'k')
  if (k < 0 || (typeof size === 'number' && k > size)) {
    throw new LstmError('VALUE', `${label(node)}: expected a number of elements from 0 to ${size}, got ${k}`)
  }
  return k
}

/** Numbers in falling order, NaN first; with `smallest` in rising order, NaN last. Of equals the one in front comes first. */
function compare(smallest: boolean, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return (Number(Number.isNaN(b)) - Number(Number.isNaN(a))) * (smallest ? -1 : 1)
  if (a === b) return 0
  return (a > b) === smallest ? 1 : -1
}

interface TopKSettings {
  /** As it is written: it may count from the end. */
  readonly given: number
  readonly smallest: boolean
}

function readTopK(node: GraphNode): TopKSettings {
  switchOf(node, 'sorted', true)
  return { given: integerOf(node, 'axis', -1), smallest: !switchOf(node, 'largest', true) }
}

/**
 * The k largest elements along an axis, the largest first; of equals the one in front comes first. NaN is larger than all
 * numbers. Inputs: x (float32 or int32), k (int32, one element, known when the sizes are). Attributes: `axis` (default: the
 * last), `largest` 1: with 0, the smallest elements, the smallest first; `sorted` 1: they are in order with 0 too.
 * Outputs: the elements; their positions along the axis, int32.
 */
export const topK: Operator<TopKSettings> = {
  name: 'topK',
  onnx: 'TopK',
  mostInputs: 2,
  attributes: ['axis', 'largest', 'sorted'],
  time: rowwise((_node, _shape, { given }) => [given]),
  parse: readTopK,
  infer(node, context, { given }) {
    const { dtype, shape } = numericInput(node, context, 0)
    const axis = resolveAxis(node, given, shape.length)
    const k = countOf(node, context, shape[axis] as Dimension)
    const outShape = shape.map((size, n) => (n === axis ? k : size))
    return [{ dtype, shape: outShape }, { dtype: 'int32', shape: outShape }]
  },
  cost: movementCost,
  evaluate(node, context, { given, smallest }, types) {
    // Sorting is more work than the size of a constant allows for.
    if (!isFoldable(node, context, types) || lengthOf((context.value(0) as ArrayLike).shape) > FOLD_LENGTH) return undefined
    const { dtype, shape, data } = context.value(0) as ArrayLike
    const axis = resolveAxis(node, given, shape.length)
    const lanes = lanesOf(shape, axis)
    const outShape = types[0].shape as Shape
    const k = outShape[axis] as number
    const values: DataOf = createData(dtype, lengthOf(outShape))
    const indices = new Int32Array(values.length)
    forEachLane(lanes, (begin, lane) => {
      const element = (n: number): number => data[begin + n * lanes.inner] as number
      const order = Array.from({ length: lanes.length }, (_, n) => n).sort((a, b) => compare(smallest, element(a), element(b)))
      const to = Math.floor(lane / lanes.inner) * k * lanes.inner + lane % lanes.inner
      for (let n = 0; n < k; n++) {
        indices[to + n * lanes.inner] = order[n] as number
        values[to + n * lanes.inner] = element(order[n] as number)
      }
    })
    return [new NdArray(values, outShape), new NdArray(indices, outShape)]
  },
  plan(node, planner, { given, smallest }) {
    requireSizes(node, planner)
    const { topK: sort } = planner.kernels
    const shape = planner.shapeOf(0)
    const axis = resolveAxis(node, given, shape.length)
    const { outer, length, inner } = lanesOf(shape, axis)
    const isInt = Number(planner.dtypeOf(0) === 'int32')
    const [k] = knownIntegers(node, planner, 1, 'number of elements') as [number]
    const x = planner.input(0)
    const outputs = [0, 1].map((position) => (planner.hasOutput(position) ? planner.output(position) : undefined))
    const [values, indices] = outputs
    const workspace = planner.workspace(3 * length * 4)
    const call = planner.record(TopKCall, { smallest: Number(smallest), isInt, outer, length, inner, k })
    planner.step(() => sort(call.ptr, x.ptr, values?.ptr ?? 0, indices?.ptr ?? 0, workspace.ptr))
  },
}
