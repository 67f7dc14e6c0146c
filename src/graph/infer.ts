import { LstmError } from '../errors.ts'
import { label } from '../ops/checks.ts'
import type { GraphNode, InferenceContext, Operator, ValueType } from '../ops/operator.ts'
import { findOperator, operatorNames } from '../ops/registry.ts'
import { lengthOf, type SymbolicShape } from '../values/shape.ts'
import type { Graph } from './graph.ts'

/** The operator of a node. @throws LstmError `UNSUPPORTED` */
export function operatorOf(node: GraphNode): Operator {
  const operator = findOperator(node.op)
  if (operator === undefined) throw new LstmError('UNSUPPORTED', `node '${node.name}': no operator '${node.op}'`)
  return operator
}

/** What an operator may see of its node, given the types known so far. */
export function contextOf(node: GraphNode, graph: Graph, types: ReadonlyMap<string, ValueType>): InferenceContext {
  return {
    input: (position) => types.get(node.inputs[position] ?? ''),
    parameter: (role) => {
      const name = Object.hasOwn(node.parameters, role) ? node.parameters[role] : undefined
      return name === undefined ? undefined : graph.constants.get(name)
    },
  }
}

/**
 * Checks a graph from end to end and returns the type of every value.
 *
 * @param shapes shapes to use for the inputs instead of their symbolic ones, by input name
 * @throws LstmError `UNSUPPORTED` listing all unknown operators at once, `FORMAT` for a graph that does not hold
 *   together, `SHAPE` or `VALUE` where operators and values do not fit
 */
export function inferTypes(graph: Graph, shapes?: ReadonlyMap<string, SymbolicShape>): ReadonlyMap<string, ValueType> {
  const unknown = graph.nodes.filter((node) => findOperator(node.op) === undefined)
  if (unknown.length > 0) {
    const list = unknown.map((node) => `'${node.op}' (node '${node.name}')`).join(', ')
    throw new LstmError('UNSUPPORTED', `operators that are not supported: ${list}; supported are ${operatorNames().join(', ')}`)
  }
  const types: Map<string, ValueType> = new Map()
  const define = (name: string, type: ValueType, what: string): void => {
    if (types.has(name)) throw new LstmError('FORMAT', `graph: the value '${name}' is made twice, the second time by ${what}`)
    types.set(name, type)
  }
  for (const [name, { dtype, shape }] of graph.constants) define(name, { dtype, shape }, 'a constant')
  for (const { name, dtype, shape } of graph.inputs) {
    if (name === '') throw new LstmError('FORMAT', 'graph: an input has no name')
    define(name, { dtype, shape: shapes?.get(name) ?? shape }, 'an input')
  }
  for (const node of graph.nodes) {
    const operator = operatorOf(node)
    checkReferences(node, operator, graph, types)
    const outputs = operator.infer(node, contextOf(node, graph, types))
    if (node.outputs.length > outputs.length) {
      throw new LstmError('FORMAT', `${label(node)}: expected at most ${outputs.length} outputs, got ${node.outputs.length}`)
    }
    node.outputs.forEach((name, position) => {
      if (name !== '') define(name, outputs[position] as ValueType, label(node))
    })
  }
  if (graph.outputs.length === 0) throw new LstmError('FORMAT', 'graph: expected at least one output, got none')
  const names: Set<string> = new Set()
  for (const { name, value } of graph.outputs) {
    if (!types.has(value)) throw new LstmError('FORMAT', `graph: the output '${name}' is the value '${value}', which nothing makes`)
    if (names.has(name)) throw new LstmError('FORMAT', `graph: two outputs are named '${name}'`)
    names.add(name)
  }
  return types
}

function checkReferences(node: GraphNode, operator: Operator, graph: Graph, types: ReadonlyMap<string, ValueType>): void {
  for (const name of node.inputs) {
    if (name !== '' && !types.has(name)) {
      throw new LstmError('FORMAT', `${label(node)}: its input '${name}' is not made before it`)
    }
  }
  for (const [role, name] of Object.entries(node.parameters)) {
    if (!graph.constants.has(name)) {
      throw new LstmError('FORMAT', `${label(node)}: its weight '${role}' is the tensor '${name}', which is not there`)
    }
  }
  const foreign = Object.keys(node.attributes).filter((attribute) => !operator.attributes.includes(attribute))
  if (foreign.length > 0) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: unknown attributes ${foreign.map((name) => `'${name}'`).join(', ')}; it knows ${operator.attributes.join(', ') || 'none'}`)
  }
}

/** Trained numbers of a node: all elements of its weights. */
export function parameterCount(node: GraphNode, graph: Graph): number {
  let count = 0
  for (const name of new Set(Object.values(node.parameters))) {
    const constant = graph.constants.get(name)
    if (constant !== undefined) count += lengthOf(constant.shape)
  }
  return count
}
