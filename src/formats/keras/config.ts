// The JSON that Keras describes models with, in the forms of its versions:
//   Sequential: a list of layers, or { name, layers }
//   Functional (Keras 2: also Model): { name, layers, input_layers, output_layers }, where every layer has its calls:
//     Keras 2   inbound_nodes: [[['x', 0, 0, { kwargs }], ...], ...]
//     Keras 3   inbound_nodes: [{ args: [...], kwargs: {...} }, ...], tensors as { class_name: '__keras_tensor__', config }
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { field, isList, isObject, type Json, type JsonObject } from '../json.ts'
import { malformed, Settings } from './settings.ts'

/** A tensor of a model: output `tensor` of call `node` of a layer. */
export interface TensorRef {
  readonly layer: string
  readonly node: number
  readonly tensor: number
}

/** What a layer is called with: tensors, lists, other values. */
export type Argument = { readonly ref: TensorRef } | { readonly list: readonly Argument[] } | { readonly json: Json }

/** One call of a layer. */
export interface LayerNode {
  readonly args: readonly Argument[]
  readonly kwargs: ReadonlyMap<string, Argument>
}

export interface LayerSpec {
  readonly className: string
  readonly name: string
  /** `keras.layers`, `keras.src.ops.numpy`; undefined in Keras 2. */
  readonly module: string | undefined
  readonly settings: Settings
  /** A function or a class of the user's: a Lambda, or what is registered under a name and is in no module of Keras. */
  readonly isPython: boolean
  /** Its layers, where it is a model itself. */
  readonly model: ModelSpec | undefined
  readonly nodes: readonly LayerNode[]
}

export interface ModelSpec {
  readonly className: string
  readonly name: string
  readonly layers: readonly LayerSpec[]
  readonly inputs: readonly TensorRef[]
  readonly outputs: readonly TensorRef[]
}

/** Models inside models, TimeDistributed inside Bidirectional: more levels than anybody needs. */
export const MAX_DEPTH: number = 32
/** Layers of Keras 3 that do not write whether they can be trained. */
const UNTRAINED: ReadonlySet<string> = new Set(['SpatialDropout1D', 'SpatialDropout2D', 'SpatialDropout3D'])
const FUNCTIONAL = ['Functional', 'Model']
/** Where Keras 3 has its functions. */
export const FUNCTION_MODULE: string = 'keras.src.ops'

function isModelClass(className: string): boolean {
  return className === 'Sequential' || FUNCTIONAL.includes(className)
}

/** @throws LstmError `FORMAT`, `UNSUPPORTED` for models that are neither Sequential nor Functional */
export function parseModel(json: Json, depth = 0): ModelSpec {
  if (depth > MAX_DEPTH) throw malformed(`expected at most ${MAX_DEPTH} models inside each other`)
  const className = field(json, 'class_name')
  if (typeof className !== 'string') throw malformed(`expected a model with a class_name, got ${describeValue(json)}`)
  if (!isModelClass(className)) {
    throw new LstmError('UNSUPPORTED', `Keras: the model is a ${className}, whose Python code is not in the file; supported are Sequential and Functional models`)
  }
  const config = field(json, 'config') ?? null
  const name = field(config, 'name')
  const described = { className, name: typeof name === 'string' ? name : 'model' }
  return className === 'Sequential' ? parseSequential(config, described, depth) : parseFunctional(config, described, depth)
}

type Described = Pick<ModelSpec, 'className' | 'name'>

function layerList(config: Json, what: string): readonly Json[] {
  const layers = isList(config) ? config : field(config, 'layers')
  if (!isList(layers) || layers.length === 0) throw malformed(`${what}: expected a list of layers, got ${describeValue(layers)}`)
  return layers
}

function uniqueNames(layers: readonly LayerSpec[], what: string): void {
  const names: Set<string> = new Set()
  for (const { name } of layers) {
    if (names.has(name)) throw malformed(`${what}: two layers are named '${name}'`)
    names.add(name)
  }
}

function parseSequential(config: Json, described: Described, depth: number): ModelSpec {
  const what = `model '${described.name}'`
  const layers: LayerSpec[] = []
  let last: TensorRef | undefined
  layerList(config, what).forEach((json, index) => {
    const layer = parseLayer(json, depth, `${what}: layer ${index}`)
    if (last === undefined && layer.className !== 'InputLayer') {
      // Without a layer for it, the first one says what the input is.
      const input: LayerSpec = { className: 'InputLayer', name: freeName(`${layer.name}_input`, layers), module: undefined, settings: inputSettings(layer), isPython: false, model: undefined, nodes: [] }
      layers.push(input)
      last = { layer: input.name, node: 0, tensor: 0 }
    }
    const args: Argument[] = last === undefined ? [] : [{ ref: last }]
    layers.push({ ...layer, nodes: last === undefined ? [] : [{ args, kwargs: new Map() }] })
    last = { layer: layer.name, node: 0, tensor: 0 }
  })
  uniqueNames(layers, what)
  const [first] = layers as [LayerSpec]
  return { ...described, layers, inputs: [{ layer: first.name, node: 0, tensor: 0 }], outputs: [last as TensorRef] }
}

