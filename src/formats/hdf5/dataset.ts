// The elements of datasets: in one piece, inside the object header, or in chunks that filters may have been
// over. Specification sections IV.A.2.i (layout), IV.A.2.l (filters), III.A.1 (chunk B-trees).
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { decodeElements } from '../elements.ts'
import { broken, Cursor, UNDEFINED_ADDRESS, unsupported } from './cursor.ts'
import { visitTree } from './group.ts'
import { MESSAGE, requireMessage, type Hdf5Bytes, type Message } from './header.ts'
import { readDataspace, readDatatype, type Datatype } from './types.ts'
import { inflateExactly } from '../zip/inflate.ts'

const FILTER = { deflate: 1, shuffle: 2, fletcher32: 3 } as const
/** HDF5's own limit, and the number of bits in the mask of a chunk. */
const MOST_FILTERS = 32

/** A filter that was applied when the file was written. */
interface Filter {
  readonly id: number
  readonly values: readonly number[]
}

/** Where and how the elements of a dataset are kept. */
interface Storage {
  readonly file: Hdf5Bytes
  readonly what: string
  readonly shape: readonly number[]
  readonly elementBytes: number
  readonly filters: readonly Filter[]
}

/**
 * A dataset of numbers as float32 or int32, or uint8 for uint8.
 * @param declaredType Keras writes bfloat16 as other types of two bytes, and says so in an attribute
 * @throws LstmError `FORMAT`, `UNSUPPORTED` for other elements, layouts or filters
 */
export function readDataset(file: Hdf5Bytes, messages: readonly Message[], what: string, declaredType?: string): NdArray {
  const shape = readDataspace(requireMessage(messages, MESSAGE.dataspace, what))
  const type = readDatatype(requireMessage(messages, MESSAGE.datatype, what))
  const size = lengthOf(shape) * type.bytes
  // Integers of a byte become int32.
  file.budget.copy(lengthOf(shape), type.kind === 'int' && type.bytes === 1 ? 5 * size : size, `HDF5: ${what}`)
  const filters = messages.find(({ type: message }) => message === MESSAGE.filters)
  const storage: Storage = {
    file, what, shape, elementBytes: type.bytes, filters: filters === undefined ? [] : readFilters(filters.cursor()),
  }
  const bytes = readStored(storage, requireMessage(messages, MESSAGE.layout, what), size)
  const isBfloat16 = declaredType === 'bfloat16' && type.bytes === 2
  return new NdArray(decode(bytes, isBfloat16 ? { kind: 'bfloat', bytes: 2, bigEndian: false } : type, what), shape)
}

function decode(bytes: Uint8Array, type: Datatype, what: string): NdArray['data'] {
  if (!('bigEndian' in type)) throw unsupported(`${what} has elements that are not numbers`)
  const ordered = type.bigEndian && type.bytes > 1 ? swapped(bytes, type.bytes) : bytes
  const isInt = type.kind === 'int' || type.kind === 'uint'
  if (type.kind === 'bfloat') return decodeElements(ordered, 'bfloat16', what)
  if (!isInt && type.bytes === 2) return decodeElements(ordered, 'float16', what)
  if (!isInt && type.bytes === 4) return decodeElements(ordered, 'float32', what)
  if (!isInt && type.bytes === 8) return decodeElements(ordered, 'float64', what)
  if (type.kind === 'uint' && type.bytes === 1) return decodeElements(ordered, 'uint8', what)
  if (type.kind === 'int' && type.bytes === 4) return decodeElements(ordered, 'int32', what)
  if (type.kind === 'int' && type.bytes === 1) return Int32Array.from(new Int8Array(ordered.buffer, ordered.byteOffset, ordered.length))
  if (isInt && type.bytes === 8) return decodeElements(ordered, 'int64', what)
  throw unsupported(`${what} has elements of kind ${type.kind} with ${type.bytes} bytes`)
}

