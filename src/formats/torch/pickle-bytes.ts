import { LstmError } from '../../errors.ts'
import { malformedFile } from '../malformed.ts'

const malformed = malformedFile('pickle')

/** Bytes of a pickle, read from left to right. Numbers are little-endian. */
export class PickleBytes {
  position: number
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(bytes: Uint8Array, position: number = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = position
  }

  get left(): number {
    return this.#bytes.length - this.position
  }

  /** @throws LstmError `FORMAT` when the bytes end before */
  take(length: number): Uint8Array {
    if (length > this.left) throw malformed(`expected ${length} bytes at byte ${this.position}, got ${this.left}`)
    const begin = this.position
    this.position += length
    return this.#bytes.subarray(begin, this.position)
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  /** Above 2^53 it is not exact, and too large anyway. */
  uint64(): number {
    const at = this.#advance(8)
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32
  }

  /** The one number of a pickle that is big-endian. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8))
  }

  /** A two's complement integer of any length; a bigint where a number cannot hold it. */
  integer(length: number): number | bigint {
    const bytes = this.take(length)
    if (length > MOST_DIGITS) throw malformed(`expected an integer of at most ${MOST_DIGITS} bytes, got ${length}`)
    let value = 0n
    for (let n = length - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[n] as number)
    return narrow(BigInt.asIntN(8 * length, value))
  }

  utf8(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.take(length))
    } catch (cause) {
      if (cause instanceof LstmError) throw cause
      throw malformed(`the text before byte ${this.position} is not UTF-8`, cause)
    }
  }

  latin1(length: number): string {
    return new TextDecoder('latin1').decode(this.take(length))
  }

  /** Text up to the next newline, which is behind then. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position)
    if (end < 0) throw malformed(`expected a line that ends at byte ${this.position}`)
    const text = this.latin1(end - this.position)
    this.position++
    return text
  }

  /** `123` or `123L` */
  decimal(): number | bigint {
    const text = this.line().replace(/L$/, '')
    if (text.length > MOST_DIGITS || !/^[+-]?\d+$/.test(text)) throw malformed(`expected a whole number before byte ${this.position}`)
    return narrow(BigInt(text.replace(/^\+/, '')))
  }

  /** `01` and `00` are True and False. */
  decimalOrFlag(): number | bigint | boolean {
    const begin = this.position
    const text = this.line()
    if (text === '01' || text === '00') return text === '01'
    this.position = begin
    return this.decimal()
  }

  decimalFloat(): number {
    const text = this.line()
    if (/^[+-]?(inf|nan)$/.test(text)) return text.endsWith('nan') ? NaN : text.startsWith('-') ? -Infinity : Infinity
    if (text.length > MOST_DIGITS || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw malformed(`expected a number before byte ${this.position}`)
    return Number(text)
  }

  /** A string between quotes; names need no escapes. */
  quoted(): string {
    const text = this.line()
    if (!/^'[^'\\]*'$|^"[^"\\]*"$/.test(text)) throw malformed(`expected a string in quotes, without escapes, before byte ${this.position}`)
    return text.slice(1, -1)
  }

  /** Text in which other characters stand as \uXXXX. */
  escapedLine(): string {
    return this.line().replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
  }

  #advance(length: number): number {
    const at = this.position
    this.take(length)
    return at
  }
}

/** Integers of weights files are sizes; one so long is there to keep the reader busy. */
const MOST_DIGITS = 1000

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
