// The dtype policies of layers: everything here is computed in float32.
import type { LayerSpec, ModelSpec } from './config.ts'
import { field, type Json } from '../json.ts'
import { listed } from '../malformed.ts'

/** `mixed_float16`, `int8_from_float32`: by name, or as an object, whose kinds differ between versions. */
function policyName(json: Json | undefined): string | undefined {
  if (typeof json === 'string') return json
  const config = field(json, 'config')
  const mode = field(config, 'mode')
  const source = field(config, 'source_name')
  if (typeof mode === 'string') return typeof source === 'string' ? `${mode}_from_${source}` : mode
  const name = field(config, 'name')
  if (typeof name === 'string') return name
  const inner = field(config, 'default_policy')
  return typeof inner === 'string' ? inner : undefined
}

/** How the weights of a layer are quantised. */
export interface Quantization {
  readonly bits: 4 | 8
  /** Elements that share a scale; undefined where each output has one. */
  readonly block: number | undefined
}

/** Layers whose integers are read. */
const LAYERS: readonly string[] = ['Dense', 'Embedding', 'EinsumDense']

/** Of `int8_from_float32`, `int4/128_from_float32`; undefined for layers that are not quantised, or not so that they are read. */
export function quantizationOf({ className, settings }: LayerSpec): Quantization | undefined {
  const [, bits, size] = /^int([48])(?:\/(-1|\d{1,6}))?_from_/.exec(policyName(settings.json('dtype')) ?? '') ?? []
  if (bits === undefined || !LAYERS.includes(className) || size === '0' || (className === 'EinsumDense' && bits !== '8')) return undefined
  return { bits: bits === '8' ? 8 : 4, block: size === undefined || size === '-1' ? undefined : Number(size) }
}

/** What of a layer's policy cannot be run: weights that are quantised, but for those that quantized.ts reads. */
export function policyProblems(layer: LayerSpec): string[] {
  const { settings } = layer
  if (quantizationOf(layer) !== undefined) return []
  const name = policyName(settings.json('dtype'))
  const mode = settings.json('quantization_mode') ?? settings.json('quantization_config')
  if (name !== undefined && /^(int|float)[48]|^gptq|^awq|_from_/.test(name) && !/^int(8|32|64)$/.test(name)) return [`quantised weights (dtype policy ${name})`]
  return mode === undefined ? [] : [`quantised weights (${typeof mode === 'string' ? mode : 'quantization_config'})`]
}

/** Layers by what they are computed in where they were trained, and not here. */
function layersByPolicy(model: ModelSpec, found: Map<string, string[]>): Map<string, string[]> {
  for (const layer of model.layers) {
    if (layer.model !== undefined) layersByPolicy(layer.model, found)
    const name = layer.className === 'InputLayer' || layer.model !== undefined ? undefined : policyName(layer.settings.json('dtype'))
    if (name !== undefined && /^(mixed_)?b?float(16|64)$/.test(name)) found.set(name, [...found.get(name) ?? [], layer.name])
  }
  return found
}

/** A message names so many layers or tensors. */
const MOST_NAMED = 5

/** A few names, and how many more there are. */
export function named(names: readonly string[]): string {
  return listed(names, MOST_NAMED, (name) => `'${name}'`)
}

/** Lines about layers of half or double precision. */
export function policyNotes(model: ModelSpec): string[] {
  return [...layersByPolicy(model, new Map())].map(([policy, names]) => `float32 is computed, where the file says ${policy}: ${named(names)}`)
}
