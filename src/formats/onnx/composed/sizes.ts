// Shapes to be: lists of sizes, some of them those of axes of other values.
import type { Conversion } from '../conversion.ts'

/** The size of an axis of a value; it may be known only at run time. */
export interface AxisSize {
  readonly of: string
  /** Counted from the end where it is negative. */
  readonly axis: number
}

/** The size of an axis, where it is a number. */
function numberAt(c: Conversion, { of, axis }: AxisSize): number | undefined {
  const size = c.type(of).shape.at(axis)
  return typeof size === 'number' ? size : undefined
}

/** An int32 list of one element. */
export function sizeAt(c: Conversion, size: AxisSize): string {
  const number = numberAt(c, size)
  if (number !== undefined) return c.integers('size', [number])
  return c.emit('gather', [c.emit('shape', [size.of]), c.integers('axis', [size.axis])], { axis: 0 })
}

/** An int32 list for reshape, expand or constantOfShape: one axis that is not known beforehand is -1 where `open` says that it may be. */
export function dimensions(c: Conversion, sizes: readonly (number | AxisSize)[], open: boolean = true): string {
  const known = sizes.map((size) => (typeof size === 'number' ? size : numberAt(c, size)))
  const unknown = known.filter((size) => size === undefined).length
  if (unknown === 0 || (open && unknown === 1 && !known.includes(-1))) return c.integers('sizes', known.map((size) => size ?? -1))
  return c.emit('concat', sizes.map((size) => (typeof size === 'number' ? c.integers('size', [size]) : sizeAt(c, size))), { axis: 0 })
}
