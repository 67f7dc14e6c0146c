import { findFunction } from './elementwise/functions.ts'
import type { GraphNode } from './graph-data.ts'
import { findOperator } from './registry.ts'

/** Whether a node's operator and functions are loaded. */
export function isKnown({ op, attributes: { activations = [] } }: GraphNode): boolean {
  return findOperator(op) !== undefined && (!Array.isArray(activations) || activations.every((name) => findFunction(String(name)) !== undefined))
}
