// Files of Keras 3 (.keras): a zip archive of config.json, metadata.json and model.weights.h5.
import { LstmError } from '../../errors.ts'
import type { TypedGraph } from '../../graph/infer.ts'
import { Names } from '../names.ts'
import { Refusals, typedSource, type ExportOptions, type ExportSource } from '../source.ts'
import { writeHdf5 } from '../hdf5/writer.ts'
import { writeZip } from '../zip.ts'
import { layerWriters } from './layers.ts'
import { Masks } from './masks.ts'
import { inKerasOrder, inputLayer, modelConfig, weightGroups, type KerasLayer, type KerasTensor } from './network.ts'
import { layerName, NodeLayers, type LayerWriter, type Network } from './node-layers.ts'
import { OPERATIONS } from './operations.ts'

/** What files say that wrote them: the newest Keras that these are tried with. All of Keras 3 reads them. */
const KERAS_VERSION = '3.15.1'
/**
 * Writes a model as a `.keras` file of Keras 3: a functional model of Keras's own layers, with the names of our inputs and nodes.
 * Its first axis is the batch. Outputs are in the order of ours.
 *
 *     await writeFile('model.keras', toKeras(model)) // keras.saving.load_model('model.keras')
 *
 * @throws LstmError `UNSUPPORTED` listing every node that no layer of Keras computes, and what of it
 */
export function toKeras(source: ExportSource, options: ExportOptions = {}): Uint8Array<ArrayBuffer> {
  const typed = typedSource(source, options, 'toKeras')
  const refusals = new Refusals('toKeras')
  const network = networkOf(typed, refusals)
  // First states with their axis of layers have been refused by their layer.
  if (refusals.isEmpty) refuseOtherBatches(typed, refusals)
  const outputs = typed.graph.outputs.flatMap(({ name, value }): KerasTensor[] => {
    const tensor = network.tensors.get(value)
    if (tensor === undefined) refusals.add(`the output '${name}' is ${network.lifted.has(value) ? 'states of all layers in one tensor' : 'a constant'}; outputs: [...] (--only) chooses others`)
    return tensor === undefined ? [] : [tensor]
  })
  refusals.check('what layers of Keras do not compute')
  const inputs = typed.graph.inputs.map(({ name }) => network.tensors.get(name)?.layer as string)
  const { layers, tensors } = namedAsOutputs(inKerasOrder(network.layers, outputs), outputs, typed.graph.outputs.map(({ name }) => layerName(name)))
  const config = modelConfig(layers, inputs, tensors)
  const text = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
  return writeZip([
    ['metadata.json', text({ keras_version: KERAS_VERSION, date_saved: '1980-01-01@00:00:00' })],
    ['config.json', text(config)],
    ['model.weights.h5', writeHdf5(weightGroups(layers))],
  ])
}

function refuseOtherBatches({ graph: { inputs } }: TypedGraph, refusals: Refusals): void {
  const [first] = inputs
  for (const { name, shape } of inputs) {
    const isOther = shape[0] !== first?.shape[0] && [shape[0], first?.shape[0]].some((size) => typeof size === 'number')
    if (isOther) refusals.add(`the first axis of the input '${name}' is another one than that of '${first?.name}', and Keras has one batch for all`)
  }
}

/** Layers that make an output called as it is, where no other layer is: readers call outputs so. */
function namedAsOutputs(
  layers: readonly KerasLayer[], outputs: readonly KerasTensor[], names: readonly string[],
): { readonly layers: KerasLayer[], readonly tensors: KerasTensor[] } {
  const taken = new Set(layers.map(({ name }) => name))
  const renamed: Map<string, string> = new Map()
  outputs.forEach(({ layer, index }, n) => {
    const name = names[n] as string
    const isFree = index === 0 && !taken.has(name) && !renamed.has(layer) && layers.some((own) => own.name === layer && own.className !== 'InputLayer')
    if (!isFree) return
    renamed.set(layer, name)
    taken.add(name)
  })
  const nameOf = (name: string): string => renamed.get(name) ?? name
  const tensor = (own: KerasTensor): KerasTensor => ({ ...own, layer: nameOf(own.layer) })
  return {
    layers: layers.map((own) => (
      { ...own, name: nameOf(own.name), inputs: own.inputs.map(tensor), initialState: own.initialState.map(tensor), mask: own.mask && tensor(own.mask) }
    )),
    tensors: outputs.map(tensor),
  }
}

function networkOf(typed: TypedGraph, refusals: Refusals): Network {
  const { graph } = typed
  const uses: Map<string, number> = new Map()
  for (const value of [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ value }) => value)]) {
    if (value !== '') uses.set(value, (uses.get(value) ?? 0) + 1)
  }
  const network: Network = { typed, names: new Names(), layers: [], tensors: new Map(), lifted: new Map(), masks: new Masks(typed), uses }
  for (const { name, dtype, shape } of graph.inputs) {
    const own = network.names.unused(layerName(name))
    if (shape.length === 0) refusals.add(`the input '${name}' has no axis for the batch`)
    network.layers.push(inputLayer(own, dtype, shape))
    network.tensors.set(name, { layer: own, index: 0, dtype, shape })
  }
  const writers = layerWriters()
  for (const node of graph.nodes) {
    // Sizes are told where they are needed.
    if (node.outputs.every((value) => value === '' || typed.sizes.has(value))) continue
    refusals.attempt(() => writeNode(new NodeLayers<never>(node, network), writers))
    // What needs it is looked at all the same.
    for (const value of node.outputs) {
      const type = typed.types.get(value)
      if (type !== undefined && !network.tensors.has(value) && !network.lifted.has(value)) network.tensors.set(value, { layer: '', index: 0, ...type })
    }
  }
  return network
}

/** A layer, or else a function of keras.ops. @throws LstmError `UNSUPPORTED` where neither computes it */
function writeNode(c: NodeLayers<never>, writers: Readonly<Record<string, LayerWriter<never>>>): void {
  const { op } = c.node
  const [layer, operation] = [writers, OPERATIONS].map((table) => (Object.hasOwn(table, op) ? table[op] : undefined))
  if (layer === undefined && operation === undefined) throw c.unsupported('neither a layer of Keras nor a function of keras.ops computes it')
  try {
    return (layer ?? operation)?.(c)
  } catch (error) {
    if (layer === undefined || operation === undefined || !(error instanceof LstmError)) throw error
  }
  operation(c)
}
