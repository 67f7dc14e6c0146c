import { Box } from '../../contract/arrays/box.ts'
import { bytesOf, createData, type DataOf, type DType } from '../../values/dtype.ts'
import { lengthOf, type Shape } from '../../values/shape.ts'
import type { Planner, RecordSlot, Slot } from '../operator.ts'

/** Where the elements of an N-d box lie: element `index` at offset + index . strides, counted in elements. */
export interface Placement {
  readonly offset: number
  /** For every axis of the box; 0 repeats an element, a negative one goes backwards. */
  readonly strides: readonly number[]
}

/** What elements are moved from: an input, what this node wrote to the same output before, or one number. */
export type MoveSource = number | 'output' | { readonly fill: number }

/** A box of elements, moved from one place to another. All that most operators here do is a list of these. */
export interface Move {
  readonly source: MoveSource
  /** Position of the output. */
  readonly output: number
  readonly shape: Shape
  readonly from: Placement
  readonly to: Placement
}

/** Strides of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  let stride = 1
  return shape.map((_, n) => {
    const axis = shape.length - 1 - n
    const own = stride
    stride *= shape[axis] as number
    return own
  }).reverse()
}

/** A whole row-major array. */
export function whole(shape: Shape): Placement {
  return { offset: 0, strides: stridesOf(shape) }
}

/** Strides that repeat an array along the axes where `target` is longer; aligned at the last axis. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const strides = stridesOf(shape)
  const missing = target.length - shape.length
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : strides[axis - missing] as number))
}

/** A box with the fewest axes (at least one): those of one element are dropped, and joined those that are one run on every side. */
export function joinAxes(shape: Shape, sides: readonly (readonly number[])[]): { shape: number[], sides: number[][] } {
  const joined = { shape: [] as number[], sides: sides.map(() => [] as number[]) }
  shape.forEach((size, axis) => {
    if (size === 1) return
    const last = joined.shape.length - 1
    const strides = sides.map((side) => side[axis] as number)
    if (last >= 0 && strides.every((stride, side) => joined.sides[side]?.[last] === stride * size)) {
      joined.shape[last] = (joined.shape[last] as number) * size
      joined.sides.forEach((side, n) => (side[last] = strides[n] as number))
    } else {
      joined.shape.push(size)
      joined.sides.forEach((side, n) => side.push(strides[n] as number))
    }
  })
  if (joined.shape.length > 0) return joined
  return { shape: [1], sides: sides.map(() => [1]) }
}

/** Calls `visit` for every index of a box with its offset on every side; the array of offsets is the same one each time. */
export function forEachIndex(shape: Shape, sides: readonly (readonly number[])[], visit: (offsets: readonly number[]) => void): void {
  const joined = joinAxes(shape, sides)
  const offsets = sides.map(() => 0)
  const walk = (axis: number): void => {
    if (axis === joined.shape.length) return visit(offsets)
    const size = joined.shape[axis] as number
    const advance = (steps: number): void => joined.sides.forEach((strides, side) => {
      offsets[side] = (offsets[side] as number) + steps * (strides[axis] as number)
    })
    for (let n = 0; n < size; n++) {
      walk(axis + 1)
      advance(1)
    }
    advance(-size)
  }
  if (lengthOf(shape) > 0) walk(0)
}

/** The move in plain JavaScript. */
export function move(from: DataOf, to: DataOf, { shape, from: source, to: target }: Move): void {
  forEachIndex(shape, [source.strides, target.strides], ([read, write]) => {
    to[target.offset + (write as number)] = from[source.offset + (read as number)] as number
  })
}

/** Whether a move is all of an input to all of an output, in order: then both can be the same memory. */
export function isWhole({ source, shape, from, to }: Move, inputLength: number, outputLength: number): boolean {
  const joined = joinAxes(shape, [from.strides, to.strides])
  return typeof source === 'number' && from.offset === 0 && to.offset === 0 && inputLength === outputLength
    && joined.shape.length === 1 && joined.shape[0] === outputLength && joined.sides.every(([stride]) => stride === 1)
}

/** Appends the kernel call for a move of elements of `dtype`. */
export function planMove(planner: Planner, { shape, from, to }: Move, source: Slot, target: Slot, dtype: DType): void {
  if (lengthOf(shape) === 0) return
  const { stridedCopy } = planner.kernels
  const bytes = bytesOf(dtype)
  const { box, rows } = planBox(planner, shape, [inBytes(from.strides, dtype), inBytes(to.strides, dtype)], bytes)
  const fromBytes = from.offset * bytes
  const toBytes = to.offset * bytes
  planner.step(() => stridedCopy(box.ptr, source.ptr + fromBytes, target.ptr + toBytes, 0, rows))
}

/** Strides of elements of a dtype, in bytes. */
export function inBytes(strides: readonly number[], dtype: DType): number[] {
  return strides.map((stride) => stride * bytesOf(dtype))
}

/**
 * A box as kernels take it, and its rows: all indices but the last.
 * @param sides the strides of each side, in bytes
 * @param elementBytes of the elements that are moved
 */
export function planBox(
  planner: Planner, shape: Shape, sides: readonly (readonly number[])[], elementBytes: number,
): { readonly box: RecordSlot<typeof Box>, readonly rows: number } {
  const joined = joinAxes(shape, sides)
  const box = planner.record(Box, { elementBytes, rank: joined.shape.length }, [...joined.shape, ...joined.sides.flat()])
  return { box, rows: lengthOf(joined.shape.slice(0, -1)) }
}

/** One number as an element of a dtype, in a buffer of its own. */
export function planNumber(planner: Planner, value: number, dtype: DType): Slot {
  const element = createData(dtype, 1)
  element[0] = value
  return planner.constant(element)
}
