// Which weights of which layers can be of fewer bits.
import type { Graph, GraphNode } from '../graph/graph.ts'
import type { Constant } from '../ops/constant.ts'

/** A weight: the name of its constant, and the axis along which each index has a scale. */
export interface Candidate {
  readonly constant: string
  readonly axis: number
  /** Whether the integers can be multiplied; or else they are widened. */
  readonly isMultiplied: boolean
}

/** A node, and its weights that can be of fewer bits; none where the operator has no way for it. */
export interface Layer {
  readonly node: GraphNode
  readonly weights: readonly Candidate[]
}

/** Weights of recurrent layers that are multiplied: the ends of their roles. */
const MULTIPLIED = /\.(inputWeights|recurrentWeights|projection)$/

/** For each operator, the weights that it multiplies or looks up. */
const WEIGHTS: Readonly<Record<string, (node: GraphNode, constants: Graph['constants']) => readonly Candidate[]>> = {
  lstm: recurrent, gru: recurrent, rnn: recurrent,
  linear: parameter,
  embedding: parameter,
  gemm: (node) => input(node, node.attributes.transB === true || node.attributes.transB === 1 ? 0 : 1),
  matMul: (node, constants) => input(node, (constants.get(node.inputs[1] ?? '')?.shape.length ?? 0) - 1),
  conv: (node) => input(node, 0),
  // A table whose rows are looked up; it is widened when it is loaded.
  gather: (node, constants) => ((node.attributes.axis ?? 0) === 0 && constants.get(node.inputs[0] ?? '')?.shape.length === 2 ? [{ constant: node.inputs[0] as string, axis: 0, isMultiplied: false }] : []),
}

function recurrent({ parameters }: GraphNode): Candidate[] {
  return Object.entries(parameters).flatMap(([role, constant]) => (MULTIPLIED.test(role) ? { constant, axis: 0, isMultiplied: true } : []))
}

function parameter({ parameters: { weight } }: GraphNode): Candidate[] {
  return weight === undefined ? [] : [{ constant: weight, axis: 0, isMultiplied: true }]
}

function input({ inputs: [, constant] }: GraphNode, axis: number): Candidate[] {
  return constant === undefined ? [] : [{ constant, axis, isMultiplied: true }]
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
  return graph.nodes.filter((node) => weightsOf(node, graph).length > 0).map((node) => ({
    node,
    weights: (Object.hasOwn(WEIGHTS, node.op) ? (WEIGHTS[node.op]?.(node, graph.constants) ?? []) : [])
      .filter(({ constant, axis }) => axis >= 0 && graph.constants.get(constant)?.dtype === 'float32'),
  }))
}
