// What the operators of this library do to time. An operator without a rule is not run step by step.
import type { SymbolicShape } from '../../values/shape.ts'
import { integerOf, resolveAxis, switchOf } from '../node/attributes.ts'
import { findFunction } from '../elementwise/functions.ts'
import { readSettings } from '../recurrent/settings.ts'
import type { GraphNode } from '../operator.ts'
import { quotientOf } from '../node/sizes.ts'
import { along, timeAxis, type TimeContext, type TimeRule } from './timing.ts'
import { convolution, globalPooling, padding, pooling } from './windows.ts'

const OTHER_AXIS = 'takes inputs whose timesteps lie on different axes'
const MIXES = 'mixes timesteps with other axes'

/** Element by element; inputs broadcast, aligned at the last axis. */
const elementwise: TimeRule = (node, context) => {
  const rank = context.outputShape(0).length
  const positions = node.inputs.map((_, position) => position).filter((position) => context.shape(position) !== undefined)
  const axisAt = (position: number, timing: number): number => timing + rank - (context.shape(position) as SymbolicShape).length
  const axes = new Set(positions.flatMap((position) => {
    const timing = context.timing(position)
    return typeof timing === 'number' ? [axisAt(position, timing)] : []
  }))
  if (axes.size !== 1) return OTHER_AXIS
  const [axis] = axes as unknown as [number]
  for (const position of positions) {
    const shape = context.shape(position) as SymbolicShape
    if (context.timing(position) === undefined && (shape[axis - rank + shape.length] ?? 1) !== 1) return 'takes other numbers at each timestep'
  }
  return along(node, axis)
}

/** Works along some axes of its first input; the others are rows that do not know of each other. */
function rowwise(axesOf: (node: GraphNode, context: TimeContext, shape: SymbolicShape) => readonly number[]): TimeRule {
  return (node, context) => {
    const axis = timeAxis(context)
    const shape = context.shape(0) as SymbolicShape
    if (axis === undefined || node.inputs.some((_, position) => position > 0 && context.timing(position) !== undefined)) return OTHER_AXIS
    const axes = axesOf(node, context, shape).map((one) => resolveAxis(node, one, shape.length))
    return axes.includes(axis) ? 'works along the timesteps' : along(node, axis)
  }
}

const lastAxis = rowwise(() => [-1])
const alongAxis = rowwise((node) => [integerOf(node, 'axis', -1)])
const fromAxis = rowwise((node, _context, shape) => {
  const axis = resolveAxis(node, integerOf(node, 'axis', -1), shape.length)
  return shape.flatMap((_, n) => (n >= axis ? [n] : []))
})

/** The same elements in another shape: what stands before the timesteps, and what stands behind, must stay there. */
const reshaping: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  if (axis === undefined) return OTHER_AXIS
  const from = context.shape(0) as SymbolicShape
  const to = context.outputShape(0)
  const isSame = (a: SymbolicShape, b: SymbolicShape): boolean => quotientOf(a, b) === 1
  const found = to.findIndex((size, n) => (
    size === from[axis] && isSame(from.slice(0, axis), to.slice(0, n)) && isSame(from.slice(axis + 1), to.slice(n + 1))
  ))
  return found < 0 ? MIXES : along(node, found)
}

const lstm: TimeRule = (node, context) => {
  const { directions, timeMajor, returnSequences, zeroEmptyState } = readSettings(node)
  const axis = timeMajor ? 0 : 1
  if (context.timing(0) !== axis) return 'takes the timesteps as another axis'
  if (directions.length > 1) return 'is bidirectional: it needs the whole sequence'
  if (directions[0] === 'reverse') return 'walks backwards: it needs the whole sequence'
  if (context.shape(4) !== undefined) return 'takes the lengths of whole sequences'
  const hasMask = context.shape(3) !== undefined
  if (hasMask && (context.timing(3) !== 1 || zeroEmptyState)) return 'takes a mask of whole sequences'
  if (context.timing(1) !== undefined || context.timing(2) !== undefined) return 'begins from what other steps have come to'
  return { outputs: [returnSequences ? axis : 'last', 'last', 'last'], remembers: true }
}

const embedding: TimeRule = (node, context) => along(node, context.timing(0))

const transpose: TimeRule = (node, context) => {
  const axis = timeAxis(context) as number
  const rank = context.outputShape(0).length
  const perm = node.attributes.perm as readonly number[] | undefined
  return along(node, perm === undefined ? rank - 1 - axis : perm.indexOf(axis))
}

/** Parts of one axis joined. */
const concat: TimeRule = (node, context) => {
  const rank = context.outputShape(0).length
  const axis = context.timing(0)
  const joined = resolveAxis(node, integerOf(node, 'axis'), rank)
  if (typeof axis !== 'number' || node.inputs.some((_, position) => context.timing(position) !== axis)) {
    return 'joins what has timesteps with what has none'
  }
  return joined === axis ? 'joins sequences one after the other' : along(node, axis)
}

/** Numbers of an input that is a constant. */
function numbers(context: TimeContext, position: number): readonly number[] | undefined {
  const value = context.value(position)
  return value === undefined ? undefined : Array.from(value.data)
}

const PAST_END = 2 ** 31 - 1

