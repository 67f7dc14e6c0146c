// Pools, pads, and normalisations of groups of channels.
import { NdArray } from '../../../values/ndarray.ts'
import { integer, numberOf, single, type Emitter } from './arguments.ts'
import { NamedTensor, NotFollowed, type Arg } from './calls.ts'

/** The mean or the largest of windows over the last axis. */
export const pool = (op: string): Emitter => (e, call) => {
  const [x, kernel, stride, padding, ...rest] = call.args
  const size = single(kernel, 1)
  const isEmpty = Array.isArray(stride) && stride.length === 0
  const pad = single(padding, 0)
  const [dilation, ceil, counts] = op === 'maxPool' ? [single(rest[0], 1), rest[1], false] : [1, rest[0], rest[1] !== false]
  if (e.shape(e.tensor(x)).length !== 3) throw new NotFollowed(`has torch.${call.op} of what has no batch`)
  return e.node(call, op, [e.tensor(x)], {
    kernelShape: [size], strides: [isEmpty ? size : single(stride, size)], pads: [pad, pad],
    ...(dilation !== 1 && { dilations: [dilation] }), ...(ceil === true && { ceilMode: 1 }), ...(counts && pad > 0 && { countIncludePad: 1 }),
  })
}

/** Zeros, another number, or elements of its own around the last axes: pairs of counts from the last axis on. */
export const pad: Emitter = (e, call) => {
  const [x, counts, given = 'constant', value = null] = call.args
  const mode = typeof given === 'string' ? given : 'that is computed'
  const name = e.tensor(x)
  const rank = e.shape(name).length
  const known = { constant: 'constant', reflect: 'reflect', replicate: 'edge', circular: 'wrap' }[mode]
  if (!Array.isArray(counts) || known === undefined || counts.length > 2 * rank) throw new NotFollowed(`has torch.pad with the mode ${mode}`)
  const pairs = Array.from({ length: rank }, (_, axis) => [0, 1].map((side) => integer((counts as readonly Arg[])[2 * (rank - 1 - axis) + side] ?? 0)))
  const around = e.integers(...pairs.map(([before]) => before as number), ...pairs.map(([, after]) => after as number))
  return e.node(call, 'pad', [name, around, ...(typeof value === 'number' && value !== 0 ? [e.float(value)] : [])], { mode: known })
}

/** The channels of each group of channels together; scale and bias by channel. */
export const groupNorm: Emitter = (e, call) => {
  const [given, count, weight, bias, epsilon] = call.args
  const x = e.tensor(given)
  const shape = e.shape(x)
  const [channels] = shape.slice(1)
  const groups = integer(count)
  if (typeof channels !== 'number' || channels % groups !== 0) throw new NotFollowed('has a normalisation of groups of an unknown number of channels')
  const rows = e.node(call, 'reshape', [x, e.integers(0, groups, -1)])
  const filled = (value: number): string => e.constant(new NdArray(new Float32Array(groups).fill(value), [groups]))
  const normal = e.node(call, 'instanceNormalization', [...rows, filled(1), filled(0)], { epsilon: numberOf(epsilon, 1e-5) })
  const open = shape.filter((size, axis) => axis > 0 && typeof size === 'string').length
  if (open > 1) throw new NotFollowed('has a normalisation of groups over several axes of unknown size')
  const back = e.node(call, 'reshape', [...normal, e.integers(...shape.map((size, axis) => (axis === 0 ? 0 : typeof size === 'number' ? size : -1)))])
  const column = e.integers(-1, ...shape.slice(2).map(() => 1))
  const tall = (arg: Arg): string[] => (arg instanceof NamedTensor ? e.node(call, 'reshape', [e.weight(arg), column]) : [])
  const [scale, shift] = [tall(weight), tall(bias)]
  const scaled = scale.length === 0 ? back : e.node(call, 'mul', [...back, ...scale])
  return shift.length === 0 ? scaled : e.node(call, 'add', [...scaled, ...shift])
}
