// What a summary says of products: their multiply-adds a sequence, counted by hand.
import { describe, expect, it } from 'vitest'
import type { Graph } from '../../src/graph/graph.ts'
import { summarise } from '../../src/graph/summary.ts'
import type { GraphNode } from '../../src/ops/graph-data.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf, type SymbolicShape } from '../../src/values/shape.ts'
import { expectError } from '../expect-error.ts'
import { buildNode, type Attributes } from './one-node.ts'

const zeros = (...shape: number[]): NdArray => new NdArray(new Float32Array(lengthOf(shape)), shape)

describe('multiply-adds', () => {
  it.each<[string, string, SymbolicShape, number[], Attributes, string, number]>([
    ['a convolution: 6 places of 4 x 3 x 5', 'conv', ['batch', 3, 9], [5, 3, 4], {}, '5 filters of 4', 360],
    ['groups: 7 places of 3 x 2 x 6', 'conv', ['batch', 4, 9], [6, 2, 3], { group: 2 }, '6 filters of 3', 252],
    ['over an area: 3 x 6 places of 3 x 2 x 3 x 2', 'conv', ['batch', 3, 5, 7], [2, 3, 3, 2], {}, '2 filters of 3 x 2', 648],
    ['a length that is not known: a place of 4 x 3 x 5', 'conv', ['batch', 3, 'time'], [5, 3, 4], {}, '5 filters of 4', 60],
    ['transposed: 4 places of 3 x 3 x 2', 'convTranspose', ['batch', 3, 4], [3, 2, 3], { strides: [2] }, '2 filters of 3', 72],
    ['a product of 4 rows of 3 and 5 columns', 'matMul', ['batch', 4, 3], [3, 5], {}, '3 -> 5', 60],
    ['a row of 3 and 5 columns', 'gemm', ['batch', 3], [3, 5], {}, '3 -> 5', 15],
    ['the same, turned', 'gemm', ['batch', 3], [5, 3], { transB: 1 }, '3 -> 5', 15],
  ])('of %s', (_title, op, shape, weights, attributes, detail, multiplyAdds) => {
    const x = zeros(...shape.map((size) => (typeof size === 'number' ? size : 2)))
    const graph = buildNode(op, [x, zeros(...weights)], { attributes, constants: [1], shapes: [shape] }).finish([{ name: 'y', value: 'y' }])
    const [row] = summarise(graph).rows
    expect([row?.detail, row?.multiplyAdds]).toEqual([detail, multiplyAdds])
  })
})

it.each(['conv', 'convTranspose'])('weights of %s have sizes that are known, all of them', (op) => {
  for (const shape of [['n', 3, 4], [3, 'n', 4], [3, 3, 'n']]) {
    expectError(
      () => buildNode(op, [zeros(2, 3, 9), zeros(3, 3, 4)], { shapes: [undefined, shape] }), 'SHAPE',
      `${op} 'node': expected weights whose sizes are known, got [${shape.join(', ')}]`,
    )
  }
})

it.each(['conv', 'convTranspose'])('%s has at least one group', (op) => {
  for (const group of [0, -1, 0.5]) {
    expectError(() => buildNode(op, [zeros(2, 3, 9), zeros(3, 3, 4)], { attributes: { group } }), 'VALUE', `${op} 'node': expected a whole number >= 1 for 'group', got ${group}`)
  }
})

describe('multiply-adds of graphs inside a node', () => {
  const float = (name: string, ...shape: (number | string)[]): Graph['inputs'][number] => ({ name, dtype: 'float32', shape })
  const product = (from: string, weight: string): GraphNode => ({ name: `p.${weight}`, op: 'matMul', inputs: [from, weight], outputs: ['y'], parameters: {}, attributes: {} })
  const body = (weight: string): NonNullable<GraphNode['bodies']>[string] => ({ inputs: [float('a', 'batch', 3)], outputs: [{ name: 'y', value: 'y' }], nodes: [product('a', weight)] })
  const graph = (node: Partial<GraphNode>, inputs: Graph['inputs'], constants: readonly (readonly [string, NdArray])[]): Graph => ({
    inputs, outputs: [{ name: 'y', value: 'out' }], constants: new Map(constants),
    nodes: [{ name: 'node', op: '', inputs: [], outputs: ['out'], parameters: {}, attributes: {}, ...node }],
  })
  const weights: [string, NdArray][] = [['w', zeros(3, 3)], ['v', zeros(3, 5)]]

  it('a loop: of its body, as often as it runs; of one step where that is the timesteps', () => {
    const looped = (inputs: Graph['inputs'], scanned: number, first: string): Graph => graph({
      op: 'loop', inputs: [first, 'h', ...scanned === 0 ? [] : ['x']], parameters: { 'body.w': 'w' }, attributes: { states: 1, scanned },
      bodies: { body: { ...body('w'), inputs: [{ name: 'n', dtype: 'int32', shape: [] }, float('a', 'batch', 3), ...scanned === 0 ? [] : [float('b', 'batch', 2)]] } },
    }, inputs, [...weights, ['four', new NdArray(Int32Array.of(4), [])]])
    const [four] = summarise(looped([float('h', 'batch', 3)], 0, 'four')).rows
    expect([four?.detail, four?.multiplyAdds]).toEqual(['4 times 1 node', 36])
    const [each] = summarise(looped([float('h', 'batch', 3), float('x', 'time', 'batch', 2)], 1, '')).rows
    expect([each?.detail, each?.multiplyAdds]).toEqual(['time times 1 node', 9])
  })

  it('a choice: of the dearer of two graphs', () => {
    const wide = { ...body('v'), nodes: [product('a', 'v'), { name: 's', op: 'gather', inputs: ['y', 'z'], outputs: ['t'], parameters: {}, attributes: { axis: 1 } }], outputs: [{ name: 'y', value: 't' }] }
    const chosen = graph({
      op: 'choice', inputs: ['is', 'h', 'h'], parameters: { 'then.w': 'w', 'else.v': 'v', 'else.z': 'z' }, attributes: { thenInputs: 1 }, bodies: { then: body('w'), else: wide },
    }, [{ name: 'is', dtype: 'uint8', shape: [] }, float('h', 'batch', 3)], [...weights, ['z', new NdArray(Int32Array.of(0, 1, 2), [3])]])
    expect(summarise(chosen).rows[0]?.multiplyAdds).toBe(15)
  })
})
