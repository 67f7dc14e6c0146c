import { LstmError } from '../../errors.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, isNumeric, lengthOf, type Dimension, type Shape, type SymbolicShape } from '../../values/shape.ts'
import { integerOf, resolveAxis, switchOf } from '../node/attributes.ts'
import { anyInput, hasInput, label } from '../node/checks.ts'
import { resolveAxes } from '../node/lists.ts'
import { checkSizes, freshShape, freshSize, integerList, productOf, quotientOf } from '../node/sizes.ts'
import { isFoldable, movementCost, requireSizes } from '../layout/movement.ts'
import { movingSizes } from '../layout/moved-sizes.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext, Operator } from '../operator.ts'
import { reshapingTime, reshapingSteps } from '../time/reshaping.ts'

/** Operators that give the elements another shape and keep their order. */
export const RESHAPES: ReadonlySet<string> = new Set(['identity', 'reshape', 'flatten', 'squeeze', 'unsqueeze'])

/** An operator that gives its first input another shape: at run time there is nothing to do. */
/* @__NO_SIDE_EFFECTS__ */
function reshaping(
  name: string, onnx: string, mostInputs: number, attributes: readonly string[],
  shape: (node: GraphNode, context: InferenceContext, from: SymbolicShape) => SymbolicShape,
  facts: Partial<Pick<Operator, 'time' | 'padding' | 'carriesZeros' | 'takesSizes'>> = {},
): Operator {
  const infer = (node: GraphNode, context: InferenceContext): [ValueType] => {
    const { dtype, shape: from } = anyInput(node, context, 0)
    const to = shape(node, context, from)
    if (isNumeric(from) && isNumeric(to) && lengthOf(from) !== lengthOf(to)) throw misfit(node, from, to)
    return [{ dtype, shape: to }]
  }
  return movingSizes({
    name,
    onnx,
    mostInputs,
    attributes,
    time: reshapingTime,
    ...facts,
    infer: (node, context) => checkSizes(node, infer(node, context)),
    cost: movementCost,
    evaluate(node, context, _settings, types) {
      if (!isFoldable(node, context, types)) return undefined
      const value = context.value(0) as ArrayLike
      // Nothing changes an NdArray that is a constant; the elements of other arrays may move.
      return [new NdArray(value instanceof NdArray ? value.data : value.data.slice(), types[0].shape as Shape)]
    },
    plan(node, planner) {
      requireSizes(node, planner)
      if (planner.hasOutput(0)) planner.alias(0, 0)
    },
  })
}

/** Padding stays in front, and zeros are zeros. */
const MOVES = { padding: 'kept', carriesZeros: true } as const

/** The input as it is. Inputs: input. */
export const identity: Operator = reshaping('identity', 'Identity', 1, [], (_node, _context, from) => from, { time: 'pointwise', ...MOVES })

/**
 * The elements with another shape. Inputs: data, shape (int32 list). In the shape, -1 is the size that
 * is left over (at most once); 0 is the size of the same axis of data, or none at all with `allowzero`. Attribute `open`: the axis
 * whose size is what is left over, whatever is said of it (what streams of a fixed number of timesteps need).
 * @throws LstmError `SHAPE` when the elements do not fit
 */
export const reshape: Operator = reshaping('reshape', 'Reshape', 2, ['allowzero', 'open'], (node, context, from) => {
  const { count, sizes } = integerList(node, context, 1, 'sizes')
  const open = integerOf(node, 'open', -1)
  const target = sizes?.map((size, axis) => (axis === open ? -1 : size))
  return target === undefined ? freshShape(node, count) : resolveTarget(node, from, target, switchOf(node, 'allowzero'))
}, { ...MOVES, takesSizes: [1], time: reshapingSteps })

function misfit(node: GraphNode, from: SymbolicShape, target: readonly Dimension[]): LstmError {
  return new LstmError('SHAPE', `${label(node)}: expected a shape for the elements of ${formatShape(from)}, got ${formatShape(target)}`)
}

function resolveTarget(node: GraphNode, from: SymbolicShape, target: SymbolicShape, allowZero: boolean): SymbolicShape {
  const open = target.indexOf(-1)
  if (target.some((size) => typeof size === 'number' && size < -1) || (open >= 0 && target.includes(-1, open + 1)) || (allowZero && open >= 0 && target.includes(0))) {
    throw misfit(node, from, target)
  }
  const sizes = target.map((size, axis): Dimension => {
    if (size !== 0 || allowZero) return size
    const same = from[axis]
    if (same === undefined) throw misfit(node, from, target)
    return same
  })
  if (open < 0) return sizes
  const rest = quotientOf(from, sizes.filter((_, axis) => axis !== open)) ?? freshSize(node, open)
  if (typeof rest === 'number' && !Number.isInteger(rest)) throw misfit(node, from, target)
  return sizes.map((size, axis) => (axis === open ? rest : size))
}

/** Two axes: all axes before `axis` (default 1) joined, and all from there on. Inputs: input. */
export const flatten: Operator = reshaping('flatten', 'Flatten', 1, ['axis'], (node, _context, from) => {
  const axis = integerOf(node, 'axis', 1)
  // The one place where an axis may be past the last: then the second size is 1.
  const at = axis === from.length ? axis : resolveAxis(node, axis, from.length)
  return [productOf(from.slice(0, at)) ?? freshSize(node, 0), productOf(from.slice(at)) ?? freshSize(node, 1)]
})

/**
 * Without the axes named, which have one element each. Inputs: data, axes (int32 list, optional: all axes of one element).
 */
export const squeeze: Operator = reshaping('squeeze', 'Squeeze', 2, [], (node, context, from) => {
  if (!hasInput(node, 1)) {
    // Sizes that have names are looked at again when they are known: then there may be fewer axes than here.
    return from.filter((size) => size !== 1)
  }
  const { count, values } = integerList(node, context, 1, 'axes')
  if (values === undefined) return freshShape(node, from.length - count)
  const axes = resolveAxes(node, values, from.length)
  if (axes.some((axis) => typeof from[axis] === 'number' && from[axis] !== 1)) {
    throw new LstmError('SHAPE', `${label(node)}: expected one element along the axes ${formatShape(values)}, got ${formatShape(from)}`)
  }
  return from.filter((_, axis) => !axes.includes(axis))
}, MOVES)

/** With new axes of one element where `axes` says, counted in the output. Inputs: data, axes (int32 list). */
export const unsqueeze: Operator = reshaping('unsqueeze', 'Unsqueeze', 2, [], (node, context, from) => {
  const { count, values } = integerList(node, context, 1, 'axes')
  const rank = from.length + count
  if (values === undefined) return freshShape(node, rank)
  const axes = resolveAxes(node, values, rank)
  const rest = [...from]
  return Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift() as Dimension))
}, MOVES)
