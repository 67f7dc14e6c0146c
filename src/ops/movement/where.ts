import { LstmError } from '../../errors.ts'
import { bytesOf, createData, type DataOf } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, lengthOf, type Dimension, type Shape } from '../../values/shape.ts'
import { integerOf } from '../node/attributes.ts'
import { anyInput, label, requireInput } from '../node/checks.ts'
import { broadcastShapes, checkSizes } from '../node/sizes.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import { rowwise } from '../time/rules.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { broadcastStrides, forEachIndex, inBytes, planBox, stridesOf } from '../layout/strides.ts'

/**
 * condition ? x : y, element by element; all three broadcast. Inputs: condition (uint8, anything but 0
 * is true), x, y (of one dtype).
 */
export const where: Operator = {
  name: 'where',
  onnx: 'Where',
  mostInputs: 3,
  attributes: [],
  time: 'pointwise',
  infer(node, context) {
    const condition = requireInput(node, context, 0, 'uint8')
    const [x, y] = [anyInput(node, context, 1), anyInput(node, context, 2)]
    if (x.dtype !== y.dtype) {
      throw new LstmError('VALUE', `${label(node)}: expected two inputs of one dtype, got ${x.dtype} ${formatShape(x.shape)} and ${y.dtype} ${formatShape(y.shape)}`)
    }
    return checkSizes(node, [{ dtype: x.dtype, shape: broadcastShapes(node, [condition.shape, x.shape, y.shape]) }])
  },
  cost: movementCost,
  evaluate(node, context, _settings, types) {
    if (!isFoldable(node, context, types)) return undefined
    const inputs = [0, 1, 2].map((position) => context.value(position)) as [ArrayLike, ArrayLike, ArrayLike]
    const [condition, x, y] = inputs
    const shape = types[0].shape as Shape
    const out: DataOf = createData(x.dtype, lengthOf(shape))
    forEachIndex(shape, [stridesOf(shape), ...inputs.map((input) => broadcastStrides(input.shape, shape))], (offsets) => {
      const [n, c, a, b] = offsets as [number, number, number, number]
      out[n] = (condition.data[c] !== 0 ? x.data[a] : y.data[b]) as number
    })
    return [new NdArray(out, shape)]
  },
  plan(node, planner) {
    requireSizes(node, planner)
    const { stridedSelect } = planner.kernels
    const shape = planner.outputShape(0)
    const [condition, x, y] = [planner.input(0), planner.input(1), planner.input(2)]
    const out = planner.output(0)
    if (lengthOf(shape) === 0) return
    const sides = [0, 1, 2].map((position) => inBytes(broadcastStrides(planner.shapeOf(position), shape), planner.dtypeOf(position)))
    const { box, rows } = planBox(planner, shape, sides, bytesOf(planner.dtypeOf(1)))
    planner.step(() => stridedSelect(box.ptr, condition.ptr, x.ptr, y.ptr, out.ptr, 0, rows))
  },
}

/** The axes of sequences and of their steps: 0 and 1, or 1 and 0. */
interface SequenceAxes {
  readonly batchAxis: number
  readonly timeAxis: number
}

function sequenceAxes(node: GraphNode): SequenceAxes {
  const [batchAxis, timeAxis] = [integerOf(node, 'batchAxis', 1), integerOf(node, 'timeAxis', 0)]
  if (batchAxis + timeAxis !== 1 || batchAxis * timeAxis !== 0) {
    throw new LstmError('VALUE', `${label(node)}: expected 0 and 1 for 'batchAxis' and 'timeAxis', or 1 and 0, got ${batchAxis} and ${timeAxis}`)
  }
  return { batchAxis, timeAxis }
}

function refuseLength(who: string, timesteps: number, row: number): never {
  throw new LstmError('VALUE', `${who}: expected lengths from 0 to ${timesteps}, got another one for sequence ${row}`)
}

interface Sequences {
  readonly rows: number
  readonly timesteps: number
  readonly rowStride: number
  readonly timeStride: number
  readonly stepLength: number
}

function sequencesOf({ batchAxis, timeAxis }: SequenceAxes, shape: Shape): Sequences {
  const strides = stridesOf(shape)
  return {
    rows: shape[batchAxis] as number,
    timesteps: shape[timeAxis] as number,
    rowStride: strides[batchAxis] as number,
    timeStride: strides[timeAxis] as number,
    stepLength: lengthOf(shape.slice(2)),
  }
}

function checkLengths(node: GraphNode, context: InferenceContext, batch: Dimension): void {
  const { shape } = requireInput(node, context, 1, 'int32', 1)
  if (typeof shape[0] === 'number' && typeof batch === 'number' && shape[0] !== batch) {
    throw new LstmError('SHAPE', `${label(node)}: expected ${batch} lengths, one for each sequence, got ${formatShape(shape)}`)
  }
}

/**
 * The first steps of every sequence backwards, the rest as it is. Inputs: input (at least 2 axes),
 * lengths (int32 [batch], from 0 to timesteps; any other one is an error `VALUE` at run time).
 * Attributes `batchAxis` (default 1) and `timeAxis` (default 0), 0 or 1.
 */
export const reverseSequence: Operator<SequenceAxes> = {
  name: 'reverseSequence',
  onnx: 'ReverseSequence',
  mostInputs: 2,
  attributes: ['batchAxis', 'timeAxis'],
  time: rowwise((_node, _shape, axes) => [axes.timeAxis, axes.batchAxis]),
  mayRefuse: () => true,
  parse: sequenceAxes,
  infer(node, context, { batchAxis }) {
    const { dtype, shape } = anyInput(node, context, 0)
    if (shape.length < 2) throw new LstmError('SHAPE', `${label(node)}: expected an input with at least 2 axes, got ${formatShape(shape)}`)
    checkLengths(node, context, shape[batchAxis] as Dimension)
    return [{ dtype, shape }]
  },
  cost: movementCost,
  evaluate(node, context, axes, types) {
    if (!isFoldable(node, context, types)) return undefined
    const [{ data, dtype, shape }, lengths] = [context.value(0), context.value(1)] as [ArrayLike, ArrayLike]
    const { rows, timesteps, rowStride, timeStride, stepLength } = sequencesOf(axes, shape)
    const out = createData(dtype, data.length)
    for (let row = 0; row < rows; row++) {
      const length = lengths.data[row] as number
      if (length < 0 || length > timesteps) refuseLength(label(node), timesteps, row)
      for (let step = 0; step < timesteps; step++) {
        const from = row * rowStride + (step < length ? length - 1 - step : step) * timeStride
        out.set(data.subarray(from, from + stepLength), row * rowStride + step * timeStride)
      }
    }
    return [new NdArray(out, shape)]
  },
  plan(node, planner, axes) {
    requireSizes(node, planner)
    const { reverseSequence: reverse } = planner.kernels
    const who = planner.label
    const bytes = bytesOf(planner.dtypeOf(0))
    const { rows, timesteps, rowStride, timeStride, stepLength } = sequencesOf(axes, planner.shapeOf(0))
    const [rowBytes, timeBytes, stepBytes] = [rowStride * bytes, timeStride * bytes, stepLength * bytes]
    const [x, lengths, y] = [planner.input(0), planner.input(1), planner.output(0)]
    planner.step(() => {
      const bad = reverse(x.ptr, y.ptr, lengths.ptr, rows, timesteps, rowBytes, timeBytes, stepBytes)
      if (bad >= 0) refuseLength(who, timesteps, bad)
    })
  },
}
