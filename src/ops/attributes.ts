// Attributes that are numbers with defaults, and axes counted from either end.
import { LstmError } from '../errors.ts'
import type { SymbolicShape } from '../values/shape.ts'
import { formatShape } from '../values/shape.ts'
import { label } from './checks.ts'
import type { GraphNode } from './operator.ts'

/** An attribute that is a number. */
export function numberOf(node: GraphNode, attribute: string, absent: number): number {
  const value = node.attributes[attribute] ?? absent
  if (typeof value !== 'number') throw new LstmError('VALUE', `${label(node)}: expected a number for '${attribute}', got ${JSON.stringify(value)}`)
  return value
}

/** An attribute that is a whole number. */
export function integerOf(node: GraphNode, attribute: string, absent: number, least: number = -Infinity): number {
  const value = numberOf(node, attribute, absent)
  if (!Number.isInteger(value) || value < least) {
    const range = least === -Infinity ? '' : ` >= ${least}`
    throw new LstmError('VALUE', `${label(node)}: expected a whole number${range} for '${attribute}', got ${value}`)
  }
  return value
}

/** An axis counted from either end, as a position from 0. */
export function positionOf(node: GraphNode, axis: number, shape: SymbolicShape): number {
  const position = axis < 0 ? axis + shape.length : axis
  if (!Number.isInteger(axis) || position < 0 || position >= shape.length) {
    throw new LstmError('SHAPE', `${label(node)}: expected an axis from ${-shape.length} to ${shape.length - 1} of ${formatShape(shape)}, got ${axis}`)
  }
  return position
}
