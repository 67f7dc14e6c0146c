// What the playground draws of the inside of a layer is what the library computes: every setting of the three cells.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { load } from '../../../dist/index.js'
import { ROOT } from '../paths.mjs'
import { recurrentNodes, watchNode } from '../../playground/probe.mjs'

const TOLERANCE = 2e-6 // float32 sums in another order, and other approximations of exp

/** Numbers from -1 to 1 that are the same for the same seed. */
function numbers(seed, length, scale = 1) {
  let state = seed
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state / 2 ** 31 - 1) * scale
  })
}

/** Attributes of a node over 3 features: [operator, settings]. */
const CASES = {
  'an LSTM': ['lstm', {}],
  'the last step only': ['lstm', { returnSequences: false }],
  'sequences that are time-major': ['lstm', { timeMajor: true }],
  'backwards': ['lstm', { direction: 'reverse' }],
  'backwards, the last step only': ['lstm', { direction: 'reverse', returnSequences: false }],
  'two bidirectional layers': ['lstm', { numLayers: 2, direction: 'bidirectional' }],
  'two bidirectional layers, the last step only': ['lstm', { numLayers: 2, direction: 'bidirectional', returnSequences: false }],
  'a projection with a clip': ['lstm', { projSize: 4, projClip: 0.2 }],
  'peepholes, forget bias, clips': ['lstm', { forgetBias: 1, cellClip: 0.3, clip: 0.9 }, 'peepholes'],
  'coupled gates': ['lstm', { coupling: 'forgetIsOneMinusInput' }],
  'gates coupled the other way': ['lstm', { coupling: 'inputIsOneMinusForget' }],
  'other activations': ['lstm', { activations: ['hardSigmoid', 'relu', 'softsign'], activationAlpha: [1 / 6, 0, 0], activationBeta: [0.5, 0, 0] }],
  'initial states': ['lstm', { numLayers: 2, direction: 'bidirectional' }, 'states'],
  'the last state alone': ['lstm', { numLayers: 2, direction: 'bidirectional' }, 'last'],
  'a GRU': ['gru', {}],
  'a GRU with the reset before the product': ['gru', { resetAfter: false, clip: 1.5 }],
  'a bidirectional GRU with initial states': ['gru', { direction: 'bidirectional', returnSequences: false }, 'states'],
  'a plain RNN': ['rnn', { numLayers: 2 }, 'states'],
}
const [FEATURES, UNITS, TIMESTEPS, BATCH] = [3, 5, 7, 2]
const GATES = { lstm: 4, gru: 3, rnn: 1 }

/** A graph of one recurrent node, with numbers as its weights. */
function graphOf([op, settings, more]) {
  const attributes = { hiddenSize: UNITS, numLayers: 1, direction: 'forward', timeMajor: false, returnSequences: true, reversedOutput: false, ...settings }
  const directions = attributes.direction === 'bidirectional' ? ['forward', 'reverse'] : [attributes.direction]
  const rows = GATES[op] * UNITS
  const size = attributes.projSize ?? UNITS
  const constants = new Map()
  const parameters = {}
  for (let layer = 0; layer < attributes.numLayers; layer++) {
    for (const direction of directions) {
      const shapes = {
        inputWeights: [rows, layer === 0 ? FEATURES : size * directions.length], recurrentWeights: [rows, size], inputBias: [rows], recurrentBias: [rows],
        ...(more === 'peepholes' && { peepholes: [3 * UNITS] }), ...(attributes.projSize && { projection: [size, UNITS] }),
      }
      for (const [name, shape] of Object.entries(shapes)) {
        const role = `${layer}.${direction}.${name}`
        parameters[role] = role
        constants.set(role, { dtype: 'float32', shape, data: numbers(constants.size + 1, shape.reduce((product, length) => product * length, 1)) })
      }
    }
  }
  const states = op === 'lstm' ? ['h0', 'c0'] : ['h0']
  const stateShape = (name) => [attributes.numLayers * directions.length, 'batch', name === 'h0' ? size : UNITS]
  return {
    inputs: [
      { name: 'x', dtype: 'float32', shape: attributes.timeMajor ? ['timesteps', 'batch', FEATURES] : ['batch', 'timesteps', FEATURES] },
      ...(more === 'states' ? states.map((name) => ({ name, dtype: 'float32', shape: stateShape(name) })) : []),
    ],
    outputs: [{ name: 'y', value: 'y' }],
    nodes: [{
      name: 'node', op, inputs: ['x', ...(more === 'states' ? states : [])], outputs: (more === 'last' ? ['', 'y', ''] : ['y', '', '']).slice(0, states.length + 1),
      parameters, attributes,
    }],
    constants,
  }
}

