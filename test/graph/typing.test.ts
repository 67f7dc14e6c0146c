import { describe, expect, it } from 'vitest'
import type { Graph, GraphNode } from '../../src/graph/graph.ts'
import { typeGraph } from '../../src/graph/infer.ts'
import { addAllOperators } from '../../src/ops/all.ts'
import { operatorNames } from '../../src/ops/registry.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { lstmGraph, randomLstm } from '../lstm-graph.ts'

const SHAPE = { inputSize: 3, hiddenSize: 2, numLayers: 1, bidirectional: false, bias: true }

function node(op: string, inputs: string[], outputs: string[], more: Partial<GraphNode> = {}): GraphNode {
  return { name: outputs[0] ?? op, op, inputs, outputs, parameters: {}, attributes: {}, ...more }
}

/** x -> relu -> y -> tanh -> z. */
function chain(changes: Partial<Graph> = {}): Graph {
  return {
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 4] }],
    outputs: [{ name: 'out', value: 'z' }],
    nodes: [node('relu', ['x'], ['y']), node('tanh', ['y'], ['z'])],
    constants: new Map(),
    ...changes,
  }
}

function refuses(changes: Partial<Graph>, code: Parameters<typeof expectError>[1], message: string): void {
  expectError(() => typeGraph(chain(changes)), code, message)
}

