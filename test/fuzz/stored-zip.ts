import { crc32 } from 'node:zlib'

/** What a header says that the file is not, for tests of readers. */
export interface Lies {
  readonly flags?: number
  readonly method?: number
  readonly size?: number
  readonly compressedSize?: number
  readonly crc?: number
}

/** A zip archive of files as they are, with the lies told of each of them. */
export function writeStored(files: ReadonlyMap<string, Uint8Array>, lies: Lies = {}): Uint8Array {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, contents] of files) {
    const nameBytes = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(lies.flags ?? 0, 2)
    common.writeUInt16LE(lies.method ?? 0, 4)
    common.writeUInt32LE(lies.crc ?? crc32(contents), 10)
    common.writeUInt32LE(lies.compressedSize ?? contents.length, 14)
    common.writeUInt32LE(lies.size ?? contents.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)
    parts.push(Buffer.from('PK\x03\x04'), common, nameBytes, Buffer.from(contents))
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    directory.push(Buffer.from('PK\x01\x02\x14\x00'), common, rest, nameBytes)
    offset += 30 + nameBytes.length + contents.length
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(files.size, 8)
  end.writeUInt16LE(files.size, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, ...directory, end])
}
