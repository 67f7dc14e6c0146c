import { LstmError } from '../../errors.ts'
import { malformedFile } from '../malformed.ts'

/** How this reader says that bytes are not what they should be. */
export const malformed: ReturnType<typeof malformedFile> = /* @__PURE__ */ malformedFile('traineddata')

/** How it says that a sound file holds what is not run here. */
export const unsupported = (what: string): LstmError => new LstmError('UNSUPPORTED', `traineddata: ${what}`)

/** The same of a layer. */
export const otherLayer = (what: string): LstmError => unsupported(`${what}; supported are layers as in [1,36,0,1Ct3,3,16Mp3,3Lfys48Lfx96Lrx96Lfx192O1c1]`)

/** A number of a file. @throws LstmError `FORMAT` for one that is out of bounds, or none */
export function within(value: number, least: number, most: number, of: string): number {
  if (value >= least && value <= most) return value
  throw malformed(`expected ${least} to ${most} for ${of}, got ${value}`)
}

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
    return this.#bytes.subarray(this.#at, this.#at += length)
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
    const begin = this.#at
    this.take(8 * count, of)
    return new Float32Array(count).map((_, n) => {
      const value = this.#view.getFloat64(begin + 8 * n, true)
      if (Number.isFinite(Math.fround(value))) return value
      throw malformed(`${this.#what}: expected finite numbers in ${of}, got ${value} at element ${n}`)
    })
  }

  /** A text with its length in front. */
  text(of: string): string {
    return textOf(this.take(this.uint32(of), of), of)
  }

  /** @throws LstmError `FORMAT` when bytes are left */
  end(): void {
    if (this.left > 0) throw malformed(`${this.#what}: expected its end at byte ${this.#at}, got ${this.left} bytes more`)
  }
}

/** @throws LstmError `FORMAT` for bytes that are no UTF-8 */
export function textOf(bytes: Uint8Array, of: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw malformed(`expected text in UTF-8 for ${of}`, cause)
  }
}