/** Inputs of such a graph. */
function inputsOf({ inputs }) {
  return Object.fromEntries(inputs.map(({ name, shape }, n) => {
    const sizes = shape.map((size) => ({ batch: BATCH, timesteps: TIMESTEPS })[size] ?? size)
    return [name, { dtype: 'float32', shape: sizes, data: numbers(90 + n, sizes.reduce((product, size) => product * size, 1), 2) }]
  }))
}

describe('signals of', () => {
  for (const [title, setting] of Object.entries(CASES)) {
    test(title, async () => {
      const graph = graphOf(setting)
      const [{ node, why }] = recurrentNodes(graph)
      assert.equal(why, undefined)
      for (const row of [0, 1]) {
        const { cells, timesteps, difference } = await watchNode(graph, node, inputsOf(graph), row)
        assert.equal(timesteps, TIMESTEPS)
        assert.ok(difference < TOLERANCE, `row ${row}: ${difference}`)
        for (const { signals } of cells) for (const [name, values] of Object.entries(signals)) assert.ok(values.some((value) => value !== 0), name)
      }
    })
  }

  test('other settings than the node has would be seen', async () => {
    for (const wrong of [{ forgetBias: 1 }, { coupling: 'forgetIsOneMinusInput' }, { direction: 'reverse' }, { activations: ['sigmoid', 'relu', 'tanh'] }]) {
      const graph = graphOf(CASES['an LSTM'])
      const [{ node }] = recurrentNodes(graph)
      const parameters = Object.fromEntries(Object.entries(node.parameters).map(([role, constant]) => [role.replace('forward', wrong.direction ?? 'forward'), constant]))
      const { difference } = await watchNode(graph, { ...node, parameters, attributes: { ...node.attributes, ...wrong } }, inputsOf(graph))
      assert.ok(difference > 0.01, JSON.stringify(wrong))
    }
  })

  test('what cannot be drawn is said', async () => {
    const why = (changes) => recurrentNodes({ nodes: [{ ...graphOf(CASES['an LSTM']).nodes[0], ...changes }] })[0].why
    assert.match(why({ attributes: { layerNorm: true } }), /layer-normalised/)
    assert.match(why({ inputs: ['x', '', '', 'mask'] }), /mask/)
    const graph = graphOf(['lstm', { activations: ['sigmoid', 'mish', 'tanh'] }])
    await assert.rejects(watchNode(graph, graph.nodes[0], inputsOf(graph)), /its activation is 'mish'/)
  })
})

const REAL = process.env.REAL_MODELS ?? join(ROOT, '..', 'shared', 'models')

describe('real models', { skip: !existsSync(REAL) }, () => {
  for (const name of ['system-identification/lstm.pt', 'text-classifier/sentiment_model.h5', 'aircraft/lstm_model.onnx', 'sentence-boundary/model.onnx']) {
    test(name, async () => {
      const model = await load(new Uint8Array(await readFile(join(REAL, name))))
      const graph = model.toGraph()
      const inputs = Object.fromEntries(model.inputs.filter(({ optional }) => optional !== true).map(({ name: input, dtype, shape }, n) => {
        const sizes = shape.map((size, axis) => (typeof size === 'number' ? size : axis === 0 ? 2 : 9))
        const length = sizes.reduce((product, size) => product * size, 1)
        const data = dtype === 'float32' ? numbers(n + 1, length) : { int32: Int32Array, uint8: Uint8Array }[dtype].from(numbers(n + 1, length, 30), Math.abs)
        return [input, { dtype, shape: sizes, data }]
      }))
      for (const { node, why } of recurrentNodes(graph)) {
        assert.equal(why, undefined)
        const { difference } = await watchNode(graph, node, inputs, 1)
        assert.ok(difference < 1e-5, `${node.name}: ${difference}`)
      }
      model.dispose()
    })
  }
})
