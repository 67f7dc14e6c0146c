// Which weights of which layers can be of fewer bits.
import type { Graph, GraphNode } from '../graph/graph.ts'
import { contextOf, operatorOf } from '../graph/node.ts'
import type { Constant } from '../ops/constant.ts'
import type { NarrowWeight } from '../ops/operator.ts'

/** A node, and its weights that can be of 8 bits; none where the operator has no way for it. */
export interface Layer {
  readonly node: GraphNode
  readonly weights: readonly NarrowWeight[]
}

/** The constants of a node that are float32 with two axes or more: what there is to gain. */
export function weightsOf({ parameters, inputs }: GraphNode, { constants }: Graph): [string, Constant][] {
  return [...new Set([...Object.values(parameters), ...inputs])].flatMap((name) => {
    const constant = constants.get(name)
    return constant?.dtype === 'float32' && constant.shape.length > 1 ? [[name, constant]] : []
  })
}

/** All nodes that have such weights, in order. */
export function layersOf(graph: Graph): Layer[] {
  return graph.nodes.flatMap((node) => {
    const own = new Map(weightsOf(node, graph))
    if (own.size === 0) return []
    const operator = operatorOf(node)
    const weights = operator.narrowWeights?.(node, contextOf(node, graph.constants, new Map()), operator.parse?.(node)) ?? []
    return { node, weights: weights.filter(({ constant }) => own.has(constant)) }
  })
}