function swapped(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const result = new Uint8Array(bytes.length)
  for (let n = 0; n < bytes.length; n++) {
    const inside = n % elementBytes
    result[n - inside + elementBytes - 1 - inside] = bytes[n] as number
  }
  return result
}

function readFilters(pipeline: Cursor): Filter[] {
  const version = pipeline.expectVersion(1, 2)
  const count = pipeline.u8()
  if (count > MOST_FILTERS) throw broken(`${pipeline.what}: expected at most ${MOST_FILTERS} filters, got ${count}`)
  if (version === 1) pipeline.skip(6)
  return Array.from({ length: count }, () => {
    const id = pipeline.u16()
    const nameBytes = version === 1 || id >= 256 ? pipeline.u16() : 0
    pipeline.skip(2)
    const valueCount = pipeline.u16()
    pipeline.skip(version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes)
    const values = Array.from({ length: valueCount }, () => pipeline.u32())
    if (version === 1 && valueCount % 2 === 1) pipeline.skip(4)
    return { id, values }
  })
}

/** All bytes of a dataset, filters undone. */
function readStored(storage: Storage, layout: Cursor, size: number): Uint8Array {
  const { file, what } = storage
  const version = layout.expectVersion(3, 4)
  const layoutClass = layout.u8()
  if (layoutClass === 0) return exactly(layout.take(layout.u16()), size, what)
  if (layoutClass === 1) {
    const address = layout.u64()
    const stored = layout.u64()
    // Never written: the fill value, which is zero where nobody chose another.
    if (address === UNDEFINED_ADDRESS) return new Uint8Array(size)
    return exactly(new Cursor(file.bytes, address, stored, what).take(stored), size, what)
  }
  if (layoutClass !== 2) throw unsupported(`${what} has a layout of class ${layoutClass}`)
  return version === 3 ? readTreeChunks(storage, layout, size) : readSingleChunk(storage, layout, size)
}

function exactly(bytes: Uint8Array, size: number, what: string): Uint8Array {
  if (bytes.length !== size) throw broken(`${what}: expected ${size} bytes of elements, got ${bytes.length}`)
  return bytes
}

function readTreeChunks(storage: Storage, layout: Cursor, size: number): Uint8Array {
  const { file, what, shape } = storage
  const axes = layout.u8()
  if (axes !== shape.length + 1) throw broken(`${what}: expected chunks of ${shape.length + 1} axes, got ${axes}`)
  const address = layout.u64()
  const chunk = checkChunk(storage, shape.map(() => layout.u32()))
  const result = new Uint8Array(size)
  visitTree(file, address, 1, 8 + 8 * axes, (key, chunkAddress) => {
    const stored = key.u32()
    const mask = key.u32()
    const offset = shape.map(() => key.u64())
    const bytes = new Cursor(file.bytes, chunkAddress, stored, what).take(stored)
    placeChunk(storage, result, chunk, offset, unfilter(storage, bytes, chunk, mask))
  })
  return result
}

function readSingleChunk(storage: Storage, layout: Cursor, size: number): Uint8Array {
  const { file, what, shape, elementBytes } = storage
  const flags = layout.u8()
  const axes = layout.u8()
  if (axes !== shape.length + 1) throw broken(`${what}: expected chunks of ${shape.length + 1} axes, got ${axes}`)
  const sizeBytes = layout.u8()
  const chunk = checkChunk(storage, shape.map(() => layout.uint(sizeBytes)))
  layout.skip(sizeBytes)
  const index = layout.u8()
  if (index !== 1) throw unsupported(`${what} has chunks with an index of kind ${index}; write it without compression, or in one chunk`)
  const filtered = (flags & 2) !== 0
  const stored = filtered ? layout.u64() : lengthOf(chunk) * elementBytes
  const mask = filtered ? layout.u32() : 0
  const address = layout.u64()
  const result = new Uint8Array(size)
  if (address === UNDEFINED_ADDRESS) return result
  const bytes = new Cursor(file.bytes, address, stored, what).take(stored)
  placeChunk(storage, result, chunk, shape.map(() => 0), unfilter(storage, bytes, chunk, mask))
  return result
}

