// The safetensors format: https://github.com/huggingface/safetensors#format
//   8 bytes   N, length of the header, unsigned little-endian
//   N bytes   JSON: { name: { dtype, shape, data_offsets: [begin, end] }, "__metadata__": { string: string } }
//   the rest  the elements, little-endian, row-major, at these offsets: without holes, without overlaps
import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { HalfWeights, Int8Weights, SCALE_SUFFIX, WIDENING_SCALE_SUFFIX } from '../../ops/products/narrow-weights.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { duplicateKey } from '../json.ts'
import { decodeElements, ELEMENT_BYTES, type ElementType } from '../elements.ts'
import { malformedFile } from '../malformed.ts'

const malformed = malformedFile('safetensors')

const LENGTH_BYTES = 8
/** Names of scales end so. */
const SUFFIXES = [SCALE_SUFFIX, WIDENING_SCALE_SUFFIX]
/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000

const DTYPES: Readonly<Record<string, Entry['type']>> = {
  F32: 'float32', F64: 'float64', F16: 'float16', BF16: 'bfloat16', I64: 'int64', I32: 'int32', U8: 'uint8', BOOL: 'uint8', I8: 'int8',
}

/** A file: its tensors by name, in the order of their data, and its metadata. */
export interface Safetensors {
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, NdArray>
  /** The texts under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>
}

/** A tensor of a file, as it stands there. */
interface Entry {
  readonly name: string
  readonly type: ElementType | 'int8'
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/**
 * Reads a safetensors file. float16, bfloat16 and float64 become float32, int64 becomes int32, bool uint8; int8 becomes float32 where the
 * tensor of its scales is there, `NAME.scale`; float32, int32 and uint8 stay views of `bytes` where alignment allows.
 *
 * @throws LstmError `FORMAT` for bytes that are not a well-formed file, `UNSUPPORTED` for other element types
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const { constants, metadata } = readConstants(bytes)
  return { metadata, tensors: widened(constants) }
}

/** Constants of any width as arrays. */
export function widened(constants: ReadonlyMap<string, ArrayLike>): Map<string, NdArray> {
  return new Map([...constants].map(([name, array]) => [name, array instanceof NdArray ? array as NdArray : new NdArray(array.data, array.shape)]))
}

/** The same with weights of 8 and 16 bits as they are. */
export function readConstants(bytes: Uint8Array): Pick<Safetensors, 'metadata'> & { readonly constants: ReadonlyMap<string, ArrayLike> } {
  const header = readHeader(bytes)
  const dataBegin = LENGTH_BYTES + headerLength(bytes)
  const dataLength = bytes.length - dataBegin
  const metadata: Map<string, string> = new Map()
  const entries: Entry[] = []
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') readMetadata(value, metadata)
    else entries.push(readEntry(name, value, dataLength))
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let position = 0
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      const what = begin < position ? 'overlaps the tensor before it' : 'leaves a hole before it'
      throw malformed(`tensor '${name}' at bytes ${begin} to ${end} ${what}, expected it at ${position}`)
    }
    position = end
  }
  if (position !== dataLength) {
    throw malformed(`expected ${position} bytes of data after the header, got ${dataLength}`)
  }
  const bytesOf = ({ begin, end }: Entry): Uint8Array => bytes.subarray(dataBegin + begin, dataBegin + end)
  const own = new Map(entries.map((entry) => [entry.name, entry]))
  const constants: Map<string, ArrayLike> = new Map()
  for (const entry of entries) {
    const { name, type, shape } = entry
    if (SUFFIXES.some((suffix) => name.endsWith(suffix) && own.get(name.slice(0, -suffix.length))?.type === 'int8')) continue
    if (type === 'int8') {
      const widening = own.get(name + WIDENING_SCALE_SUFFIX)
      constants.set(name, int8Of(entry, widening ?? own.get(name + SCALE_SUFFIX), bytesOf, widening === undefined))
    } else {
      const data = decodeElements(bytesOf(entry), type, `safetensors: tensor '${name}'`)
      constants.set(name, type === 'float16' ? new HalfWeights(data as Float32Array, shape) : new NdArray(data, shape))
    }
  }
  return { constants, metadata }
}

