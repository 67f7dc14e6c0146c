// Einsum as transposes, products of matrices (or of elements, where nothing is summed) and sums.
import type { Conversion } from '../conversion.ts'
import { readEquation } from './equation.ts'
import { dimensions } from './sizes.ts'

/** A value of ours whose axes have labels. */
interface Labelled {
  readonly value: string
  readonly labels: readonly string[]
}

type Wanted = (label: string) => boolean

/** Two operands at a time, from the left; what only one of them has, and nobody after them asks for, is summed up before. */
export function einsum(c: Conversion): void {
  c.onlyAttributes(['equation'])
  const { operands, result } = readEquation(c)
  const lastReader = new Map(operands.flatMap((labels, position) => labels.map((label): [string, number] => [label, position])))
  const [first, ...others] = operands.map((labels, position): Labelled => ({ value: c.input(position), labels })) as [Labelled, ...Labelled[]]
  const made = others.reduce((before, next, n) => {
    const isWanted: Wanted = (label) => result.includes(label) || (lastReader.get(label) as number) > n + 1
    const one = summed(c, before, (label) => isWanted(label) || next.labels.includes(label))
    return product(c, one, summed(c, next, (label) => isWanted(label) || before.labels.includes(label)), isWanted)
  }, first)
  c.alias(0, ordered(c, summed(c, made, (label) => result.includes(label)), result))
}

/** Without the axes whose labels are not wanted. */
function summed(c: Conversion, { value, labels }: Labelled, isWanted: Wanted): Labelled {
  const axes = labels.flatMap((label, axis) => (isWanted(label) ? [] : [axis]))
  if (axes.length === 0) return { value, labels }
  return { value: c.emit('reduceSum', [value, c.integers('axes', axes)], { keepdims: 0 }), labels: labels.filter(isWanted) }
}

/** The axes in the order of `labels`, which are its own; those that it does not have get one element. */
function ordered(c: Conversion, { value, labels: own }: Labelled, labels: readonly string[]): string {
  const perm = labels.filter((label) => own.includes(label)).map((label) => own.indexOf(label))
  const moved = perm.every((axis, position) => axis === position) ? value : c.emit('transpose', [value], { perm })
  const missing = labels.flatMap((label, axis) => (own.includes(label) ? [] : [axis]))
  return missing.length === 0 ? moved : c.emit('unsqueeze', [moved, c.integers('axes', missing)])
}

/** Axes from `axis` on as one. */
function joined(c: Conversion, value: string, axis: number): string {
  const rank = c.type(value).shape.length
  if (axis === rank) return c.emit('unsqueeze', [value, c.integers('axes', [rank])])
  return axis === rank - 1 ? value : c.emit('reshape', [value, c.integers('sizes', [...Array.from({ length: axis }, () => 0), -1])])
}

function product(c: Conversion, a: Labelled, b: Labelled, isWanted: Wanted): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const stack = shared.filter(isWanted)
  const inner = shared.filter((label) => !isWanted(label))
  const [rows, columns] = [a, b].map(({ labels }) => labels.filter((label) => !shared.includes(label))) as [string[], string[]]
  const labels = [...stack, ...rows, ...columns]
  // Nothing is summed, or of integers, which products of matrices are not made of.
  if (inner.length === 0 || c.type(a.value).dtype !== 'float32') {
    const all = [...labels, ...inner]
    return summed(c, { value: c.emit('mul', [ordered(c, a, all), ordered(c, b, all)]), labels: all }, (label) => labels.includes(label))
  }
  // a [stack, rows, inner] b [stack, 1 for all rows but the last, inner, columns]: what a's rows are is not mixed, so that timesteps stay apart.
  const left = joined(c, ordered(c, a, [...stack, ...rows, ...inner]), stack.length + rows.length)
  const flat = joined(c, ordered(c, b, [...stack, ...columns, ...inner]), stack.length + columns.length)
  const axes = [...stack, ...columns].map((_, axis) => axis)
  const turned = columns.length === 0 ? flat : c.emit('transpose', [flat], { perm: [...axes.slice(0, stack.length), axes.length, ...axes.slice(stack.length)] })
  const right = columns.length === 0 ? joined(c, flat, axes.length + 1) : joined(c, turned, stack.length + 1)
  const apart = rows.slice(1).map((_, n) => stack.length + n)
  const spread = stack.length === 0 || apart.length === 0 ? right : c.emit('unsqueeze', [right, c.integers('axes', apart)])
  const tall = rows.length > 0 ? left : c.emit('unsqueeze', [left, c.integers('axes', [stack.length])])
  const made = c.emit('matMul', [tall, spread])
  if (columns.length === 1 && rows.length > 0) return { value: made, labels }
  // One row too many, one column too many, or columns that are one axis still.
  const sizes = columns.map((label) => ({ of: b.value, axis: b.labels.indexOf(label) }))
  const kept = [...stack, ...rows].map(() => 0)
  const squeezed = rows.length > 0 ? made : c.emit('squeeze', [made, c.integers('axes', [stack.length])])
  if (columns.length === 0) return { value: c.emit('squeeze', [squeezed, c.integers('axes', [-1])]), labels }
  return { value: columns.length === 1 ? squeezed : c.emit('reshape', [squeezed, dimensions(c, [...kept, ...sizes])]), labels }
}
