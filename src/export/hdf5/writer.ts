// HDF5 files of groups and arrays, the smallest that there are: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
//   superblock version 0; object headers version 1; links of a group as messages of its header, so that no tree and no heap is needed;
//   arrays in one piece. HDF5 1.8 and newer read them.
// Everything is little-endian, addresses and sizes have 8 bytes, and everything begins at a multiple of 8.
import type { ArrayLike } from '../../values/ndarray.ts'

/** What a group holds, by name: arrays, and groups. */
export interface Hdf5Group {
  readonly [name: string]: Hdf5Group | ArrayLike
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
const SUPERBLOCK_BYTES = 96
const HEADER_BYTES = 16
const MESSAGE_BYTES = 8
const UNDEFINED = 2 ** 64

/** Numbers of the messages of an object header. */
const MESSAGES = { dataspace: 1, linkInfo: 2, datatype: 3, fillValue: 5, link: 6, layout: 8, groupInfo: 10 } as const

/** Class, version and layout of IEEE 754 float32 and of whole numbers, little-endian. */
const DATATYPES: Readonly<Record<ArrayLike['dtype'], readonly number[]>> = {
  float32: [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0],
  int32: [0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0],
  uint8: [0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0],
}

interface Message {
  readonly type: number
  readonly body: readonly number[]
}

const whole = (bytes: number): number => Math.ceil(bytes / 8) * 8

/** A number of 8 bytes; `UNDEFINED` is all ones. */
function word(value: number): number[] {
  if (value === UNDEFINED) return [255, 255, 255, 255, 255, 255, 255, 255]
  return Array.from({ length: 8 }, (_, n) => Math.floor(value / 2 ** (8 * n)) % 256)
}

const isArray = (item: Hdf5Group | ArrayLike): item is ArrayLike => 'data' in item && ArrayBuffer.isView(item.data)

/** Gives every object a place, from the leaves up: what a header says of others is known then. */
class Layout {
  readonly parts: { readonly at: number, readonly bytes: ArrayLike['data'] | Uint8Array }[] = []
  end = SUPERBLOCK_BYTES

  /** @returns where it is */
  #put(bytes: ArrayLike['data'] | Uint8Array): number {
    const at = this.end
    this.parts.push({ at, bytes })
    this.end = whole(at + bytes.byteLength)
    return at
  }

  object(item: Hdf5Group | ArrayLike): number {
    return this.#put(header(isArray(item) ? this.#array(item) : this.#group(item)))
  }

  #array({ dtype, shape, data }: ArrayLike): Message[] {
    const at = data.length === 0 ? UNDEFINED : this.#put(data)
    return [
      { type: MESSAGES.dataspace, body: [1, shape.length, 0, 0, 0, 0, 0, 0, ...shape.flatMap(word)] },
      { type: MESSAGES.datatype, body: DATATYPES[dtype] },
      { type: MESSAGES.fillValue, body: [2, 2, 2, 0] },
      { type: MESSAGES.layout, body: [3, 1, ...word(at), ...word(data.byteLength)] },
    ]
  }

  /** Names are UTF-8, up to 65535 bytes long. */
  #group(group: Hdf5Group): Message[] {
    const links = Object.entries(group).map(([name, item]): Message => {
      const bytes = new TextEncoder().encode(name)
      return { type: MESSAGES.link, body: [1, 0x11, 1, bytes.length % 256, Math.floor(bytes.length / 256), ...bytes, ...word(this.object(item))] }
    })
    return [
      { type: MESSAGES.linkInfo, body: [0, 0, ...word(UNDEFINED), ...word(UNDEFINED)] },
      { type: MESSAGES.groupInfo, body: [0, 0] },
      ...links,
    ]
  }
}

/** An object header: version, number of messages, how often it is referred to, bytes of all messages; then these. */
function header(messages: readonly Message[]): Uint8Array {
  const size = messages.reduce((sum, { body }) => sum + MESSAGE_BYTES + whole(body.length), 0)
  const bytes = new Uint8Array(HEADER_BYTES + size)
  const view = new DataView(bytes.buffer)
  bytes[0] = 1
  view.setUint16(2, messages.length, true)
  view.setUint32(4, 1, true)
  view.setUint32(8, size, true)
  let at = HEADER_BYTES
  for (const { type, body } of messages) {
    view.setUint16(at, type, true)
    view.setUint16(at + 2, whole(body.length), true)
    bytes.set(body, at + MESSAGE_BYTES)
    at += MESSAGE_BYTES + whole(body.length)
  }
  return bytes
}

/** Writes an HDF5 file. Arrays keep their dtypes. */
export function writeHdf5(root: Hdf5Group): Uint8Array<ArrayBuffer> {
  const layout = new Layout()
  const rootAt = layout.object(root)
  const file = new Uint8Array(layout.end)
  // Versions of everything 0; sizes of addresses and lengths 8; leaves and nodes of trees, of which there are none; flags.
  file.set([...SIGNATURE, 0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0])
  // Base address, free space, end of the file, driver information; then the root: offset of its name, its header, nothing cached.
  file.set([...word(0), ...word(UNDEFINED), ...word(layout.end), ...word(UNDEFINED), ...word(0), ...word(rootAt)], 24)
  for (const { at, bytes } of layout.parts) file.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), at)
  return file
}
