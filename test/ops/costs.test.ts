// What a summary says of products: their multiply-adds a sequence, counted by hand.
import { describe, expect, it } from 'vitest'
import { summarise } from '../../src/graph/summary.ts'
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
