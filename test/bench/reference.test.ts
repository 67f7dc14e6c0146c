// The benchmark's float64 reference, against the tests' own, which was written apart from it.
import { describe, expect, it } from 'vitest'
import { lstmLayer, randomTensors, type Layer } from '../../bench/network.ts'
import { ReferenceStates, referenceRun } from '../../bench/reference.ts'
import { distance } from '../../bench/statistics.ts'
import { referenceCells } from '../lstm-graph.ts'
import { pseudoRandom } from '../random.ts'
import { referenceLstm } from '../reference.ts'
import type { NdArray } from '../../src/values/ndarray.ts'

/** Float64 sums in another order. */
const FLOAT64_DISTANCE = 1e-13

const withoutPrefix = (tensors: ReturnType<typeof randomTensors>): Map<string, NdArray> =>
  new Map([...tensors].map(([name, tensor]) => [name.replace('lstm.', ''), tensor as unknown as NdArray]))

describe("the benchmark's reference", () => {
  it.each([[1, 1, 3, 5, 1, false], [3, 5, 7, 9, 1, false], [2, 4, 3, 5, 2, false], [3, 4, 2, 5, 3, true]] as const)(
    'agrees with the tests\' on batch %i, %i steps, %i features, %i units, %i layers, bidirectional: %s',
    (batch, timesteps, features, hiddenSize, numLayers, bidirectional) => {
      const layer = lstmLayer(features, hiddenSize, { numLayers, bidirectional })
      const tensors = randomTensors([layer], 11)
      const x = pseudoRandom(5, batch * timesteps * features, 1)
      const cells = referenceCells(withoutPrefix(tensors), { inputSize: features, hiddenSize, numLayers, bidirectional, bias: true })
      const { output, h_n } = referenceLstm(cells, hiddenSize, { batch, timesteps, x })
      expect(distance(referenceRun([layer], tensors, { x, batch, timesteps }), output)).toBeLessThan(FLOAT64_DISTANCE)
      // Without sequences: the final h of the top layer, both directions beside each other.
      const directions = bidirectional ? 2 : 1
      const top = h_n.subarray((numLayers - 1) * directions * batch * hiddenSize)
      const last = Array.from({ length: batch * directions * hiddenSize }, (_, at) => {
        const [b, direction, unit] = [Math.floor(at / directions / hiddenSize), Math.floor(at / hiddenSize) % directions, at % hiddenSize]
        return top[(direction * batch + b) * hiddenSize + unit]
      })
      const short = { ...layer, returnSequences: false }
      expect(distance(referenceRun([short], tensors, { x, batch, timesteps }), last)).toBeLessThan(FLOAT64_DISTANCE)
    },
  )

  it('carries states from call to call', () => {
    const layers = [lstmLayer(3, 5, { numLayers: 2 })]
    const tensors = randomTensors(layers, 12)
    const x = pseudoRandom(6, 4 * 3, 1)
    const states = new ReferenceStates()
    const steps = [0, 1, 2, 3].map((t) => referenceRun(layers, tensors, { x: x.subarray(t * 3, t * 3 + 3), batch: 1, timesteps: 1, states }))
    expect(distance(steps.flatMap((row) => [...row]), referenceRun(layers, tensors, { x, batch: 1, timesteps: 4 }))).toBe(0)
  })

  it('looks up tokens, multiplies, and makes probabilities', () => {
    const layers: Layer[] = [
      { kind: 'embedding', name: 'embed', vocabulary: 3, width: 2 }, { kind: 'dense', name: 'fc', inputSize: 2, units: 2, activation: 'softmax' },
    ]
    const tensor = (...data: number[]): { dtype: 'float32', shape: number[], data: Float32Array } => (
      { dtype: 'float32', shape: [], data: Float32Array.from(data) }
    )
    const tensors = new Map([['embed.weight', tensor(9, 9, 1, 2, 3, 4)], ['fc.weight', tensor(1, -1, 0.5, 1)], ['fc.bias', tensor(0.25, 0)]])
    // Row 1 is (1, 2): logits 1 - 2 + 0.25 and 0.5 + 2; row 2 is (3, 4): -0.75 and 5.5.
    const chance = (a: number, b: number): number => 1 / (1 + Math.exp(b - a))
    const expected = [chance(-0.75, 2.5), chance(2.5, -0.75), chance(-0.75, 5.5), chance(5.5, -0.75)]
    expect(distance(referenceRun(layers, tensors, { x: Int32Array.of(1, 2), batch: 2, timesteps: 1 }), expected)).toBeLessThan(FLOAT64_DISTANCE)
  })
})
