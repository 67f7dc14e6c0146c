// Members of a group, in any of the three ways that files keep them. Specification sections III.A.1 (version 1
// B-trees), III.B and III.C (symbol tables), IV.A.2.g (link messages).
import { broken, Cursor, UNDEFINED_ADDRESS } from './cursor.ts'
import { MESSAGE, type Hdf5Bytes, type Message } from './header.ts'
import { readDenseObjects, readLocalHeap } from './heap.ts'

const TREE_HEADER_BYTES = 24
const SYMBOL_BYTES = 40
const SOFT_LINK = 2

/** Header addresses of the members of a group, by name; links to elsewhere are left out. Undefined for a dataset. */
export function readMembers(file: Hdf5Bytes, messages: readonly Message[], what: string): Map<string, number> | undefined {
  const members: Map<string, number> = new Map()
  const add = (name: string, address: number): void => {
    if (members.has(name)) throw broken(`${what}: two members are named '${name}'`)
    members.set(name, address)
  }
  let isGroup = false
  for (const { type, cursor } of messages) {
    if (type === MESSAGE.symbolTable) {
      const table = cursor()
      readTable(file, table.u64(), table.u64(), add)
    } else if (type === MESSAGE.link) readLink(cursor(), add)
    else if (type === MESSAGE.linkInfo) readLinkInfo(file, cursor(), add)
    else continue
    isGroup = true
  }
  return isGroup ? members : undefined
}

type Add = (name: string, address: number) => void

function readTable(file: Hdf5Bytes, treeAddress: number, heapAddress: number, add: Add): void {
  const nameAt = readLocalHeap(file, heapAddress)
  visitTree(file, treeAddress, 0, 8, (_key, address) => {
    const what = `symbol table at byte ${address}`
    const head = new Cursor(file.bytes, address, 8, what)
    head.expectSignature('SNOD')
    head.expectVersion(1)
    head.skip(1)
    const count = head.u16()
    const symbols = new Cursor(file.bytes, address + 8, count * SYMBOL_BYTES, what)
    for (let index = 0; index < count; index++) {
      file.budget.visit(what)
      const name = nameAt(symbols.u64())
      const header = symbols.u64()
      if (symbols.u32() !== SOFT_LINK) add(name, header)
      symbols.skip(20)
    }
  })
}

/**
 * Walks a version 1 B-tree, leaves from left to right.
 * @param visitLeaf gets a cursor at the key (of `keyBytes`), and the address that it stands for
 */
export function visitTree(
  file: Hdf5Bytes, address: number, nodeType: number, keyBytes: number, visitLeaf: (key: Cursor, address: number) => void,
): void {
  const visit = (nodeAddress: number, parentLevel: number): void => {
    const what = `B-tree node at byte ${nodeAddress}`
    file.budget.visit(what)
    const header = new Cursor(file.bytes, nodeAddress, TREE_HEADER_BYTES, what)
    header.expectSignature('TREE')
    const type = header.u8()
    if (type !== nodeType) throw broken(`${what}: expected a node of type ${nodeType}, got ${type}`)
    const level = header.u8()
    // Levels count down: without this, a node could be its own child.
    if (level >= parentLevel) throw broken(`${what}: expected a level below ${parentLevel}, got ${level}`)
    const count = header.u16()
    const entries = new Cursor(file.bytes, nodeAddress + TREE_HEADER_BYTES, count * (keyBytes + 8), what)
    for (let index = 0; index < count; index++) {
      file.budget.visit(what)
      const begin = entries.position
      entries.skip(keyBytes)
      const child = entries.u64()
      if (level > 0) visit(child, level)
      else visitLeaf(new Cursor(file.bytes, begin, keyBytes, what), child)
    }
  }
  if (address !== UNDEFINED_ADDRESS) visit(address, 256)
}

function readLink(link: Cursor, add: Add): void {
  link.expectVersion(1)
  const flags = link.u8()
  const type = flags & 8 ? link.u8() : 0
  if (flags & 4) link.skip(8)
  if (flags & 16) link.skip(1)
  const name = link.text(link.uint(2 ** (flags & 3)))
  if (type === 0) add(name, link.u64())
}

function readLinkInfo(file: Hdf5Bytes, info: Cursor, add: Add): void {
  info.expectVersion(0)
  if (info.u8() & 1) info.skip(8)
  const heapAddress = info.u64()
  if (heapAddress === UNDEFINED_ADDRESS) return
  // A record: a hash of the name (4 bytes), the identifier in the heap.
  for (const link of readDenseObjects(file, heapAddress, info.u64(), 4)) readLink(link, add)
}
