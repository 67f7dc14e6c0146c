// A model as threads send it to each other: plain data that structured cloning takes, with all large arrays in shared memory.
import { CONTRACT_STAMP } from '../contract/stamp.ts'
import { LstmError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import type { Constant } from '../ops/constant.ts'
import { HalfWeights, Int8Weights } from '../ops/products/narrow-weights.ts'
import type { PreparedGraph } from '../plan/prepare.ts'
import { isPlace, type SharedPlace } from '../runtime/threads/shared-runtime.ts'
import { describeValue, type DataOf } from '../values/dtype.ts'
import { NdArray } from '../values/ndarray.ts'
import type { Shape } from '../values/shape.ts'
import { VERSION } from './version.ts'

/** A constant without its class. */
interface SentConstant {
  readonly shape: Shape
  readonly data?: DataOf
  readonly isHalf?: boolean
  readonly int8?: { readonly q: Int8Array, readonly scales: Float32Array, readonly axis: number, readonly isMultiplied: boolean }
}

interface SentGraph extends Omit<Graph, 'constants'> {
  readonly constants: ReadonlyMap<string, SentConstant>
}

/** What callers are sent. */
export interface SharedContent extends SharedPlace {
  readonly version: string
  readonly stamp: number
  /** The model. */
  readonly graph: SentGraph
  /** What runs, and where its weights are packed; its nodes are those of `graph`. */
  readonly prepared: Omit<PreparedGraph, 'graph'> & { readonly graph: SentGraph }
}

/** @throws LstmError `MEMORY` where the engine gives none */
export function contentOf(place: SharedPlace, graph: Graph, { prepared, constants, graph: typed }: PreparedGraph): SharedContent {
  const send = sender([...graph.constants.values(), ...typed.constants.values()])
  const sent = ({ constants: own, ...others }: Graph): SentGraph => (
    { ...others, constants: new Map([...own].map(([name, constant]) => [name, send(constant)])) }
  )
  return { ...place, version: VERSION, stamp: CONTRACT_STAMP, graph: sent(graph), prepared: { prepared, constants, graph: sent(typed) } }
}

const EXPECTED = 'what share() gave, as workerData or postMessage bring it'

/** @throws LstmError `VALUE` for what is no shared model, or one of another version */
export function readContent(shared: unknown): SharedContent {
  const content = (typeof shared === 'object' && shared !== null && 'content' in shared ? shared.content : undefined) as Partial<SharedContent> | undefined
  if (typeof content !== 'object' || content === null || typeof content.version !== 'string') {
    throw new LstmError('VALUE', `openShared: expected ${EXPECTED}, got ${describeValue(shared)}`)
  }
  if (content.version !== VERSION || content.stamp !== CONTRACT_STAMP) {
    throw new LstmError('VALUE', `openShared: expected a model that was shared by lstm-wasm ${VERSION} (${CONTRACT_STAMP}), got one of ${content.version} (${content.stamp}): all threads must load the same one`)
  }
  if (!isPlace(content) || content.graph === undefined || content.prepared === undefined) {
    throw new LstmError('VALUE', `openShared: expected ${EXPECTED}, got one that has lost its memory: JSON cannot carry it`)
  }
  return content as SharedContent
}

/** The graph, over the shared arrays. */
export function receivedGraph({ constants, ...others }: SentGraph): Graph {
  return { ...others, constants: new Map([...constants].map(([name, constant]) => [name, received(constant)])) }
}

function received({ shape, data, isHalf, int8 }: SentConstant): Constant {
  if (int8 !== undefined) return new Int8Weights(int8, shape, int8.isMultiplied)
  return isHalf === true ? new HalfWeights(data as Float32Array, shape) : new NdArray(data as DataOf, shape)
}

type Elements = DataOf | Int8Array

/** Told by what it has: entry points may have their own copies of its class. */
const isInt8 = (constant: Constant): constant is Int8Weights => 'q' in constant && 'isMultiplied' in constant

/** Copies the elements of constants into one shared memory, those that are the same bytes once. */
function sender(constants: readonly Constant[]): (constant: Constant) => SentConstant {
  const all = [...new Set(constants)].flatMap((constant): Elements[] => (isInt8(constant) ? [constant.q, constant.scales] : [constant.data]))
  const places: Map<ArrayBufferLike, Map<string, number>> = new Map()
  const found: { readonly at: number, readonly elements: Elements }[] = []
  let end = 0
  const keyOf = ({ byteOffset, byteLength }: Elements): string => `${byteOffset} ${byteLength}`
  for (const elements of all) {
    const ofBuffer = places.get(elements.buffer) ?? new Map<string, number>()
    places.set(elements.buffer, ofBuffer)
    if (ofBuffer.has(keyOf(elements))) continue
    ofBuffer.set(keyOf(elements), end)
    found.push({ at: end, elements })
    end += Math.ceil(elements.byteLength / 8) * 8
  }
  const bytes = sharedBytes(end)
  for (const { at, elements } of found) new Uint8Array(bytes, at).set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength))
  const shared = <T extends Elements>(elements: T): T => {
    const Class = elements.constructor as new (buffer: SharedArrayBuffer, at: number, length: number) => T
    return new Class(bytes, places.get(elements.buffer)?.get(keyOf(elements)) as number, elements.length)
  }
  return (constant) => {
    const { shape } = constant
    if (!isInt8(constant)) return { shape, data: shared(constant.data), ...(constant.storage === 'float16' && { isHalf: true }) }
    const { q, scales, axis, isMultiplied } = constant
    return { shape, int8: { q: shared(q), scales: shared(scales), axis, isMultiplied } }
  }
}

function sharedBytes(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes)
  } catch (cause) {
    throw new LstmError('MEMORY', `the JavaScript engine gives no SharedArrayBuffer of ${bytes} bytes`, { cause })
  }
}
