// Files with weights only, as a state dict for layers written by hand: tensors under PyTorch's names and in its
// layouts, so that `sequential([...]).loadStateDict` takes them.
import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import { cudnnBiases, cudnnKernel, isCudnn } from './layers/cudnn.ts'
import { gatesWereHard } from './dialect.ts'
import { transposed } from './emitter.ts'
import { messageOf, wayOn } from '../state-dicts/message.ts'
import { sourceOf } from '../state-dicts/quote.ts'
import type { Hdf5Object } from '../hdf5/hdf5.ts'
import { malformed } from './settings.ts'
import { segmentsOf } from './weights.ts'

/** Tensors that belong together: those of one cell, one dense layer. */
export interface TensorGroup {
  /** The layer they belong to. */
  readonly layer: string
  /** Where inside the layer: `forward_lstm`, `lstm_cell_1`. */
  readonly inside: readonly string[]
  /** By Keras's names, or by number. */
  readonly tensors: ReadonlyMap<string, NdArray>
}

/** All tensors of a file, by layer, in the file's order. */
export function tensorGroups(root: Hdf5Object): TensorGroup[] {
  const layers = root.find('model_weights') ?? root
  const names = layers.textList('layer_names')
  return names === undefined ? placedGroups(root) : names.flatMap((name) => namedGroups(layers.find(name), name))
}

function namedGroups(group: Hdf5Object | undefined, layer: string): TensorGroup[] {
  if (group === undefined) return []
  const groups: Map<string, { inside: string[], tensors: Map<string, NdArray> }> = new Map()
  for (const name of group.textList('weight_names') ?? []) {
    const dataset = group.find(name)
    const inside = segmentsOf(name)
    const last = inside.pop()
    if (dataset === undefined || last === undefined) throw malformed(`the file has no tensor '${name}' in '${group.path}', though it lists it`)
    const key = inside.join('/')
    const found = groups.get(key) ?? { inside, tensors: new Map<string, NdArray>() }
    groups.set(key, found)
    found.tensors.set(last, dataset.read())
  }
  return [...groups.values()].map((found) => ({ layer, ...found }))
}

/** Places without a layer of their own in the name. */
const CONTAINERS = ['layers', '_layer_checkpoint_dependencies', 'cells', 'cell', 'layer', 'forward_layer', 'backward_layer']

/** Levels of groups: Keras makes a few. */
const MAX_DEPTH = 64

function placedGroups(root: Hdf5Object): TensorGroup[] {
  const groups: TensorGroup[] = []
  const visited: Set<number> = new Set()
  const visit = (object: Hdf5Object, path: readonly string[]): void => {
    if (visited.has(object.address)) return
    visited.add(object.address)
    if (path.length > MAX_DEPTH) throw new LstmError('FORMAT', `Keras: expected at most ${MAX_DEPTH} groups inside each other, got '${object.path}'`)
    const variables = object.find('vars')
    if (variables !== undefined && variables.names.length > 0) {
      const tensors = new Map([...variables.names].sort((a, b) => Number(a) - Number(b))
        .map((name) => [name, (variables.find(name) as Hdf5Object).read()] as const))
      const end = path.findIndex((segment, index) => index > 0 && CONTAINERS.includes(segment) && segment !== 'layers')
      const layer = path.slice(0, end < 0 ? path.length : end).filter((segment) => !CONTAINERS.includes(segment))
      groups.push({ layer: layer.join('.'), inside: path, tensors })
    }
    // The optimizer's state is in the file too.
    for (const name of object.names) {
      if (name === 'vars' || name === 'seed_generator' || (path.length === 0 && name.startsWith('optimizer'))) continue
      const member = object.find(name)
      // Written on Windows, a name has several levels.
      if (member?.isGroup) visit(member, [...path, ...name.split('\\')])
    }
  }
  visit(root, [])
  return groups
}

/**
 * The weights of a file under PyTorch's names: `NAME.weight_ih_l0` and so on for LSTMs, `NAME.weight` and `NAME.bias` for
 * dense layers and embeddings. NAME is the layer's in Keras 2 files; in `.weights.h5` files of Keras 3, which have no
 * names, its class and number: `lstm`, `lstm_1`. Tensors of other layers keep their names and layouts.
 */
