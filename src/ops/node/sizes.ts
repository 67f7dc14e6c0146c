// Sizes, and inputs that are lists of whole numbers, as operators reckon with them: whatever depends on a size or an element that is
// known only at run time stays open.
import { LstmError } from '../../errors.ts'
import { checkShape, formatShape, isNumeric, type Dimension, type SymbolicShape } from '../../values/shape.ts'
import { anyInput, hasInput, label, MOST_AXES } from './checks.ts'
import type { GraphNode, ValueType } from '../graph-data.ts'
import type { InferenceContext } from '../operator.ts'

/** A list of whole numbers that flows in: how many, and which if they are known already. */
export interface IntegerList {
  readonly count: number
  readonly values: readonly number[] | undefined
  /** The same, also where some are names of sizes. */
  readonly sizes: SymbolicShape | undefined
}

/** The int32 list at `position`, which must be there; a scalar is a list of one. No longer than `most`: default, a number for each axis. */
export function integerList(
  node: GraphNode, context: InferenceContext, position: number, what: string, most: number = 2 * MOST_AXES,
): IntegerList {
  const { dtype, shape } = anyInput(node, context, position)
  if (dtype !== 'int32') throw new LstmError('VALUE', `${label(node)}: expected int32 ${what}, got ${dtype} ${formatShape(shape)}`)
  const [count = 1] = shape
  if (shape.length > 1) throw new LstmError('SHAPE', `${label(node)}: expected ${what} with one axis, got ${formatShape(shape)}`)
  if (typeof count === 'string') {
    throw new LstmError('UNSUPPORTED', `${label(node)}: how many ${what} there are must be known beforehand, got ${formatShape(shape)}`)
  }
  if (count > most) throw new LstmError('UNSUPPORTED', `${label(node)}: expected at most ${most} ${what}, got ${count}`)
  const values = context.value(position)
  const sizes = values === undefined ? context.sizes(position) : Array.from(values.data)
  return { count, values: values === undefined ? undefined : Array.from(values.data), sizes }
}

/** The int32 elements at `position` when a plan is made or constants are folded: they are known by then. */
export function knownIntegers(node: GraphNode, context: Pick<InferenceContext, 'value'>, position: number, what: string): readonly number[] {
  const value = context.value(position)
  if (!hasInput(node, position)) throw new LstmError('SHAPE', `${label(node)}: expected an input at position ${position}, got none`)
  if (value === undefined) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: ${what} (input '${node.inputs[position]}') must follow from constants and shapes`)
  }
  if (value.dtype !== 'int32') throw new LstmError('VALUE', `${label(node)}: expected int32 ${what}, got ${value.dtype} ${formatShape(value.shape)}`)
  return Array.from(value.data)
}

/** A name for a size that is known only at run time, and is no other value's. */
export function freshSize(node: GraphNode, axis: number | string): string {
  return `${node.name}.${axis}`
}

/** A shape of fresh names. */
export function freshShape(node: GraphNode, rank: number): SymbolicShape {
  return Array.from({ length: rank }, (_, axis) => freshSize(node, axis))
}

/** The types, if no shape that is known is too large to reckon with. */
export function checkSizes(node: GraphNode, types: readonly ValueType[]): readonly ValueType[] {
  for (const { shape } of types) if (isNumeric(shape)) checkShape(shape, label(node))
  return types
}

/** The product of sizes: a number, a name, or undefined where it has too many factors for one. */
export function productOf(sizes: SymbolicShape): Dimension | undefined {
  return quotientOf(sizes, [])
}

/** Product of the sizes that are numbers: what a batch row costs, as far as it is known. */
export function knownLength(sizes: SymbolicShape): number {
  return sizes.reduce<number>((product, size) => (typeof size === 'number' ? product * size : product), 1)
}

const TIMES = ' * '
/** Characters of a product's name. An untrusted file may square a size again and again, or call one by a very long name. */
const MOST_CHARACTERS = 256

const factorsOf = (size: string): string[] => (size.length > MOST_CHARACTERS ? [size] : size.split(TIMES))
const isNumber = (factor: string): boolean => /^\d+$/.test(factor)

/** The names in a size: `2 * batch * timesteps` has two. */
export function namesIn(size: Dimension): string[] {
  return typeof size === 'number' ? [] : factorsOf(size).filter((factor) => !isNumber(factor))
}

/** What the names in a size are multiplied by. */
function numberIn(size: Dimension): number {
  return typeof size === 'number' ? size : factorsOf(size).filter(isNumber).reduce((product, factor) => product * Number(factor), 1)
}

const numberOf = (sizes: SymbolicShape): number => sizes.reduce<number>((product, size) => product * numberIn(size), 1)

/**
 * The product of `sizes` over the product of `by`, where equal names cancel: a number (perhaps not whole), a name, a
 * product of names such as `2 * batch * timesteps`, or undefined when it is none of these.
 */
export function quotientOf(sizes: SymbolicShape, by: SymbolicShape): Dimension | undefined {
  if (sizes.includes(0) && !by.includes(0)) return by.every((size) => typeof size === 'number') ? 0 : undefined
  const names = sizes.flatMap(namesIn)
  const quotient = numberOf(sizes) / numberOf(by)
  for (const name of by.flatMap(namesIn)) {
    const position = names.indexOf(name)
    if (position < 0) return undefined
    names.splice(position, 1)
  }
  if (names.length === 0) return quotient
  if (names.length === 1 && quotient === 1) return names[0]
  const length = names.reduce((sum, name) => sum + name.length, 0)
  return Number.isInteger(quotient) && length <= MOST_CHARACTERS ? [...(quotient === 1 ? [] : [quotient]), ...names.sort()].join(TIMES) : undefined
}

/** One shape that all broadcast to, aligned at the last axis; a name may turn out to be any size that fits. */
export function broadcastShapes(node: GraphNode, shapes: readonly SymbolicShape[]): SymbolicShape {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((size) => size !== 1)
    const numbers = sizes.filter((size) => typeof size === 'number')
    if (new Set(numbers).size > 1) {
      throw new LstmError('SHAPE', `${label(node)}: expected shapes that broadcast, got ${shapes.map(formatShape).join(' and ')}`)
    }
    return numbers[0] ?? sizes[0] ?? 1
  })
}
