import { LstmError } from '../../errors.ts'
import { malformedFile } from '../malformed.ts'

export const malformed: (what: string, cause?: unknown) => LstmError = malformedFile('TensorFlow checkpoint')

/** Bytes of a table or a protocol buffer, read from left to right. */
export class ByteReader {
  position = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.position
  }

  /** @throws LstmError `FORMAT` when the bytes end before */
  take(length: number): Uint8Array {
    if (!(length <= this.left)) throw malformed(`expected ${length} bytes at byte ${this.position}, got ${this.left}`)
    const begin = this.position
    this.position += length
    return this.#bytes.subarray(begin, this.position)
  }

  /** Seven bits a byte, the lowest first. Above 2^53 it is not exact, and too large anyway. */
  varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const [byte] = this.take(1) as unknown as [number]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw malformed(`expected a number of at most 10 bytes before byte ${this.position}`)
  }
}

/** The fields of a protocol buffer message, in order: numbers for varints, bytes for what has a length. Fixed ones are passed over. */
export function* protobufFields(bytes: Uint8Array): Generator<[field: number, value: number | Uint8Array]> {
  const reader = new ByteReader(bytes)
  while (reader.left > 0) {
    const tag = reader.varint()
    const [field, wire] = [Math.floor(tag / 8), tag % 8]
    if (wire === 0) yield [field, reader.varint()]
    else if (wire === 2) yield [field, reader.take(reader.varint())]
    else if (wire === 5) reader.take(4)
    else if (wire === 1) reader.take(8)
    else throw malformed(`unknown wire type ${wire} of field ${field}`)
  }
}
