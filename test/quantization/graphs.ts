// Graphs with one layer each, of every kind whose weights can be of 8 bits.
import { addCommonOperators } from '../../src/ops/common-operators.ts'
import { WINDOWS } from '../../src/ops/windows/family.ts'
import { addOperators } from '../../src/ops/registry.ts'
import type { Attribute } from '../../src/ops/graph-data.ts'
import type { Graph } from '../../src/graph/graph.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import type { SymbolicShape } from '../../src/values/shape.ts'
import { random } from '../weights.ts'

addCommonOperators()
addOperators(WINDOWS)

/** A graph of one node: x and constants as its inputs. */
export function oneNode(
  op: string, x: SymbolicShape, constants: Readonly<Record<string, ArrayLike>>, attributes: Readonly<Record<string, Attribute>> = {},
  parameters: Readonly<Record<string, string>> = {}, inputs: readonly string[] = ['x'], dtype: 'float32' | 'int32' = 'float32',
): Graph {
  return {
    inputs: [{ name: 'x', dtype, shape: x }],
    outputs: [{ name: 'y', value: 'y' }],
    nodes: [{ name: 'layer', op, inputs, outputs: ['y'], parameters, attributes }],
    constants: new Map(Object.entries(constants)),
  }
}

const roles = (names: readonly string[]): Record<string, string> => Object.fromEntries(names.map((name) => [`0.forward.${name}`, name]))
const LAYER = { hiddenSize: 18, numLayers: 1, direction: 'forward', returnSequences: true }
const SEQUENCE: SymbolicShape = ['batch', 'timesteps', 11]

/** A recurrent layer of 18 units on 11 features. */
function recurrent(
  op: string, gates: number, attributes: Readonly<Record<string, Attribute>> = {}, outputSize = 18, more: Readonly<Record<string, ArrayLike>> = {},
): Graph {
  const constants = {
    inputWeights: random(1, gates * 18, 11), recurrentWeights: random(2, gates * 18, outputSize),
    inputBias: random(3, gates * 18), recurrentBias: random(4, gates * 18), ...more,
  }
  return oneNode(op, SEQUENCE, constants, { ...LAYER, ...attributes }, roles(Object.keys(constants)))
}

/** By name: a graph, and the shape of an x. */
export const GRAPHS: Readonly<Record<string, { readonly graph: Graph, readonly shape: readonly number[], readonly dtype?: 'int32' }>> = {
  'lstm': { graph: recurrent('lstm', 4), shape: [5, 7, 11] },
  'lstm with a projection': { graph: recurrent('lstm', 4, { projSize: 9 }, 9, { projection: random(5, 9, 18) }), shape: [5, 7, 11] },
  'lstm with a clip': { graph: recurrent('lstm', 4, { clip: 0.9 }), shape: [5, 7, 11] },
  'gru': { graph: recurrent('gru', 3), shape: [5, 7, 11] },
  'gru that resets before': { graph: recurrent('gru', 3, { resetAfter: false }), shape: [5, 7, 11] },
  'rnn': { graph: recurrent('rnn', 1), shape: [5, 7, 11] },
  'linear': { graph: oneNode('linear', ['batch', 37], { w: random(6, 21, 37), b: random(7, 21) }, {}, { weight: 'w', bias: 'b' }), shape: [13, 37] },
  'gemm': { graph: oneNode('gemm', ['batch', 37], { w: random(8, 37, 21), b: random(9, 21) }, {}, {}, ['x', 'w', 'b']), shape: [13, 37] },
  'gemm, transposed': { graph: oneNode('gemm', ['batch', 37], { w: random(10, 21, 37) }, { transB: true }, {}, ['x', 'w']), shape: [13, 37] },
  'matMul': { graph: oneNode('matMul', ['batch', 'rows', 37], { w: random(11, 37, 21) }, {}, {}, ['x', 'w']), shape: [3, 5, 37] },
  'conv over time': { graph: oneNode('conv', ['batch', 6, 'steps'], { w: random(12, 21, 6, 3), b: random(13, 21) }, {}, {}, ['x', 'w', 'b']), shape: [2, 6, 19] },
  'conv in groups, padded': { graph: oneNode('conv', ['batch', 6, 9, 8], { w: random(14, 8, 3, 3, 3) }, { group: 2, pads: [1, 1, 1, 1] }, {}, ['x', 'w']), shape: [2, 6, 9, 8] },
  'embedding': { graph: oneNode('embedding', ['batch', 'words'], { w: random(15, 29, 17) }, {}, { weight: 'w' }, ['x'], 'int32'), shape: [3, 4], dtype: 'int32' },
}

/** An x of that shape: numbers, or indices of a table of 29. */
export function someX(shape: readonly number[], dtype?: 'int32'): NdArray {
  const x = random(20, ...shape)
  return dtype === undefined ? x : new NdArray(Int32Array.from(x.data, (value) => Math.floor((value + 1) * 14)), shape)
}
