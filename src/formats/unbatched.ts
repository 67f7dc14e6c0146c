import type { Graph } from '../graph/graph.ts'
import { withoutBatch } from '../graph/unbatched.ts'
import { addOperators } from '../ops/registry.ts'
import { squeeze, unsqueeze } from '../ops/movement/reshape.ts'

/** The graph as the option `unbatched` wants it; its operators must be known. */
export function batchedOrNot(graph: Graph, unbatched: boolean = false): Graph {
  if (!unbatched) return graph
  addOperators([squeeze, unsqueeze])
  return withoutBatch(graph)
}