/** A cut through the timesteps may take all of them, or the last one. */
const slice: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  const [starts, ends] = [numbers(context, 1), numbers(context, 2)]
  if (axis === undefined || starts === undefined || ends === undefined) return 'cuts where it is known only at run time'
  const rank = context.outputShape(0).length
  const axes = (context.shape(3) === undefined ? starts.map((_, n) => n) : numbers(context, 3))?.map((one) => resolveAxis(node, one, rank))
  const at = axes?.indexOf(axis) ?? -1
  if (axes === undefined || at < 0) return axes === undefined ? 'cuts where it is known only at run time' : along(node, axis)
  const step = context.shape(4) === undefined ? 1 : numbers(context, 4)?.[at]
  if (step !== 1 || (ends[at] as number) < PAST_END) return 'cuts steps out of the sequence'
  if (starts[at] === -1) return along(node, 'last')
  return starts[at] === 0 ? along(node, axis) : 'cuts steps out of the sequence'
}

/** Indices into another axis; the last step alone; or a table whose indices come step by step. */
const gather: TimeRule = (node, context) => {
  const rank = context.shape(0)?.length as number
  const along0 = resolveAxis(node, integerOf(node, 'axis', 0), rank)
  const [data, indices] = [context.timing(0), context.timing(1)]
  if (typeof indices === 'number') return data === undefined ? along(node, along0 + indices) : OTHER_AXIS
  const axis = data as number
  const added = (context.shape(1)?.length as number) - 1
  if (along0 !== axis) return along(node, axis > along0 ? axis + added : axis)
  const wanted = numbers(context, 1)
  return wanted?.length === 1 && wanted[0] === -1 ? along(node, 'last') : 'takes steps out of the sequence'
}

/** Sizes may be asked for, but not how long the sequence is. */
const shape: TimeRule = (node, context) => {
  const axis = timeAxis(context) as number
  const start = integerOf(node, 'start', 0)
  const count = context.outputShape(0)[0] as number
  const isHarmless = context.takers(0).every(({ op, indices }) => (
    op === 'gather' && indices !== undefined && Array.from(indices.data).every((index) => (index < 0 ? index + count : index) + start !== axis)
  ))
  return isHarmless ? along(node, undefined) : 'asks how long the sequence is'
}

/** a's rows are independent of each other; b must stay the same. */
const matMul: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  const rank = context.shape(0)?.length as number
  if (axis === undefined || context.timing(1) !== undefined) return 'multiplies by what other steps have come to'
  if (axis === rank - 1) return 'works along the timesteps'
  const stack = (context.shape(1)?.length as number) - 2
  const outRank = context.outputShape(0).length
  if (stack > 0 && rank - outRank !== 0) return MIXES
  const size = context.shape(1)?.[axis - rank + (context.shape(1)?.length as number)]
  return axis < rank - 2 && stack > 0 && size !== undefined && size !== 1 ? 'takes other numbers at each timestep' : along(node, axis)
}

const gemm: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  if (axis !== (switchOf(node, 'transA') ? 1 : 0) || context.timing(1) !== undefined || context.timing(2) !== undefined) return 'works along the timesteps'
  const c = context.shape(2)
  return c !== undefined && c.length > 1 && c[0] !== 1 ? 'takes other numbers at each timestep' : along(node, 0)
}

/** Every channel by itself, with numbers of its own. */
const batchNormalization = rowwise((node, _context, shape_) => [switchOf(node, 'channelsLast') ? shape_.length - 1 : 1])

const reduce: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  const rank = context.shape(0)?.length as number
  const given = context.shape(1) === undefined ? [] : numbers(context, 1)
  const axes = given?.length === 0 && !switchOf(node, 'noopWithEmptyAxes') ? [...Array(rank).keys()] : given?.map((one) => resolveAxis(node, one, rank))
  if (axis === undefined || axes === undefined || axes.includes(axis)) return 'sums up over the timesteps'
  const keeps = switchOf(node, 'keepdims', true)
  return along(node, keeps ? axis : axis - axes.filter((one) => one < axis).length)
}

const argument: TimeRule = (node, context) => {
  const axis = timeAxis(context) as number
  const rank = context.shape(0)?.length as number
  const along0 = resolveAxis(node, integerOf(node, 'axis', 0), rank)
  if (along0 === axis) return 'looks for one of the timesteps'
  return along(node, switchOf(node, 'keepdims', true) || along0 > axis ? axis : axis - 1)
}

const RULES: Readonly<Record<string, TimeRule>> = {
  lstm, embedding, linear: lastAxis, softmax: alongAxis, logSoftmax: alongAxis, transpose, concat, slice, gather, shape, matMul, gemm,
  split: rowwise((node) => [integerOf(node, 'axis', 0)]),
  layerNormalization: fromAxis, rmsNormalization: fromAxis, batchNormalization,
  reshape: reshaping, flatten: reshaping, squeeze: reshaping, unsqueeze: reshaping,
  reduceL1: reduce, reduceL2: reduce, reduceLogSum: reduce, reduceLogSumExp: reduce, reduceMax: reduce,
  reduceMean: reduce, reduceMin: reduce, reduceProd: reduce, reduceSum: reduce, reduceSumSquare: reduce,
  argMax: argument, argMin: argument,
  averagePool: pooling, maxPool: pooling, globalAveragePool: globalPooling, globalMaxPool: globalPooling,
  conv: convolution, pad: padding, trilu: rowwise(() => [-2, -1]),
}

const ELEMENTWISE: readonly string[] = [
  'dropout', 'identity', 'cast', 'clip', 'where', 'not', 'and', 'or', 'xor', 'equal', 'greater', 'greaterOrEqual', 'less', 'lessOrEqual',
  'add', 'sub', 'mul', 'div', 'min', 'max', 'sum', 'mod', 'pow',
]

/** The rule of an operator, or undefined. */
export function findTimeRule(op: string): TimeRule | undefined {
  if (Object.hasOwn(RULES, op)) return RULES[op]
  // Functions from 64 on are of whole rows.
  return ELEMENTWISE.includes(op) || (findFunction(op)?.code ?? 64) < 64 ? elementwise : undefined
}
