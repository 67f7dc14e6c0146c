// LevelDB's sorted table, in which a checkpoint's .index is written:
// https://github.com/google/leveldb/blob/main/doc/table_format.md
//   data blocks, then blocks about blocks, each followed by 1 byte compression and 4 bytes checksum
//   footer: 40 bytes with the places of the metaindex and the index block (varints), 8 bytes magic
import { LstmError } from '../../errors.ts'
import type { Budget } from '../budget.ts'
import { ByteReader, malformed } from './byte-reader.ts'

const FOOTER_BYTES = 48
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
/** Compression and checksum. */
const TRAILER_BYTES = 5
const LONGEST_KEY = 1024

interface Place {
  readonly offset: number
  readonly size: number
}

/** Whether bytes end as a table does. */
export function isTable(bytes: Uint8Array): boolean {
  return bytes.length >= FOOTER_BYTES && MAGIC.every((byte, n) => bytes[bytes.length - MAGIC.length + n] === byte)
}

/**
 * The entries of a table, in its order.
 * @throws LstmError `FORMAT` for a broken table, `UNSUPPORTED` for compressed blocks
 */
export function readTable(bytes: Uint8Array, budget: Budget): Map<string, Uint8Array> {
  if (!isTable(bytes)) throw malformed(`expected an .index file that ends with 57 fb 80 8b 24 75 47 db, got ${bytes.length} bytes that do not`)
  const footer = new ByteReader(bytes.subarray(bytes.length - FOOTER_BYTES))
  readPlace(footer)
  const index = readPlace(footer)
  const entries: Map<string, Uint8Array> = new Map()
  let end = 0
  for (const [, value] of blockEntries(blockAt(bytes, index), budget)) {
    const place = readPlace(new ByteReader(value))
    // Blocks stand one after the other: none is read twice.
    if (place.offset < end) throw malformed(`the block at byte ${place.offset} begins before the end of the one before, ${end}`)
    end = place.offset + place.size
    for (const [key, entry] of blockEntries(blockAt(bytes, place), budget)) {
      if (entries.has(key)) throw malformed(`the key ${JSON.stringify(key)} stands twice`)
      entries.set(key, entry)
    }
  }
  return entries
}

function readPlace(reader: ByteReader): Place {
  return { offset: reader.varint(), size: reader.varint() }
}

function blockAt(bytes: Uint8Array, { offset, size }: Place): Uint8Array {
  if (!(offset + size + TRAILER_BYTES <= bytes.length)) {
    throw malformed(`expected a block of ${size} bytes at byte ${offset}, got a file of ${bytes.length} bytes`)
  }
  const compression = bytes[offset + size]
  if (compression !== 0) {
    throw new LstmError('UNSUPPORTED', `TensorFlow checkpoint: the block at byte ${offset} is compressed (${compression === 1 ? 'snappy' : `type ${compression}`}); TensorFlow's Saver writes them plain`)
  }
  return bytes.subarray(offset, offset + size)
}

/** Entries of a block: bytes shared with the key before, further bytes, bytes of the value; then what the lengths say. */
function* blockEntries(block: Uint8Array, budget: Budget): Generator<[key: string, value: Uint8Array]> {
  if (block.length < 4) throw malformed(`expected a block of at least 4 bytes, got ${block.length}`)
  const restarts = new DataView(block.buffer, block.byteOffset + block.length - 4).getUint32(0, true)
  const end = block.length - 4 * (restarts + 1)
  if (end < 0) throw malformed(`expected a block with room for ${restarts} restarts, got ${block.length} bytes`)
  const reader = new ByteReader(block.subarray(0, end))
  let key: Uint8Array = new Uint8Array(0)
  while (reader.left > 0) {
    const [shared, own, size] = [reader.varint(), reader.varint(), reader.varint()]
    if (shared > key.length) throw malformed(`a key shares ${shared} bytes with one of ${key.length}`)
    if (shared + own > LONGEST_KEY) throw malformed(`expected a key of at most ${LONGEST_KEY} bytes, got ${shared + own}`)
    // Keys leave out what they share with the one before, so that small files may have long ones.
    budget.visit('TensorFlow checkpoint')
    budget.copy(shared + own, shared + own, 'TensorFlow checkpoint')
    const next = new Uint8Array(shared + own)
    next.set(key.subarray(0, shared))
    next.set(reader.take(own), shared)
    key = next
    yield [new TextDecoder().decode(key), reader.take(size)]
  }
}
