// Heaps: where names, strings of any length, and groups with many members are kept.
// Specification sections III.D (local heaps), III.E (global heap), III.G (fractal heap), III.A.2 (version 2 B-trees).
import { broken, Cursor, decodeText, UNDEFINED_ADDRESS, unsupported } from './cursor.ts'
import type { Hdf5Bytes } from './header.ts'

/** The names of the members of a group, by offset. */
export function readLocalHeap(file: Hdf5Bytes, address: number): (offset: number) => string {
  const what = `local heap at byte ${address}`
  const header = new Cursor(file.bytes, address, 32, what)
  header.expectSignature('HEAP')
  header.expectVersion(0)
  header.skip(3)
  const size = header.u64()
  header.skip(8)
  const begin = header.u64()
  const data = new Cursor(file.bytes, begin, size, what).take(size)
  return (offset) => {
    if (offset >= size) throw broken(`${what}: expected an offset below ${size}, got ${offset}`)
    const name = decodeText(data.subarray(offset))
    file.budget.take(name.length, what)
    return name
  }
}

/** An object of the global heap: the collection at `address`, the object of this number. */
export function readGlobalHeap(file: Hdf5Bytes, address: number, wanted: number): Uint8Array {
  let collection = file.globalHeaps.get(address)
  if (collection === undefined) {
    collection = readCollection(file, address)
    file.globalHeaps.set(address, collection)
  }
  const object = collection.get(wanted)
  if (object === undefined) throw broken(`global heap at byte ${address}: no object ${wanted}`)
  return object
}

function readCollection(file: Hdf5Bytes, address: number): Map<number, Uint8Array> {
  const what = `global heap at byte ${address}`
  const header = new Cursor(file.bytes, address, 16, what)
  header.expectSignature('GCOL')
  header.expectVersion(1)
  header.skip(3)
  const size = header.u64()
  const objects = new Cursor(file.bytes, address, size, what)
  objects.skip(16)
  const collection: Map<number, Uint8Array> = new Map()
  while (objects.left >= 16) {
    file.budget.visit(what)
    const index = objects.u16()
    objects.skip(6)
    const length = objects.u64()
    if (index === 0) break // the free space
    collection.set(index, objects.take(length))
    if (objects.left > 0) objects.align(address)
  }
  return collection
}

/**
 * Objects of a fractal heap that a version 2 B-tree lists: links or attributes of an object with many.
 * @param idOffset where in a record of the B-tree the heap's identifier begins
 */
export function readDenseObjects(file: Hdf5Bytes, heapAddress: number, treeAddress: number, idOffset: number): Cursor[] {
  const heap = readFractalHeap(file, heapAddress)
  return readTree2Records(file, treeAddress).map((record) => {
    const id = record.subarray(idOffset, idOffset + heap.idBytes)
    if (id.length < heap.idBytes) throw broken(`${heap.what}: expected identifiers of ${heap.idBytes} bytes, got ${id.length}`)
    const object = heap.object(new Cursor(id, 0, id.length, heap.what))
    // Records may stand for the same bytes again and again.
    file.budget.visit(heap.what)
    file.budget.copy(object.left, object.left, heap.what)
    return object
  })
}

interface FractalHeap {
  readonly what: string
  readonly idBytes: number
  object(id: Cursor): Cursor
}

interface HeapBlock {
  /** Where the block begins in the heap's own space. */
  readonly offset: number
  readonly size: number
  readonly address: number
}

/** The last block that does not begin behind `offset`. Blocks are in order. */
function blockAt(blocks: readonly HeapBlock[], offset: number): HeapBlock | undefined {
  let low = 0
  let high = blocks.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((blocks[middle] as HeapBlock).offset <= offset) low = middle + 1
    else high = middle
  }
  return blocks[low - 1]
}

function readFractalHeap(file: Hdf5Bytes, address: number): FractalHeap {
  const what = `fractal heap at byte ${address}`
  const header = new Cursor(file.bytes, address, 142, what)
  header.expectSignature('FRHP')
  header.expectVersion(0)
  const idBytes = header.u16()
  if (header.u16() !== 0) throw unsupported(`the ${what} is compressed`)
  header.skip(1 + 4 + 12 * 8) // flags, the largest managed object, and counts of spaces and objects
  const width = header.u16()
  const firstSize = header.u64()
  const largestDirect = header.u64()
  const offsetBytes = Math.ceil(header.u16() / 8)
  header.skip(2)
  const rootAddress = header.u64()
  const rows = header.u16()
  const blocks: HeapBlock[] = []
  if (rows === 0) blocks.push({ offset: 0, size: firstSize, address: rootAddress })
  else {
    const root = new Cursor(file.bytes, rootAddress, 13 + offsetBytes + rows * width * 8, what)
    root.expectSignature('FHIB')
    root.skip(1 + 8 + offsetBytes)
    let offset = 0
    for (let row = 0; row < rows; row++) {
      const size = firstSize * 2 ** Math.max(0, row - 1)
      if (size > largestDirect) throw unsupported(`the ${what} has too many levels`)
      for (let column = 0; column < width; column++, offset += size) {
        file.budget.visit(what)
        const child = root.u64()
        if (child !== UNDEFINED_ADDRESS) blocks.push({ offset, size, address: child })
      }
    }
  }
  return {
    what,
    idBytes,
    object(id) {
      const kind = (id.u8() >> 4) & 3
      if (kind !== 0) throw unsupported(`the ${what} has objects that are not managed`)
      const offset = id.uint(offsetBytes)
      const length = id.uint(Math.min(id.left, 4))
      const block = blockAt(blocks, offset)
      if (block === undefined || offset + length > block.offset + block.size) throw broken(`${what}: no block has the ${length} bytes at ${offset}`)
      return new Cursor(file.bytes, block.address + offset - block.offset, length, what)
    },
  }
}

function readTree2Records(file: Hdf5Bytes, address: number): Uint8Array[] {
  const what = `B-tree at byte ${address}`
  const header = new Cursor(file.bytes, address, 38, what)
  header.expectSignature('BTHD')
  header.expectVersion(0)
  header.skip(1)
  const nodeBytes = header.u32()
  const recordBytes = header.u16()
  const depth = header.u16()
  header.skip(2)
  const rootAddress = header.u64()
  const rootRecords = header.u16()
  if (recordBytes === 0) throw broken(`${what}: expected records of at least a byte`)
  if (depth > 1) throw unsupported(`the ${what} has too many levels`)
  const records: Uint8Array[] = []
  const readNode = (signature: string, begin: number, count: number): Cursor => {
    const node = new Cursor(file.bytes, begin, nodeBytes, what)
    node.expectSignature(signature)
    node.skip(2)
    for (let index = 0; index < count; index++) {
      file.budget.visit(what)
      records.push(node.take(recordBytes))
    }
    return node
  }
  if (rootAddress === UNDEFINED_ADDRESS) return records
  if (depth === 0) readNode('BTLF', rootAddress, rootRecords)
  else {
    const root = readNode('BTIN', rootAddress, rootRecords)
    const countBytes = Math.ceil(Math.log2(Math.floor((nodeBytes - 10) / recordBytes) + 1) / 8)
    for (let child = 0; child <= rootRecords; child++) {
      const begin = root.u64()
      readNode('BTLF', begin, root.uint(countBytes))
    }
  }
  return records
}
