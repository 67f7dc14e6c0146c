import { LstmError } from '../errors.ts'
import { checkKind, FLAG, readOptions, RECORD, TEXT, type Kind, type OptionTable } from '../options.ts'
import { joinName, type StateDict } from '../formats/pytorch-names.ts'
import { batchedOrNot } from '../formats/unbatched.ts'
import type { Graph, GraphInput, GraphNode } from '../graph/graph.ts'
import { describeValue, dtypeOfData } from '../values/dtype.ts'
import { hasShape, type ArrayLike } from '../values/ndarray.ts'
import { tagOf } from '../values/realm.ts'
import { formatShape, lengthOf, sameShape, type SymbolicShape } from '../values/shape.ts'
import type { Layer, LayerWeightSpec } from './layer.ts'
import type { InputDescription } from './simple.ts'
import { TensorMatching } from './tensor-matching.ts'

/** Options of `sequential`. */
export interface SequentialOptions {
  /** Name of the model's input. Default `input`. */
  readonly input?: string | undefined
  /** Name of the model's output. Default `output`. */
  readonly output?: string | undefined
  /** Inputs and outputs have no axis for the batch: [timesteps, features], as PyTorch's unbatched input. Default false. */
  readonly unbatched?: boolean | undefined
}

/** Options of `loadStateDict`. */
export interface LoadStateDictOptions {
  /** Where a layer's tensors have another prefix in the file than its name: `{ lstm: 'encoder.rnn' }`; `''` for none. Default: the names of the layers. */
  readonly names?: Readonly<Record<string, string>> | undefined
  /** Tensors that no layer takes, left out: `['scale']`. Default: none, and one that no layer takes is an error. */
  readonly ignore?: readonly string[] | undefined
}

const SEQUENTIAL_OPTIONS: OptionTable<SequentialOptions> = { input: TEXT, output: TEXT, unbatched: FLAG }
const LOADING_OPTIONS: OptionTable<LoadStateDictOptions> = {
  names: { expected: 'text by the names of layers', test: (value) => RECORD.test(value) && Object.values(value as object).every(TEXT.test) },
  ignore: { expected: 'a list of names', test: (value) => Array.isArray(value) && value.every(TEXT.test) },
}

const TENSORS: Kind = { expected: 'a map of arrays by name', test: (value) => tagOf(value) === 'Map' }
const STATE_DICT: Kind = { expected: 'arrays by name', test: (value) => RECORD.test(value) || TENSORS.test(value) }

interface NamedLayer {
  readonly name: string
  readonly layer: Layer
}

/** Layers that run one after the other. Made by `sequential`. */
export class Sequential {
  readonly #layers: readonly NamedLayer[]
  readonly #described: InputDescription | undefined
  readonly #inputName: string
  readonly #outputName: string
  readonly #unbatched: boolean
  #graph: Graph | undefined

  /** Use `sequential`. */
  constructor(entries: readonly (Layer | InputDescription)[], options: SequentialOptions) {
    const { input, output, unbatched = false } = readOptions(options, SEQUENTIAL_OPTIONS, 'sequential')
    this.#unbatched = unbatched
    checkKind(entries, { expected: 'a list of layers', test: Array.isArray }, 'sequential')
    const [first, ...rest] = entries
    this.#described = isInput(first) ? first : undefined
    const layers = this.#described === undefined ? entries : rest
    if (layers.length === 0) throw new LstmError('VALUE', 'sequential: expected at least one layer, got none')
    this.#layers = nameLayers(layers)
    this.#inputName = input ?? this.#described?.name ?? 'input'
    this.#outputName = output ?? 'output'
  }

  /** Names of the layers, given or made: `lstm`, `lstm_1`, `dense`. */
  get layerNames(): string[] {
    return this.#layers.map(({ name }) => name)
  }

