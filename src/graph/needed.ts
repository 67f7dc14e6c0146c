import type { GraphNode } from '../ops/graph-data.ts'

/**
 * The nodes that some values need, in their order.
 * @param needed names of these values; those that the nodes take are added
 */
export function neededNodes(nodes: readonly GraphNode[], needed: Set<string>): GraphNode[] {
  return [...nodes].reverse().filter(({ inputs, outputs, parameters }) => {
    if (!outputs.some((name) => name !== '' && needed.has(name))) return false
    for (const name of [...inputs, ...Object.values(parameters)]) needed.add(name)
    return true
  }).reverse()
}
