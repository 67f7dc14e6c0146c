// Protocol buffers' wire format; input is untrusted: https://protobuf.dev/programming-guides/encoding/
// pbf reads numbers and skips what nobody asks for; lengths, depths and counts are checked here.
import { PbfReader } from 'pbf'
import { LstmError } from '../../errors.ts'
import { malformedFile } from '../malformed.ts'

export const malformed: (what: string, cause?: unknown) => LstmError = malformedFile('onnx')

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Messages in messages: models nest a few; each level of a subgraph takes three. */
const MAX_DEPTH = 64
/** An empty message is two bytes in a file and some hundred in memory; the largest models have a tenth of this. */
const MAX_MESSAGES = 250_000

/** Reads one protocol buffer, field by field. Every method that reads a value is for the field just visited. */
export class Wire {
  readonly #pbf: PbfReader
  readonly #text = new TextDecoder()
  #end: number
  #depth = 0
  #messages = 0

  constructor(bytes: Uint8Array) {
    this.#pbf = new PbfReader(bytes)
    this.#end = bytes.length
  }

  /**
   * Visits every field up to the end; what `visit` does not read is skipped.
   * @throws LstmError `FORMAT`, and nothing else of its own
   */
  fields(visit: (field: number) => void): void {
    try {
      this.#walk(visit)
    } catch (error) {
      if (error instanceof LstmError) throw error
      throw malformed(`not a well-formed protocol buffer at byte ${this.#pbf.pos}: ${String(error)}`, error)
    }
  }

  #walk(visit: (field: number) => void): void {
    const end = this.#end
    for (;;) {
      const field = this.#pbf.nextField(end)
      if (field === 0) break
      visit(field)
    }
    if (this.#pbf.pos !== end) throw malformed(`expected a field to end at byte ${end}, got one that ends at ${this.#pbf.pos}`)
  }

  /** A message in the message. */
  message(visit: (field: number) => void): void {
    const outer = this.#end
    this.#end = this.#open()
    if (++this.#depth > MAX_DEPTH) throw malformed(`messages are nested more than ${MAX_DEPTH} deep`)
    if (++this.#messages > MAX_MESSAGES) {
      throw new LstmError('UNSUPPORTED', `onnx: more than ${MAX_MESSAGES} nodes, attributes and tensors`)
    }
    this.#walk(visit)
    this.#depth--
    this.#end = outer
  }

  /** A view of the bytes of the file. */
  bytes(): Uint8Array {
    const end = this.#open()
    const bytes = this.#pbf.buf.subarray(this.#pbf.pos, end)
    this.#pbf.pos = end
    return bytes
  }

  string(): string {
    return this.#text.decode(this.bytes())
  }

  /** A signed integer; past 2^53 not exact, but as large. */
  integer(): number {
    this.#expect(VARINT)
    return this.#pbf.readVarint(true)
  }

  float(): number {
    this.#expect(FIXED32)
    return this.#pbf.readFloat()
  }

  /** One integer, or a packed list of them. */
  integers(take: (value: number) => void): void {
    this.#repeated(VARINT, () => take(this.#pbf.readVarint(true)))
  }

  /** The bytes of one 32-bit element, or of a packed list of them: a view of the file. */
  fixed32(): Uint8Array {
    if (this.#pbf.type === BYTES) return this.bytes()
    this.#expect(FIXED32)
    const { pos } = this.#pbf
    if (pos + 4 > this.#end) throw malformed(`expected 4 bytes at byte ${pos}, got ${this.#end - pos}`)
    this.#pbf.pos = pos + 4
    return this.#pbf.buf.subarray(pos, pos + 4)
  }

  floats(take: (value: number) => void): void {
    this.#repeated(FIXED32, () => take(this.#pbf.readFloat()))
  }

  doubles(take: (value: number) => void): void {
    this.#repeated(FIXED64, () => take(this.#pbf.readDouble()))
  }

  #repeated(type: number, read: () => void): void {
    if (this.#pbf.type !== BYTES) {
      this.#expect(type)
      return read()
    }
    const end = this.#open()
    while (this.#pbf.pos < end) read()
    if (this.#pbf.pos !== end) throw malformed(`expected a list to end at byte ${end}, got an element that ends at ${this.#pbf.pos}`)
  }

  /** Where the field ends that begins here with its length. */
  #open(): number {
    this.#expect(BYTES)
    const begin = this.#pbf.pos
    const length = this.#pbf.readVarint()
    const end = this.#pbf.pos + length
    if (!(end <= this.#end)) throw malformed(`a field at byte ${begin} has ${length} bytes, expected at most ${this.#end - this.#pbf.pos}`)
    return end
  }

  #expect(type: number): void {
    if (this.#pbf.type !== type) throw malformed(`expected wire type ${type} at byte ${this.#pbf.pos}, got ${this.#pbf.type}`)
  }
}
