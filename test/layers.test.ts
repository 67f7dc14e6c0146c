import { describe, expect, it } from 'vitest'
import type { StateDict } from '../src/formats/pytorch-names.ts'
import type { Graph, GraphNode } from '../src/graph/graph.ts'
import { activation, dense, dropout, embedding, input, linear, lstm, sequential, type Layer } from '../src/layers/index.ts'
import { compile } from '../src/model/load.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { expectError } from './expect-error.ts'
import { denseWeights, lstmWeights, random } from './weights.ts'

type Options = NonNullable<Parameters<typeof lstm>[1]>

/** The graph of one LSTM layer named `lstm`, with weights for 3 features and 4 units. */
function graphOf(layer: Layer, weights: [string, NdArray][] = lstmWeights('lstm', 3, 4)): Graph {
  return sequential([layer]).loadStateDict(new Map(weights)).toGraph()
}

function nodeOf(layer: Layer, weights?: [string, NdArray][]): GraphNode {
  return graphOf(layer, weights).nodes[0] as GraphNode
}

const DEFAULTS = { hiddenSize: 4, numLayers: 1, direction: 'forward', timeMajor: false, returnSequences: false, reversedOutput: false }

describe('lstm', () => {
  it('is Keras\'s by default: one layer, forward, biases, the last step only', () => {
    const graph = graphOf(lstm(4))
    expect(graph.nodes).toHaveLength(1)
    expect(graph.nodes[0]).toMatchObject({ name: 'lstm', op: 'lstm', inputs: ['input'], outputs: ['output'], attributes: DEFAULTS })
    expect(graph.nodes[0]?.parameters).toEqual({
      '0.forward.inputWeights': 'lstm.weight_ih_l0', '0.forward.recurrentWeights': 'lstm.weight_hh_l0',
      '0.forward.inputBias': 'lstm.bias_ih_l0', '0.forward.recurrentBias': 'lstm.bias_hh_l0',
    })
    expect(graph.inputs).toEqual([{ name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', 3] }])
    expect(graph.outputs).toEqual([{ name: 'output', value: 'output' }])
  })

  it.each([
    'units', 'num_units', 'numUnits', 'n_hidden', 'nHidden', 'hidden_size', 'hiddenSize', 'hidden', 'hidden_units',
  ])('takes its size as %s too', (word) => {
    expect(nodeOf(lstm({ [word]: 4 })).attributes).toEqual(DEFAULTS)
  })

  it.each<[Options, Partial<typeof DEFAULTS>, Parameters<typeof lstmWeights>[3]]>([
    [{ return_sequences: true }, { returnSequences: true }, {}],
    [{ returnSequences: true }, { returnSequences: true }, {}],
    [{ goBackwards: true }, { direction: 'reverse', reversedOutput: true }, {}],
    [{ go_backwards: true }, { direction: 'reverse', reversedOutput: true }, {}],
    [{ timeMajor: true }, { timeMajor: true }, {}],
    [{ time_major: true }, { timeMajor: true }, {}],
    [{ bidirectional: true }, { direction: 'bidirectional' }, { bidirectional: true }],
    [{ numLayers: 2 }, { numLayers: 2 }, { numLayers: 2 }],
    [{ num_layers: 2 }, { numLayers: 2 }, { numLayers: 2 }],
    [{ layers: 2 }, { numLayers: 2 }, { numLayers: 2 }],
    [{ bias: false }, {}, { bias: false }],
    [{ use_bias: false }, {}, { bias: false }],
    [{ useBias: false }, {}, { bias: false }],
    [{ inputSize: 3 }, {}, {}],
    [{ input_size: 3 }, {}, {}],
    [{ input_dim: 3 }, {}, {}],
    [{ n_input: 3 }, {}, {}],
    [{ returnState: undefined }, {}, {}],
  ])('takes %j', (options, changed, shape) => {
    const weights = lstmWeights('lstm', 3, 4, shape)
    const node = nodeOf(lstm(4, options), weights)
    expect(node.attributes).toEqual({ ...DEFAULTS, ...changed })
    expect(Object.values(node.parameters).sort()).toEqual(weights.map(([name]) => name).sort())
    expect(nodeOf(lstm({ units: 4, ...options }), weights)).toEqual(node)
  })

  it('gives weights of the backward direction to a layer that goes backwards', () => {
    expect(nodeOf(lstm(4, { goBackwards: true })).parameters['0.reverse.inputWeights']).toBe('lstm.weight_ih_l0')
  })

  it.each([['returnState', 'initialState'], ['return_state', 'initial_state']])('names states after itself (%s, %s)', (returnState, initialState) => {
    const graph = graphOf(lstm(4, { name: 'rnn', bidirectional: true, [returnState]: true, [initialState]: true }), lstmWeights('rnn', 3, 4, { bidirectional: true }))
    expect(graph.nodes[0]).toMatchObject({ inputs: ['input', 'rnn_h0', 'rnn_c0'], outputs: ['output', 'rnn_h', 'rnn_c'] })
    expect(graph.inputs.slice(1)).toEqual([
      { name: 'rnn_h0', dtype: 'float32', shape: [2, 'batch', 4], optional: true }, { name: 'rnn_c0', dtype: 'float32', shape: [2, 'batch', 4], optional: true },
    ])
    expect(graph.outputs.map(({ name }) => name)).toEqual(['output', 'rnn_h', 'rnn_c'])
  })

  it('refuses options it does not know, and says which it does', () => {
    const known = 'options are hiddenSize, name, inputSize, numLayers, .*, delaySamples$'
    const refused = (words: string, options: unknown): void => {
      expectError(() => lstm(4, options as Options), 'VALUE', new RegExp(`^lstm: no option ${words.replace(/[()?]/g, '\\$&')}; ${known}`))
    }
    refused("'zoneout'", { zoneout: 0.5 })
    refused("'batch_first'", { batch_first: true })
    refused("'toString'", { toString: 1 })
    refused("'__proto__'", JSON.parse('{"__proto__":1}'))
    refused("'retrun_sequences' (did you mean 'returnSequences'?), 'biases' (did you mean 'bias'?)", { retrun_sequences: true, biases: false })
    refused("'num_proof' (did you mean 'numProj'?)", { num_proof: 2 })
  })

  it('refuses an option given twice', () => {
    expectError(() => lstm({ units: 4, hiddenSize: 4 }), 'VALUE', "lstm: 'units' and 'hiddenSize' are the same option")
    expectError(() => lstm(4, { hidden_size: 4 } as object), 'VALUE', "lstm: 'units' and 'hidden_size' are the same option")
    expectError(() => lstm(4, { hiddenSize: 5 } as object), 'VALUE', "lstm: 'units' and 'hiddenSize' are the same option")
    expectError(() => lstm(4, { units: 5 } as object), 'VALUE', "lstm: 'units' and 'units' are the same option")
    expectError(() => lstm(4, { returnSequences: true, return_sequences: true }), 'VALUE', "lstm: 'returnSequences' and 'return_sequences' are the same option")
    expectError(() => lstm({ units: 4, bias: true }, { use_bias: true }), 'VALUE', "lstm: 'bias' and 'use_bias' are the same option")
  })

  it('takes options after an object of options', () => {
    expect(nodeOf(lstm({ units: 4 }, { returnSequences: true })).attributes.returnSequences).toBe(true)
  })

  it.each<[unknown, Options, string]>([
    [undefined, {}, "lstm: expected a whole number >= 1 for 'units', got undefined"],
    [null, {}, "lstm: expected a whole number >= 1 for 'units', got null"],
    ['4', {}, "lstm: expected a whole number >= 1 for 'units', got \"4\""],
    [0, {}, "lstm: expected a whole number >= 1 for 'units', got 0"],
    [1.5, {}, "lstm: expected a whole number >= 1 for 'units', got 1.5"],
    [4, { numLayers: 0 }, "lstm: expected a whole number from 1 to 10000 for 'numLayers', got 0"],
    [4, { inputSize: -3 }, "lstm: expected a whole number >= 1 for 'inputSize', got -3"],
    [4, { bidirectional: 1 as unknown as boolean }, "lstm: expected true or false for 'bidirectional', got 1"],
    [4, { bias: 'no' as unknown as boolean }, "lstm: expected true or false for 'bias', got \"no\""],
    [4, { returnSequences: null as unknown as boolean }, "lstm: expected true or false for 'returnSequences', got null"],
    [4, { returnState: 0 as unknown as boolean }, "lstm: expected true or false for 'returnState', got 0"],
    [4, { initialState: [] as unknown as boolean }, "lstm: expected true or false for 'initialState', got Array"],
    [4, { timeMajor: 'x' as unknown as boolean }, "lstm: expected true or false for 'timeMajor', got \"x\""],
    [4, { goBackwards: 2 as unknown as boolean }, "lstm: expected true or false for 'goBackwards', got 2"],
    [4, { name: 5 as unknown as string }, "lstm: expected text for 'name', got 5"],
    [4, { goBackwards: true, bidirectional: true }, 'lstm: goBackwards goes with one direction; a bidirectional layer goes both ways'],
    [4, { goBackwards: true, numLayers: 2 }, 'lstm: goBackwards goes with one layer, unless reversedOutput is false'],
    [4, null as unknown as Options, 'lstm: expected an object with options, got null'],
  ])('refuses lstm(%j, %j)', (units, options, message) => {
    expectError(() => lstm(units as number, options), 'VALUE', message)
  })
})

describe('dense, embedding, dropout, activation', () => {
  it('take options under the words of Keras and PyTorch', () => {
    const weights = denseWeights('dense', 3, 2)
    const node = nodeOf(dense(2), weights)
    expect(node).toMatchObject({ name: 'dense', op: 'linear', parameters: { weight: 'dense.weight', bias: 'dense.bias' } })
    for (const layer of [dense({ units: 2 }), dense({ out_features: 2, in_features: 3 }), dense(2, { input_dim: 3, use_bias: true }), linear(2)]) {
      expect(nodeOf(layer, weights)).toEqual(node)
    }
    expect(nodeOf(dense(2, { bias: false }), weights.slice(0, 1)).parameters).toEqual({ weight: 'dense.weight' })
    expect(linear).toBe(dense)
  })

  it.each(['sigmoid', 'tanh', 'relu', 'softmax'] as const)('dense takes the activation %s, the same as a layer of its own', async (name) => {
    const weights = new Map(denseWeights('dense', 3, 2))
    const x = random(7, 5, 3)
    using inside = await compile(sequential([dense(2, { activation: name })]).loadStateDict(weights))
    using beside = await compile(sequential([dense(2), activation(name)]).loadStateDict(weights))
    using none = await compile(sequential([dense(2, { activation: 'linear' })]).loadStateDict(weights))
    const result = inside.run({ input: x }).output
    expect(beside.run({ input: x }).output).toEqual(result)
    expect(none.run({ input: x }).output).not.toEqual(result)
  })

  it('dropout and the linear activation pass their input on', async () => {
    const weights = new Map(denseWeights('dense', 3, 2))
    const x = random(7, 5, 3)
    using plain = await compile(sequential([dense(2)]).loadStateDict(weights))
    using model = await compile(sequential([input([3]), dropout(0.5), dense(2), dropout(0.1), activation('linear')]).loadStateDict(weights))
    expect(model.run({ input: x })).toEqual(plain.run({ input: x }))
    expect(sequential([dropout(0), dense(2), dropout(1)]).layerNames).toEqual(['dropout', 'dense', 'dropout_1'])
  })

  it('refuse what they do not know, by text', () => {
    expectError(() => dense(0), 'VALUE', "dense: expected a whole number >= 1 for 'units', got 0")
    expectError(() => dense(2, { units: 3 } as object), 'VALUE', "dense: 'units' and 'units' are the same option")
    expectError(() => dense({ units: 2, out_features: 2 }), 'VALUE', "dense: 'units' and 'out_features' are the same option")
    expectError(() => dense(2, { kernel: 1 } as object), 'VALUE', "dense: no option 'kernel'; options are units, name, inputSize, bias, activation")
    expectError(() => dense(2, { activation: 'gelo' as 'relu' }), 'VALUE', /^dense: activation: no activation "gelo" \(did you mean 'gelu'\?\); there are linear,/)
    expectError(() => activation('__proto__' as 'relu'), 'VALUE', /^activation: no activation "__proto__"; there are linear,/)
    expectError(() => dense(2, { bias: 0 as unknown as boolean }), 'VALUE', "dense: expected true or false for 'bias', got 0")
    expectError(() => embedding(0, 4), 'VALUE', "embedding: expected a whole number >= 1 for 'vocabulary', got 0")
    expectError(() => embedding(4, 1.5), 'VALUE', "embedding: expected a whole number >= 1 for 'width', got 1.5")
    expectError(() => embedding(4, 4, { mask: true } as object), 'VALUE', "embedding: no option 'mask'; options are name")
    expectError(() => dropout(1.5), 'VALUE', "dropout: expected a number from 0 to 1 for 'rate', got 1.5")
    expectError(() => dropout(NaN), 'VALUE', "dropout: expected a number from 0 to 1 for 'rate', got NaN")
    expectError(() => dropout('0.5' as unknown as number), 'VALUE', "dropout: expected a number from 0 to 1 for 'rate', got \"0.5\"")
  })
})

describe('sequential', () => {
  it('names layers as Keras does', () => {
    const layers = [embedding(5, 3), lstm(4, { returnSequences: true }), lstm(4, { name: 'top', returnSequences: true }), lstm(4, { returnSequences: true }), lstm(4), dense(2), dense(1)]
    expect(sequential(layers).layerNames).toEqual(['embedding', 'lstm', 'top', 'lstm_1', 'lstm_2', 'dense', 'dense_1'])
  })

  it('refuses two layers of one name, an empty list, and entries that are no layers', () => {
    expectError(() => sequential([lstm(4, { name: 'a' }), dense(2, { name: 'a' })]), 'VALUE', "sequential: two layers are named 'a'")
    expectError(() => sequential([lstm(4, { name: 'lstm_1' }), lstm(4), lstm(4)]), 'VALUE', "sequential: two layers are named 'lstm_1'")
    expectError(() => sequential([]), 'VALUE', 'sequential: expected at least one layer, got none')
    expectError(() => sequential([input([3])]), 'VALUE', 'sequential: expected at least one layer, got none')
    expectError(() => sequential([dense(2), input([3])]), 'VALUE', 'sequential: expected a layer at position 1, got Object; input() may stand first only')
    expectError(() => sequential([dense(2), 'relu' as unknown as Layer]), 'VALUE', 'sequential: expected a layer at position 1, got "relu"; input() may stand first only')
    expectError(() => sequential([dense(2)], { outputs: 'y' } as object), 'VALUE', "sequential: no option 'outputs' (did you mean 'output'?); options are input, output, unbatched")
  })

  it('takes names for its input and output', () => {
    const graph = sequential([dense(2), activation('relu')], { input: 'pixels', output: 'scores' }).loadStateDict(new Map(denseWeights('dense', 3, 2))).toGraph()
    expect(graph.inputs[0]?.name).toBe('pixels')
    expect(graph.outputs).toEqual([{ name: 'scores', value: 'scores' }])
    expect(graph.nodes.map(({ inputs, outputs }) => [...inputs, ...outputs])).toEqual([['pixels', 'dense/output'], ['dense/output', 'scores']])
  })

  it('takes the shape of its input from input()', () => {
    const described = (entry: ReturnType<typeof input>): Graph['inputs'] =>
      sequential([entry, lstm(4)]).loadStateDict(new Map(lstmWeights('lstm', 3, 4))).toGraph().inputs
    expect(described(input([28, 3]))).toEqual([{ name: 'input', dtype: 'float32', shape: ['batch', 28, 3] }])
    expect(described(input(['steps', 3], { name: 'rows' }))).toEqual([{ name: 'rows', dtype: 'float32', shape: ['batch', 'steps', 3] }])
    const tokens = sequential([input([9], { dtype: 'int32' }), embedding(5, 3)]).loadStateDict({ 'embedding.weight': random(1, 5, 3) }).toGraph()
    expect(tokens.inputs).toEqual([{ name: 'input', dtype: 'int32', shape: ['batch', 9] }])
    expectError(() => input([0]), 'VALUE', 'input: expected sizes >= 1 or names, got [0]')
    expectError(() => input(['']), 'VALUE', 'input: expected sizes >= 1 or names, got [""]')
    expectError(() => input(28 as unknown as number[]), 'VALUE', 'input: expected sizes >= 1 or names, got 28')
    expectError(() => input([1], { dtype: 'int64' as 'int32' }), 'VALUE', "input: expected 'float32' or 'int32' or 'uint8' for 'dtype', got \"int64\"")
    expectError(() => input([1], { batch: 2 } as object), 'VALUE', "input: no option 'batch'; options are name, dtype")
  })

  it('hints at returnSequences where a layer needs every timestep', () => {
    const weights = new Map([...lstmWeights('lstm', 3, 4), ...lstmWeights('lstm_1', 4, 4)])
    expectError(
      () => sequential([lstm(4), lstm(4)]).loadStateDict(weights), 'SHAPE',
      "lstm 'lstm_1': expected [batch, timesteps, features], got [batch, 4]; does the layer before it need returnSequences: true?",
    )
    expect(sequential([lstm(4, { returnSequences: true }), lstm(4)]).loadStateDict(weights).toGraph().nodes).toHaveLength(2)
  })

  it('has no graph before it has weights', () => {
    expectError(() => sequential([dense(2)]).toGraph(), 'VALUE', "sequential: no weights yet; call loadStateDict first (layers: 'dense')")
    expectError(() => sequential([lstm(2), dense(2)]).toGraph(), 'VALUE', "sequential: no weights yet; call loadStateDict first (layers: 'lstm', …)")
  })
})

describe('loadStateDict', () => {
  const net = (): ReturnType<typeof sequential> => sequential([lstm(2, { name: 'rnn' }), dense(1, { name: 'fc' })])
  const weights: [string, NdArray][] = [...lstmWeights('rnn', 3, 2), ...denseWeights('fc', 2, 1)]

  it('takes a Map or an object', () => {
    const graph = net().loadStateDict(new Map(weights)).toGraph()
    expect(net().loadStateDict(Object.fromEntries(weights)).toGraph()).toEqual(graph)
    expect([...graph.constants.keys()]).toEqual([
      'rnn.weight_ih_l0', 'rnn.weight_hh_l0', 'rnn.bias_ih_l0', 'rnn.bias_hh_l0', 'fc.weight', 'fc.bias',
    ])
  })

  it('lists all missing, unused and misshapen tensors at once', () => {
    const some = new Map(weights)
    some.delete('rnn.bias_hh_l0')
    some.delete('fc.bias')
    some.set('rnn.weight_hh_l0', random(1, 8, 3))
    some.set('fc.weight', new NdArray(new Int32Array(2), [1, 2]))
    some.set('extra.a', random(1, 2, 2))
    some.set('fc.beta', random(1))
    expectError(() => net().loadStateDict(some), 'SHAPE', [
      "loadStateDict: missing: 'rnn.bias_hh_l0' [8], 'fc.bias' [1]",
      "unused: 'extra.a' [2, 2], 'fc.beta' []",
      "misshapen: 'rnn.weight_hh_l0' has [8, 3], expected [8, 2], 'fc.weight' is int32, expected float32",
    ].join('; '))
  })

  it('lists one kind alone', () => {
    expectError(() => net().loadStateDict(new Map(weights.slice(0, -1))), 'SHAPE', "loadStateDict: missing: 'fc.bias' [1]")
    expectError(() => net().loadStateDict(new Map([...weights, ['x', random(1, 3)]])), 'SHAPE', "loadStateDict: unused: 'x' [3]")
    expectError(
      () => net().loadStateDict(new Map([...weights.slice(0, -1), ['fc.bias', random(1, 2)]])), 'SHAPE', "loadStateDict: misshapen: 'fc.bias' has [2], expected [1]",
    )
  })

  it('says what there is when the input size is not known', () => {
    expectError(
      () => net().loadStateDict({ 'a.weight': random(1, 2, 3) }), 'SHAPE',
      "sequential: the input size of 'rnn' is not known: no tensors of that name among 'a.weight'; rename the layer, give loadStateDict names: { rnn: '...' }, or begin with input([...])",
    )
    expectError(() => net().loadStateDict({}), 'SHAPE', /no tensors of that name among none; rename/)
    expectError(
      () => sequential([lstm(2, { name: 'rnn', inputSize: 3 })]).loadStateDict({}), 'SHAPE',
      "loadStateDict: missing: 'rnn.weight_ih_l0' [8, 3], 'rnn.weight_hh_l0' [8, 2], 'rnn.bias_ih_l0' [8], 'rnn.bias_hh_l0' [8]",
    )
  })

  it('maps names of layers to prefixes in the file', () => {
    const renamed = new Map([...lstmWeights('encoder.rnn', 3, 2), ...denseWeights('fc', 2, 1)])
    const graph = net().loadStateDict(renamed, { names: { rnn: 'encoder.rnn' } }).toGraph()
    expect(graph.nodes.map(({ name }) => name)).toEqual(['rnn', 'fc'])
    expect(graph.nodes[0]?.parameters['0.forward.inputWeights']).toBe('encoder.rnn.weight_ih_l0')
    const bare = new Map([...lstmWeights('', 3, 2), ...denseWeights('fc', 2, 1)])
    expect(net().loadStateDict(bare, { names: { rnn: '' } }).toGraph().nodes[0]?.parameters['0.forward.inputBias']).toBe('bias_ih_l0')
    expectError(() => net().loadStateDict(renamed, { names: { lstm: 'x' } }), 'VALUE', "loadStateDict: names: no layer 'lstm'; layers are rnn, fc")
    expectError(() => net().loadStateDict(renamed, { prefix: 'x' } as object), 'VALUE', "loadStateDict: no option 'prefix'; options are names, ignore")
    expectError(
      () => sequential([dense(2, { name: 'a' }), dense(2, { name: 'b' })]).loadStateDict(new Map(denseWeights('a', 2, 2)), { names: { b: 'a' } }), 'VALUE',
      "loadStateDict: two layers want the tensor 'a.weight'",
    )
  })

  it('leaves out the tensors it is told to ignore', () => {
    const more = new Map([...weights, ['scale', random(1, 1)] as const])
    expect([...net().loadStateDict(more, { ignore: ['scale'] }).toGraph().constants.keys()]).toEqual(weights.map(([name]) => name))
    expectError(() => net().loadStateDict(more, { ignore: ['scales'] }), 'VALUE', "loadStateDict: ignore: no tensor 'scales'")
    expectError(() => net().loadStateDict(more, { ignore: 'scale' as unknown as string[] }), 'VALUE', "loadStateDict: expected a list of names for 'ignore', got \"scale\"")
  })

  it('takes the tensors of a torch.nn.LSTMCell for an LSTM of one layer', () => {
    const cell = new Map(weights.map(([name, tensor]) => [name.replace(/_l0$/, ''), tensor]))
    expect(net().loadStateDict(cell).toGraph().nodes[0]?.parameters['0.forward.inputWeights']).toBe('rnn.weight_ih')
    expectError(() => sequential([lstm(2, { name: 'rnn', numLayers: 2, inputSize: 3 })]).loadStateDict(cell), 'SHAPE', /^loadStateDict: missing: 'rnn.weight_ih_l0' /)
  })

  it.each(['constructor', 'toString', '__proto__'])('knows a layer called %s by its name', (name) => {
    const graph = sequential([dense(2, { name })]).loadStateDict(new Map(denseWeights(name, 3, 2))).toGraph()
    expect(graph.nodes[0]?.parameters).toEqual({ weight: `${name}.weight`, bias: `${name}.bias` })
  })

  it('leaves the layers as they were when it fails', () => {
    const model = net()
    expectError(() => model.loadStateDict(new Map(weights.slice(1))), 'SHAPE', /.*/)
    expectError(() => model.toGraph(), 'VALUE', /^sequential: no weights yet/)
    const graph = model.loadStateDict(new Map(weights)).toGraph()
    expectError(() => model.loadStateDict(new Map([...weights, ['x', random(1, 1)]])), 'SHAPE', "loadStateDict: unused: 'x' [1]")
    expect(model.toGraph()).toBe(graph)
  })

  it('refuses what is no state dict', () => {
    const text = 'loadStateDict: expected arrays with dtype, shape and data that fills it, got'
    expectError(() => net().loadStateDict({ tensors: new Map(weights) } as unknown as StateDict), 'VALUE', `${text} Map for 'tensors'`)
    expectError(() => net().loadStateDict({ 'fc.bias': [1] } as unknown as StateDict), 'VALUE', `${text} Array for 'fc.bias'`)
    expectError(
      () => net().loadStateDict({ 'fc.bias': { dtype: 'float32', shape: [3], data: new Float32Array(2) } }), 'VALUE', `${text} Object for 'fc.bias'`,
    )
    expectError(
      () => net().loadStateDict({ 'fc.bias': { dtype: 'float32', shape: [2], data: new Int32Array(2) } }), 'VALUE', `${text} Object for 'fc.bias'`,
    )
  })
})
