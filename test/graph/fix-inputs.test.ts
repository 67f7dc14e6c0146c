// Inputs that become constants.
import { describe, expect, it } from 'vitest'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { fixInputs, type FixedInputs } from '../../src/graph/fix-inputs.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import type { DType } from '../../src/values/dtype.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { random } from '../weights.ts'

addAllOperators()

/** x of any dtype and shape, added to y of one element. */
function graphOf(dtype: DType, shape: readonly (number | string)[]): Graph {
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype, shape })
  graph.input({ name: 'y', dtype, shape: [1] })
  graph.add({ name: 'pair', op: 'identity', inputs: ['x'], outputs: ['z'], parameters: {}, attributes: {} })
  graph.add({ name: 'sum', op: 'add', inputs: ['z', 'y'], outputs: ['s'], parameters: {}, attributes: {} })
  return graph.finish([{ name: 'x', value: 'x' }, { name: 's', value: 's' }])
}

const fixed = (dtype: DType, shape: readonly (number | string)[], value: unknown): Graph => fixInputs(graphOf(dtype, shape), { x: value } as FixedInputs, 'a test')

describe('an input that is fixed', () => {
  it('to a number is full of it, one element along axes whose size is open', () => {
    for (const [dtype, value] of [['float32', -0.75], ['int32', -7]] as const) {
      const graph = fixed(dtype, ['batch', 3, 2], value)
      expect(graph.inputs.map(({ name }) => name)).toEqual(['y'])
      expect(graph.constants.get('x')).toMatchObject({ dtype, shape: [1, 3, 2] })
      expect([...graph.constants.get('x')?.data ?? []]).toEqual(Array(6).fill(value))
    }
  })

  it('to a number has at most 65,536 elements: the size is the word of the file', () => {
    expect(fixed('float32', [256, 256], 0.5).constants.get('x')?.data).toHaveLength(65_536)
    for (const shape of [[65_537], ['batch', 257, 256]]) {
      expectError(() => fixed('float32', shape, 0.5), 'VALUE', `a test: 'constants' for the input 'x': expected an array for [${shape.join(', ')}], got a number`)
    }
  })

  it('to an array is that', () => {
    const array = random(3, 5, 2)
    expect(fixed('float32', ['batch', 2], array).constants.get('x')).toEqual(array)
  })

  it('is not fixed to a number that it cannot hold', () => {
    expectError(() => fixed('int32', ['batch', 2], 0.5), 'VALUE', /^a test: 'constants' for the input 'x'.* 0\.5/)
  })

  it.each<[string, unknown, string]>([
    ['text', '1', 'expected a number or an array with dtype, shape and data'],
    ['an array of no dtype', { dtype: 'float64', shape: [1, 2], data: new Float64Array(2) }, 'expected a number or an array with dtype, shape and data'],
    ['another dtype', new NdArray(new Float32Array(2), [1, 2]), 'expected int32 [batch, 2], got float32 [1, 2]'],
    ['another size', new NdArray(new Int32Array(3), [1, 3]), 'expected int32 [batch, 2], got int32 [1, 3]'],
    ['other axes', new NdArray(new Int32Array(2), [2]), 'expected int32 [batch, 2], got int32 [2]'],
  ])('is not fixed to %s', (_title, value, message) => {
    expectError(() => fixed('int32', ['batch', 2], value), 'VALUE', `a test: 'constants' for the input 'x': ${message}`)
  })

  it('is one of the model', () => {
    expectError(() => fixInputs(graphOf('float32', [2]), { z: 1, w: 2 }, 'a test'), 'VALUE', "a test: 'constants' fixes 'z', 'w', expected inputs of the model: 'x', 'y'")
  })
})
