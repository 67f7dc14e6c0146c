// Files of Keras, of all its versions:
//   .keras        a zip: config.json, metadata.json, model.weights.h5
//   .h5           HDF5: the attribute model_config, the group model_weights
//   .weights.h5   HDF5 with weights only: the model is described elsewhere
import { LstmError } from '../../errors.ts'
import { fixInputs } from '../../graph/fix-inputs.ts'
import type { Graph } from '../../graph/graph.ts'
import { loadFamilies } from '../../ops/families.ts'
import type { NdArray } from '../../values/ndarray.ts'
import { Budget } from '../budget.ts'
import type { FormatOptions, FormatReader } from '../reader.ts'
import { readOptions } from '../../options.ts'
import { optionsOf, takingOptions } from '../taking-options.ts'
import { parseArchitecture, parseJson } from './architecture.ts'
import { parseModel, type ModelSpec } from './config.ts'
import { dialectOf, KERAS_2, KERAS_3, originOf, type Origin } from './dialect.ts'
import { isHdf5, openHdf5, type Hdf5Object } from '../hdf5/hdf5.ts'
import { buildModel, familiesOf } from './network.ts'
import { field, isObject, type Json } from '../json.ts'
import { malformed } from './settings.ts'
import { stateDictOf, tensorGroups, weightsOnlyError } from './state-dict.ts'
import { placedWeights } from './placed-weights.ts'
import { NamedWeights, segmentsOf, type LayerWeights, type NamedTensor, type WeightOwner } from './weights.ts'
import { isZip, ZipArchive } from '../zip/zip.ts'

const CONFIG = 'config.json'
const METADATA = 'metadata.json'
const WEIGHTS = 'model.weights.h5'

const OPTIONS = ['constants', 'architecture', 'dialect', 'batch'] as const

/** Options of `readKeras`. */
export type KerasOptions = Pick<FormatOptions, typeof OPTIONS[number]>

/** What a file holds, before it is a graph. */
interface Parts {
  readonly model: ModelSpec
  readonly weights: LayerWeights
  readonly origin: Origin
}

/**
 * A Keras model file as a graph, of operators that are known already: a `.keras` archive, a whole-model `.h5`, or weights alone with their
 * architecture.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` listing all layers that cannot be run, or for weights without architecture,
 *   `VALUE` for an option that is none
 */
export function readKeras(bytes: Uint8Array, options: KerasOptions = {}, location?: string): Graph {
  const read = readOptions(options, optionsOf(...OPTIONS), 'Keras')
  const budget = new Budget(bytes.length)
  return graphOf(partsOf(bytes, read, location, budget), read, budget)
}

function graphOf({ model, weights, origin }: Parts, { constants, batch }: KerasOptions, budget: Budget): Graph {
  const graph = buildModel(model, weights, origin, budget, batch)
  return constants === undefined ? graph : fixInputs(graph, constants, 'Keras')
}

function partsOf(bytes: Uint8Array, options: KerasOptions, location: string | undefined, budget: Budget): Parts {
  if (isZip(bytes)) return partsOfArchive(bytes, options, budget)
  const { architecture } = options
  const root = openHdf5(bytes, budget)
  const described = root.attribute('model_config')
  if (architecture === undefined && typeof described !== 'string') throw weightsOnlyError(root, versionOf(root), location)
  if (typeof described === 'string') budget.json(described.length, 'Keras: model_config')
  const json = architecture === undefined ? parseJson(described as string, 'model_config') : parseArchitecture(architecture)
  const version = versionOf(root, json)
  refuseKeras1(version, described)
  return { model: parseModel(json), weights: weightsOf(root), origin: originOfVersion(options, version, json) }
}

/**
 * The weights of a Keras file as a state dict for layers written by hand: see `stateDictOf`.
 * @throws LstmError `FORMAT` or `UNSUPPORTED` for a file that cannot be read
 */
export function readKerasWeights(bytes: Uint8Array): Map<string, NdArray> {
  const budget = new Budget(bytes.length)
  const weights = isZip(bytes) ? new ZipArchive(bytes, 'Keras', { budget }).read(WEIGHTS) : bytes
  return stateDictOf(tensorGroups(openHdf5(weights, budget)))
}

function partsOfArchive(bytes: Uint8Array, options: KerasOptions, budget: Budget): Parts {
  const archive = new ZipArchive(bytes, 'Keras', { budget })
  const json = (name: string): Json => {
    const text = archive.read(name)
    budget.json(text.length, `Keras: ${name}`)
    return parseJson(new TextDecoder().decode(text), name)
  }
  const config = options.architecture === undefined ? json(CONFIG) : parseArchitecture(options.architecture)
  const model = parseModel(config)
  const version = archive.has(METADATA) ? field(json(METADATA), 'keras_version') : undefined
  const weights = archive.read(WEIGHTS)
  const origin = originOfVersion(options, typeof version === 'string' ? version : undefined, config)
  return { model, weights: weightsOf(openHdf5(weights, budget)), origin }
}

