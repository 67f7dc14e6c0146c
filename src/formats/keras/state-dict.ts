// Files with weights only, as a state dict for layers written by hand: tensors under PyTorch's names and in its
// layouts, so that `sequential([...]).loadStateDict` takes them.
import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import { GATE_ORDERS, inOrder } from './layers/cells.ts'
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
 * The weights of a file under PyTorch's names: `NAME.weight_ih_l0` and so on for LSTMs, GRUs and plain RNNs, `NAME.weight` and `NAME.bias` for
 * dense layers and embeddings. NAME is the layer's in Keras 2 files; in `.weights.h5` files of Keras 3, which have no
 * names, its class and number: `lstm`, `lstm_1`. Tensors of other layers keep their names and layouts.
 */
export function stateDictOf(groups: readonly TensorGroup[]): Map<string, NdArray> {
  const stateDict: Map<string, NdArray> = new Map()
  const put = (name: string, tensor: NdArray): void => {
    if (stateDict.has(name)) throw new LstmError('FORMAT', `Keras: two tensors would be named '${name}'`)
    stateDict.set(name, tensor)
  }
  const counts: Map<string, number> = new Map()
  for (const group of groups) {
    const { layer, inside, tensors } = group
    if ([...tensors.values()].some(({ dtype, shape }) => dtype !== 'float32' && shape.length > 1)) {
      throw new LstmError('UNSUPPORTED', `Keras: the weights of '${layer}' are quantised: no state dict has them; load the whole model, as model.save('model.keras') writes it`)
    }
    const recurrent = asRecurrent(group)
    if (recurrent !== undefined) {
      const direction = inside.some((segment) => segment.startsWith('backward_')) ? '_reverse' : ''
      // Cells on top of each other are PyTorch's layers.
      const index = counts.get(layer + direction) ?? 0
      counts.set(layer + direction, index + 1)
      for (const [name, tensor] of recurrent) put(`${layer}.${name}_l${index}${direction}`, tensor)
    } else if (isEmbedding(group)) put(`${layer}.weight`, [...tensors.values()][0] as NdArray)
    else {
      const dense = asDense(tensors)
      for (const [name, tensor] of dense ?? tensors) put(`${layer}.${name}`, tensor)
    }
  }
  return stateDict
}

/** What weights of a recurrent layer say about it. */
interface Recurrent {
  readonly kernel: NdArray
  readonly recurrent: NdArray
  readonly bias: NdArray | undefined
  /** Where our gates stand in Keras's. */
  readonly order: readonly number[]
}

/** The weights of a cell, told by their shapes; those of a plain RNN, which has one gate, by names as well. */
function recurrentOf({ layer, inside, tensors }: TensorGroup): Recurrent | undefined {
  const [kernel, recurrent, bias, ...more] = [...tensors.values()]
  const [units = 0, columns = 0] = recurrent?.shape ?? []
  const order = units > 0 ? GATE_ORDERS.find(({ length }) => columns === length * units) : undefined
  const areKernels = more.length === 0 && kernel?.shape.length === 2 && recurrent?.shape.length === 2 && kernel.shape[1] === columns
  if (order === undefined || !areKernels) return undefined
  const shapes = [[columns], ...(order.length > 1 ? [[2 * columns]] : []), ...(order.length === 3 ? [[2, columns]] : [])]
  const fits = bias === undefined || shapes.some((shape) => formatShape(shape) === formatShape(bias.shape))
  const isNamed = order.length > 1 || tensors.has('recurrent_kernel') || [layer, ...inside].some((name) => /rnn|bidirectional/.test(name))
  return fits && isNamed ? { kernel, recurrent, bias, order } : undefined
}

/** Layers whose GRUs have one bias, as those have whose reset gate comes before the recurrent product. */
export function resetBefore(groups: readonly TensorGroup[]): ReadonlySet<string> {
  return new Set(groups.flatMap((group) => {
    const { order, bias, kernel } = recurrentOf(group) ?? {}
    return order?.length === 3 && bias?.data.length === kernel?.shape[1] ? [group.layer] : []
  }))
}

function asRecurrent(group: TensorGroup): [string, NdArray][] | undefined {
  const found = recurrentOf(group)
  if (found === undefined) return undefined
  const { kernel, recurrent, bias, order } = found
  const columns = recurrent.shape[1] as number
  const turn = (array: NdArray): NdArray => inOrder(isCudnn(bias, columns) ? cudnnKernel(array, order.length) : transposed(array), order)
  // PyTorch has two biases, which are added.
  const both = bias === undefined ? [] : bias.data.length > columns ? cudnnBiases(bias) : [bias, new NdArray(new Float32Array(columns), [columns])]
  const biases = both.map((part, n): [string, NdArray] => [n === 0 ? 'bias_ih' : 'bias_hh', inOrder(part, order)])
  return [['weight_ih', turn(kernel)], ['weight_hh', turn(recurrent)], ...biases]
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
  const groups = tensorGroups(root)
  const tensors = stateDictOf(groups)
  const layers = root.find('model_weights') ?? root
  const what = 'this file holds weights, but not how they are connected (it was written by save_weights). Its tensors, under PyTorch\'s names:'
  return new LstmError('UNSUPPORTED', messageOf(what, tensors, [
    "Save the whole model where it was trained, model.save('model.keras'), and load that file; or give the option architecture: what model.to_json() returns.",
    ...wayOn(tensors, {
      imports: "import { readKerasWeights } from 'lstm-wasm/keras'",
      lines: [`const tensors = await readKerasWeights(${sourceOf(location)})`, ...defaultsOf(tensors, version)],
      inOrder: layers.textList('layer_names') !== undefined,
      otherwise: [],
      resetBefore: resetBefore(groups),
    }),
  ]))
}

/** Where recurrent layers of the file have by default what layers here do not have. */
function defaultsOf(tensors: ReadonlyMap<string, NdArray>, version: string | undefined): string[] {
  const isKnown = version !== undefined && /^[\w.+-]{1,32}$/.test(version)
  if (!isKnown || !gatesWereHard(version) || ![...tensors.keys()].some((name) => name.includes('.weight_ih_l'))) return []
  return [`// The file is of Keras ${version}, whose LSTMs and GRUs have the recurrentActivation { name: 'hardSigmoid', keras: 2 } unless the model says otherwise; these have 'sigmoid'.`]
}