  /**
   * Gives the layers their weights, under PyTorch's names: `NAME.weight_ih_l0` and so on for an LSTM,
   * `NAME.weight`, `NAME.bias` for dense layers and embeddings. A `torch.nn.LSTMCell` or `GRUCell`, without `_l0` in its names, is one layer.
   *
   * @param stateDict from `readSafetensors(bytes).tensors`, or an object of arrays
   * @throws LstmError `SHAPE` unless every tensor is used exactly once: the message lists the missing, the
   *   unused and the misshapen ones; `VALUE` for what is no state dict; the layers are then as before
   */
  loadStateDict(stateDict: StateDict | Readonly<Record<string, ArrayLike>>, options: LoadStateDictOptions = {}): this {
    checkKind(stateDict, STATE_DICT, 'loadStateDict')
    const tensors: StateDict = tagOf(stateDict) === 'Map' ? stateDict as StateDict : new Map(Object.entries(stateDict))
    for (const [name, tensor] of tensors) {
      if (!hasShape(tensor) || dtypeOfData(tensor.data) !== tensor.dtype || lengthOf(tensor.shape) !== tensor.data.length) {
        throw new LstmError('VALUE', `loadStateDict: expected arrays with dtype, shape and data that fills it, got ${describeValue(tensor)} for '${name}'`)
      }
    }
    const { names = {}, ignore = [] } = readOptions(options, LOADING_OPTIONS, 'loadStateDict')
    for (const name of Object.keys(names)) {
      if (!this.layerNames.includes(name)) {
        throw new LstmError('VALUE', `loadStateDict: names: no layer '${name}'; layers are ${this.layerNames.join(', ')}`)
      }
    }
    const wanted = new Map(tensors)
    for (const name of checkNames(ignore)) {
      if (!wanted.delete(name)) throw new LstmError('VALUE', `loadStateDict: ignore: no tensor '${name}'`)
    }
    this.#graph = batchedOrNot(this.#build(wanted, names), this.#unbatched)
    return this
  }

