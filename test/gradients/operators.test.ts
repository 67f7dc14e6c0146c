import { describe, expect, it } from 'vitest'
import type { GraphNode } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { ints, random } from '../ops/reference.ts'
import { runGraph } from './differences.ts'

/** The output of one node whose inputs are given at run time. */
function run(op: string, inputs: readonly NdArray[], attributes: GraphNode['attributes'] = {}): NdArray {
  const names = inputs.map((_, n) => `x${n}`)
  const { graph } = typeGraph({
    inputs: inputs.map(({ dtype, shape }, n) => ({ name: `x${n}`, dtype, shape })), outputs: [{ name: 'y', value: 'y' }],
    nodes: [{ name: 'node', op, inputs: names, outputs: ['y'], parameters: {}, attributes }], constants: new Map(),
  })
  return runGraph(graph, Object.fromEntries(inputs.map((array, n) => [`x${n}`, array]))).y as NdArray
}

describe('operators of training', () => {
  it('scatterAdd refuses indices outside', () => {
    const attributes = { shape: [4, 2], axis: 0 }
    expect(Array.from(run('scatterAdd', [random(1, [2, 2]), ints([3, -1])], attributes).data.slice(0, 6))).toEqual([0, 0, 0, 0, 0, 0])
    expectError(
      () => run('scatterAdd', [random(1, [2, 2]), ints([3, 4])], attributes), 'VALUE',
      "scatterAdd 'node': expected indices from -4 to 3, got another one at element 1 of the indices",
    )
    expectError(() => run('scatterAdd', [random(1, [2, 2]), ints([3, 1])], { shape: [4, 2], axis: 2 }), 'VALUE', /expected an axis from -2 to 1, got 2/)
  })

  it('lookUp refuses what is not in the table', () => {
    const table = random(1, [5, 3])
    expect(run('lookUp', [table, ints([4, 0])]).data).toEqual(Float32Array.of(...table.data.slice(12), ...table.data.slice(0, 3)))
    for (const bad of [5, -1]) {
      expectError(() => run('lookUp', [table, ints([0, bad])]), 'VALUE', "lookUp 'node': expected indices from 0 to 4, got another one at element 1 of the input")
    }
  })

  it('drop refuses rates that are none, and seeds of another shape', () => {
    const x = random(1, [3, 5])
    for (const rate of [-0.1, 1.5]) {
      expectError(() => run('drop', [x, ints([1, 2, 3])], { rate }), 'VALUE', /^drop 'node': expected a number .* for 'rate', got/)
    }
    expectError(() => run('drop', [x, ints([1, 2])], { rate: 0.5 }), 'SHAPE', "drop 'node': expected a seed [3], got [2]")
  })

  it('unfold refuses channels that groups do not divide', () => {
    expectError(
      () => run('unfold', [random(1, [2, 6, 3])], { kernelShape: [2], counts: [5], group: 2 }), 'SHAPE',
      "unfold 'node': expected sizes that are numbers, and channels that 2 divides, got [2, 6, 3]",
    )
    const x = random(1, [1, 3, 1])
    const [a, b, c] = x.data as unknown as [number, number, number]
    expect(Array.from(run('unfold', [x], { kernelShape: [2], counts: [4], pads: [1, 1] }).data)).toEqual([0, a, a, b, b, c, c, 0])
  })

  it('activationGradient wants what its function is made of', () => {
    const gradientBy = (name: string): unknown => run('activationGradient', [random(1, [3])], { function: name })
    expectError(() => gradientBy('softplus'), 'SHAPE', "activationGradient 'node': expected an input at position 1, got none")
    expectError(() => gradientBy('none'), 'UNSUPPORTED', /^activationGradient 'node': no activation 'none'; there are linear/)
  })
})
