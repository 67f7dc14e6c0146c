import type { GraphNode, ValueType } from '../ops/operator.ts'
import type { SymbolicShape } from '../values/shape.ts'
import { GraphBuilder } from './builder.ts'
import type { Graph } from './graph.ts'
import { checkOperators } from './node.ts'

/** A graph whose every value has a type. */
export interface TypedGraph {
  readonly graph: Graph
  readonly types: ReadonlyMap<string, ValueType>
  /** What the operator of each node made of its attributes. */
  readonly settings: ReadonlyMap<GraphNode, unknown>
  /** Elements of int32 values that are sizes of axes, numbers and names, by value. */
  readonly sizes: ReadonlyMap<string, SymbolicShape>
}

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
  const builder = new GraphBuilder()
  for (const [name, constant] of graph.constants) builder.constant(name, constant)
  for (const input of graph.inputs) builder.input(input, shapes?.get(input.name))
  for (const node of graph.nodes) builder.add(node)
  builder.note(...graph.notes ?? [])
  return { graph: builder.finish(graph.outputs), types: builder.types, settings: builder.settings, sizes: builder.sizes }
}
