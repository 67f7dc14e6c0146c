// Which constants of a model learn: its weights, not the numbers it is scaled or shifted by.
import { LstmError } from '../errors.ts'
import { RESHAPES } from '../graph/cancel-moves.ts'
import type { Graph } from '../graph/graph.ts'
import type { GraphNode } from '../ops/graph-data.ts'

/** Inputs of operators that are weights where they are constants, by position. */
const WEIGHT_PORTS: Readonly<Record<string, readonly number[]>> = {
  matMul: [0, 1], gemm: [0, 1, 2], conv: [1, 2], convTranspose: [1, 2], gather: [0],
  layerNormalization: [1, 2], rmsNormalization: [1, 2], instanceNormalization: [1, 2], batchNormalization: [1, 2, 3, 4],
}
/** Operators whose products a bias is added to. */
const BIASED = new Set(['matMul', 'gemm', 'conv', 'convTranspose', 'linear'])
/** Operators that only move what was made: what made it is behind them. */
const MOVES = new Set([...RESHAPES, 'transpose'])

/** Looks behind moves for the operator that made a value. */
function makerOf(makers: ReadonlyMap<string, GraphNode>, value: string): string | undefined {
  let node = makers.get(value)
  while (node !== undefined && MOVES.has(node.op)) node = makers.get(node.inputs[0] as string)
  return node?.op
}

/** The constants among the inputs of a node that are weights. */
function weightsOf({ op, inputs }: GraphNode, makers: ReadonlyMap<string, GraphNode>): readonly string[] {
  const ports = WEIGHT_PORTS[op]
  if (ports !== undefined) return inputs.filter((_, position) => ports.includes(position))
  const [a = '', b = ''] = inputs
  const other = (made: string, then: string): string[] => (then !== '' && BIASED.has(makerOf(makers, made) ?? '') ? [then] : [])
  // What is added to a product is its bias.
  if (op === 'add') return [...other(a, b), ...other(b, a)]
  // A PReLU: its slope times what is below zero.
  if (op === 'mul') return [[a, b], [b, a]].flatMap(([made = '', slope = '']) => (makers.get(made)?.op === 'min' ? [slope] : []))
  // Another: x times its slope where x is below zero, else x.
  const scaled = makers.get(b)
  const [, , x = ''] = inputs
  if (op === 'where' && makers.get(a)?.op === 'less' && scaled?.op === 'mul' && scaled.inputs.includes(x)) return scaled.inputs.filter((name) => name !== x)
  return []
}

/**
 * Names of the constants that are trained: weights of nodes, and float32 ones that flow in where weights do, but no scalars: the
 * bias of one unit has an axis.
 * @param more names of other ones that are trained too, or of nodes whose constants are
 * @throws LstmError `VALUE` for one of these that is none
 */
export function trainedNames({ nodes, constants }: Graph, more: readonly string[] = []): Set<string> {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const isArray = (name: string): boolean => {
    const constant = constants.get(name)
    return constant?.dtype === 'float32' && constant.shape.length > 0
  }
  const names = new Set(nodes.flatMap((node) => [...Object.values(node.parameters), ...weightsOf(node, makers).filter(isArray)]))
  for (const name of more) {
    const node = nodes.find((candidate) => candidate.name === name)
    const found = node === undefined ? [name] : [...Object.values(node.parameters), ...node.inputs]
    const own = found.filter((candidate) => names.has(candidate) || constants.get(candidate)?.dtype === 'float32')
    if (own.length === 0) throw new LstmError('VALUE', `trainable: no float32 constant '${name}', and no layer that has one`)
    for (const constant of own) names.add(constant)
  }
  return names
}
