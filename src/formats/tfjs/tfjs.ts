// TensorFlow.js layers models: model.json = { modelTopology, weightsManifest }, and shards of raw weights beside it.
// https://github.com/tensorflow/tfjs/tree/master/tfjs-converter (format of the manifest)
import { LstmError } from '../../errors.ts'
import { fixInputs } from '../../graph/fix-inputs.ts'
import type { Graph } from '../../graph/graph.ts'
import { loadFamilies } from '../../ops/families.ts'
import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { parseModel } from '../keras/config.ts'
import { parseArchitecture } from '../keras/architecture.ts'
import { dialectOf, originOf, TFJS, type Origin } from '../keras/dialect.ts'
import { buildModel, familiesOf } from '../keras/network.ts'
import { field, isList, isObject, type Json } from '../json.ts'
import { NamedWeights, segmentsOf } from '../keras/weights.ts'
import type { FormatOptions, FormatReader, ModelFiles } from '../reader.ts'
import { readOptions } from '../../options.ts'
import { Budget } from '../budget.ts'
import { messageOf } from '../state-dicts/message.ts'
import { optionsOf, takingOptions } from '../taking-options.ts'
import { broken, readManifest } from './manifest.ts'
import { tfjsStateDict, wayOn } from './state-dict.ts'

const OPTIONS = ['constants', 'architecture', 'dialect', 'batch'] as const

/** Options of `readTfjs`. */
export type TfjsOptions = Pick<FormatOptions, typeof OPTIONS[number]>

/**
 * A TensorFlow.js layers model as a graph; `files.bytes` is its `model.json`, the shards are asked for as siblings.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for graph models, for a manifest alone, and listing all layers
 *   that cannot be run; `ENVIRONMENT` where a shard cannot be found; `VALUE` for an option that is none
 */
export async function readTfjs(files: ModelFiles, options: TfjsOptions = {}): Promise<Graph> {
  return readTfjsWithin(files, readOptions(options, optionsOf(...OPTIONS), 'TensorFlow.js'), new Budget(files.bytes.length))
}

/** The same, as a part of a load. */
async function readTfjsWithin(files: ModelFiles, { constants, ...read }: TfjsOptions, budget: Budget): Promise<Graph> {
  const { architecture } = read
  budget.json(files.bytes.length, 'TensorFlow.js')
  const json = parseModelJson(files.bytes)
  if (isList(json) && architecture === undefined) throw manifestAlone(await readManifest(json, files, budget), files.location)
  if (field(json, 'format') === 'graph-model') {
    throw new LstmError('UNSUPPORTED', 'TensorFlow.js: this is a graph model, whose layers are gone; convert the Keras model with --output_format=tfjs_layers_model, or load the Keras file itself')
  }
  const topology = architecture === undefined ? field(json, 'modelTopology') ?? null : topologyOf(architecture)
  const manifest = isList(json) ? json : field(json, 'weightsManifest') ?? null
  if (!isList(manifest)) throw broken(`expected a weightsManifest, got ${describeValue(manifest)}`)
  const tensors = await readManifest(manifest, files, budget)
  if (topology === null) throw manifestAlone(tensors, files.location)
  const named = [...tensors].map(([name, tensor]) => ({ segments: segmentsOf(name), read: () => tensor }))
  // Models that were Keras's have their description one level deeper.
  const model = parseModel(field(topology, 'model_config') ?? topology)
  const origin = originOfModel(json, topology, read)
  await loadFamilies(familiesOf(model, origin.dialect))
  const graph = buildModel(model, new NamedWeights(named), origin, budget, read.batch)
  return constants === undefined ? graph : fixInputs(graph, constants, 'TensorFlow.js')
}

/** A model.json, or what `model.toJSON()` or Keras's `model.to_json()` gave. */
function topologyOf(architecture: string | object): Json {
  const json = parseArchitecture(architecture)
  return field(json, 'modelTopology') ?? json
}

/**
 * The tensors of a weights manifest (`weights_manifest.json`, or the one in a `model.json`) by name, as they are in the file.
 * @throws LstmError `FORMAT`, `UNSUPPORTED`, `ENVIRONMENT`
 */
export async function readTfjsWeights(files: ModelFiles): Promise<Map<string, NdArray>> {
  const json = parseModelJson(files.bytes)
  const manifest = isList(json) ? json : field(json, 'weightsManifest') ?? null
  if (!isList(manifest)) throw broken(`expected a weightsManifest, got ${describeValue(manifest)}`)
  return readManifest(manifest, files, new Budget(files.bytes.length))
}

/**
 * The tensors of a weights manifest under PyTorch's names: see `tfjsStateDict`.
 * @throws LstmError `FORMAT`, `UNSUPPORTED`, `ENVIRONMENT`
 */
export async function readTfjsStateDict(files: ModelFiles): Promise<Map<string, NdArray>> {
  return tfjsStateDict(await readTfjsWeights(files))
}

/**
 * Who trained the model, which is who wrote its description: `keras v2.15.0` for one that was converted,
 * `TensorFlow.js tfjs-layers v4.22.0` for one that TensorFlow.js has saved.
 */
function originOfModel(json: Json, topology: Json, { dialect }: TfjsOptions): Origin {
  const said = [field(json, 'generatedBy'), field(topology, 'keras_version'), field(field(topology, 'model_config'), 'keras_version')]
  for (const text of said) {
    const version = typeof text === 'string' ? /^(?:keras v?)?(\d+\.\S+)$/i.exec(text)?.[1] : undefined
    if (version !== undefined) return originOf(dialect, `Keras ${version}`, dialectOf(version))
    if (typeof text === 'string' && /^(?:TensorFlow\.js )?tfjs/i.test(text)) return originOf(dialect, text.replace(/^tfjs/, 'TensorFlow.js tfjs'), TFJS)
  }
  return originOf(dialect, undefined, TFJS)
}

function parseModelJson(bytes: Uint8Array): Json {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch (cause) {
    throw broken(`model.json is not JSON: ${String(cause)}`, cause)
  }
}

function manifestAlone(tensors: ReadonlyMap<string, NdArray>, location: string | undefined): LstmError {
  return new LstmError('UNSUPPORTED', messageOf(
    'TensorFlow.js: this file holds weights, but not how they are connected. Its tensors:', tensors, wayOn(tensors, location),
  ))
}

/** Reads TensorFlow.js layers models: see `readTfjs`. */
export const tfjs: FormatReader = takingOptions({
  name: 'TensorFlow.js',
  options: OPTIONS,
  detect(bytes) {
    const first = bytes.find((byte) => byte > 0x20)
    if (first !== 0x7b && first !== 0x5b) return false
    try {
      const json = parseModelJson(bytes)
      if (isList(json)) return json.some((group) => field(group, 'paths') !== undefined)
      return isObject(json) && (field(json, 'modelTopology') !== undefined || field(json, 'weightsManifest') !== undefined)
    } catch {
      return false
    }
  },
  async read(files, options, budget = new Budget(files.bytes.length)) {
    try {
      return await readTfjsWithin(files, options, budget)
    } catch (error) {
      if (error instanceof LstmError) throw error
      throw broken(`the file cannot be read: ${String(error)}`, error)
    }
  },
})
