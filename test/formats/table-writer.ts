// LevelDB's sorted tables and protocol buffers, as a checkpoint's .index has them, byte by byte: sound ones and others.

export type Bytes = readonly number[]

/** A key of a block: what it shares with the one before, its own bytes, and the value. */
export interface TableEntry {
  readonly shared?: number
  readonly own: Bytes
  readonly value: Bytes
}

export interface Block {
  readonly entries: readonly TableEntry[]
  readonly compression?: number
  /** Where the index says it begins, and how long it is; default: where it does, and as long as it is. */
  readonly offset?: number
  readonly size?: number
  /** The number of restarts it ends with. */
  readonly restarts?: number
}

export const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)]

function varint(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...varint(Math.floor(value / 128))]
}

/** A field of a message: a number, or bytes. */
export function field(number: number, value: number | Bytes): number[] {
  return typeof value === 'number' ? [...varint(number * 8), ...varint(value)] : [...varint(number * 8 + 2), ...varint(value.length), ...value]
}

function blockBytes({ entries, restarts = 1 }: Block): number[] {
  const body = entries.flatMap(({ shared = 0, own, value }) => [...varint(shared), ...varint(own.length), ...varint(value.length), ...own, ...value])
  return [...body, 0, 0, 0, 0, restarts & 0xff, restarts >> 8 & 0xff, restarts >> 16 & 0xff, restarts >>> 24]
}

const trailer = (compression: number): number[] => [compression, 0, 0, 0, 0]

export function writeTable(blocks: readonly Block[]): Uint8Array {
  const file: number[] = []
  const entries = blocks.map((block, n): TableEntry => {
    const [offset, bytes] = [file.length, blockBytes(block)]
    for (const byte of [...bytes, ...trailer(block.compression ?? 0)]) file.push(byte)
    return { own: [n >> 8, n & 0xff], value: [...varint(block.offset ?? offset), ...varint(block.size ?? bytes.length)] }
  })
  const index = blockBytes({ entries })
  const footer = [0, 0, ...varint(file.length), ...varint(index.length)]
  const rest = [...trailer(0), ...footer, ...Array<number>(40 - footer.length).fill(0), 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb]
  return Uint8Array.from([...file, ...index, ...rest])
}
