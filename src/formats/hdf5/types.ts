// Shapes, element types and attributes. Specification sections IV.A.2.b (dataspace), IV.A.2.d (datatype),
// IV.A.2.m and IV.A.2.v (attributes).
import { lengthOf } from '../../values/shape.ts'
import { broken, Cursor, decodeText, UNDEFINED_ADDRESS, unsupported } from './cursor.ts'
import { MESSAGE, type Hdf5Bytes, type Message } from './header.ts'
import { readDenseObjects, readGlobalHeap } from './heap.ts'

const MAX_RANK = 32

/** What the elements of a dataset or attribute are. */
export type Datatype =
  | { readonly kind: 'float' | 'bfloat' | 'int' | 'uint', readonly bytes: number, readonly bigEndian: boolean }
  | { readonly kind: 'text' | 'heapText', readonly bytes: number }
  | { readonly kind: 'other', readonly bytes: number, readonly class: number }

/** The sizes of all axes: [] for a scalar, [0] where there are no elements. */
export function readDataspace(space: Cursor): number[] {
  const version = space.expectVersion(1, 2)
  const rank = space.u8()
  if (rank > MAX_RANK) throw broken(`${space.what}: expected at most ${MAX_RANK} axes, got ${rank}`)
  space.skip(1)
  const type = version === 1 ? 1 : space.u8()
  if (version === 1) space.skip(5)
  const shape = Array.from({ length: rank }, () => space.u64())
  if (type === 2) return [0]
  if (!Number.isSafeInteger(lengthOf(shape))) throw broken(`${space.what}: [${shape.join(', ')}] has more elements than can be`)
  return shape
}

/** Classes of the specification, table of IV.A.2.d. */
const CLASS = { fixed: 0, float: 1, string: 3, opaque: 5, enumerated: 8, variable: 9 } as const

export function readDatatype(type: Cursor): Datatype {
  const classAndVersion = type.u8()
  const bits = type.u8() + type.u16() * 256
  const bytes = type.u32()
  if (bytes === 0) throw broken(`${type.what}: expected elements of at least a byte`)
  const typeClass = classAndVersion & 15
  const bigEndian = (bits & 1) === 1
  if (typeClass === CLASS.fixed) return { kind: bits & 8 ? 'int' : 'uint', bytes, bigEndian }
  if (typeClass === CLASS.float) {
    type.skip(5)
    const exponentBits = type.u8()
    return { kind: bytes === 2 && exponentBits === 8 ? 'bfloat' : 'float', bytes, bigEndian }
  }
  if (typeClass === CLASS.string) return { kind: 'text', bytes }
  if (typeClass === CLASS.variable && (bits & 15) === 1) return { kind: 'heapText', bytes }
  // The base type of an enumeration (NumPy's bool) follows.
  if (typeClass === CLASS.enumerated) return readDatatype(type)
  return { kind: 'other', bytes, class: typeClass }
}

/** An attribute that is text or a list of texts; others are not needed, and undefined. */
export type AttributeValue = string | readonly string[] | undefined

/** All attributes of an object. */
export function readAttributes(file: Hdf5Bytes, messages: readonly Message[]): Map<string, AttributeValue> {
  const attributes: Map<string, AttributeValue> = new Map()
  for (const { type, cursor } of messages) {
    if (type === MESSAGE.attribute) readAttribute(file, cursor(), attributes)
    else if (type === MESSAGE.attributeInfo) {
      const info = cursor()
      info.expectVersion(0)
      if (info.u8() & 1) info.skip(2)
      const heapAddress = info.u64()
      // A record begins with the identifier in the heap.
      if (heapAddress !== UNDEFINED_ADDRESS) {
        for (const attribute of readDenseObjects(file, heapAddress, info.u64(), 0)) readAttribute(file, attribute, attributes)
      }
    }
  }
  return attributes
}

function readAttribute(file: Hdf5Bytes, attribute: Cursor, into: Map<string, AttributeValue>): void {
  file.budget.visit(attribute.what)
  const begin = attribute.position
  const version = attribute.expectVersion(1, 2, 3)
  const flags = attribute.u8()
  if (version > 1 && flags & 3) throw unsupported(`${attribute.what} shares its type`)
  const nameBytes = attribute.u16()
  const typeBytes = attribute.u16()
  const spaceBytes = attribute.u16()
  if (version === 3) attribute.skip(1)
  const part = (length: number): Cursor => {
    const cursor = new Cursor(attribute.bytes, attribute.position, Math.min(length, attribute.left), attribute.what)
    attribute.skip(length)
    if (version === 1) attribute.align(begin)
    return cursor
  }
  const name = part(nameBytes).text(nameBytes)
  const type = readDatatype(part(typeBytes))
  const shape = readDataspace(part(spaceBytes))
  into.set(name, readText(file, attribute, type, shape))
}

function readText(file: Hdf5Bytes, elements: Cursor, type: Datatype, shape: readonly number[]): AttributeValue {
  if (type.kind !== 'text' && type.kind !== 'heapText') return undefined
  const length = lengthOf(shape)
  if (length * type.bytes > elements.left) throw broken(`${elements.what}: expected ${length} texts of ${type.bytes} bytes, got ${elements.left} bytes`)
  const texts = Array.from({ length }, () => {
    if (type.kind === 'text') {
      file.budget.take(type.bytes, elements.what)
      return decodeText(elements.take(type.bytes))
    }
    const bytes = elements.u32()
    const address = elements.u64()
    const index = elements.u32()
    elements.skip(type.bytes - 16)
    if (bytes === 0) return ''
    const object = readGlobalHeap(file, address, index)
    if (bytes > object.length) throw broken(`${elements.what}: expected a text of ${bytes} bytes, got ${object.length}`)
    file.budget.take(bytes, elements.what)
    return decodeText(object.subarray(0, bytes))
  })
  return shape.length === 0 ? texts[0] : texts
}
