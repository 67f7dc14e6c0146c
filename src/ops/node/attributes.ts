// Attributes of nodes, each read in one way: a wrong one is a `VALUE` error that says what is expected, whichever operator asks. And
// axes, which may be counted from the end.
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { label } from './checks.ts'
import type { GraphNode } from '../graph-data.ts'

/** That an attribute is another one than expected. */
export function wrong(node: GraphNode, attribute: string, expected: string): LstmError {
  const value = node.attributes[attribute]
  return new LstmError('VALUE', `${label(node)}: expected ${expected} for '${attribute}', got ${Array.isArray(value) ? JSON.stringify(value) : describeValue(value)}`)
}

const atLeast = (least: number): string => (least === -Infinity ? '' : ` >= ${least}`)

/** An attribute that is a number. */
export function numberOf<Absent extends number | undefined>(node: GraphNode, attribute: string, absent: Absent): number | Absent {
  const value = node.attributes[attribute]
  if (value === undefined) return absent
  if (typeof value !== 'number') throw wrong(node, attribute, 'a number')
  return value
}

/** An attribute that is a finite number. */
export function finiteOf(node: GraphNode, attribute: string, least: number, absent: number = 0): number {
  const value = node.attributes[attribute] ?? absent
  if (typeof value !== 'number' || !Number.isFinite(value) || value < least) throw wrong(node, attribute, `a number${atLeast(least)}`)
  return value
}

/** An attribute that is a whole number; one that is undefined when absent must be there. */
export function integerOf(node: GraphNode, attribute: string, absent?: number, least: number = -Infinity): number {
  const value = node.attributes[attribute] ?? absent
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least) throw wrong(node, attribute, `a whole number${atLeast(least)}`)
  return value
}

/** An attribute that is true or false, or 1 or 0 as in ONNX. */
export function switchOf(node: GraphNode, attribute: string, absent: boolean = false): boolean {
  const value = node.attributes[attribute] ?? absent
  if (value !== true && value !== false && value !== 1 && value !== 0) throw wrong(node, attribute, 'true or false')
  return Boolean(value)
}

/** An attribute that is one of a few words; absent means the first. */
export function wordOf<T extends string>(node: GraphNode, attribute: string, words: readonly [T, ...T[]]): T {
  const value = node.attributes[attribute] ?? words[0]
  if (!words.includes(value as T)) throw wrong(node, attribute, words.map((word) => `'${word}'`).join(' or '))
  return value as T
}

/**
 * `axis` counted from the front: negative ones count from the end of `rank` axes.
 * @throws LstmError `VALUE` for one that is not there, `SHAPE` where there is none at all
 */
export function resolveAxis(node: GraphNode, axis: number, rank: number): number {
  if (rank === 0) throw new LstmError('SHAPE', `${label(node)}: expected at least one axis, got a scalar`)
  if (axis < -rank || axis >= rank) throw new LstmError('VALUE', `${label(node)}: expected an axis from ${-rank} to ${rank - 1}, got ${axis}`)
  return axis < 0 ? axis + rank : axis
}
