import { describe, expect, it } from 'vitest'
import { formatSummary, summarise } from '../../src/graph/summary.ts'
import { dense, embedding, input, lstm, sequential } from '../../src/layers/index.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { lengthOf } from '../../src/values/shape.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'
import { streams } from '../../src/streams/index.ts'

const zeros = (...shape: number[]): NdArray => new NdArray(new Float32Array(lengthOf(shape)), shape)

describe('summarise and formatSummary', () => {
  const tagger = sequential([
    embedding(1200, 64, { name: 'words' }), lstm(128, { returnSequences: true, returnState: true, initialState: true }), dense(17, { activation: 'softmax' }),
  ]).loadStateDict(new Map([
    ['words.weight', zeros(1200, 64)],
    ...[...randomLstm({ inputSize: 64, hiddenSize: 128, numLayers: 1, bidirectional: false, bias: true }, 1)]
      .map(([name, tensor]) => [`lstm.${name}`, tensor] as const),
    ['dense.weight', zeros(17, 128)], ['dense.bias', zeros(17)],
  ])).toGraph()

  it('print this table', () => {
    expect(formatSummary(summarise(tagger, streams.carry))).toMatchInlineSnapshot(`
      "input   input  int32 [batch, timesteps]
      input   lstm_h0  float32 [1, batch, 128]  (optional, default zeros)
      input   lstm_c0  float32 [1, batch, 128]  (optional, default zeros)
      output  output  [batch, timesteps, 17]
      output  lstm_h  [1, batch, 128]
      output  lstm_c  [1, batch, 128]
      stream  carries lstm_h to lstm_h0
      stream  carries lstm_c to lstm_c0

      layer          what it is                     output shape             parameters  multiply-adds/step    bytes
      -------------  -----------------------------  -----------------------  ----------  ------------------  -------
      words          embedding: 1200 entries of 64  [batch, timesteps, 64]       76,800                   0  307,200
      lstm           lstm: 128 units, every step    [batch, timesteps, 128]      99,328              98,304  397,312
      dense          linear: 128 -> 17              [batch, timesteps, 17]        2,193               2,176    8,772
      dense/softmax  softmax                        [batch, timesteps, 17]            0                   0        0
      -------------  -----------------------------  -----------------------  ----------  ------------------  -------
      total                                                                     178,321             100,480  713,284

      An LSTM has four gates (input, forget, cell, output), each as wide as its units: hence the 4.
      lstm: 4 gates x (64 x 128 input + 128 x 128 recurrent + 2 x 128 bias) = 99328 parameters"
    `)
  })

  it('say what is peculiar about an LSTM, and how its parameters add up', () => {
    const roles = {
      inputWeights: [16, 3], recurrentWeights: [16, 2], inputBias: [16], peepholes: [12], projection: [2, 4], normGain: [5, 4], normShift: [5, 4],
    }
    const attributes = {
      hiddenSize: 4, numLayers: 1, direction: 'reverse', projSize: 2, layerNorm: true, coupling: 'forgetIsOneMinusInput', forgetBias: 1, clip: 0.5, cellClip: 2, projClip: 3,
      activations: ['hardSigmoid', 'tanh', 'relu'], stateful: true, returnSequences: false,
    }
    const text = formatSummary(summarise({
      inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 'timesteps', 3] }], outputs: [{ name: 'y', value: 'y' }],
      nodes: [{ name: 'n', op: 'lstm', inputs: ['x'], outputs: ['y'], attributes, parameters: Object.fromEntries(Object.keys(roles).map((role) => [`0.reverse.${role}`, role])) }],
      constants: new Map(Object.entries(roles).map(([role, shape]) => [role, zeros(...shape)])),
    }))
    expect(text).toContain(
      'lstm: 4 units, projected to 2, backwards, peepholes, layer-normalised, coupled gates, forgetBias 1, clip 0.5, cellClip 2, projClip 3, hardSigmoid/tanh/relu, stateful, last step',
    )
    expect(text).toContain(
      'n: reverse: 4 gates x (3 x 4 input + 2 x 4 recurrent + 4 bias) + 3 x 4 peephole + 4 x 2 projection + 10 x 4 normalisation = 156 parameters',
    )
    expect(text).toMatch(/^total +156 +88 /m)
  })

  it('explain gates only where there are some', () => {
    const plain = sequential([input([3]), dense(2, { name: 'fc' })]).loadStateDict(new Map([['fc.weight', zeros(2, 3)], ['fc.bias', zeros(2)]])).toGraph()
    const text = formatSummary(summarise(plain))
    expect(text.split('\n').at(-1)).toMatch(/^total +8 +6 +32$/)
    expect(text).not.toContain('gates')
  })

  it('give the same figures as data', () => {
    const summary = summarise(tagger)
    const lstmParameters = 4 * 128 * (64 + 128 + 2)
    expect(summary.rows.map(({ name, parameters }) => [name, parameters])).toEqual([
      ['words', 1200 * 64], ['lstm', lstmParameters], ['dense', 17 * 128 + 17], ['dense/softmax', 0],
    ])
    expect(summary.rows.map(({ multiplyAdds }) => multiplyAdds)).toEqual([0, 4 * 128 * (64 + 128), 17 * 128, 0])
    expect(summary.parameters).toBe(1200 * 64 + lstmParameters + 17 * 128 + 17)
    expect(summary.bytes).toBe(4 * summary.parameters)
    expect(summary.multiplyAdds).toBe(4 * 128 * (64 + 128) + 17 * 128)
    expect(summary.rows[1]?.arithmetic).toEqual(['4 gates x (64 x 128 input + 128 x 128 recurrent + 2 x 128 bias) = 99328 parameters'])
    expect(lstmParameters).toBe(99328)
  })

  it('add up every layer and direction of a stack', () => {
    const shape = { inputSize: 3, hiddenSize: 5, numLayers: 2, bidirectional: true, bias: true }
    const [row] = summarise(lstmGraph(randomLstm(shape, 1))).rows
    expect(row?.arithmetic).toEqual([
      'layer 0 forward: 4 gates x (3 x 5 input + 5 x 5 recurrent + 2 x 5 bias) = 200 parameters',
      'layer 0 reverse: 4 gates x (3 x 5 input + 5 x 5 recurrent + 2 x 5 bias) = 200 parameters',
      'layer 1 forward: 4 gates x (10 x 5 input + 5 x 5 recurrent + 2 x 5 bias) = 340 parameters',
      'layer 1 reverse: 4 gates x (10 x 5 input + 5 x 5 recurrent + 2 x 5 bias) = 340 parameters',
    ])
    expect(row?.parameters).toBe(200 + 200 + 340 + 340)
    expect(row?.detail).toBe('5 units, 2 layers, bidirectional, every step')
  })

  it('count no biases where there are none', () => {
    const [row] = summarise(lstmGraph(randomLstm({ inputSize: 3, hiddenSize: 5, numLayers: 1, bidirectional: false, bias: false }, 1))).rows
    expect(row?.arithmetic).toEqual(['4 gates x (3 x 5 input + 5 x 5 recurrent) = 160 parameters'])
    expect(row?.parameters).toBe(160)
  })

  it('count a weight that two nodes share once', () => {
    const relu = { op: 'linear', parameters: { weight: 'w' }, attributes: {} }
    const summary = summarise({
      inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 2] }],
      outputs: [{ name: 'y', value: 'b' }],
      nodes: [{ ...relu, name: 'a', inputs: ['x'], outputs: ['a'] }, { ...relu, name: 'b', inputs: ['a'], outputs: ['b'] }],
      constants: new Map([['w', zeros(2, 2)]]),
    })
    expect(summary.parameters).toBe(4)
    expect(summary.rows.map(({ parameters }) => parameters)).toEqual([4, 4])
  })
})