/** A tensor of 8 bits with the tensor of its scales: one for each index of one axis, with ones for the others. */
function int8Of(entry: Entry, scale: Entry | undefined, bytesOf: (entry: Entry) => Uint8Array, isMultiplied: boolean): Int8Weights {
  const { name, shape } = entry
  const axis = Math.max(scale?.shape.findIndex((size) => size !== 1) ?? 0, 0)
  const expected = shape.map((size, n) => (n === axis ? size : 1))
  if (scale?.type !== 'float32' || scale.shape.join() !== expected.join()) {
    const got = scale === undefined ? '' : `, got ${formatShape(scale.shape)}`
    throw new LstmError('UNSUPPORTED', `safetensors: tensor '${name}' has dtype I8, which needs float32 scales beside it, '${name}${SCALE_SUFFIX}' with ones for all axes of ${formatShape(shape)} but one${got}`)
  }
  const { buffer, byteOffset, byteLength } = bytesOf(entry)
  const scales = decodeElements(bytesOf(scale), 'float32', `safetensors: tensor '${scale.name}'`) as Float32Array
  return new Int8Weights({ q: new Int8Array(buffer, byteOffset, byteLength), scales, axis }, shape, isMultiplied)
}

/** The header length; above 2^53 it is not exact, and too large anyway. */
function headerLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32
}

function readHeader(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length < LENGTH_BYTES) throw malformed(`expected at least ${LENGTH_BYTES} bytes, got ${bytes.length}`)
  const length = headerLength(bytes)
  if (length > MAX_HEADER_BYTES) throw malformed(`expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`)
  if (length > bytes.length - LENGTH_BYTES) {
    throw malformed(`expected a header of ${length} bytes, got a file with ${bytes.length - LENGTH_BYTES} bytes after its length`)
  }
  let text: string
  let header: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
    header = JSON.parse(text)
  } catch (cause) {
    throw malformed(`the header is not JSON: ${String(cause)}`, cause)
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw malformed(`expected the header to be an object, got ${describeValue(header)}`)
  }
  const duplicate = duplicateKey(text)
  if (duplicate !== undefined) throw malformed(`the name '${duplicate}' stands twice in the header`)
  return header as Record<string, unknown>
}

function readMetadata(value: unknown, into: Map<string, string>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(`expected '__metadata__' to be an object, got ${describeValue(value)}`)
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw malformed(`expected '__metadata__' to hold strings, got ${describeValue(text)} for '${key}'`)
    into.set(key, text)
  }
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function readEntry(name: string, value: unknown, dataLength: number): Entry {
  const where = `tensor '${name}'`
  if (typeof value !== 'object' || value === null) throw malformed(`expected ${where} to be an object, got ${describeValue(value)}`)
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>
  if (typeof dtype !== 'string') throw malformed(`expected a dtype for ${where}, got ${describeValue(dtype)}`)
  const type = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined
  if (type === undefined) {
    throw new LstmError('UNSUPPORTED', `safetensors: ${where} has dtype ${describeValue(dtype)}; supported are ${Object.keys(DTYPES).join(', ')} with scales`)
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw malformed(`expected a shape for ${where}, got ${JSON.stringify(shape)}`)
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw malformed(`expected two data_offsets for ${where}, got ${JSON.stringify(offsets)}`)
  }
  const [begin, end] = offsets as [number, number]
  if (begin > end || end > dataLength) {
    throw malformed(`${where} stands at bytes ${begin} to ${end}, expected them inside the ${dataLength} bytes of data`)
  }
  // A product that is no safe integer is not exact, but larger than any file.
  const needed = lengthOf(shape) * (type === 'int8' ? 1 : ELEMENT_BYTES[type])
  if (needed !== end - begin) {
    throw malformed(`${where} ${dtype} ${formatShape(shape)} needs ${needed} bytes, got ${end - begin}`)
  }
  return { name, type, shape, begin, end }
}
