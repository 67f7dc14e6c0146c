// What calls of PyTorch's operators are given, as numbers.
import { NamedTensor, NotFollowed, type Arg, type Call } from './calls.ts'
import type { Emission } from './emission.ts'

/** What a call becomes: the names of its results. */
export type Emitter = (e: Emission, call: Call) => string | readonly string[]

/** Whether initial states are left out, or zeros. */
export function hasZeros(e: Emission, initial: Arg): boolean {
  const states = Array.isArray(initial) ? initial as readonly Arg[] : [initial]
  return states.every((state) => (state ?? null) === null || e.producer(state)?.op === 'zeros')
}

export const shapeOf = (arg: Arg): readonly number[] => (arg instanceof NamedTensor ? arg.tensor.shape : [])

export function integer(arg: Arg): number {
  if (typeof arg !== 'number' || !Number.isInteger(arg)) throw new NotFollowed('has a size that is computed')
  return arg
}

export function axisOf(arg: Arg, rank: number): number {
  const axis = integer(arg)
  if (axis < -rank || axis >= rank) throw new NotFollowed(`has an axis ${axis} of ${rank}`)
  return axis < 0 ? axis + rank : axis
}

/** One number, or one in a list. */
export function single(arg: Arg, otherwise: number): number {
  if (arg === undefined || arg === null) return otherwise
  return integer(Array.isArray(arg) && arg.length === 1 ? (arg as readonly Arg[])[0] : arg)
}

export function numberOf(arg: Arg, otherwise: number): number {
  return typeof arg === 'number' ? arg : otherwise
}
