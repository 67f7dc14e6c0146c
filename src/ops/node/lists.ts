// Attributes that are lists of whole numbers, and lists of axes.
import { LstmError } from '../../errors.ts'
import { formatShape } from '../../values/shape.ts'
import { resolveAxis, wrong } from './attributes.ts'
import { label } from './checks.ts'
import type { GraphNode } from '../graph-data.ts'

/** An attribute that is a list of as many whole numbers as it has when absent, each at least `least`. */
export function integersOf(node: GraphNode, attribute: string, absent: readonly number[], least: number): readonly number[] {
  const value = node.attributes[attribute] ?? absent
  const fits = Array.isArray(value) && value.length === absent.length && value.every((item) => Number.isInteger(item) && (item as number) >= least)
  if (!fits) throw wrong(node, attribute, `${absent.length} whole numbers >= ${least}`)
  return value as readonly number[]
}

/** Axes counted from the front, as `resolveAxis` does; none may be there twice. */
export function resolveAxes(node: GraphNode, axes: readonly number[], rank: number): number[] {
  const resolved = axes.map((axis) => resolveAxis(node, axis, rank))
  if (new Set(resolved).size < axes.length) throw new LstmError('VALUE', `${label(node)}: expected every axis once, got ${formatShape(axes)}`)
  return resolved
}
