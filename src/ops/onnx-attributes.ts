// Attributes as ONNX has them: lists with defaults, flags that are 0 or 1; and numbers that inputs hold.
import { LstmError } from '../errors.ts'
import type { Dimension } from '../values/shape.ts'
import { label } from './checks.ts'
import type { GraphNode, InferenceContext } from './operator.ts'

/** An attribute that is true or false, or 1 or 0 as in ONNX. */
export function switchOf(node: GraphNode, attribute: string, absent: boolean): boolean {
  const value = node.attributes[attribute] ?? absent
  if (value === 1 || value === 0) return value === 1
  if (typeof value !== 'boolean') {
    throw new LstmError('VALUE', `${label(node)}: expected true or false for '${attribute}', got ${JSON.stringify(value)}`)
  }
  return value
}

/** An attribute that is a list of `length` whole numbers, each at least `least`. */
export function integersOf(node: GraphNode, attribute: string, absent: readonly number[], least: number): readonly number[] {
  const value = node.attributes[attribute] ?? absent
  const fits = Array.isArray(value) && value.length === absent.length && value.every((item) => Number.isInteger(item) && (item as number) >= least)
  if (!fits) {
    throw new LstmError('VALUE', `${label(node)}: expected ${absent.length} whole numbers >= ${least} for '${attribute}', got ${JSON.stringify(node.attributes[attribute])}`)
  }
  return value as readonly number[]
}

/** Whole numbers that an int32 input holds, where they are known before run time. */
export function knownIntegers(node: GraphNode, context: Pick<InferenceContext, 'value'>, position: number, what: string): readonly number[] {
  const value = context.value(position)
  if (value === undefined) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: ${what} (input ${position}) must be a constant, or follow from sizes`)
  }
  if (value.dtype !== 'int32') throw new LstmError('VALUE', `${label(node)}: expected int32 ${what}, got ${value.dtype}`)
  return Array.from(value.data)
}

/** Product of the sizes that are numbers: what a batch row costs, as far as it is known. */
export function knownLength(sizes: readonly Dimension[]): number {
  return sizes.reduce<number>((product, size) => (typeof size === 'number' ? product * size : product), 1)
}
