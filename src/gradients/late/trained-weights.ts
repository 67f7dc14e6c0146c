// Which constants among the inputs of nodes are weights, not numbers that something is scaled or shifted by.
import { RESHAPES } from '../../ops/movement/reshape.ts'
import type { GraphNode } from '../../ops/graph-data.ts'
import type { Surroundings } from '../family.ts'

/** Inputs of operators that are weights where they are constants, by position. */
const WEIGHT_PORTS: Readonly<Record<string, readonly number[]>> = {
  matMul: [0, 1], gemm: [0, 1, 2], conv: [1, 2], convTranspose: [1, 2], gather: [0],
  layerNormalization: [1, 2], rmsNormalization: [1, 2], instanceNormalization: [1, 2], batchNormalization: [1, 2, 3, 4],
}
/** Operators whose products a bias is added to. */
const BIASED = new Set(['matMul', 'gemm', 'conv', 'convTranspose', 'linear'])
/** Operators that only move what was made: what made it is behind them. */
const MOVES = new Set([...RESHAPES, 'transpose'])

/** The value behind moves. */
function behind({ makers }: Surroundings, value: string): string {
  let found = value
  for (let node = makers.get(found); node !== undefined && MOVES.has(node.op); node = makers.get(found)) found = node.inputs[0] as string
  return found
}

/** Looks behind moves for the node that made a value. */
const makerOf = (known: Surroundings, value: string): GraphNode | undefined => known.makers.get(behind(known, value))

/** Names that frameworks give to weights. */
const OF_WEIGHTS = /(weight|bias|gamma|beta|scale|offset)$/i

/**
 * Whether a node has no scale and shift of its own, but ones and zeros in their place: that of an InstanceNorm without them, whose constants have no
 * names of weights, and of a GroupNorm, whose rows of groups are made by a reshape.
 */
function isPlainNormalization(node: GraphNode | undefined, { makers, constants }: Surroundings): boolean {
  if (node?.op !== 'instanceNormalization') return false
  const [x = '', ...factors] = node.inputs
  const isRows = makers.get(x)?.op === 'reshape'
  return factors.every((name, n) => constants.get(name)?.data.every((value) => value === 1 - n) === true && (isRows || !OF_WEIGHTS.test(name)))
}

/** Whether a value is that of a GroupNorm, before its scale: rows of groups that are put back. */
function isOfGroups(known: Surroundings, value: string): boolean {
  return known.makers.get(value)?.op === 'reshape' && isPlainNormalization(makerOf(known, value), known)
}

/** The constants among the inputs of a node that are weights. */
export function weightsOf(node: GraphNode, known: Surroundings): readonly string[] {
  const { op, inputs } = node
  const { makers } = known
  const ports = WEIGHT_PORTS[op]
  if (isPlainNormalization(node, known)) return []
  if (ports !== undefined) return inputs.filter((_, position) => ports.includes(position))
  const [a = '', b = ''] = inputs
  const scales = (maker: GraphNode | undefined): boolean => maker?.op === 'mul' && maker.inputs.some((input) => isOfGroups(known, input))
  const isBiased = (made: string): boolean => BIASED.has(makerOf(known, made)?.op ?? '') || isOfGroups(known, made) || scales(makers.get(made))
  const other = (made: string, then: string): string[] => (then !== '' && isBiased(made) ? [behind(known, then)] : [])
  // What is added to a product is its bias.
  if (op === 'add') return [...other(a, b), ...other(b, a)]
  // A PReLU: its slope times what is below zero. A GroupNorm: its scale.
  if (op === 'mul') return [[a, b], [b, a]].flatMap(([made = '', factor = '']) => (makers.get(made)?.op === 'min' || isOfGroups(known, made) ? [behind(known, factor)] : []))
  // Another: x times its slope where x is below zero, else x.
  const scaled = makers.get(b)
  const [, , x = ''] = inputs
  if (op === 'where' && makers.get(a)?.op === 'less' && scaled?.op === 'mul' && scaled.inputs.includes(x)) return scaled.inputs.filter((name) => name !== x)
  return []
}
