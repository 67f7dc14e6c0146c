// Arithmetic in words, for rules.
import { integers } from './builder.ts'
import type { GradientBuilder } from './rule.ts'

/** Adds nodes of one operator each. */
export interface Algebra {
  readonly add: (a: string, b: string) => string
  readonly sub: (a: string, b: string) => string
  readonly mul: (a: string, b: string) => string
  readonly div: (a: string, b: string) => string
  readonly neg: (a: string) => string
  readonly exp: (a: string) => string
  readonly square: (a: string) => string
  /** 1 where the condition holds, and 0 elsewhere. */
  readonly mask: (condition: string) => string
  readonly where: (condition: string, a: string, b: string) => string
  /** The sum over axes, which stay as axes of one element; over none, the value itself. */
  readonly sum: (a: string, axes: readonly number[]) => string
  readonly mean: (a: string, axes: readonly number[]) => string
  readonly transpose: (a: string, perm: readonly number[]) => string
  /** The two last axes in the other order. */
  readonly turned: (a: string) => string
}

export function algebra(build: GradientBuilder): Algebra {
  const binary = (op: string) => (a: string, b: string): string => build.node(op, [a, b])
  const unary = (op: string) => (a: string): string => build.node(op, [a])
  const reduction = (op: string) => (a: string, axes: readonly number[]): string => (
    axes.length === 0 ? a : build.node(op, [a, build.constant(integers(...axes))], { keepdims: true })
  )
  const transpose = (a: string, perm: readonly number[]): string => (
    perm.every((axis, n) => axis === n) ? a : build.node('transpose', [a], { perm })
  )
  return {
    add: binary('add'),
    sub: binary('sub'),
    mul: binary('mul'),
    div: binary('div'),
    neg: unary('neg'),
    exp: unary('exp'),
    square: unary('square'),
    mask: (condition) => build.node('cast', [condition], { to: 'float32' }),
    where: (condition, a, b) => build.node('where', [condition, a, b]),
    sum: reduction('reduceSum'),
    mean: reduction('reduceMean'),
    transpose,
    turned(a) {
      const rank = build.shapeOf(a).length
      return transpose(a, Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis)))
    },
  }
}
