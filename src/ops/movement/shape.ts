import { LstmError } from '../../errors.ts'
import { createData, describeValue, isDType, storeChecked, type DType } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { checkShape, formatShape, isNumeric, type SymbolicShape } from '../../values/shape.ts'
import { integerOf } from '../node/attributes.ts'
import { anyInput, label, MOST_AXES } from '../node/checks.ts'
import { freshShape, freshSize, integerList, productOf } from '../node/sizes.ts'
import { movement, movementCost, requireSizes } from '../layout/movement.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator, Planner } from '../operator.ts'
import { whole } from '../layout/strides.ts'

/** An operator whose outputs follow from shapes and constants, so that nothing is left to do when a plan is made. */
function beforehand<Settings = unknown>(operator: Omit<Operator<Settings>, 'cost' | 'plan'>): Operator<Settings> {
  return { ...operator, cost: movementCost, plan: refuse }
}

function refuse(node: GraphNode, planner: Planner): void {
  requireSizes(node, planner)
  throw new LstmError('UNSUPPORTED', `${planner.label}: its inputs must follow from constants and shapes`)
}

function int32(node: GraphNode, numbers: readonly number[], shape: readonly number[]): NdArray {
  const data = createData('int32', numbers.length)
  numbers.forEach((number, n) => storeChecked(data, n, 'int32', number, label(node)))
  return new NdArray(data, shape)
}

interface ShapeSettings {
  readonly start: number
  readonly end: number
}

/** The sizes of the axes from `start` to `end`. */
function selected(node: GraphNode, context: InferenceContext, { start, end }: ShapeSettings): SymbolicShape {
  return anyInput(node, context, 0).shape.slice(start, end)
}

/**
 * The shape of data as an int32 list. Inputs: data. Attributes `start` (default 0) and `end` (default:
 * all) choose axes; negative ones count from the end, those past an end mean the end.
 */
export const shape: Operator<ShapeSettings> = beforehand({
  name: 'shape',
  onnx: 'Shape',
  mostInputs: 1,
  attributes: ['start', 'end'],
  time: 'unknown',
  parse: (node) => ({ start: integerOf(node, 'start', 0), end: integerOf(node, 'end', MOST_AXES) }),
  infer: (node, context, settings) => [{ dtype: 'int32', shape: [selected(node, context, settings).length] }],
  evaluate(node, context, settings) {
    const sizes = selected(node, context, settings)
    return isNumeric(sizes) ? [int32(node, sizes, [sizes.length])] : undefined
  },
  sizes: (node, context, settings) => [selected(node, context, settings)],
})

/** The number of elements of data as an int32 scalar. Inputs: data. */
export const size: Operator = beforehand({
  name: 'size',
  onnx: 'Size',
  mostInputs: 1,
  attributes: [],
  time: 'unknown',
  infer(node, context) {
    anyInput(node, context, 0)
    return [{ dtype: 'int32', shape: [] }]
  },
  evaluate(node, context) {
    const length = productOf(anyInput(node, context, 0).shape)
    return typeof length === 'number' ? [int32(node, [length], [])] : undefined
  },
  sizes(node, context) {
    const length = productOf(anyInput(node, context, 0).shape)
    return length === undefined ? undefined : [[length]]
  },
})

interface Fill {
  readonly dtype: DType
  readonly value: number
}

/** The attributes `dtype`, and `value`, which must be an element of it. */
function readFill(node: GraphNode): Fill {
  const { dtype = 'float32', value = 0 } = node.attributes
  if (isDType(dtype)) {
    storeChecked(createData(dtype, 1), 0, dtype, value, label(node))
    return { dtype, value: value as number }
  }
  throw new LstmError('VALUE', `${label(node)}: expected 'float32', 'int32' or 'uint8' for 'dtype', got ${describeValue(dtype)}`)
}

/** One number everywhere. Inputs: shape (int32 list). Attributes `value` (default 0) and `dtype` (default float32). */
export const constantOfShape: Operator<Fill> = movement({
  name: 'constantOfShape',
  onnx: 'ConstantOfShape',
  mostInputs: 1,
  attributes: ['value', 'dtype'],
  time: 'unknown',
  takesSizes: [0],
  parse: readFill,
  dtype: ({ dtype }) => dtype,
  infer(node, context, { dtype }) {
    const { count, values, sizes } = integerList(node, context, 0, 'sizes')
    return [{ dtype, shape: values === undefined ? sizes ?? freshShape(node, count) : checkShape(values, label(node)) }]
  },
  moves(_node, { outputShape }, { value }) {
    const sizes = outputShape(0)
    const from = { offset: 0, strides: sizes.map(() => 0) }
    return [{ source: { fill: value }, output: 0, shape: sizes, from, to: whole(sizes) }]
  },
})

const MOST_NUMBERS = 2 ** 20

/** The three scalars of a range, and how many numbers it has; undefined where it is known only at run time. */
function bounds(node: GraphNode, context: InferenceContext): { dtype: DType, start: number, delta: number, count: number } | { dtype: DType, count?: never } {
  const types = [0, 1, 2].map((position) => anyInput(node, context, position)) as [ValueType, ValueType, ValueType]
  const [{ dtype }] = types
  const isMixed = dtype === 'uint8' || types.some((type) => type.dtype !== dtype)
  if (isMixed || types.some((type) => type.shape.length > 1 || type.shape.some((length) => length !== 1))) {
    const got = types.map((type) => `${type.dtype} ${formatShape(type.shape)}`).join(', ')
    throw new LstmError(isMixed ? 'VALUE' : 'SHAPE', `${label(node)}: expected start, limit and delta as three float32 or three int32 scalars, got ${got}`)
  }
  const [start, limit, delta] = [0, 1, 2].map((position) => context.value(position)?.data[0])
  if (start === undefined || limit === undefined || delta === undefined) return { dtype }
  const count = Math.max(0, Math.ceil((dtype === 'float32' ? Math.fround(limit - start) : limit - start) / delta))
  if (!(count <= MOST_NUMBERS)) {
    throw new LstmError('VALUE', `${label(node)}: expected at most ${MOST_NUMBERS} numbers, got those from ${start} to ${limit} in steps of ${delta}`)
  }
  return { dtype, start, delta, count }
}

/**
 * start, start + delta, ... before limit. Inputs: start, limit, delta, scalars of one dtype (float32 or
 * int32), which must follow from constants and shapes.
 */
export const range: Operator = beforehand({
  name: 'range',
  onnx: 'Range',
  mostInputs: 3,
  attributes: [],
  time: 'unknown',
  infer(node, context) {
    const { dtype, count } = bounds(node, context)
    return [{ dtype, shape: [count ?? freshSize(node, 0)] }]
  },
  evaluate(node, context) {
    const { dtype, ...known } = bounds(node, context)
    if (known.count === undefined) return undefined
    const data = createData(dtype, known.count)
    for (let n = 0; n < known.count; n++) data[n] = known.start + (dtype === 'float32' ? Math.fround(n * known.delta) : n * known.delta)
    return [new NdArray(data, [known.count])]
  },
})