describe('typeGraph', () => {
  it('gives every value a type, symbolic or with numbers', () => {
    const { types } = typeGraph(chain())
    expect([...types]).toEqual([
      ['x', { dtype: 'float32', shape: ['batch', 4] }], ['y', { dtype: 'float32', shape: ['batch', 4] }], ['z', { dtype: 'float32', shape: ['batch', 4] }],
    ])
    expect(typeGraph(chain(), new Map([['x', [7, 4]]])).types.get('z')).toEqual({ dtype: 'float32', shape: [7, 4] })
  })

  it('lists all unknown operators at once', () => {
    refuses(
      { nodes: [node('gated', ['x'], ['y']), node('relu', ['y'], ['z']), node('__proto__', ['z'], ['w'])] }, 'UNSUPPORTED',
      `operators that are not supported: 'gated' (node 'y'), '__proto__' (node 'w'); supported are ${operatorNames().join(', ')}`,
    )
  })

  it('knows these operators at least', () => {
    expect(operatorNames()).toEqual(expect.arrayContaining(['dropout', 'embedding', 'linear', 'lstm', 'relu', 'sigmoid', 'softmax', 'tanh']))
  })

  it('refuses tables of embeddings without rows, without columns, or with more axes', () => {
    const inputs: Graph['inputs'] = [{ name: 'x', dtype: 'int32', shape: ['batch'] }]
    for (const shape of [[0, 3], [5, 0], [0, 0], [5], [5, 3, 1], []]) {
      const weight = new NdArray(new Float32Array(shape.reduce((product, size) => product * size, 1)), shape)
      refuses(
        { inputs, nodes: [node('embedding', ['x'], ['z'], { parameters: { weight: 'w' } })], constants: new Map([['w', weight]]) }, 'SHAPE',
        `embedding 'z': expected 'weight' with shape [vocabulary, width], got [${shape.join(', ')}]`,
      )
    }
  })

  it('refuses a value made twice', () => {
    refuses({ nodes: [node('relu', ['x'], ['z']), node('tanh', ['x'], ['z'])] }, 'FORMAT', "graph: the value 'z' is made twice, the second time by tanh 'z'")
    refuses({ nodes: [node('relu', ['x'], ['x'])] }, 'FORMAT', "graph: the value 'x' is made twice, the second time by relu 'x'")
    refuses({ constants: new Map([['x', NdArray.from([1])]]) }, 'FORMAT', "graph: the value 'x' is made twice, the second time by an input")
    const twice = chain().inputs
    refuses({ inputs: [...twice, ...twice] }, 'FORMAT', "graph: the value 'x' is made twice, the second time by an input")
  })

  it('refuses a value used before it is made, or never made', () => {
    refuses({ nodes: [...chain().nodes].reverse() }, 'FORMAT', "tanh 'z': its input 'y' is not made before it")
    refuses({ nodes: [node('relu', ['constructor'], ['z'])] }, 'FORMAT', "relu 'z': its input 'constructor' is not made before it")
  })

  it('refuses names that are empty', () => {
    refuses({ inputs: [{ name: '', dtype: 'float32', shape: [1] }] }, 'FORMAT', 'graph: an input has no name')
    refuses({ constants: new Map([['', NdArray.from([[1, 2, 3, 4]])]]), nodes: [node('relu', [], ['z'])] }, 'FORMAT', 'graph: a constant has no name')
  })

  it('refuses absent inputs where they are needed', () => {
    refuses({ nodes: [node('relu', [], ['z'])] }, 'SHAPE', "relu 'z': expected an input at position 0, got none")
    refuses({ nodes: [node('relu', [''], ['z'])] }, 'SHAPE', "relu 'z': expected an input at position 0, got none")
  })

  it('refuses outputs that do not exist, are named alike, too many or none', () => {
    refuses({ outputs: [{ name: 'out', value: 'w' }] }, 'FORMAT', "graph: the output 'out' is the value 'w', which nothing makes")
    refuses({ outputs: [{ name: 'out', value: '' }] }, 'FORMAT', "graph: the output 'out' is the value '', which nothing makes")
    refuses({ outputs: [{ name: 'a', value: 'y' }, { name: 'a', value: 'z' }] }, 'FORMAT', "graph: two outputs are named 'a'")
    refuses({ outputs: [] }, 'FORMAT', 'graph: expected at least one output, got none')
    refuses({ nodes: [node('relu', ['x'], ['z', 'second'])] }, 'FORMAT', "relu 'z': expected at most 1 outputs, got 2")
  })

  it('refuses two nodes of one name, inputs past the last, and weights the operator does not know', () => {
    refuses({ nodes: [node('relu', ['x'], ['a'], { name: 'n' }), node('tanh', ['a'], ['z'], { name: 'n' })] }, 'FORMAT', "graph: two nodes are named 'n'")
    refuses({ nodes: [node('relu', ['x', 'x'], ['z'])] }, 'UNSUPPORTED', "relu 'z': expected at most 1 inputs, got 2")
    refuses(
      { nodes: [node('linear', ['x'], ['z'], { parameters: { weight: 'w', gain: 'b' } })] }, 'UNSUPPORTED',
      "linear 'z': unknown weights 'gain'; it knows weight, bias",
    )
  })

  it('refuses attributes the operator does not know, so that none is ignored', () => {
    refuses(
      { nodes: [node('relu', ['x'], ['z'], { attributes: { alpha: 0.1, beta: 1 } })] }, 'UNSUPPORTED',
      "relu 'z': unknown attributes 'alpha', 'beta'; it knows none",
    )
    const graph = lstmGraph(randomLstm(SHAPE, 1))
    const [lstm] = graph.nodes as [GraphNode]
    expectError(
      () => typeGraph({ ...graph, nodes: [{ ...lstm, attributes: { ...lstm.attributes, zoneout: 3 } }] }), 'UNSUPPORTED',
      "lstm 'lstm': unknown attributes 'zoneout'; it knows hiddenSize, numLayers, direction, timeMajor, returnSequences, reversedOutput, clip, activations, activationAlpha, activationBeta, maskRule, zeroEmptyState, stateful, dropout, recurrentDropout, projSize, forgetBias, cellClip, projClip, coupling, layerNorm, normEpsilon, delaySamples",
    )
  })

  it('refuses weights that are missing, misshapen or of another dtype', () => {
    const linear = node('linear', ['x'], ['z'], { parameters: { weight: 'w', bias: 'b' } })
    const weights = (weight: NdArray, bias: NdArray): Partial<Graph> => ({ nodes: [linear], constants: new Map([['w', weight], ['b', bias]]) })
    const w = new NdArray(new Float32Array(8), [2, 4])
    const b = new NdArray(new Float32Array(2), [2])
    expect(typeGraph(chain(weights(w, b))).types.get('z')).toEqual({ dtype: 'float32', shape: ['batch', 2] })
    refuses({ nodes: [linear] }, 'FORMAT', "linear 'z': its weight 'weight' is the tensor 'w', which is not there")
    refuses({ nodes: [node('linear', ['x'], ['z'])] }, 'SHAPE', "linear 'z': expected the weight 'weight', got none")
    refuses(weights(w.reshape([4, 2]), b), 'SHAPE', "linear 'z': expected [4] for 'bias', got [2]")
    refuses(weights(w.reshape([8]), b), 'SHAPE', "linear 'z': expected 'weight' with shape [units, inputSize], got [8]")
    refuses(weights(new NdArray(new Float32Array(6), [2, 3]), b), 'SHAPE', "linear 'z': expected 3 features, got [batch, 4]")
    refuses(weights(w, new NdArray(new Int32Array(2), [2])), 'VALUE', "linear 'z': expected float32 for 'bias', got int32")
    refuses(
      { nodes: [node('embedding', ['x'], ['z'], { parameters: { weight: 'w' } })], constants: new Map([['w', w]]) }, 'VALUE',
      "embedding 'z': expected int32 input, got float32 [batch, 4]",
    )
  })

  it('refuses LSTMs whose settings, weights and states do not fit', () => {
    const graph = lstmGraph(randomLstm(SHAPE, 1))
    const [lstm] = graph.nodes as [GraphNode]
    const withAttributes = (attributes: GraphNode['attributes']) => () =>
      typeGraph({ ...graph, nodes: [{ ...lstm, attributes: { ...lstm.attributes, ...attributes } }] })
    expectError(withAttributes({ hiddenSize: 3 }), 'SHAPE', "lstm 'lstm': expected [12, 3] for '0.forward.inputWeights', got [8, 3]")
    expectError(withAttributes({ hiddenSize: 0 }), 'VALUE', "lstm 'lstm': expected a whole number >= 1 for 'hiddenSize', got 0")
    expectError(withAttributes({ hiddenSize: '2' }), 'VALUE', "lstm 'lstm': expected a whole number >= 1 for 'hiddenSize', got \"2\"")
    expectError(withAttributes({ numLayers: 1.5 }), 'VALUE', "lstm 'lstm': expected a whole number >= 1 for 'numLayers', got 1.5")
    for (const numLayers of [1e9, 2 ** 53, 1e308]) expectError(withAttributes({ numLayers }), 'SHAPE', "lstm 'lstm': expected the weight '1.forward.inputWeights' [8, 2], got none")
    expectError(withAttributes({ direction: 'bidirectional' }), 'SHAPE', "lstm 'lstm': expected the weight '0.reverse.inputWeights' [8, 3], got none")
    expectError(
      withAttributes({ direction: 'up' }), 'VALUE', "lstm 'lstm': expected 'forward' or 'reverse' or 'bidirectional' for 'direction', got \"up\"",
    )
    expectError(withAttributes({ timeMajor: 2 }), 'VALUE', "lstm 'lstm': expected true or false for 'timeMajor', got 2")
    expectError(
      withAttributes({ reversedOutput: true }), 'UNSUPPORTED',
      "lstm 'lstm': 'reversedOutput' (Keras's go_backwards) works for one layer with direction 'reverse', got 1 layers and 'forward'",
    )
    const withState = (shape: (string | number)[]) => () =>
      typeGraph({ ...graph, inputs: graph.inputs.map((input) => (input.name === 'c_0' ? { ...input, shape } : input)) })
    expectError(
      withState([2, 'batch', 2]), 'SHAPE',
      "lstm 'lstm': expected initial c with shape [1, batch, 2] (layers x directions, batch, units), got [2, batch, 2]",
    )
    expectError(withState(['batch', 2]), 'SHAPE', "lstm 'lstm': expected initial c with shape [1, batch, 2] (layers x directions, batch, units), got [batch, 2]")
    const open: Graph = { ...graph, inputs: [{ name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', 'features'] }, ...graph.inputs.slice(1)] }
    expect(typeGraph(open).types.get('output')).toEqual({ dtype: 'float32', shape: ['batch', 'timesteps', 2] })
    const given = (features: number): Map<string, number[]> => new Map([['input', [5, 6, features]], ['h_0', [1, 5, 2]], ['c_0', [1, 5, 2]]])
    expect(typeGraph(open, given(3)).types.get('output')).toEqual({ dtype: 'float32', shape: [5, 6, 2] })
    expectError(() => typeGraph(open, given(4)), 'SHAPE', "lstm 'lstm': expected 3 features, got [5, 6, 4]")
  })

  it('does not take properties of objects for weights', () => {
    const linear = node('linear', ['x'], ['z'], { parameters: Object.create({ weight: 'w' }) as Record<string, string> })
    refuses({ nodes: [linear], constants: new Map([['w', new NdArray(new Float32Array(4), [1, 4])]]) }, 'SHAPE', "linear 'z': expected the weight 'weight', got none")
  })
})

describe('folding', () => {
  it('stops at a budget: thousands of nodes over one large constant are left for run time', () => {
    addAllOperators()
    const nodes = Array.from({ length: 200 }, (_, n) => node('neg', ['big'], [`n${n}`]))
    const outputs = nodes.map(({ name }) => ({ name, value: name }))
    const { graph } = typeGraph(chain({ nodes, outputs, constants: new Map([['big', new NdArray(new Float32Array(2 ** 20), [2 ** 20])]]) }))
    expect(graph.nodes.length).toBeGreaterThan(190)
    expect(graph.nodes.length).toBeLessThan(200)
  })
})
