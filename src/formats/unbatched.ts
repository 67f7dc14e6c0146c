import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { withoutBatch } from '../graph/unbatched.ts'
import { addOperators } from '../ops/registry.ts'
import { squeeze, unsqueeze } from '../ops/reshaping.ts'
import { describeValue } from '../values/dtype.ts'

/**
 * The graph as the option `unbatched` wants it; its operators must be known.
 * @throws LstmError `VALUE` unless that is true, false or absent
 */
export function batchedOrNot(graph: Graph, unbatched: unknown = false): Graph {
  if (typeof unbatched !== 'boolean') throw new LstmError('VALUE', `load: expected true or false for 'unbatched', got ${describeValue(unbatched)}`)
  if (!unbatched) return graph
  addOperators([squeeze, unsqueeze])
  return withoutBatch(graph)
}
