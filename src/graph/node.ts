import { LstmError } from '../errors.ts'
import { label, MOST_AXES } from '../ops/node/checks.ts'
import type { Constant } from '../ops/constant.ts'
import type { GraphNode, ValueType } from '../ops/graph-data.ts'
import type { InferenceContext, Operator } from '../ops/operator.ts'
import { findOperator, operatorNames } from '../ops/registry.ts'
import type { ArrayLike } from '../values/ndarray.ts'
import { lengthOf, type SymbolicShape } from '../values/shape.ts'
import type { Graph } from './graph.ts'

/** The operator of a node. @throws LstmError `UNSUPPORTED` */
export function operatorOf(node: GraphNode): Operator {
  const operator = findOperator(node.op)
  if (operator === undefined) throw unknownOperators([node])
  return operator
}

/** What an operator may see of its node, given the types and constants known so far. */
export function contextOf(
  node: GraphNode, constants: ReadonlyMap<string, ArrayLike>, types: ReadonlyMap<string, ValueType>, sizes: ReadonlyMap<string, SymbolicShape> = new Map(),
): InferenceContext {
  return {
    sizes: (position) => {
      const name = node.inputs[position] ?? ''
      const constant = constants.get(name)
      return constant?.dtype === 'int32' && constant.data.length <= MOST_AXES ? Array.from(constant.data) : sizes.get(name)
    },
    input: (position) => types.get(node.inputs[position] ?? ''),
    value: (position) => constants.get(node.inputs[position] ?? ''),
    parameter: (role) => {
      const name = Object.hasOwn(node.parameters, role) ? node.parameters[role] : undefined
      return name === undefined ? undefined : constants.get(name)
    },
  }
}

/** @throws LstmError `UNSUPPORTED` listing all nodes whose operator is unknown */
export function checkOperators(nodes: readonly GraphNode[]): void {
  const unknown = nodes.filter((node) => findOperator(node.op) === undefined)
  if (unknown.length > 0) throw unknownOperators(unknown)
}

function unknownOperators(nodes: readonly GraphNode[]): LstmError {
  const list = nodes.map(({ name, op }) => `'${op}' (node '${name}')`).join(', ')
  return new LstmError('UNSUPPORTED', `operators that are not supported: ${list}; supported are ${operatorNames().join(', ')}`)
}

/** @throws LstmError `FORMAT` or `UNSUPPORTED` unless a node's inputs, weights and attributes are what its operator knows */
export function checkNode(
  node: GraphNode, operator: Operator, constants: ReadonlyMap<string, ArrayLike>, types: ReadonlyMap<string, ValueType>,
): void {
  for (const name of node.inputs) {
    if (name !== '' && !types.has(name)) {
      throw new LstmError('FORMAT', `${label(node)}: its input '${name}' is not made before it`)
    }
  }
  const { mostInputs, roles = [] } = operator
  if (node.inputs.length > mostInputs) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: expected at most ${mostInputs} inputs, got ${node.inputs.length}`)
  }
  const unknown = roles === 'own' ? [] : Object.keys(node.parameters).filter((role) => !roles.includes(role))
  if (unknown.length > 0) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: unknown weights ${unknown.map((role) => `'${role}'`).join(', ')}; it knows ${typeof roles === 'string' ? '' : roles.join(', ') || 'none'}`)
  }
  for (const [role, name] of Object.entries(node.parameters)) {
    if (!constants.has(name)) {
      throw new LstmError('FORMAT', `${label(node)}: its weight '${role}' is the tensor '${name}', which is not there`)
    }
  }
  const foreign = Object.keys(node.attributes).filter((attribute) => !operator.attributes.includes(attribute))
  if (foreign.length > 0) {
    throw new LstmError('UNSUPPORTED', `${label(node)}: unknown attributes ${foreign.map((name) => `'${name}'`).join(', ')}; it knows ${operator.attributes.join(', ') || 'none'}`)
  }
}

/**
 * The trained numbers of nodes: all elements of their weights, and of float32 constants that flow in, but for single numbers,
 * which are settings. Those that several nodes share are there once.
 */
export function trainedConstants(nodes: readonly GraphNode[], { constants }: Graph): Constant[] {
  const weights = new Set(nodes.flatMap(({ parameters }) => Object.values(parameters)))
  const names = new Set([...weights, ...nodes.flatMap(({ inputs }) => inputs)])
  return [...names].flatMap((name) => {
    const constant = constants.get(name)
    return constant !== undefined && (weights.has(name) || (constant.dtype === 'float32' && lengthOf(constant.shape) > 1)) ? constant : []
  })
}