/** Keras 1 called its arguments otherwise: `output_dim`, `inner_activation`, `W_regularizer`. @throws LstmError `UNSUPPORTED` */
function refuseKeras1(version: string | undefined, described: unknown): void {
  if (version?.startsWith('1.') !== true && !(typeof described === 'string' && described.includes('"W_regularizer"'))) return
  throw new LstmError('UNSUPPORTED', `Keras: this is a file of Keras 1${version === undefined ? '' : ` (${version})`}, which describes layers otherwise. Save it again with Keras 2.0 to 2.2, in Python: keras.models.load_model('old.h5').save('new.h5')`)
}

/** Whose file it is. Without a version it is an old one; only Keras 3 says in which module a class is. */
function originOfVersion({ dialect }: KerasOptions, version: string | undefined, config: Json): Origin {
  if (version !== undefined) return originOf(dialect, `Keras ${version}`, dialectOf(version))
  return isObject(config) && Object.hasOwn(config, 'module') ? originOf(dialect, 'Keras 3', KERAS_3) : originOf(dialect, undefined, KERAS_2)
}

function versionOf(root: Hdf5Object, json: Json = null): string | undefined {
  const attribute = root.attribute('keras_version') ?? root.find('model_weights')?.attribute('keras_version')
  if (typeof attribute === 'string') return attribute
  const version = field(json, 'keras_version')
  return typeof version === 'string' ? version : undefined
}

/** The weights of a file: by place (Keras 3), or by name in groups of the layers' names (Keras 2). */
function weightsOf(root: Hdf5Object): LayerWeights {
  const groups = root.find('model_weights') ?? root
  return groups.textList('layer_names') === undefined && groups === root ? placedWeights(root) : new GroupedWeights(groups)
}

/** Keras 2's groups, one a layer, each with its tensors in order under `weight_names`. */
class GroupedWeights implements LayerWeights {
  readonly #root: Hdf5Object
  readonly #layers: Map<string, NamedWeights> = new Map()

  constructor(root: Hdf5Object) {
    this.#root = root
  }

  take(names: readonly string[], what: string): never {
    throw malformed(`${what}: the file has no weights for its ${names.join(', ')}`)
  }

  takeNamed(): undefined {
    return undefined
  }

  child(): LayerWeights {
    return this
  }

  children(_attribute: string, owners: readonly WeightOwner[]): LayerWeights[] {
    return owners.map(({ name }) => this.#layer(name))
  }

  pass(): void {
    for (const name of this.#names) this.#layer(name).pass()
  }

  unread(): string[] {
    return [...this.#names].flatMap((name) => this.#layer(name).unread())
  }

  get #names(): ReadonlySet<string> {
    return new Set(this.#root.textList('layer_names'))
  }

  #layer(name: string): NamedWeights {
    const known = this.#layers.get(name)
    if (known !== undefined) return known
    // The name is one member, slashes and all.
    const group = this.#root.find(name)
    const found = new NamedWeights(group === undefined ? [] : tensorsOf(group))
    this.#layers.set(name, found)
    return found
  }
}

/** The tensors of a layer's group. */
function tensorsOf(group: Hdf5Object): NamedTensor[] {
  return (group.textList('weight_names') ?? []).map((name) => ({
    segments: segmentsOf(name),
    read() {
      const dataset = group.find(name)
      if (dataset === undefined) throw malformed(`the file has no tensor '${name}' in '${group.path}', though it lists it`)
      return dataset.read()
    },
  }))
}

/** Reads Keras files: see `readKeras`. Families of operators are loaded when a layer needs them. */
export const keras: FormatReader = takingOptions({
  name: 'Keras',
  options: OPTIONS,
  detect: (bytes) => isHdf5(bytes) || (isZip(bytes) && namesMember(bytes)),
  async read({ bytes, location }, options, budget = new Budget(bytes.length)) {
    try {
      const parts = partsOf(bytes, options, location, budget)
      await loadFamilies(familiesOf(parts.model, parts.origin.dialect))
      return graphOf(parts, options, budget)
    } catch (error) {
      // Operators speak of nodes; what is wrong is the file.
      if (error instanceof LstmError) throw error
      throw malformed(`the file cannot be read: ${String(error)}`, error)
    }
  },
})

/** Whether an archive has a model's description: other formats are zips too. */
function namesMember(bytes: Uint8Array): boolean {
  try {
    return new ZipArchive(bytes, 'Keras').has(CONFIG)
  } catch {
    return false
  }
}
