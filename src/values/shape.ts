import { LstmError } from '../errors.ts'
import { describeValue } from './dtype.ts'

/** The size of one axis: a number, or the name of a size that is known only at run time, such as `batch`. */
export type Dimension = number | string

/** Sizes of all axes, outermost first: `[batch, timesteps, features]`. */
export type Shape = readonly number[]

/** A shape in which some sizes may be symbolic. */
export type SymbolicShape = readonly Dimension[]

/** Number of elements: the product of the sizes, 1 for a scalar. Allocates nothing: it is asked at every run. */
export function lengthOf(shape: Shape): number {
  let length = 1
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] as number
    if (size === 0) return 0 // also where the other sizes multiply to Infinity
    length *= size
  }
  return length
}

/** Whether all sizes are numbers. */
export function isNumeric(shape: SymbolicShape): shape is Shape {
  return shape.every((size) => typeof size === 'number')
}

/** `[batch, 28, 28]`. */
export function formatShape(shape: SymbolicShape): string {
  return `[${shape.join(', ')}]`
}

/** Allocates nothing: it is asked at every run. */
export function sameShape(a: SymbolicShape, b: SymbolicShape): boolean {
  if (a.length !== b.length) return false
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false
  return true
}

/**
 * Checks that a shape is made of whole numbers >= 0 whose product is a safe number of elements.
 * @throws LstmError `VALUE` for what is no list of whole numbers >= 0, `MEMORY` for more elements than memory can hold
 */
export function checkShape(shape: unknown, what: string): Shape {
  if (!Array.isArray(shape)) throw new LstmError('VALUE', `${what}: expected a shape as an array of whole numbers, got ${describeValue(shape)}`)
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
      throw new LstmError('VALUE', `${what}: expected a shape of whole numbers, got [${shape.map(describeValue).join(', ')}]`)
    }
  }
  const length = lengthOf(shape as number[])
  if (length > 2 ** 32) {
    throw new LstmError('MEMORY', `${what}: shape [${shape.join(', ')}] has ${length} elements, more than memory can hold`)
  }
  return shape as Shape
}

/** A caller's shape, checked, as a copy: the array might be another one when it is read again. @throws LstmError see `checkShape` */
export function copyShape(shape: unknown, what: string): Shape {
  return checkShape([...checkShape(shape, what)], what)
}

/** More axes than any tensor has: arrays nested deeper are refused before anything walks through them. */
const MOST_AXES = 32

/**
 * The shape of nested arrays, read along the first element of each level.
 * Whether the rest agrees is checked by the reader of the elements.
 * @throws LstmError `SHAPE` for arrays nested deeper than any shape, such as one that contains itself
 */
export function shapeOfNested(nested: unknown, what: string): number[] {
  const shape: number[] = []
  let level = nested
  while (Array.isArray(level)) {
    if (shape.length === MOST_AXES) throw new LstmError('SHAPE', `${what}: expected arrays nested at most ${MOST_AXES} deep, got deeper ones, or an array that contains itself`)
    shape.push(level.length)
    level = level[0]
  }
  return shape
}
