// weightsManifest: [{ paths: ['group1-shard1of2', ...], weights: [{ name, shape, dtype, quantization }, ...] }, ...]
// The shards of a group are one run of bytes, in which the weights lie one after the other.
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { decodeElements, ELEMENT_BYTES, type ElementType } from '../elements.ts'
import { field, isList, type Json } from '../json.ts'
import type { Budget } from '../budget.ts'
import type { ModelFiles } from '../reader.ts'

export function broken(what: string, cause?: unknown): LstmError {
  return new LstmError('FORMAT', `TensorFlow.js: ${what}`, { cause })
}

interface Spec {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: 'float32' | 'int32' | 'uint8' | 'float16'
  readonly quantization: Quantization | undefined
  /** Whether it is one of the optimizer's, which go with a model that is saved in training. */
  readonly isOptimizers: boolean
}

/** value = scale q + min, or a float16. */
interface Quantization {
  readonly dtype: 'uint8' | 'uint16' | 'float16'
  readonly scale: number
  readonly min: number
}

const DTYPES: Readonly<Record<string, Spec['dtype']>> = { float32: 'float32', int32: 'int32', bool: 'uint8', uint8: 'uint8', float16: 'float16' }

/** All weights by name but the optimizer's. Every shard is read once, whatever the manifest says. */
export async function readManifest(manifest: readonly Json[], files: ModelFiles, budget: Budget): Promise<Map<string, NdArray>> {
  const tensors: Map<string, NdArray> = new Map()
  const seen: Set<string> = new Set()
  for (const group of manifest) {
    const paths = field(group, 'paths')
    const weights = field(group, 'weights')
    if (!isList(paths) || !paths.every((path) => typeof path === 'string')) throw broken(`expected paths of shards, got ${describeValue(paths)}`)
    if (!isList(weights)) throw broken(`expected a list of weights, got ${describeValue(weights)}`)
    const specs = weights.map(readSpec)
    for (const path of paths) {
      if (seen.has(path)) throw broken(`the shard ${JSON.stringify(path)} stands twice in the manifest`)
      seen.add(path)
    }
    const shards = await Promise.all(paths.map((path) => files.sibling(path)))
    for (const shard of shards) budget.addFile(shard.length)
    const bytes = shards.length === 1 ? shards[0] as Uint8Array : joined(shards)
    const needed = specs.reduce((sum, spec) => sum + storedBytes(spec), 0)
    if (needed !== bytes.length) {
      throw broken(`expected ${needed} bytes in the shards ${paths.map((path) => JSON.stringify(path)).join(', ')}, got ${bytes.length}`)
    }
    let position = 0
    for (const spec of specs) {
      const end = position + storedBytes(spec)
      const from = position
      position = end
      if (spec.isOptimizers) continue
      if (tensors.has(spec.name)) throw broken(`two weights are named '${spec.name}'`)
      budget.copy(lengthOf(spec.shape), 4 * lengthOf(spec.shape), `TensorFlow.js: '${spec.name}'`)
      tensors.set(spec.name, new NdArray(decode(bytes.subarray(from, end), spec), spec.shape))
    }
  }
  return tensors
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let position = 0
  for (const part of parts) {
    whole.set(part, position)
    position += part.length
  }
  return whole
}

function readSpec(json: Json): Spec {
  const name = field(json, 'name')
  if (typeof name !== 'string') throw broken(`expected a weight with a name, got ${describeValue(json)}`)
  const shape = field(json, 'shape')
  const isShape = isList(shape) && shape.every((size) => typeof size === 'number' && Number.isSafeInteger(size) && size >= 0)
  if (!isShape) throw broken(`expected a shape for '${name}', got ${describeValue(shape)}`)
  const given = field(json, 'dtype')
  const dtype = typeof given === 'string' && Object.hasOwn(DTYPES, given) ? DTYPES[given] : undefined
  if (dtype === undefined) throw new LstmError('UNSUPPORTED', `TensorFlow.js: '${name}' has dtype ${describeValue(given)}; supported are ${Object.keys(DTYPES).join(', ')}`)
  if (!Number.isSafeInteger(lengthOf(shape as number[]) * 4)) throw broken(`'${name}' ${formatShape(shape as number[])} has more elements than can be`)
  return { name, shape: shape as number[], dtype, quantization: readQuantization(field(json, 'quantization'), name), isOptimizers: field(json, 'group') === 'optimizer' }
}

function readQuantization(json: Json | undefined, name: string): Quantization | undefined {
  if (json === undefined || json === null) return undefined
  const dtype = field(json, 'dtype')
  if (dtype === 'float16') return { dtype, scale: 1, min: 0 }
  const [scale, min] = [field(json, 'scale'), field(json, 'min')]
  if (dtype !== 'uint8' && dtype !== 'uint16') {
    throw new LstmError('UNSUPPORTED', `TensorFlow.js: '${name}' is quantised to ${describeValue(dtype)}; supported are uint8, uint16, float16`)
  }
  if (typeof scale !== 'number' || typeof min !== 'number') throw broken(`expected a scale and a min for '${name}', which is quantised`)
  return { dtype, scale, min }
}

function storedType({ dtype, quantization }: Spec): ElementType | 'uint16' {
  return quantization?.dtype ?? dtype
}

function storedBytes(spec: Spec): number {
  const type = storedType(spec)
  return lengthOf(spec.shape) * (type === 'uint16' ? 2 : ELEMENT_BYTES[type])
}

function decode(bytes: Uint8Array, spec: Spec): NdArray['data'] {
  const { quantization, dtype, name } = spec
  const type = storedType(spec)
  if (quantization === undefined || type === 'float16') return decodeElements(bytes, type as ElementType, `TensorFlow.js: '${name}'`)
  const { scale, min } = quantization
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const value = (index: number): number => (type === 'uint8' ? view.getUint8(index) : view.getUint16(2 * index, true)) * scale + min
  const length = lengthOf(spec.shape)
  // TensorFlow.js rounds whole numbers after scaling.
  return dtype === 'int32' ? Int32Array.from({ length }, (_, index) => Math.round(value(index))) : Float32Array.from({ length }, (_, index) => value(index))
}