  /**
   * The layers and their weights as a graph.
   * @param stateDict weights in the place of those that were loaded, which stay. Default: these
   * @throws LstmError `VALUE` before weights are loaded; for weights that are given, as `loadStateDict`
   */
  toGraph(stateDict?: StateDict): Graph {
    if (stateDict !== undefined) checkKind(stateDict, TENSORS, 'toGraph')
    if (stateDict !== undefined) return batchedOrNot(this.#build(stateDict, {}), this.#unbatched)
    if (this.#graph === undefined) {
      const [{ name }] = this.#layers as [NamedLayer]
      throw new LstmError('VALUE', `sequential: no weights yet; call loadStateDict first (layers: '${name}'${this.#layers.length > 1 ? ', …' : ''})`)
    }
    return this.#graph
  }

  /** Whether the layers have their weights. */
  get hasWeights(): boolean {
    return this.#graph !== undefined
  }

  /**
   * The weights that the layers want, in their order: what a state dict for them has.
   * @throws LstmError `SHAPE` where the input size is not known: begin with `input([...])`, or give the first layer its `inputSize`
   */
  weightSpecs(): LayerWeightSpec[] {
    let { shape }: { readonly shape: SymbolicShape } = this.#graphInput(new Map(), {})
    return this.#layers.flatMap(({ name, layer }) => {
      const features = shape.at(-1)
      const specs = layer.tensors(typeof features === 'number' ? features : 0)
      shape = layer.outputShape(shape, name)
      const gates = layer.kind.startsWith('lstm') ? 4 : layer.kind.startsWith('gru') ? 3 : 1
      const inputWeights = specs.find(({ role }) => role.includes('inputWeights'))
      const units = inputWeights === undefined ? undefined : (inputWeights.shape[0] as number) / gates
      return specs.map((spec) => ({ name: joinName(name, spec.name), kind: layer.kind, role: spec.role, shape: spec.shape, units }))
    })
  }

  #build(tensors: StateDict, names: Readonly<Record<string, string>>): Graph {
    const input = this.#graphInput(tensors, names)
    const inputs: GraphInput[] = [input]
    const outputs: string[] = []
    const nodes: GraphNode[] = []
    const constants: Map<string, ArrayLike> = new Map()
    const matching = new TensorMatching(tensors)
    let value = this.#inputName
    let shape: SymbolicShape = input.shape
    this.#layers.forEach(({ name, layer }, position) => {
      const features = shape.at(-1)
      // Before any features are known (an embedding's indices) there are none to size a weight by.
      const specs = layer.tensors(typeof features === 'number' ? features : 0)
      const parameters = matching.take(prefixOf(name, names), specs, layer.trainingOnly)
      const output = position === this.#layers.length - 1 ? this.#outputName : `${name}/output`
      const built = layer.build(name, value, output, parameters, shape)
      nodes.push(...built.nodes)
      for (const port of built.inputs ?? []) addInput(inputs, port)
      outputs.push(...built.outputs ?? [])
      for (const [constant, array] of Object.entries(built.constants ?? {})) constants.set(constant, array)
      shape = layer.outputShape(shape, name)
      value = built.output
    })
    matching.finish()
    return {
      inputs,
      outputs: [this.#outputName, ...outputs].map((name) => ({ name, value: name })),
      nodes,
      constants: new Map([...constants, ...[...matching.used].map((name) => [name, tensors.get(name) as ArrayLike] as const)]),
    }
  }

  #graphInput(tensors: StateDict, names: Readonly<Record<string, string>>): GraphInput {
    const [{ name, layer }] = this.#layers as [NamedLayer]
    const dtype = this.#described?.dtype ?? layer.inputDtype
    if (this.#described !== undefined) {
      return { name: this.#inputName, dtype, shape: ['batch', ...this.#described.shape] }
    }
    if (layer.inputDtype === 'int32') return { name: this.#inputName, dtype, shape: ['batch', 'timesteps'] }
    const features = layer.inputFeatures(tensors, prefixOf(name, names))
    if (features === undefined) {
      throw new LstmError('SHAPE', `sequential: the input size of '${name}' is not known: no tensors of that name among ${list([...tensors.keys()])}; rename the layer, give loadStateDict names: { ${name}: '...' }, or begin with input([...])`)
    }
    return { name: this.#inputName, dtype, shape: layer.inputRank === 3 ? ['batch', 'timesteps', features] : ['batch', features] }
  }
}

/**
 * Layers that run one after the other, as Keras's Sequential.
 *
 *     sequential([embedding(65, 32), lstm(128, { returnSequences: true }), dense(65, { activation: 'softmax' })])
 *
 * Give it weights with `loadStateDict`, then make it a model with `compile`.
 *
 * @throws LstmError `VALUE` for an empty list, an entry that is no layer, or two layers of one name
 */
export function sequential(layers: readonly (Layer | InputDescription)[], options: SequentialOptions = {}): Sequential {
  return new Sequential(layers, options)
}

/** Layers may share an input, such as a mask. @throws LstmError `VALUE` where it would be two different ones */
function addInput(inputs: GraphInput[], port: GraphInput): void {
  const other = inputs.find(({ name }) => name === port.name)
  if (other === undefined) inputs.push(port)
  else if (other.dtype !== port.dtype || !sameShape(other.shape, port.shape)) {
    throw new LstmError('VALUE', `sequential: two inputs are named '${port.name}': ${other.dtype} ${formatShape(other.shape)} and ${port.dtype} ${formatShape(port.shape)}`)
  }
}

/** The prefix of a layer's tensors in the file. */
function prefixOf(name: string, names: Readonly<Record<string, string>>): string {
  return Object.hasOwn(names, name) ? names[name] as string : name
}

function isInput(entry: Layer | InputDescription | undefined): entry is InputDescription {
  return entry?.kind === 'input'
}

function isLayer(entry: unknown): entry is Layer {
  return typeof entry === 'object' && entry !== null && 'build' in entry && 'kind' in entry
}

/** Keras's naming: `lstm`, `lstm_1`, `lstm_2`. */
function nameLayers(entries: readonly (Layer | InputDescription)[]): NamedLayer[] {
  const counts: Map<string, number> = new Map()
  const taken: Set<string> = new Set()
  return entries.map((layer, position) => {
    if (!isLayer(layer)) {
      throw new LstmError('VALUE', `sequential: expected a layer at position ${position}, got ${describeValue(layer)}; input() may stand first only`)
    }
    const count = counts.get(layer.kind) ?? 0
    if (layer.name === undefined) counts.set(layer.kind, count + 1)
    const name = layer.name ?? (count === 0 ? layer.kind : `${layer.kind}_${count}`)
    if (taken.has(name)) throw new LstmError('VALUE', `sequential: two layers are named '${name}'`)
    taken.add(name)
    return { name, layer }
  })
}

/** @throws LstmError `VALUE` unless they are names */
function checkNames(names: unknown): readonly string[] {
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new LstmError('VALUE', `loadStateDict: expected a list of names for 'ignore', got ${describeValue(names)}`)
  }
  return names
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ') || 'none'
}
