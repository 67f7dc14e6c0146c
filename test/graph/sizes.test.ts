// Sizes that are reckoned with: what is known of elements that are sizes of axes, numbers and names.
import { expect, it } from 'vitest'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import type { SymbolicShape } from '../../src/values/shape.ts'

addAllOperators()

/** What is known of `op(shape of x, other)`, or the other way round: x is [batch, n, 4]. */
function sizesOf(op: string, other: readonly number[] | 'shape', isFirst = false): SymbolicShape | undefined {
  const builder = new GraphBuilder()
  builder.input({ name: 'x', dtype: 'float32', shape: ['batch', 'n', 4] })
  builder.add({ name: 'shape', op: 'shape', inputs: ['x'], outputs: ['s'], parameters: {}, attributes: {} })
  if (other !== 'shape') builder.constant('c', new NdArray(Int32Array.from(other), [other.length]))
  const operand = other === 'shape' ? 's' : 'c'
  builder.add({ name: 'node', op, inputs: isFirst ? [operand, 's'] : ['s', operand], outputs: ['y'], parameters: {}, attributes: {} })
  return builder.sizes.get('y')
}

it.each<[string, readonly number[] | 'shape', boolean, SymbolicShape | undefined]>([
  ['add', [0, 0, 3], false, ['batch', 'n', 7]], ['add', [0, 0, 3], true, ['batch', 'n', 7]], ['add', [0], false, ['batch', 'n', 4]], ['add', [1], false, undefined],
  ['add', 'shape', false, undefined],
  ['sub', [0, 0, 3], false, ['batch', 'n', 1]], ['sub', 'shape', false, [0, 0, 0]], ['sub', [0], true, undefined], ['sub', [1, 0, 0], false, undefined],
  ['mul', [1], false, ['batch', 'n', 4]], ['mul', [1, 1, 3], true, ['batch', 'n', 12]],
  ['div', [1], false, ['batch', 'n', 4]], ['div', [1, 1, 3], false, ['batch', 'n', 1]], ['div', [0], false, undefined], ['div', 'shape', false, [1, 1, 1]],
  ['max', [0], false, undefined],
])('%s of a shape and %j, which is first: %s', (op, other, isFirst, expected) => {
  expect(sizesOf(op, other, isFirst)).toEqual(expected)
})
