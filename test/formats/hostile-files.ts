// Small files that would take memory or time out of all proportion to their size.
import { crc32 } from 'node:zlib'
import { writeStored } from '../fuzz/stored-zip.ts'

/** A deflate stream of so many blocks that hold nothing, and a last one of a few bytes. */
export function emptyBlocks(count: number, last: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 * count + 5 + last.length)
  for (let n = 0; n < count; n++) bytes.set([0, 0, 0, 0xff, 0xff], 5 * n)
  bytes.set([1, last.length, 0, 255 - last.length, 0xff, ...last], 5 * count)
  return bytes
}

/** A zip archive whose entries, beside those of `files`, all have one body. */
export function oneBodyZip(
  files: ReadonlyMap<string, Uint8Array>, names: readonly string[], body: Uint8Array, contents: Uint8Array, method: 0 | 8,
): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  const entry = (name: string, stored: Uint8Array, plain: Uint8Array, how: 0 | 8): Buffer[] => {
    const nameBytes = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(how, 4)
    common.writeUInt32LE(crc32(plain), 10)
    common.writeUInt32LE(stored.length, 14)
    common.writeUInt32LE(plain.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, rest, nameBytes)
    return [Buffer.from('PK\x03\x04'), common, nameBytes, Buffer.from(stored)]
  }
  const put = (written: Buffer[]): void => {
    parts.push(...written)
    offset += written.reduce((sum, part) => sum + part.length, 0)
  }
  for (const [name, file] of files) put(entry(name, file, file, 0))
  const first = entry(names[0] as string, body, contents, method)
  for (const name of names.slice(1)) entry(name, body, contents, method)
  put(first)
  const size = directory.reduce((sum, part) => sum + part.length, 0)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(files.size + names.length, 8)
  end.writeUInt16LE(files.size + names.length, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, ...directory, end])
}

/** A file of torch.save with this pickle, in Latin-1. */
export function torchFile(pickle: string): Uint8Array {
  return writeStored(new Map([['x/data.pkl', Uint8Array.from(pickle, (letter) => letter.charCodeAt(0))]]))
}

/** The address of what is not there. */
export const UNDEFINED: bigint = 2n ** 64n - 1n

/** Little-endian numbers of 1, 2, 4 or 8 bytes. */
export function numbers(bytes: 1 | 2 | 4 | 8, ...values: readonly (number | bigint)[]): Buffer {
  const result = Buffer.alloc(bytes * values.length)
  values.forEach((value, n) => {
    if (bytes === 8) result.writeBigUInt64LE(BigInt(value), 8 * n)
    else result.writeUIntLE(Number(value), bytes * n, bytes)
  })
  return result
}

export interface FilterSpec {
  readonly id: number
  readonly values: readonly number[]
}

export interface ChunkSpec {
  readonly shape: readonly number[]
  /** What is stored, filters applied. */
  readonly body: Uint8Array
  readonly filters?: readonly FilterSpec[]
  /** How often the chunk stands in the tree. Default: once. */
  readonly keys?: number
  readonly mask?: number
}

/** An HDF5 file with a dataset of float32, `x`, which is one chunk. */
export function chunkedHdf5({ shape, body, filters = [], keys = 1, mask = 0 }: ChunkSpec): Uint8Array {
  const parts: Buffer[] = []
  let end = 0
  const put = (...bytes: readonly Uint8Array[]): number => {
    const at = end
    for (const part of bytes) {
      parts.push(Buffer.from(part))
      end += part.length
    }
    return at
  }
  const message = (type: number, contents: Buffer): Buffer => Buffer.concat([numbers(1, type), numbers(2, contents.length), numbers(1, 0), contents])
  const header = (messages: readonly Buffer[]): number => {
    const all = Buffer.concat(messages)
    return put(Buffer.from('OHDR'), numbers(1, 2, 2), numbers(4, all.length), all, numbers(4, 0))
  }
  const superblock = Buffer.concat([Buffer.from('\x89HDF\r\n\x1a\n', 'latin1'), numbers(1, 2, 8, 8, 0), numbers(8, 0, UNDEFINED, 0, 0), numbers(4, 0)])
  put(superblock)
  const chunk = put(body)
  const key = Buffer.concat([numbers(4, body.length, mask), numbers(8, ...shape.map(() => 0), 0, chunk)])
  const tree = put(Buffer.from('TREE'), numbers(1, 1, 0), numbers(2, keys), numbers(8, UNDEFINED, UNDEFINED), Buffer.concat(Array<Buffer>(keys).fill(key)))
  const pipeline = filters.map(({ id, values }) => Buffer.concat([numbers(2, id, 0, values.length), numbers(4, ...values)]))
  const dataset = header([
    message(1, Buffer.concat([numbers(1, 2, shape.length, 0, 1), numbers(8, ...shape)])),
    message(3, Buffer.concat([numbers(1, 0x11, 0x20, 31, 0), numbers(4, 4), numbers(2, 0, 32), numbers(1, 23, 8, 0, 23), numbers(4, 127)])),
    ...(filters.length === 0 ? [] : [message(11, Buffer.concat([numbers(1, 2, filters.length), ...pipeline]))]),
    message(8, Buffer.concat([numbers(1, 3, 2, shape.length + 1), numbers(8, tree), numbers(4, ...shape, 4)])),
  ])
  const root = header([message(6, Buffer.concat([numbers(1, 1, 0, 1), Buffer.from('x'), numbers(8, dataset)]))])
  const file = Buffer.concat(parts)
  file.writeBigUInt64LE(BigInt(file.length), 28)
  file.writeBigUInt64LE(BigInt(root), 36)
  return file
}
