// Models of the layers API whose files were run by onnxruntime, Keras and PyTorch: test/golden/export/cases.json has their digests.
import type { Graph } from '../../src/graph/graph.ts'
import {
  activation, batchNorm, conv1d, dense, dropout, embedding, gru, input, lastStep, layerNorm, lstm, sequential, simpleRnn, type Sequential,
} from '../../src/layers/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { pseudoRandom } from '../random.ts'

/** Layers with random weights, variances above 0. */
export function filled(layers: Sequential): Graph {
  const tensors = layers.weightSpecs().map(({ name, shape }, n): [string, NdArray] => {
    const data = pseudoRandom(n + 1, lengthOf(shape), 0.5)
    return [name, new NdArray(name.endsWith('running_var') ? data.map((value) => 1 + value) : data, shape)]
  })
  return layers.loadStateDict(new Map(tensors)).toGraph()
}

/** By name. */
export const WRITTEN: Readonly<Record<string, () => Graph>> = {
  classifier: () => filled(sequential([input([9, 5], { name: 'rows' }), lstm(7, { name: 'lstm' }), dropout(0.3), dense(3, { name: 'fc', activation: 'softmax' })])),
  tagger: () => filled(sequential([
    embedding(13, 4, { name: 'embed' }), lstm(5, { name: 'rnn', numLayers: 2, bidirectional: true, returnSequences: true }), layerNorm({ name: 'norm' }),
    dense(6, { name: 'tags' }),
  ])),
  forecast: () => filled(sequential([
    input(['timesteps', 1], { name: 'series' }), conv1d(6, 3, { name: 'conv', padding: 'causal', activation: 'relu' }), batchNorm({ name: 'bn' }),
    gru(5, { name: 'gru', returnSequences: true }), lastStep({ name: 'last' }), dense(1, { name: 'out' }),
  ])),
  masked: () => filled(sequential([
    input(['timesteps', 3], { name: 'x' }), lstm(4, { name: 'both', mask: 'mask', numLayers: 2, bidirectional: true, returnSequences: true }), dense(3, { name: 'between' }),
    gru(4, { name: 'held', mask: 'mask', returnSequences: true }), simpleRnn(3, { name: 'backwards', mask: 'mask', goBackwards: true }), dense(2, { name: 'out' }),
  ])),
  counted: () => filled(sequential([
    input(['timesteps', 2], { name: 'x' }), gru(3, { name: 'both', lengths: 'lengths', maskRule: 'hold', bidirectional: true, returnSequences: true }),
    lstm(4, { name: 'zeroed', lengths: 'lengths', returnSequences: true }), simpleRnn(3, { name: 'whole', returnSequences: true }), dense(2, { name: 'out' }),
  ])),
  plain: () => filled(sequential([
    input(['timesteps', 3], { name: 'x' }), simpleRnn(4, { name: 'rnn' }), activation('tanh', { name: 'act' }), dense(2, { name: 'out', bias: false }),
  ])),
}
