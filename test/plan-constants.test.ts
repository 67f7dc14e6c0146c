import { expect, it } from 'vitest'
import type { Graph } from '../src/graph/graph.ts'
import { compile } from '../src/model/load.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lstmGraph, randomLstm } from './lstm-graph.ts'
import { pseudoRandom } from './random.ts'

const shape = { inputSize: 3, hiddenSize: 5, numLayers: 1, bidirectional: true, bias: true }
const x = new NdArray(pseudoRandom(9, 4 * 2 * 3, 1), [4, 2, 3])

it('numbers that a plan writes once are not where a node before had its workspace', async () => {
  const lstm = lstmGraph(randomLstm(shape, 1), true)
  const transposed: Graph = {
    ...lstm,
    outputs: [{ name: 'transposed', value: 'transposed' }],
    nodes: [...lstm.nodes, { name: 't', op: 'transpose', inputs: ['output'], outputs: ['transposed'], parameters: {}, attributes: { perm: [1, 2, 0] } }],
  }
  using plain = await compile(lstm)
  using model = await compile(transposed)
  const { output } = plain.run({ input: x })
  for (let run = 0; run < 2; run++) {
    const result = model.run({ input: x }).transposed
    expect(result?.shape).toEqual([2, 10, 4])
    expect(result?.data).toEqual(Float32Array.from({ length: 80 }, (_, n) => output?.data[(n % 4) * 20 + Math.floor(n / 4)] as number))
  }
})