function freeName(name: string, layers: readonly LayerSpec[]): string {
  return layers.some((layer) => layer.name === name) ? freeName(`${name}_`, layers) : name
}

/** A model that is the first layer has its own first layer to ask. */
function inputSettings(layer: LayerSpec): Settings {
  const [first] = layer.model?.layers ?? []
  return first === undefined ? layer.settings : inputSettings(first)
}

function parseFunctional(config: Json, described: Described, depth: number): ModelSpec {
  const what = `model '${described.name}'`
  const jsons = layerList(config, what)
  const layers = jsons.map((json, index) => parseLayer(json, depth, `${what}: layer ${index}`))
  uniqueNames(layers, what)
  const names = new Set(layers.map(({ name }) => name))
  const connected = layers.map((layer, index): LayerSpec => {
    const nodes = field(jsons[index], 'inbound_nodes') ?? []
    if (!isList(nodes)) throw malformed(`${layer.settings.what}: expected a list of inbound_nodes, got ${describeValue(nodes)}`)
    const parsed = nodes.map((node) => parseNode(node, names, layer.settings.what))
    // Older files do not say in which module a class is. Of Keras 3's, which call with objects, only layers can be trained.
    const mayBe = layer.module === undefined && isObject(nodes[0]) && layer.model === undefined && !UNTRAINED.has(layer.className)
    const isFunction = mayBe && !layer.settings.has('trainable')
    return { ...layer, nodes: parsed, module: isFunction ? FUNCTION_MODULE : layer.module }
  })
  const refs = (key: string): TensorRef[] => {
    const found: TensorRef[] = []
    collectRefs(field(config, key), found, `${what}: ${key}`, 0)
    if (found.length === 0) throw malformed(`${what}: expected ${key}, got none`)
    return found
  }
  const model = { ...described, layers: connected, inputs: refs('input_layers'), outputs: refs('output_layers') }
  const isKeras3 = jsons.some((json) => {
    const nodes = field(json, 'inbound_nodes')
    return isList(nodes) && isObject(nodes[0])
  })
  return isKeras3 ? fromFirstCall(model) : renumbered(model)
}

/** Keras 3 counts the calls of a Functional model from 1 among the outputs, but from 0 where layers are called. */
function fromFirstCall(model: ModelSpec): ModelSpec {
  const functional = new Set(model.layers.filter(({ className }) => FUNCTIONAL.includes(className)).map(({ name }) => name))
  return { ...model, outputs: model.outputs.map((ref) => (functional.has(ref.layer) && ref.node > 0 ? { ...ref, node: ref.node - 1 } : ref)) }
}

/**
 * Keras 2: calls counted from 0. Models inside models may have been called before they came here, and count from there;
 * but every call is needed by something, so that the numbers in use are all there are.
 */
function renumbered(model: ModelSpec): ModelSpec {
  const used: Map<string, Set<number>> = new Map(model.layers.map(({ name }) => [name, new Set()]))
  const all = [...model.outputs, ...model.layers.flatMap(({ nodes }) => nodes.flatMap(({ args, kwargs }) => [...args, ...kwargs.values()].flatMap(refsOf)))]
  for (const { layer, node } of all) used.get(layer)?.add(node)
  const numbers = new Map(model.layers.map(({ name, nodes }) => {
    const sorted = [...used.get(name) as Set<number>].sort((a, b) => a - b)
    return [name, nodes.length === sorted.length ? new Map(sorted.map((node, index) => [node, index])) : new Map<number, number>()]
  }))
  const renumber = (ref: TensorRef): TensorRef => ({ ...ref, node: numbers.get(ref.layer)?.get(ref.node) ?? ref.node })
  const argument = (given: Argument): Argument => {
    if ('json' in given) return given
    return 'ref' in given ? { ref: renumber(given.ref) } : { list: given.list.map(argument) }
  }
  const layers = model.layers.map((layer) => ({
    ...layer,
    nodes: layer.nodes.map(({ args, kwargs }) => ({ args: args.map(argument), kwargs: new Map([...kwargs].map(([key, value]) => [key, argument(value)])) })),
  }))
  return { ...model, layers, outputs: model.outputs.map(renumber) }
}