function checkChunk({ what }: Storage, chunk: readonly number[]): readonly number[] {
  if (chunk.some((size) => size < 1)) throw broken(`${what}: expected chunks that are not empty, got ${formatShape(chunk)}`)
  return chunk
}

/** Undoes the filters of a chunk, the last one first; bit n of the mask says that filter n was left out. */
function unfilter({ file, what, filters, elementBytes }: Storage, stored: Uint8Array, chunk: readonly number[], mask: number): Uint8Array {
  const size = lengthOf(chunk) * elementBytes
  // Whatever the mask leaves out: chunks may be many, and have one body.
  file.budget.work(size, `HDF5: ${what}`)
  let bytes = stored
  for (let index = filters.length - 1; index >= 0; index--) {
    if (mask & (1 << index)) continue
    const { id, values } = filters[index] as Filter
    if (id === FILTER.fletcher32) bytes = bytes.subarray(0, Math.max(0, bytes.length - 4))
    else if (id === FILTER.deflate) {
      const checksums = filters.slice(0, index).filter((filter) => filter.id === FILTER.fletcher32).length
      // Two bytes of zlib header before the stream, four of checksum behind it.
      bytes = inflateExactly(bytes.subarray(2, Math.max(2, bytes.length - 4)), size + 4 * checksums, `HDF5: ${what}`, file.budget)
    } else if (id === FILTER.shuffle) {
      const [unit = elementBytes] = values
      if (unit < 1) throw broken(`${what}: expected elements of at least a byte to be shuffled, got ${unit}`)
      file.budget.copy(bytes.length, bytes.length, `HDF5: ${what}`)
      bytes = unshuffled(bytes, unit)
    } else throw unsupported(`${what} is written with filter ${id}; supported are deflate, shuffle and fletcher32`)
  }
  return exactly(bytes, size, what)
}

/** Shuffled bytes are first bytes of all elements, then second ones, and so on. */
function unshuffled(bytes: Uint8Array, elementBytes: number): Uint8Array {
  const count = Math.floor(bytes.length / elementBytes)
  const result = Uint8Array.from(bytes)
  for (let n = 0; n < count; n++) {
    for (let part = 0; part < elementBytes; part++) result[n * elementBytes + part] = bytes[part * count + n] as number
  }
  return result
}

/** What a row of a chunk takes, besides its bytes. */
const ROW_WORK = 20

/** Copies what of a chunk lies inside the dataset, a row at a time. */
function placeChunk(
  { what, shape, elementBytes, file }: Storage, result: Uint8Array, chunk: readonly number[], offset: readonly number[], bytes: Uint8Array,
): void {
  if (offset.some((begin, axis) => begin >= (shape[axis] as number))) {
    throw broken(`${what}: a chunk at ${formatShape(offset)} is outside ${formatShape(shape)}`)
  }
  const copy = (axis: number, from: number, to: number): void => {
    const inside = Math.min(chunk[axis] ?? 1, (shape[axis] ?? 1) - (offset[axis] ?? 0))
    if (axis >= shape.length - 1) {
      const begin = from * (chunk[axis] ?? 1)
      const target = (to * (shape[axis] ?? 1) + (offset[axis] ?? 0)) * elementBytes
      result.set(bytes.subarray(begin * elementBytes, (begin + inside) * elementBytes), target)
      return
    }
    for (let index = 0; index < inside; index++) {
      file.budget.work(ROW_WORK, what)
      copy(axis + 1, from * (chunk[axis] as number) + index, to * (shape[axis] as number) + (offset[axis] as number) + index)
    }
  }
  copy(0, 0, 0)
}
