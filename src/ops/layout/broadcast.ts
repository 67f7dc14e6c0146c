// Broadcasting as in numpy: shapes are aligned at their last axes, and a size of 1 is repeated.
import { BinaryCode, BinaryElements, BroadcastCall } from '../../contract/arrays/broadcast.ts'
import { bytesOf, createData, type DataOf, type DType } from '../../values/dtype.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { lengthOf, type Shape } from '../../values/shape.ts'
import type { ValueType } from '../graph-data.ts'
import type { Planner, Slot } from '../operator.ts'
import { broadcastStrides, joinAxes } from './strides.ts'

export type BinaryFunction = keyof typeof BinaryCode

/** Elements that may always be computed beforehand; more only where the result is no larger than what it is made of. */
export const FOLD_LENGTH = 65536

interface Axis {
  size: number
  readonly strides: number[]
}

/** As few axes as say the same, outermost first, with a stride of every operand; those of one element are left out. */
function axesOf(shapes: readonly Shape[], to: Shape): Axis[] {
  const { shape, sides } = joinAxes(to, shapes.map((own) => broadcastStrides(own, to)))
  return shape.flatMap((size, n) => (size === 1 ? [] : [{ size, strides: sides.map((side) => side[n] as number) }]))
}

export interface Operand {
  readonly slot: Slot
  readonly shape: Shape
}

/** out = f(a, b): one kernel call, or one for each element of the axes beyond three. */
export function planBinary(
  planner: Planner, f: BinaryFunction, dtype: DType, a: Operand, b: Operand, out: Operand,
): void {
  const { broadcastBinary } = planner.kernels
  const axes = axesOf([a.shape, b.shape], out.shape)
  if (lengthOf(out.shape) === 0) return
  while (axes.length < 3) axes.unshift({ size: 1, strides: [0, 0] })
  const [outer, rows, row] = axes.slice(-3) as [Axis, Axis, Axis]
  const calls = axes.slice(0, -3)
  const bytes = bytesOf(dtype)
  const [aOuterBytes, aRowBytes, aBytes] = [outer, rows, row].map(({ strides }) => (strides[0] as number) * bytes) as [number, number, number]
  const [bOuterBytes, bRowBytes, bBytes] = [outer, rows, row].map(({ strides }) => (strides[1] as number) * bytes) as [number, number, number]
  const call = planner.record(BroadcastCall, {
    code: BinaryCode[f] + BinaryElements[dtype], outer: outer.size, rows: rows.size, length: row.size,
    aOuterBytes, aRowBytes, aBytes, bOuterBytes, bRowBytes, bBytes,
  })
  const outBytes = outer.size * rows.size * row.size * (f === 'equal' || f === 'less' || f === 'lessOrEqual' ? 1 : bytes)
  const aOffsets = offsetsOf(calls, 0, bytes)
  const bOffsets = offsetsOf(calls, 1, bytes)
  planner.step(() => {
    for (let n = 0; n < aOffsets.length; n++) {
      broadcastBinary(call.ptr, a.slot.ptr + (aOffsets[n] as number), b.slot.ptr + (bOffsets[n] as number), out.slot.ptr + n * outBytes)
    }
  })
}

/** Where an operand starts for every element of the given axes. */
function offsetsOf(axes: readonly Axis[], operand: number, bytes: number): number[] {
  let offsets = [0]
  for (const { size, strides } of axes) {
    const stride = (strides[operand] as number) * bytes
    offsets = offsets.flatMap((offset) => Array.from({ length: size }, (_, n) => offset + n * stride))
  }
  return offsets
}

/** For each element of the result, the position of the element of an operand. */
export function positionsOf(shape: Shape, to: Shape): number[] {
  const strides = broadcastStrides(shape, to)
  return offsetsOf(to.map((size, axis) => ({ size, strides: [strides[axis] as number] })), 0, 1)
}

/** f over constants, or undefined where one of them is none, or the result is too large to be kept in the model. */
export function evaluateBroadcast(
  { dtype, shape }: ValueType, operands: readonly (ArrayLike | undefined)[], f: (elements: readonly number[]) => number,
): readonly NdArray[] | undefined {
  if (operands.some((operand) => operand === undefined)) return undefined
  const to = shape as Shape
  const known = operands as readonly ArrayLike[]
  const length = lengthOf(to)
  if (length > known.reduce((most, { data }) => Math.max(most, data.length), FOLD_LENGTH)) return undefined
  const positions = known.map((operand) => positionsOf(operand.shape, to))
  const data: DataOf = createData(dtype, length)
  for (let n = 0; n < length; n++) {
    data[n] = f(known.map((operand, which) => operand.data[positions[which]?.[n] as number] as number))
  }
  return [new NdArray(data, to)]
}
