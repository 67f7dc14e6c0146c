// A checkpoint of tf.train.Saver, version 2: PREFIX.index says where in PREFIX.data-00000-of-00001 each variable stands.
// Messages: tensorflow/core/protobuf/tensor_bundle.proto
import { LstmError } from '../../errors.ts'
import { NdArray } from '../../values/ndarray.ts'
import { formatShape, lengthOf } from '../../values/shape.ts'
import { decodeElements, ELEMENT_BYTES, type ElementType } from '../elements.ts'
import type { Budget } from '../budget.ts'
import type { ModelFiles } from '../reader.ts'
import { malformed, protobufFields } from './byte-reader.ts'
import { readTable } from './table.ts'

/** DataType of TensorFlow. */
const DTYPES: Readonly<Record<number, ElementType>> = {
  1: 'float32', 2: 'float64', 3: 'int32', 4: 'uint8', 9: 'int64', 10: 'uint8', 14: 'bfloat16', 19: 'float16',
}
const MOST_AXES = 64
const MOST_SHARDS = 10_000

interface Entry {
  readonly name: string
  readonly dtype: number
  readonly shape: readonly number[]
  readonly shard: number
  readonly offset: number
  readonly size: number
  readonly sliced: boolean
}

/**
 * All variables of a checkpoint whose elements are numbers, by name; text, which only describes a graph, is left out.
 * @param files the .index file, by whose name the others are found
 * @param budget of the load
 */
export async function readCheckpoint(files: ModelFiles, budget: Budget): Promise<Map<string, NdArray>> {
  const table = readTable(files.bytes, budget)
  const shards = readHeader(table.get('') ?? new Uint8Array(0))
  const entries = [...table].filter(([name]) => name !== '').map(([name, value]) => readEntry(name, value))
    .filter(({ dtype }) => Object.hasOwn(DTYPES, dtype))
  const sliced = entries.filter((entry) => entry.sliced).map(({ name }) => `'${name}'`)
  if (sliced.length > 0) {
    throw new LstmError('UNSUPPORTED', `TensorFlow checkpoint: variables that are saved in parts (partitioned): ${sliced.slice(0, 50).join(', ')}`)
  }
  const data: Map<number, Uint8Array> = new Map()
  const variables: Map<string, NdArray> = new Map()
  for (const { name, dtype, shape, shard, offset, size } of entries) {
    if (shard >= shards) throw malformed(`variable '${name}' is in part ${shard}, expected one of ${shards}`)
    let bytes = data.get(shard)
    if (bytes === undefined) {
      bytes = await files.sibling(shardName(files, shard, shards))
      budget.addFile(bytes.length)
      data.set(shard, bytes)
    }
    const type = DTYPES[dtype] as ElementType
    const needed = lengthOf(shape) * ELEMENT_BYTES[type]
    if (needed !== size) throw malformed(`variable '${name}' ${type} ${formatShape(shape)} needs ${needed} bytes, got ${size}`)
    if (!(offset + size <= bytes.length)) {
      throw malformed(`variable '${name}' stands at bytes ${offset} to ${offset + size}, expected them inside the ${bytes.length} bytes of data`)
    }
    budget.copy(lengthOf(shape), 4 * lengthOf(shape), `TensorFlow checkpoint: variable '${name}'`)
    variables.set(name, new NdArray(decodeElements(bytes.subarray(offset, offset + size), type, `variable '${name}'`), shape))
  }
  return variables
}

/** `model.ckpt.index` -> `model.ckpt.data-00000-of-00001`. */
function shardName({ name }: ModelFiles, shard: number, shards: number): string {
  const file = name?.split(/[\\/]/).at(-1)
  if (file?.endsWith('.index') !== true) {
    throw new LstmError('ENVIRONMENT', `TensorFlow checkpoint: the weights are in another file, found by the name of this one, which should end with .index; got ${file === undefined ? 'none' : JSON.stringify(file)}`)
  }
  const number = (value: number): string => String(value).padStart(5, '0')
  return `${file.slice(0, -'.index'.length)}.data-${number(shard)}-of-${number(shards)}`
}

/** BundleHeaderProto: 1 number of shards, 2 endianness. */
function readHeader(bytes: Uint8Array): number {
  let shards = 0
  for (const [field, value] of protobufFields(bytes)) {
    if (field === 1 && typeof value === 'number') shards = value
    if (field === 2 && value !== 0) throw new LstmError('UNSUPPORTED', 'TensorFlow checkpoint: it was written on a big-endian machine')
  }
  if (shards < 1 || shards > MOST_SHARDS) throw malformed(`expected a number of data files, got ${shards}`)
  return shards
}

/** BundleEntryProto: 1 dtype, 2 shape, 3 shard, 4 offset, 5 size, 7 slices. */
function readEntry(name: string, bytes: Uint8Array): Entry {
  const numbers: Map<number, number> = new Map()
  let shape: readonly number[] = []
  let sliced = false
  for (const [field, value] of protobufFields(bytes)) {
    if (typeof value === 'number') numbers.set(field, value)
    else if (field === 2) shape = readShape(name, value)
    else if (field === 7) sliced = true
  }
  const number = (field: number): number => numbers.get(field) ?? 0
  return { name, dtype: number(1), shape, shard: number(3), offset: number(4), size: number(5), sliced }
}

/** TensorShapeProto: 2 repeated { 1 size }, 3 unknown rank. */
function readShape(name: string, bytes: Uint8Array): number[] {
  const shape: number[] = []
  for (const [field, value] of protobufFields(bytes)) {
    if (field !== 2 || typeof value === 'number') continue
    let size = 0
    for (const [inner, number] of protobufFields(value)) if (inner === 1 && typeof number === 'number') size = number
    if (!Number.isSafeInteger(size) || shape.length === MOST_AXES) throw malformed(`variable '${name}' has no shape that is possible`)
    shape.push(size)
  }
  return shape
}
