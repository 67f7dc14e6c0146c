import type { SymbolicShape } from '../values/shape.ts'
import type { TypedGraph } from '../ops/graph-data.ts'
import { GraphBuilder } from './builder.ts'
import type { Graph } from './graph.ts'
import { checkOperators } from './node.ts'

export type { TypedGraph } from '../ops/graph-data.ts'

/**
 * Checks a graph from end to end, infers the type of every value, and computes beforehand whatever
 * does not depend on the inputs' elements: constants of constants, and with numbers for shapes
 * all arithmetic on shapes.
 *
 * @param shapes shapes to use for the inputs instead of their symbolic ones, by input name
 * @throws LstmError `UNSUPPORTED` listing all unknown operators at once, `FORMAT` for a graph that does not hold
 *   together, `SHAPE` or `VALUE` where operators and values do not fit
 */
export function typeGraph(graph: Graph, shapes?: ReadonlyMap<string, SymbolicShape>): TypedGraph {
  checkOperators(graph.nodes)
  return GraphBuilder.of(graph, shapes)
}