/** A layer, without its calls. Wrapped layers have no name of their own in some versions. */
export function parseLayer(json: Json | undefined, depth: number, what: string): LayerSpec {
  if (depth > MAX_DEPTH) throw malformed(`expected at most ${MAX_DEPTH} layers inside each other`)
  const className = field(json, 'class_name')
  if (typeof className !== 'string') throw malformed(`${what}: expected a layer with a class_name, got ${describeValue(json)}`)
  const config = field(json, 'config')
  const name = field(json, 'name') ?? field(config, 'name') ?? className.toLowerCase()
  if (typeof name !== 'string' || name === '') throw malformed(`${what}: expected a name, got ${describeValue(name)}`)
  const module = field(json, 'module')
  const model = isModelClass(className) ? parseModel(json as Json, depth + 1) : undefined
  const settings = new Settings(config, `layer '${name}' (${className})`)
  const isOwn = typeof module === 'string' && module.startsWith('keras')
  const isPython = className === 'Lambda' || (typeof field(json, 'registered_name') === 'string' && !isOwn)
  return { className, name, module: typeof module === 'string' ? module : undefined, settings, isPython, model, nodes: [] }
}

/** `['x', 0, 0]`, perhaps with kwargs behind. */
function asRef(json: Json): TensorRef | undefined {
  if (!isList(json)) return undefined
  const [layer, node, tensor] = json
  const isIndex = (index: Json | undefined): index is number => typeof index === 'number' && Number.isSafeInteger(index) && index >= 0
  return typeof layer === 'string' && isIndex(node) && isIndex(tensor) ? { layer, node, tensor } : undefined
}

/** Inputs or outputs of a model: one, a list, or a dictionary of them. */
function collectRefs(json: Json | undefined, into: TensorRef[], what: string, depth: number): void {
  const ref = json === undefined ? undefined : asRef(json)
  if (ref !== undefined) into.push(ref)
  else if (depth > MAX_DEPTH) throw malformed(`${what}: expected at most ${MAX_DEPTH} lists inside each other`)
  else if (isList(json) || isObject(json)) {
    for (const inner of Object.values(json)) collectRefs(inner, into, what, depth + 1)
  } else throw malformed(`${what}: expected names of layers, got ${describeValue(json)}`)
}

function parseNode(json: Json, names: ReadonlySet<string>, what: string): LayerNode {
  if (isObject(json)) {
    const args = parseArgument(field(json, 'args') ?? [], names, what, 0)
    if (!('list' in args)) throw malformed(`${what}: expected a list of args, got ${describeValue(field(json, 'args'))}`)
    return { args: args.list, kwargs: parseKwargs(field(json, 'kwargs'), names, what) }
  }
  if (!isList(json)) throw malformed(`${what}: expected inbound_nodes, got ${describeValue(json)}`)
  const kwargs: Map<string, Argument> = new Map()
  // A layer with one input may leave the outer list out.
  const inputs = typeof json[0] === 'string' ? [json] : json
  const args = inputs.map((input): Argument => {
    if (!isList(input)) throw malformed(`${what}: expected inputs as lists, got ${describeValue(input)}`)
    for (const [key, value] of parseKwargs(input[3], names, what)) kwargs.set(key, value)
    // A first argument that is no tensor stands in the list itself.
    if (input[0] === '_CONSTANT_VALUE') return { json: input[2] ?? null }
    const ref = asRef(input)
    if (ref === undefined) throw malformed(`${what}: expected the name of a layer and two indices, got ${describeValue(input[0])}`)
    return { ref }
  })
  return { args, kwargs }
}

function parseKwargs(json: Json | undefined, names: ReadonlySet<string>, what: string): Map<string, Argument> {
  if (!isObject(json)) return new Map()
  return new Map(Object.entries(json).map(([key, value]) => [key, parseArgument(value, names, what, 0)]))
}

function parseArgument(json: Json, names: ReadonlySet<string>, what: string, depth: number): Argument {
  if (depth > MAX_DEPTH) throw malformed(`${what}: expected at most ${MAX_DEPTH} lists inside each other`)
  if (isObject(json)) return parseWrapped(json, names, what, depth)
  if (!isList(json)) return { json }
  const ref = asRef(json)
  if (ref !== undefined && names.has(ref.layer)) return { ref }
  return { list: json.map((inner) => parseArgument(inner, names, what, depth + 1)) }
}

/** Keras 3 wraps what JSON has no word for. */
function parseWrapped(json: JsonObject, names: ReadonlySet<string>, what: string, depth: number): Argument {
  const className = field(json, 'class_name')
  const config = field(json, 'config')
  if (className === '__keras_tensor__') {
    const ref = asRef(field(config, 'keras_history') ?? null)
    if (ref === undefined) throw malformed(`${what}: expected a keras_history, got ${describeValue(config)}`)
    return { ref }
  }
  if (className === '__tuple__') return parseArgument(field(json, 'items') ?? field(config, 'items') ?? [], names, what, depth + 1)
  const value = field(config, 'value')
  if ((className === '__tensor__' || className === '__numpy__') && value !== undefined) return { json: value }
  return { json }
}

/** All tensors of an argument, in order. */
export function refsOf(argument: Argument | undefined): TensorRef[] {
  if (argument === undefined || 'json' in argument) return []
  return 'ref' in argument ? [argument.ref] : argument.list.flatMap(refsOf)
}
