// Models without an axis for the batch: the numbers of a batch of one.
import { describe, expect, it } from 'vitest'
import { withoutBatch } from '../../src/graph/unbatched.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { activation, dense, embedding, input, lstm, sequential, type Layer } from '../../src/layers/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { randomLstm } from '../lstm-graph.ts'

const random = (seed: number, shape: readonly number[]): NdArray => new NdArray(pseudoRandom(seed, shape.reduce((a, b) => a * b, 1), 1), shape)
const tensors = new Map([
  ...[...randomLstm({ inputSize: 3, hiddenSize: 5, numLayers: 2, bidirectional: true, bias: true }, 1)].map(([name, array]) => [`lstm.${name}`, array] as const),
  ['dense.weight', random(90, [4, 10])] as const, ['dense.bias', random(91, [4])] as const,
])
const options = { numLayers: 2, bidirectional: true, returnState: true, initialState: true }

async function bothWays(layers: () => Layer[], weights: ReadonlyMap<string, NdArray>): Promise<{ batched: Graph, alone: Graph }> {
  await Promise.resolve()
  return {
    batched: sequential(layers()).loadStateDict(weights).toGraph(),
    alone: sequential(layers(), { unbatched: true }).loadStateDict(weights).toGraph(),
  }
}

describe('unbatched', () => {
  it.each([true, false])('sequences are [timesteps, features], states [layers, units]; returnSequences %s', async (returnSequences) => {
    const { batched, alone } = await bothWays(() => [lstm(5, { ...options, returnSequences }), dense(4)], tensors)
    expect(alone.inputs.map(({ name, shape }) => [name, shape])).toEqual([['input', ['timesteps', 3]], ['lstm_h0', [4, 5]], ['lstm_c0', [4, 5]]])
    using model = await compile(alone)
    using reference = await compile(batched)
    expect(model.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['output', returnSequences ? ['timesteps', 4] : [4]], ['lstm_h', [4, 5]], ['lstm_c', [4, 5]],
    ])
    const [x, h, c] = [random(7, [6, 3]), random(8, [4, 5]), random(9, [4, 5])]
    const whole = reference.run({ input: x.reshape([1, 6, 3]), lstm_h0: h.reshape([4, 1, 5]), lstm_c0: c.reshape([4, 1, 5]) })
    const got = model.run({ input: x, lstm_h0: h, lstm_c0: c })
    for (const name of ['output', 'lstm_h', 'lstm_c']) expect([...(got[name] as NdArray).data]).toEqual([...(whole[name] as NdArray).data])
    // States that are left out are zeros all the same.
    expect([...(model.run({ input: x }).output as NdArray).data]).toEqual([...(reference.run({ input: x.reshape([1, 6, 3]) }).output as NdArray).data])
    expectError(() => model.run({ input: x.reshape([1, 6, 3]) }), 'SHAPE', /\[timesteps, 3\].*\[1, 6, 3\]/)
  })

  it('indices, inputs that are described, and outputs that are inputs', async () => {
    const table = new Map([['embedding.weight', random(3, [7, 3])]])
    using model = await compile(sequential([embedding(7, 3)], { unbatched: true }).loadStateDict(table))
    expect(model.inputs[0]?.shape).toEqual(['timesteps'])
    expect(model.run({ input: [6, 0, 6] }).output?.shape).toEqual([3, 3])
    using described = await compile(sequential([input([2, 3]), activation('relu')], { unbatched: true }).loadStateDict(new Map()))
    expect(described.inputs[0]?.shape).toEqual([2, 3])
    expect(described.run({ input: [[1, -1, 2], [0, 3, -4]] }).output?.toArray()).toEqual([[1, 0, 2], [0, 3, 0]])
    const through = withoutBatch({ inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }], outputs: [{ name: 'x', value: 'x' }], nodes: [], constants: new Map() })
    using same = await compile(through)
    expect(same.run({ x: [1, 2] }).x?.toArray()).toEqual([1, 2])
  })

  it('says what does not fit', () => {
    expectError(() => sequential([dense(1)], { unbatched: 'yes' as unknown as boolean }), 'VALUE', "sequential: expected true or false for 'unbatched', got \"yes\"")
    const graph: Graph = { inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2] }], outputs: [{ name: 'x', value: 'x' }], nodes: [], constants: new Map() }
    expectError(() => withoutBatch(graph), 'VALUE', "unbatched: expected a model with an input that has the axis 'batch', got none")
    expectError(() => lstm(3, { delaySamples: 0.5 }), 'VALUE', "lstm: expected a number >= 1 for 'delaySamples', got 0.5")
    expectError(() => lstm(3, { delaySamples: 2, initialState: true }), 'VALUE', 'lstm: delaySamples goes without initialState: a delayed state has a history')
  })
})
