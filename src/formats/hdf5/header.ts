// Object headers: the messages that say what a group or dataset is. Specification sections IV.A.1 and IV.A.2.
import type { Budget } from '../budget.ts'
import { broken, Cursor, unsupported } from './cursor.ts'

/** Types of the messages that are read. */
export const MESSAGE = {
  dataspace: 0x01, linkInfo: 0x02, datatype: 0x03, link: 0x06, layout: 0x08, filters: 0x0b, attribute: 0x0c,
  continuation: 0x10, symbolTable: 0x11, attributeInfo: 0x15,
} as const

export interface Message {
  readonly type: number
  /** At its beginning. A new one each time it is asked for. */
  readonly cursor: () => Cursor
}

interface Block {
  readonly begin: number
  readonly length: number
}

/** The file as all its parts need it. */
export interface Hdf5Bytes {
  readonly bytes: Uint8Array
  readonly budget: Budget
  /** Collections of the global heap that were read already. */
  readonly globalHeaps: Map<number, Map<number, Uint8Array>>
}

/** All messages of the object header at `address`, continuations included. */
export function readMessages(file: Hdf5Bytes, address: number): Message[] {
  const what = `object header at byte ${address}`
  file.budget.visit(what)
  const start = new Cursor(file.bytes, address, 4, what)
  return start.text(4) === 'OHDR' ? readVersion2(file, address, what) : readVersion1(file, address, what)
}

function readVersion1(file: Hdf5Bytes, address: number, what: string): Message[] {
  const prefix = new Cursor(file.bytes, address, 16, what)
  prefix.expectVersion(1)
  prefix.skip(1)
  const count = prefix.u16()
  prefix.skip(4)
  const blocks: Block[] = [{ begin: address + 16, length: prefix.u32() }]
  const messages: Message[] = []
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const cursor = new Cursor(file.bytes, block.begin, block.length, what)
    while (cursor.left >= 8 && messages.length < count) {
      const type = cursor.u16()
      const size = cursor.u16()
      const flags = cursor.u8()
      cursor.skip(3)
      addMessage(file, messages, blocks, { type, size, flags }, cursor, what)
    }
  }
  return messages
}

function readVersion2(file: Hdf5Bytes, address: number, what: string): Message[] {
  const prefix = new Cursor(file.bytes, address, Math.min(64, file.bytes.length - address), what)
  prefix.expectSignature('OHDR')
  prefix.expectVersion(2)
  const headerFlags = prefix.u8()
  if (headerFlags & 0x20) prefix.skip(16)
  if (headerFlags & 0x10) prefix.skip(4)
  const size = prefix.uint(2 ** (headerFlags & 3))
  const blocks: Block[] = [{ begin: prefix.position, length: size }]
  const messages: Message[] = []
  const messageBytes = headerFlags & 4 ? 6 : 4
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const isFirst = block.begin === prefix.position
    const cursor = new Cursor(file.bytes, block.begin, block.length, what)
    if (!isFirst) cursor.expectSignature('OCHK')
    const gap = isFirst ? 0 : 4 // the checksum of a continuation is inside its length
    while (cursor.left - gap >= messageBytes) {
      const type = cursor.u8()
      const length = cursor.u16()
      const flags = cursor.u8()
      if (messageBytes === 6) cursor.skip(2)
      addMessage(file, messages, blocks, { type, size: length, flags }, cursor, what)
    }
  }
  return messages
}

function addMessage(
  file: Hdf5Bytes, messages: Message[], blocks: Block[], { type, size, flags }: { type: number, size: number, flags: number },
  cursor: Cursor, what: string,
): void {
  file.budget.visit(what)
  const begin = cursor.position
  cursor.skip(size)
  const message: Message = { type, cursor: () => new Cursor(file.bytes, begin, size, `message ${type} of the ${what}`) }
  messages.push(message)
  if (type === MESSAGE.continuation) {
    const continuation = message.cursor()
    blocks.push({ begin: continuation.u64(), length: continuation.u64() })
  } else if (flags & 2 && Object.values<number>(MESSAGE).includes(type)) {
    throw unsupported(`the ${what} has a shared message (of type ${type})`)
  }
}

export function requireMessage(messages: readonly Message[], type: number, what: string): Cursor {
  const message = messages.find((candidate) => candidate.type === type)
  if (message === undefined) throw broken(`${what} has no message of type ${type}`)
  return message.cursor()
}
