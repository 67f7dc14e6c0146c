import { malformedFile } from '../malformed.ts'

/** How this reader says that bytes are not what they should be. */
export const malformed: ReturnType<typeof malformedFile> = /* @__PURE__ */ malformedFile('traineddata')

/** Little-endian numbers and texts, one after the other; every one is checked against what is left. */
export class Cursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  #at = 0

  /** @param what the part of the file, for messages */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** @throws LstmError `FORMAT` when fewer are left */
  take(length: number, of: string): Uint8Array {
    if (length > this.left) throw malformed(`${this.#what}: expected ${length} bytes of ${of} at byte ${this.#at}, got ${this.left}: the file is cut off, or lies`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  int8(of: string): number {
    this.take(1, of)
    return this.#view.getInt8(this.#at - 1)
  }

  int32(of: string): number {
    this.take(4, of)
    return this.#view.getInt32(this.#at - 4, true)
  }

  uint32(of: string): number {
    return this.int32(of) >>> 0
  }

  /** Float64 numbers as float32. @throws LstmError `FORMAT` for what is no finite float32 */
  float64s(count: number, of: string): Float32Array {
    this.take(8 * count, of)
    const begin = this.#at - 8 * count
    const result = new Float32Array(count)
    for (let n = 0; n < count; n++) {
      result[n] = this.#view.getFloat64(begin + 8 * n, true)
      if (!Number.isFinite(result[n])) throw malformed(`${this.#what}: expected finite numbers in ${of}, got ${this.#view.getFloat64(begin + 8 * n, true)} at element ${n}`)
    }
    return result
  }

  /** A text with its length in front. */
  text(of: string): string {
    return textOf(this.take(this.uint32(of), of), `${this.#what}: ${of}`)
  }

  /** @throws LstmError `FORMAT` when bytes are left */
  end(): void {
    if (this.left > 0) throw malformed(`${this.#what}: expected its end at byte ${this.#at}, got ${this.left} bytes more`)
  }
}

/** @throws LstmError `FORMAT` for bytes that are no UTF-8 */
export function textOf(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw malformed(`${what}: expected text in UTF-8`, cause)
  }
}
