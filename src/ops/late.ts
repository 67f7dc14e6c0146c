import { findFunction } from './functions.ts'
import type { GraphNode } from './operator.ts'
import { findOperator } from './registry.ts'

/** Loads the other operators and functions when a graph names one that is not known yet. */
export async function loadOperators(nodes: readonly GraphNode[]): Promise<void> {
  const isKnown = ({ op, attributes: { activations = [] } }: GraphNode): boolean =>
    findOperator(op) !== undefined && (!Array.isArray(activations) || activations.every((name) => findFunction(String(name)) !== undefined))
  if (nodes.every(isKnown)) return
  const { addAllOperators } = await import('./more.ts')
  addAllOperators()
}
