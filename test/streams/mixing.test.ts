// Sessions of a pool are rows of a batch: what works along the batch is refused by name.
import { beforeAll, expect, it } from 'vitest'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { Attribute } from '../../src/ops/graph-data.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'

let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

/** An LSTM, and a node behind it. */
function behind(op: string, attributes: Readonly<Record<string, Attribute>>, more: readonly string[] = []): Graph {
  const graph = lstmGraph(randomLstm({ inputSize: 3, hiddenSize: 4, numLayers: 1, bidirectional: false, bias: true }, 1))
  const [lstm] = graph.nodes as [GraphNode]
  return {
    inputs: graph.inputs.slice(0, 1), outputs: [{ name: 'y', value: 'y' }],
    nodes: [{ ...lstm, inputs: lstm.inputs.slice(0, 1), outputs: lstm.outputs.slice(0, 1) }, { name: 'after', op, inputs: [lstm.outputs[0] as string, ...more], outputs: ['y'], parameters: {}, attributes }],
    constants: new Map([...graph.constants, ['last', new NdArray(Int32Array.of(-1), [1])], ['first', new NdArray(Int32Array.of(0), [])], ['wide', new NdArray(Int32Array.of(1, 1, 2), [3])]]),
  }
}

it.each<[string, Graph]>([
  ['softmax', behind('softmax', { axis: 0 })],
  ['logSoftmax', behind('logSoftmax', { axis: -3 })],
  ['cumSum', behind('cumSum', {}, ['first'])],
])('%s along the batch has no pool, and streams', async (op, graph) => {
  const model = await compile(graph, { runtime })
  expectError(
    () => model.streams(3), 'UNSUPPORTED',
    `streams: ${op} 'after' works along the batch, so that each session's outputs would depend on the others; give each a stream of its own: model.stream()`,
  )
  model.stream().dispose()
  model.dispose()
})

it.each<[string, Graph]>([
  ['softmax', behind('softmax', { axis: 2 })],
  ['reduceMean', behind('reduceMean', { keepdims: 1 }, ['last'])],
  ['mul', behind('mul', {}, ['output'])],
  ['cumSum', behind('cumSum', {}, ['last'])],
  ['tile', behind('tile', {}, ['wide'])],
])('%s along other axes has one', async (_op, graph) => {
  const [lstm, after] = graph.nodes as [GraphNode, GraphNode]
  const model = await compile({ ...graph, nodes: [lstm, { ...after, inputs: after.inputs.map((name) => (name === 'output' ? lstm.outputs[0] as string : name)) }] }, { runtime })
  expect(model.streams(3).capacity).toBe(3)
  model.dispose()
})
