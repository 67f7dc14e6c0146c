// Models to stream, with random weights.
import type { Graph } from '../../src/graph/graph.ts'
import { GraphBuilder } from '../../src/graph/builder.ts'
import { dense, embedding, input, lstm, sequential } from '../../src/layers/index.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { denseWeights, lstmWeights, random } from '../weights.ts'

/** torch.nn.LSTM with states that go in and out. */
export function torchLstm(inputSize: number, hiddenSize: number, numLayers: number, timeMajor = false): Graph {
  return lstmGraph(randomLstm({ inputSize, hiddenSize, numLayers, bidirectional: false, bias: true }, 7), timeMajor)
}

/** [batch, timesteps] of indices -> embedding -> two lstms -> dense at every step. */
export function charModel(): Graph {
  return sequential([
    embedding(11, 3, { name: 'embed' }), lstm(5, { name: 'a', returnSequences: true }),
    lstm(7, { name: 'b', returnSequences: true }), dense(11, { name: 'fc', activation: 'softmax' }),
  ]).loadStateDict(new Map([
    ['embed.weight', random(3, 11, 3)], ...lstmWeights('a', 3, 5), ...lstmWeights('b', 5, 7), ...denseWeights('fc', 7, 11),
  ])).toGraph()
}

/** Rows of a picture, one after the other: a number of timesteps that is fixed, and a result at the last of them. */
export function lastStepModel(): Graph {
  return sequential([
    input([9, 3], { name: 'rows' }), lstm(5, { name: 'a' }), dense(4, { name: 'fc', activation: 'softmax' }),
  ]).loadStateDict(new Map([...lstmWeights('a', 3, 5), ...denseWeights('fc', 5, 4)])).toGraph()
}

/** [batch, channels, timesteps] -> causal convolution over 3 steps, dilated -> transposed -> lstm -> tanh. */
export function convolutionModel(pads: readonly number[] = [4, 0]): Graph {
  addAllOperators()
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: ['batch', 2, 'time'] })
  graph.constant('w', random(5, 3, 2, 3))
  graph.constant('b', random(6, 3))
  const node = { parameters: {}, attributes: {} }
  graph.add({ ...node, name: 'conv', op: 'conv', inputs: ['x', 'w', 'b'], outputs: ['c'], attributes: { pads: [...pads], dilations: [2] } })
  graph.add({ ...node, name: 'turn', op: 'transpose', inputs: ['c'], outputs: ['t'], attributes: { perm: [0, 2, 1] } })
  const weights = randomLstm({ inputSize: 3, hiddenSize: 5, numLayers: 1, bidirectional: false, bias: false }, 8)
  graph.constant('wx', weights.get('weight_ih_l0') as NdArray)
  graph.constant('wh', weights.get('weight_hh_l0') as NdArray)
  graph.add({
    name: 'rnn', op: 'lstm', inputs: ['t'], outputs: ['y'],
    parameters: { '0.forward.inputWeights': 'wx', '0.forward.recurrentWeights': 'wh' },
    attributes: { hiddenSize: 5, numLayers: 1, direction: 'forward', returnSequences: true },
  })
  graph.add({ ...node, name: 'act', op: 'tanh', inputs: ['y'], outputs: ['out'] })
  return graph.finish([{ name: 'out', value: 'out' }])
}

/** x [batch, 3] and a state [2, size, 4] that goes in and out: h and c of an lstm that takes one step a run. */
export function carriedModel(): Graph {
  addAllOperators()
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: ['batch', 3] })
  graph.input({ name: 'state', dtype: 'float32', shape: [2, 'size', 4] })
  const weights = randomLstm({ inputSize: 3, hiddenSize: 4, numLayers: 1, bidirectional: false, bias: true }, 9)
  for (const [name, tensor] of weights) graph.constant(name, tensor)
  graph.constant('axis', new NdArray(Int32Array.of(1), [1]))
  const node = { parameters: {}, attributes: {} }
  graph.add({ ...node, name: 'as step', op: 'unsqueeze', inputs: ['x', 'axis'], outputs: ['step'] })
  graph.add({ ...node, name: 'parts', op: 'split', inputs: ['state'], outputs: ['h', 'c'], attributes: { axis: 0 } })
  graph.add({
    name: 'rnn', op: 'lstm', inputs: ['step', 'h', 'c'], outputs: ['y', 'hn', 'cn'],
    parameters: {
      '0.forward.inputWeights': 'weight_ih_l0', '0.forward.recurrentWeights': 'weight_hh_l0', '0.forward.inputBias': 'bias_ih_l0',
      '0.forward.recurrentBias': 'bias_hh_l0',
    },
    attributes: { hiddenSize: 4, numLayers: 1, direction: 'forward', returnSequences: false },
  })
  graph.add({ ...node, name: 'joined', op: 'concat', inputs: ['hn', 'cn'], outputs: ['next'], attributes: { axis: 0 } })
  return graph.finish([{ name: 'out', value: 'y' }, { name: 'stateN', value: 'next' }])
}

/** x [batch, time, 3] -> two GRU layers of 5 units -> a simple recurrent layer of 4 units. */
export function gruModel(): Graph {
  addAllOperators()
  const graph = new GraphBuilder()
  graph.input({ name: 'x', dtype: 'float32', shape: ['batch', 'time', 3] })
  const weightsOf = (gates: number, units: number, features: readonly number[]): Record<string, string> => {
    const shapes = features.flatMap((width, layer): [string, number[]][] => [
      [`${layer}.forward.inputWeights`, [gates * units, width]], [`${layer}.forward.recurrentWeights`, [gates * units, units]],
      [`${layer}.forward.inputBias`, [gates * units]], [`${layer}.forward.recurrentBias`, [gates * units]],
    ])
    return Object.fromEntries(shapes.map(([role, shape], n) => {
      const name = `w${gates}.${role}`
      graph.constant(name, random(100 * gates + n, ...shape))
      return [role, name]
    }))
  }
  const attributes = { direction: 'forward', returnSequences: true }
  graph.add({
    name: 'gru', op: 'gru', inputs: ['x'], outputs: ['a'], parameters: weightsOf(3, 5, [3, 5]), attributes: { ...attributes, hiddenSize: 5, numLayers: 2 },
  })
  graph.add({ name: 'rnn', op: 'rnn', inputs: ['a'], outputs: ['y'], parameters: weightsOf(1, 4, [5]), attributes: { ...attributes, hiddenSize: 4, numLayers: 1 } })
  return graph.finish([{ name: 'y', value: 'y' }])
}
