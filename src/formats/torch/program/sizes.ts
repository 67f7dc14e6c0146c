// Operators that are given sizes: numbers, axes of other tensors, or -1.
import type { Dimension } from '../../../values/shape.ts'
import { axisOf, type Emitter } from './arguments.ts'
import { NotFollowed, SIZES, type Arg, type Call } from './calls.ts'
import type { Emission } from './emission.ts'

/** A size as the file says it: a number, or the name that an axis of an input has; undefined for what is computed otherwise. */
function sizeOf(e: Emission, size: Arg): Dimension | undefined {
  if (typeof size === 'number') return size
  const maker = e.producer(size)
  if (maker === undefined || !SIZES.includes(maker.op)) return undefined
  const shape = e.shape(e.tensor(maker.args[0]))
  return shape[axisOf(maker.args[1], shape.length)]
}

/** Sizes as an int32 list. */
function sizeList(e: Emission, call: Call, sizes: readonly Arg[]): string {
  const parts = sizes.map((size) => {
    const maker = e.producer(size)
    if (typeof size === 'number') return e.integers(size)
    if (maker === undefined || !SIZES.includes(maker.op)) throw new NotFollowed(`has torch.${call.op} with a size that is computed`)
    const x = e.tensor(maker.args[0])
    const axis = axisOf(maker.args[1], e.shape(x).length)
    return e.node(call, 'shape', [x], { start: axis, end: axis + 1 })[0] as string
  })
  if (parts.length === 0) throw new NotFollowed(`has torch.${call.op} without a shape`)
  return parts.length === 1 ? parts[0] as string : e.node(call, 'concat', parts, { axis: 0 })[0] as string
}

/** Sizes in one list, or as the arguments from the second on. */
const givenSizes = ({ args: [, list, ...rest] }: Call): readonly Arg[] => (Array.isArray(list) ? list as readonly Arg[] : [list, ...rest])

/** Zeros or ones, of as many rows as another tensor. */
export const filled = (value: number): Emitter => (e, call) => {
  const sizes = Array.isArray(call.args[0]) ? call.args[0] as readonly Arg[] : []
  return e.node(call, 'constantOfShape', [sizeList(e, call, sizes)], { value, dtype: 'float32' })
}

/** Axes of one element repeated; -1 leaves one as it is. */
export const expand: Emitter = (e, call) => {
  // A size of 1 does, too.
  const sizes = givenSizes(call).map((size) => (size === -1 ? 1 : size)).filter((size) => typeof size !== 'boolean')
  return e.node(call, 'expand', [e.tensor(call.args[0]), sizeList(e, call, sizes)])
}

/** Everything so often along each axis; axes that are more come in front. */
export const repeat: Emitter = (e, call) => {
  const times = givenSizes(call)
  const x = e.tensor(call.args[0])
  const more = times.length - e.shape(x).length
  const whole = more > 0 ? e.node(call, 'unsqueeze', [x, e.integers(...Array.from({ length: more }, (_, axis) => axis))])[0] as string : x
  return e.node(call, 'tile', [whole, sizeList(e, call, times)])
}

/** Sizes are numbers, those of an axis at its own place, or one that follows from the others. */
export const view: Emitter = (e, call) => {
  const [given, list] = call.args
  const x = e.tensor(given)
  const sizes = Array.isArray(list) ? list as readonly Arg[] : call.args.slice(1)
  const target = sizes.map((size, n): number | undefined => {
    const known = sizeOf(e, size)
    return typeof known === 'string' && known === e.shape(x)[n] ? 0 : typeof known === 'number' ? known : undefined
  })
  const open = target.filter((size) => size === undefined || size === -1).length
  if (target.includes(0) && sizes.includes(0)) throw new NotFollowed(`has torch.${call.op} to no elements`)
  if (open > 1) throw new NotFollowed(`has torch.${call.op} with a size that is computed`)
  return e.node(call, 'reshape', [x, e.integers(...target.map((size) => size ?? -1))])
}
