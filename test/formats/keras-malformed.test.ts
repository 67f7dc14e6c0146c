// Descriptions of Keras models: what they say wrong is named by where it stands; and the ways to say the same that files of some version have.
import { describe, expect, it } from 'vitest'
import { MAX_DEPTH, parseLayer, parseModel } from '../../src/formats/keras/config.ts'
import type { Json } from '../../src/formats/json.ts'
import { expectError } from '../expect-error.ts'
import type { Settings } from './keras-models.ts'

const layer = (className: string, config: Json, more: Settings = {}): Json => ({ class_name: className, config, ...more })
const x = layer('InputLayer', { name: 'x', batch_input_shape: [null, 3] }, { name: 'x', inbound_nodes: [] })
const relu = (inbound: Json): Json => layer('ReLU', { name: 'r' }, { name: 'r', inbound_nodes: inbound })
const functional = (layers: Json, more: Settings = {}): Json => (
  layer('Functional', { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [['r', 0, 0]], ...more })
)
/** A list in a list, so many times. */
const nested = (levels: number, innermost: Json): Json => Array.from({ length: levels }).reduce<Json>((inner) => [inner], innermost)

describe('descriptions that are refused', () => {
  it.each<[string, Json, string]>([
    ['no class', { config: {} }, 'expected a model with a class_name, got Object'],
    ['no config', { class_name: 'Sequential' }, "model 'model': expected a list of layers, got undefined"],
    ['no layers', layer('Sequential', []), "model 'model': expected a list of layers, got Array"],
    ['a layer without a class', layer('Sequential', [{ config: {} }]), "model 'model': layer 0: expected a layer with a class_name, got Object"],
    ['a layer whose name is a number', layer('Sequential', [layer('ReLU', { name: 3 })]), "model 'model': layer 0: expected a name, got 3"],
    ['a layer whose name is empty', layer('Sequential', [layer('ReLU', { name: '' })]), "model 'model': layer 0: expected a name, got \"\""],
    ['inbound nodes that are none', functional([x, relu('x')]), "layer 'r' (ReLU): expected a list of inbound_nodes, got \"x\""],
    ['an inbound node that is none', functional([x, relu([7])]), "layer 'r' (ReLU): expected inbound_nodes, got 7"],
    ['args that are no list', functional([x, relu([{ args: 3 }])]), "layer 'r' (ReLU): expected a list of args, got 3"],
    ['an input that is no list', functional([x, relu([[7]])]), "layer 'r' (ReLU): expected inputs as lists, got 7"],
    ['an input without indices', functional([x, relu([[['x']]])]), "layer 'r' (ReLU): expected the name of a layer and two indices, got \"x\""],
    ['an input below 0', functional([x, relu([[['x', -1, 0]]])]), "layer 'r' (ReLU): expected the name of a layer and two indices, got \"x\""],
    ['a tensor without a history', functional([x, relu([{ args: [{ class_name: '__keras_tensor__', config: {} }] }])]),
      "layer 'r' (ReLU): expected a keras_history, got Object"],
    ['no outputs', functional([x, relu([[['x', 0, 0]]])], { output_layers: [] }), "model 'm': expected output_layers, got none"],
    ['inputs that are a number', functional([x, relu([[['x', 0, 0]]])], { input_layers: 5 }), "model 'm': input_layers: expected names of layers, got 5"],
    ['lists in lists as inputs', functional([x, relu([[['x', 0, 0]]])], { input_layers: nested(MAX_DEPTH + 2, ['x', 0, 0]) }),
      `model 'm': input_layers: expected at most ${MAX_DEPTH} lists inside each other`],
    ['lists in lists as arguments', functional([x, relu([{ args: nested(MAX_DEPTH + 2, 1) }])]), `layer 'r' (ReLU): expected at most ${MAX_DEPTH} lists inside each other`],
    ['models in models', Array.from({ length: MAX_DEPTH + 1 }).reduce<Json>((inner) => layer('Sequential', [inner]), layer('Sequential', [])),
      `expected at most ${MAX_DEPTH} models inside each other`],
  ])('%s', (_what, json, message) => {
    expectError(() => parseModel(json), 'FORMAT', `Keras: ${message}`)
  })

  it('layers in layers', () => {
    expectError(() => parseLayer(layer('ReLU', {}), MAX_DEPTH + 1, 'it'), 'FORMAT', `Keras: expected at most ${MAX_DEPTH} layers inside each other`)
  })
})

describe('what some versions write otherwise', () => {
  it('layers without names are called by their classes', () => {
    expect(parseLayer(layer('ReLU', {}), 0, 'it').name).toBe('relu')
  })

  it('an input for a first layer gets a name that no layer has', () => {
    const { layers } = parseModel(layer('Sequential', [layer('ReLU', { name: 'r', batch_input_shape: [null, 3] })]))
    expect(layers.map(({ name }) => name)).toEqual(['r_input', 'r'])
  })

  it('arguments that are no tensors stand in lists, or are wrapped', () => {
    const argsOf = (inbound: Json): unknown => parseModel(functional([x, relu(inbound)])).layers[1]?.nodes[0]?.args
    const ref = { ref: { layer: 'x', node: 0, tensor: 0 } }
    expect(argsOf([[['_CONSTANT_VALUE', -1, 2.5], ['x', 0, 0]]])).toEqual([{ json: 2.5 }, ref])
    expect(argsOf([[['_CONSTANT_VALUE', -1], ['x', 0, 0]]])).toEqual([{ json: null }, ref])
    expect(argsOf([['x', 0, 0]])).toEqual([ref])
    const tuple = (more: Settings): Json => ({ class_name: '__tuple__', ...more })
    expect(argsOf([{ args: [tuple({ items: [1, 2] }), tuple({ config: { items: [3] } }), tuple({})] }])).toEqual([
      { list: [{ json: 1 }, { json: 2 }] }, { list: [{ json: 3 }] }, { list: [] },
    ])
    expect(argsOf([{ args: [{ class_name: '__numpy__', config: { value: [4, 5] } }, { class_name: '__numpy__' }] }])).toEqual([
      { json: [4, 5] }, { json: { class_name: '__numpy__' } },
    ])
    expect(argsOf([{}])).toEqual([])
  })
})
