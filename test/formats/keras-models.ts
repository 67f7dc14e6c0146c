// Functional models of Keras, written by hand.
import { addAllOperators } from '../../src/ops/all.ts'
import { parseModel } from '../../src/formats/keras/config.ts'
import type { Dialect } from '../../src/formats/keras/dialect.ts'
import { buildModel } from '../../src/formats/keras/network.ts'
import { isObject, type Json } from '../../src/formats/json.ts'
import { NamedWeights, type NamedTensor } from '../../src/formats/keras/weights.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { random } from '../weights.ts'

addAllOperators()

export type Settings = Readonly<Record<string, Json>>

/** A layer that is called once, with outputs of others in one list, as Keras 2 writes it. */
export function call(className: string, name: string, from: readonly string[], settings: Settings = {}, kwargs: Settings = {}): Json {
  return { class_name: className, name, config: { name, ...settings }, inbound_nodes: from.length === 0 ? [] : [from.map((other) => [other, 0, 0, kwargs])] }
}

export function input(name: string, ...shape: (number | null)[]): Json {
  return call('InputLayer', name, [], { batch_input_shape: [null, ...shape] })
}

/** A tensor `layer/name` of random numbers. */
export function tensor(layer: string, name: string, seed: number, ...shape: number[]): NamedTensor {
  return { segments: [layer, name], read: () => random(seed, ...shape) }
}

/** A model of layers; its inputs are the InputLayers, in their order. */
export function build(layers: readonly Json[], outputs: readonly Json[], dialect: Dialect, tensors: readonly NamedTensor[] = []): Graph {
  const inputs = layers.flatMap((layer): Json[] => (isObject(layer) && layer.class_name === 'InputLayer' ? [[layer.name as string, 0, 0]] : []))
  const json: Json = { class_name: 'Functional', config: { name: 'm', layers, input_layers: inputs, output_layers: outputs } }
  return buildModel(parseModel(json), new NamedWeights(tensors), { dialect, note: 'a test' })
}