export function stateDictOf(groups: readonly TensorGroup[]): Map<string, NdArray> {
  const stateDict: Map<string, NdArray> = new Map()
  const put = (name: string, tensor: NdArray): void => {
    if (stateDict.has(name)) throw new LstmError('FORMAT', `Keras: two tensors would be named '${name}'`)
    stateDict.set(name, tensor)
  }
  const lstmCounts: Map<string, number> = new Map()
  for (const group of groups) {
    const { layer, inside, tensors } = group
    const lstm = asLstm(tensors)
    if (lstm !== undefined) {
      const direction = inside.some((segment) => segment.startsWith('backward_')) ? '_reverse' : ''
      // Cells on top of each other are PyTorch's layers.
      const index = lstmCounts.get(layer + direction) ?? 0
      lstmCounts.set(layer + direction, index + 1)
      for (const [name, tensor] of lstm) put(`${layer}.${name}_l${index}${direction}`, tensor)
    } else if (isEmbedding(group)) put(`${layer}.weight`, [...tensors.values()][0] as NdArray)
    else {
      const dense = asDense(tensors)
      for (const [name, tensor] of dense ?? tensors) put(`${layer}.${name}`, tensor)
    }
  }
  return stateDict
}

function asLstm(tensors: ReadonlyMap<string, NdArray>): [string, NdArray][] | undefined {
  const [kernel, recurrent, bias, ...more] = [...tensors.values()]
  const gates = recurrent?.shape[1]
  const units = (gates ?? 0) / 4
  const fits = more.length === 0 && kernel?.shape.length === 2 && recurrent?.shape.length === 2 && kernel.shape[1] === gates
    && gates === 4 * (recurrent.shape[0] as number) && (bias === undefined || (bias.shape.length === 1 && bias.shape[0] === gates) || isCudnn(bias, units))
  if (!fits || kernel === undefined || recurrent === undefined) return undefined
  if (bias !== undefined && isCudnn(bias, units)) {
    const [input, recurrence] = cudnnBiases(bias)
    return [['weight_ih', cudnnKernel(kernel)], ['weight_hh', cudnnKernel(recurrent)], ['bias_ih', input], ['bias_hh', recurrence]]
  }
  return [
    ['weight_ih', transposed(kernel)],
    ['weight_hh', transposed(recurrent)],
    // PyTorch has two biases, which are added.
    ...(bias === undefined ? [] : [['bias_ih', bias], ['bias_hh', new NdArray(new Float32Array(bias.data.length), bias.shape)]] as [string, NdArray][]),
  ]
}

function isEmbedding({ layer, tensors }: TensorGroup): boolean {
  const [first] = tensors
  if (first === undefined || tensors.size > 1 || first[1].shape.length !== 2) return false
  return first[0] === 'embeddings' || (first[0] === '0' && layer.includes('embedding'))
}

function asDense(tensors: ReadonlyMap<string, NdArray>): [string, NdArray][] | undefined {
  const [kernel, bias, ...more] = [...tensors.values()]
  if (kernel?.shape.length !== 2 || more.length > 0 || (bias !== undefined && formatShape(bias.shape) !== `[${kernel.shape[1]}]`)) return undefined
  return [['weight', transposed(kernel)], ...(bias === undefined ? [] : [['bias', bias]] as [string, NdArray][])]
}

/**
 * What to do with a file that has weights only.
 * @param version of Keras that wrote it, where the file says
 * @param location where it was loaded from
 */
export function weightsOnlyError(root: Hdf5Object, version: string | undefined, location: string | undefined): LstmError {
  const tensors = stateDictOf(tensorGroups(root))
  const layers = root.find('model_weights') ?? root
  const what = 'this file holds weights, but not how they are connected (it was written by save_weights). Its tensors, under PyTorch\'s names:'
  return new LstmError('UNSUPPORTED', messageOf(what, tensors, [
    "Save the whole model where it was trained, model.save('model.keras'), and load that file; or give the option architecture: what model.to_json() returns.",
    ...wayOn(tensors, {
      imports: "import { readKerasWeights } from 'lstm-wasm/keras'",
      lines: [`const tensors = await readKerasWeights(${sourceOf(location)})`, ...defaultsOf(tensors, version)],
      inOrder: layers.textList('layer_names') !== undefined,
      otherwise: [],
    }),
  ]))
}

/** Where LSTMs of the file have by default what layers here do not have. */
function defaultsOf(tensors: ReadonlyMap<string, NdArray>, version: string | undefined): string[] {
  const isKnown = version !== undefined && /^[\w.+-]{1,32}$/.test(version)
  if (!isKnown || !gatesWereHard(version) || ![...tensors.keys()].some((name) => name.includes('.weight_ih_l'))) return []
  return [`// The file is of Keras ${version}, whose LSTMs have the recurrentActivation { name: 'hardSigmoid', keras: 2 } unless the model says otherwise; these have 'sigmoid'.`]
}
