import { LstmError } from '../../errors.ts'

/** The address of something that is not there: all bits are set. */
export const UNDEFINED_ADDRESS: number = 2 ** 64

export function broken(what: string, cause?: unknown): LstmError {
  return new LstmError('FORMAT', `HDF5: ${what}`, { cause })
}

export function unsupported(what: string): LstmError {
  return new LstmError('UNSUPPORTED', `HDF5: ${what}`)
}

/** Reads little-endian numbers one after the other, never beyond its end. */
export class Cursor {
  readonly bytes: Uint8Array
  readonly end: number
  /** What is read: for messages. */
  readonly what: string
  readonly #view: DataView
  #position: number

  /** @throws LstmError `FORMAT` for a range that is not inside the bytes */
  constructor(bytes: Uint8Array, position: number, length: number, what: string) {
    if (!(position >= 0 && length >= 0 && position + length <= bytes.length)) {
      throw broken(`${what}: expected ${length} bytes at ${position}, got a file of ${bytes.length}`)
    }
    this.bytes = bytes
    this.what = what
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#position = position
    this.end = position + length
  }

  get position(): number {
    return this.#position
  }

  get left(): number {
    return this.end - this.#position
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  /** Not exact above 2^53, where it is larger than any file anyway. */
  u64(): number {
    const low = this.u32()
    return low + this.u32() * 2 ** 32
  }

  /** A number of `count` bytes. */
  uint(count: number): number {
    let value = 0
    for (let n = 0; n < count; n++) value += this.u8() * 2 ** (8 * n)
    return value
  }

  /** The next `length` bytes: a view. */
  take(length: number): Uint8Array {
    const begin = this.#advance(length)
    return this.bytes.subarray(begin, begin + length)
  }

  skip(length: number): void {
    this.#advance(length)
  }

  /** To the next multiple of 8, counted from `from`. */
  align(from: number): void {
    const over = (this.#position - from) % 8
    if (over > 0) this.skip(8 - over)
  }

  text(length: number): string {
    return decodeText(this.take(length))
  }

  expectSignature(signature: string): void {
    const begin = this.#position
    const got = this.text(signature.length)
    if (got !== signature) throw broken(`${this.what}: expected ${signature} at byte ${begin}, got ${JSON.stringify(got)}`)
  }

  expectVersion(...versions: readonly number[]): number {
    const version = this.u8()
    if (!versions.includes(version)) throw unsupported(`${this.what} of version ${version}; supported are ${versions.join(', ')}`)
    return version
  }

  #advance(length: number): number {
    const begin = this.#position
    if (!(length >= 0 && begin + length <= this.end)) {
      throw broken(`${this.what}: expected ${length} more bytes at ${begin}, got ${this.end - begin}`)
    }
    this.#position = begin + length
    return begin
  }
}

/** Text up to the first zero byte, which pads shorter ones. */
export function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}
