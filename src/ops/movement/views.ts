import { LstmError } from '../../errors.ts'
import { formatShape, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { resolveAxis } from '../node/attributes.ts'
import { anyInput, hasInput, label } from '../node/checks.ts'
import { resolveAxes } from '../node/lists.ts'
import { broadcastShapes, freshShape, freshSize, integerList, knownIntegers, type IntegerList } from '../node/sizes.ts'
import { movement } from '../layout/movement.ts'
import { movingSizes } from '../layout/moved-sizes.ts'
import type { GraphNode } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { rowwise } from '../time/rules.ts'
import { along, timeAxis, type TimeRule } from '../time/timing.ts'
import { broadcastStrides, stridesOf, whole, type Move, type Placement } from '../layout/strides.ts'

/** The output of `shape`, whose elements are those of input 0 that `from` says. */
function view(shape: Shape, from: Placement): Move[] {
  return [{ source: 0, output: 0, shape, from, to: whole(shape) }]
}

/** The order of the axes: `perm`, default reversed. */
function permutation(node: GraphNode, rank: number): number[] {
  const { perm } = node.attributes
  if (perm === undefined) return Array.from({ length: rank }, (_, axis) => rank - 1 - axis)
  const axes = Array.isArray(perm) ? perm as readonly unknown[] : []
  if (axes.length !== rank || !Array.from({ length: rank }, (_, axis) => axes.includes(axis)).every(Boolean)) {
    throw new LstmError('VALUE', `${label(node)}: expected all axes from 0 to ${rank - 1} for 'perm', got ${JSON.stringify(perm)}`)
  }
  return axes as number[]
}

/** Axes in another order: output axis n is input axis perm[n]. Inputs: data. Attribute `perm`, default reversed. */
export const transpose: Operator = movement({
  name: 'transpose',
  onnx: 'Transpose',
  mostInputs: 1,
  attributes: ['perm'],
  time(node, context) {
    const axis = timeAxis(context) as number
    return along(node, permutation(node, context.outputShape(0).length).indexOf(axis))
  },
  padding: 'kept',
  carriesZeros: true,
  infer(node, context) {
    const { dtype, shape } = anyInput(node, context, 0)
    return [{ dtype, shape: permutation(node, shape.length).map((axis) => shape[axis] as Dimension) }]
  },
  moves(node, { shapeOf, outputShape }) {
    const strides = stridesOf(shapeOf(0))
    return view(outputShape(0), { offset: 0, strides: permutation(node, strides.length).map((axis) => strides[axis] as number) })
  },
})

/** Elements of one axis: from `start` on, every `step`-th one, before `end`. */
interface Cut {
  readonly start: number
  readonly end: number
  readonly step: number
}

/** Bounds of int32 stand for "to the very end", as those of int64 do in files. */
const PAST_END = 2 ** 31 - 1

/** The first element and the number of elements of a cut through `size` elements. A start before the first means the first (ONNX). */
function bounds(size: number, { start, end, step }: Cut): { first: number, count: number } {
  const last = step > 0 ? size : size - 1
  const clamp = (bound: number, lowest: number): number => Math.max(lowest, Math.min(last, bound < 0 ? bound + size : bound))
  const first = clamp(start, 0)
  const stop = clamp(end, step > 0 ? 0 : -1)
  return { first, count: Math.max(0, Math.ceil((stop - first) / step)) }
}

/** The number of elements of a cut, where it can be told. */
function cutSize(size: Dimension, cut: Cut): Dimension | undefined {
  if (typeof size === 'number') return bounds(size, cut).count
  const { start, end, step } = cut
  if (step === 1 && start === 0 && end >= PAST_END) return size
  if (step === -1 && (start === -1 || start >= PAST_END) && end <= -PAST_END) return size
  // Sizes with a name are 1 or more.
  if (step === 1 && ((start === -1 && end >= PAST_END) || (start === 0 && end === 1))) return 1
  return undefined
}

/** Cuts by axis; undefined where they are known only at run time. */
function cuts(node: GraphNode, rank: number, list: (position: number, what: string) => IntegerList): Map<number, Cut | undefined> | undefined {
  const starts = list(1, 'starts')
  const others = [list(2, 'ends'), ...([[3, 'axes'], [4, 'steps']] as const).map(([position, what]) => (
    hasInput(node, position) ? list(position, what) : undefined
  ))]
  const [ends, axes, steps] = others as [IntegerList, IntegerList | undefined, IntegerList | undefined]
  if (others.some((other) => other !== undefined && other.count !== starts.count) || starts.count > rank) {
    const counts = [starts, ...others].map((other) => other?.count ?? 'none').join(', ')
    throw new LstmError('SHAPE', `${label(node)}: expected as many starts, ends, axes and steps, at most ${rank}, got ${counts}`)
  }
  if (axes !== undefined && axes.values === undefined) return undefined
  const resolved = resolveAxes(node, axes?.values ?? Array.from({ length: starts.count }, (_, axis) => axis), rank)
  return new Map(resolved.map((axis, n) => {
    const [start, end, step] = [starts.values?.[n], ends.values?.[n], steps === undefined ? 1 : steps.values?.[n]]
    if (step === 0) throw new LstmError('VALUE', `${label(node)}: expected steps that are not 0, got 0 for axis ${axis}`)
    return [axis, start === undefined || end === undefined || step === undefined ? undefined : { start, end, step }]
  }))
}

function slicedShape(node: GraphNode, context: InferenceContext, shape: SymbolicShape): SymbolicShape {
  const known = cuts(node, shape.length, (position, what) => integerList(node, context, position, what))
  if (known === undefined) return freshShape(node, shape.length)
  return shape.map((size, axis) => {
    if (!known.has(axis)) return size
    const cut = known.get(axis)
    return (cut === undefined ? undefined : cutSize(size, cut)) ?? freshSize(node, axis)
  })
}

const CUTS = 'cuts steps out of the sequence'
const CUTS_LATER = 'cuts where it is known only at run time'

/** A cut through the timesteps may take all of them, or the last one. */
const slicing: TimeRule = (node, context) => {
  const axis = timeAxis(context)
  const [starts, ends] = [context.numbers(1), context.numbers(2)]
  if (axis === undefined || starts === undefined || ends === undefined) return CUTS_LATER
  const rank = context.outputShape(0).length
  const axes = (context.shape(3) === undefined ? starts.map((_, n) => n) : context.numbers(3))?.map((one) => resolveAxis(node, one, rank))
  const at = axes?.indexOf(axis) ?? -1
  if (axes === undefined || at < 0) return axes === undefined ? CUTS_LATER : along(node, axis)
  const step = context.shape(4) === undefined ? 1 : context.numbers(4)?.[at]
  if (step !== 1 || (ends[at] as number) < PAST_END) return CUTS
  if (starts[at] === -1) return along(node, 'last')
  return starts[at] === 0 ? along(node, axis) : CUTS
}

/**
 * A part of every axis, data[start:end:step]. Inputs: data, starts, ends, axes (optional, default
 * the first ones), steps (optional, default 1; negative ones go backwards), all int32 lists of the same
 * length. Negative starts and ends count from the end; those past an end mean the end (readers clamp int64 to int32).
 */
export const slice: Operator = movingSizes(movement({
  name: 'slice',
  onnx: 'Slice',
  mostInputs: 5,
  attributes: [],
  time: slicing,
  carriesZeros: true,
  infer(node, context) {
    const { dtype, shape } = anyInput(node, context, 0)
    return [{ dtype, shape: slicedShape(node, context, shape) }]
  },
  moves(node, { shapeOf, outputShape, value }) {
    const shape = shapeOf(0)
    const strides = stridesOf(shape)
    let offset = 0
    const known = cuts(node, shape.length, (position, what) => {
      const values = knownIntegers(node, { value }, position, what)
      return { count: values.length, values, sizes: values }
    })
    for (const [axis, cut] of known ?? []) {
      if (cut === undefined) continue
      offset += bounds(shape[axis] as number, cut).first * (strides[axis] as number)
      strides[axis] = (strides[axis] as number) * cut.step
    }
    return view(outputShape(0), { offset, strides })
  },
}))

/**
 * Elements repeated along axes of one element, to the shape that data and `shape` broadcast to
 * (ONNX: a 1 in `shape` keeps the size of data). Inputs: data, shape (int32 list).
 */
export const expand: Operator = movement({
  name: 'expand',
  onnx: 'Expand',
  mostInputs: 2,
  attributes: [],
  time(node, context) {
    const axis = timeAxis(context) as number
    return along(node, axis + context.outputShape(0).length - (context.shape(0) as SymbolicShape).length)
  },
  takesSizes: [1],
  carriesZeros: true,
  infer(node, context) {
    const { dtype, shape } = anyInput(node, context, 0)
    const { count, sizes } = integerList(node, context, 1, 'sizes')
    if (sizes?.some((size) => typeof size === 'number' && size < 0)) {
      throw new LstmError('VALUE', `${label(node)}: expected sizes of 0 or more, got ${formatShape(sizes)}`)
    }
    const target = sizes === undefined ? freshShape(node, Math.max(count, shape.length)) : broadcastShapes(node, [shape, sizes])
    return [{ dtype, shape: target }]
  },
  moves: (_node, { shapeOf, outputShape }) => view(outputShape(0), { offset: 0, strides: broadcastStrides(shapeOf(0), outputShape(0)) }),
})

/** The whole of data again and again along every axis. Inputs: data, repeats (int32 list, one number an axis). */
export const tile: Operator = movement({
  name: 'tile',
  onnx: 'Tile',
  mostInputs: 2,
  attributes: [],
  /** Repeats along an axis are copies that stand apart only where there is one. */
  time: rowwise((_node, _shape, _settings, context) => context.numbers(1)?.flatMap((times, axis) => (times === 1 ? [] : [axis]))),
  infer(node, context) {
    const { dtype, shape } = anyInput(node, context, 0)
    const { count, values } = integerList(node, context, 1, 'repeats')
    const misfit = count !== shape.length ? 'SHAPE' : values?.some((times) => times < 0) ? 'VALUE' : undefined
    if (misfit !== undefined) {
      throw new LstmError(misfit, `${label(node)}: expected ${shape.length} repeats of 0 or more, got ${values === undefined ? count : formatShape(values)}`)
    }
    const sizes = shape.map((size, axis): Dimension => {
      const times = values?.[axis]
      if (times === 1) return size
      return times === undefined || typeof size === 'string' ? freshSize(node, axis) : size * times
    })
    return [{ dtype, shape: sizes }]
  },
  moves(node, { shapeOf, outputShape, value }) {
    const shape = shapeOf(0)
    const strides = stridesOf(shape)
    // Every axis as two: repeats with stride 0, then the elements.
    const sizes = knownIntegers(node, { value }, 1, 'repeats').flatMap((times, axis) => [times, shape[axis] as number])
    const from = { offset: 0, strides: strides.flatMap((stride) => [0, stride]) }
    const to = stridesOf(outputShape(0)).flatMap((stride, axis) => [stride * (shape[axis] as number), stride])
    return [{ source: 0, output: 0, shape: sizes, from, to: { offset: 0, strides: to } }]
  },
})
