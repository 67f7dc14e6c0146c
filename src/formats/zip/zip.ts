// The part of the zip format that Keras, NumPy and PyTorch write (APPNOTE 6.3.10, sections 4.3 and 4.4):
//   local headers and contents, one after the other; central directory; end of central directory (EOCD)
// Everything is read from the central directory; local headers only say where their contents begin.
import { LstmError } from '../../errors.ts'
import { inflateExactly } from './inflate.ts'
import { Budget } from '../budget.ts'

const EOCD_BYTES = 22
const EOCD_SIGNATURE = 0x06054b50
const DIRECTORY_BYTES = 46
const DIRECTORY_SIGNATURE = 0x02014b50
const LOCAL_BYTES = 30
const LOCAL_SIGNATURE = 0x04034b50
const MAX_COMMENT_BYTES = 0xffff
/** Sizes and offsets that do not fit their field say so: zip64. */
const ELSEWHERE = 0xffffffff

interface Entry {
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly compressedSize: number
  readonly size: number
  readonly headerOffset: number
}

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}

/** The files in a zip archive. Nothing is extracted before it is asked for. */
export class ZipArchive {
  readonly #format: string
  readonly #checksums: boolean
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #entries: Map<string, Entry> = new Map()
  readonly #budget: Budget

  /**
   * @param format as messages call the file: `npz`
   * @param checksums whether they must be right: PyTorch can be told to write others (`set_crc32_options`)
   * @param budget of the load that the archive is a part of
   * @throws LstmError `FORMAT`, `UNSUPPORTED` for archives in several parts or beyond 4 GB
   */
  constructor(bytes: Uint8Array, format: string, { checksums = true, budget }: { readonly checksums?: boolean, readonly budget?: Budget } = {}) {
    this.#format = format
    this.#checksums = checksums
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#budget = budget ?? new Budget(bytes.length)
    this.#readDirectory()
  }

  /** Names of all files. */
  get names(): string[] {
    return [...this.#entries.keys()]
  }

  /** Whether there is a file of this name. */
  has(name: string): boolean {
    return this.#entries.has(name)
  }

  /**
   * The contents of a file, inflated.
   * @throws LstmError `FORMAT` for a name that no file has, or contents that are broken, `UNSUPPORTED` for encrypted ones and other methods than deflate
   */
  read(name: string): Uint8Array {
    const entry = this.#entries.get(name)
    const what = `${this.#format}: ${JSON.stringify(name)}`
    if (entry === undefined) throw new LstmError('FORMAT', `${this.#format}: expected ${JSON.stringify(name)} in the archive`)
    if (entry.flags & 1) throw new LstmError('UNSUPPORTED', `${what} is encrypted`)
    if (entry.method !== 0 && entry.method !== 8) {
      throw new LstmError('UNSUPPORTED', `${what} is compressed by method ${entry.method}; supported are 0 (stored) and 8 (deflate)`)
    }
    const stored = this.#contents(entry, what)
    if (entry.method === 0 && stored.length !== entry.size) {
      throw new LstmError('FORMAT', `${what}: expected ${entry.size} bytes, got ${stored.length}`)
    }
    this.#budget.visit(what)
    const contents = entry.method === 0 ? stored : inflateExactly(stored, entry.size, what, this.#budget)
    if (this.#checksums) this.#budget.work(contents.length, what)
    const crc = this.#checksums ? crc32(contents) : entry.crc
    if (crc !== entry.crc) throw new LstmError('FORMAT', `${what}: expected the checksum ${hex(entry.crc)}, got ${hex(crc)}`)
    return contents
  }

  #readDirectory(): void {
    const end = this.#findEnd()
    const view = this.#view
    const count = view.getUint16(end + 10, true)
    const size = view.getUint32(end + 12, true)
    const offset = view.getUint32(end + 16, true)
    if (count === 0xffff || size === ELSEWHERE || offset === ELSEWHERE) throw new LstmError('UNSUPPORTED', `${this.#format}: zip64 archives are not supported`)
    if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) {
      throw new LstmError('UNSUPPORTED', `${this.#format}: archives in several parts are not supported`)
    }
    if (offset + size > end) throw new LstmError('FORMAT', `${this.#format}: expected the directory before byte ${end}, got ${size} bytes at ${offset}`)
    let position = offset
    for (let index = 0; index < count; index++) position = this.#readEntry(position, offset + size)
  }

  /** The last end of central directory: a comment may stand behind it. */
  #findEnd(): number {
    const last = this.#bytes.length - EOCD_BYTES
    for (let position = last; position >= Math.max(0, last - MAX_COMMENT_BYTES); position--) {
      if (this.#view.getUint32(position, true) === EOCD_SIGNATURE) return position
    }
    throw new LstmError('FORMAT', `${this.#format}: no end of central directory: the file is cut off, or no zip archive`)
  }

  /** Reads the entry of the directory at `position`, returns where the next one begins. */
  #readEntry(position: number, end: number): number {
    const view = this.#view
    if (position + DIRECTORY_BYTES > end || view.getUint32(position, true) !== DIRECTORY_SIGNATURE) {
      throw new LstmError('FORMAT', `${this.#format}: expected an entry of the directory at byte ${position}`)
    }
    const nameBytes = view.getUint16(position + 28, true)
    const next = position + DIRECTORY_BYTES + nameBytes + view.getUint16(position + 30, true) + view.getUint16(position + 32, true)
    if (next > end) throw new LstmError('FORMAT', `${this.#format}: the entry of the directory at byte ${position} is longer than the directory`)
    const nameBegin = position + DIRECTORY_BYTES
    const name = new TextDecoder().decode(this.#bytes.subarray(nameBegin, nameBegin + nameBytes))
    const entry: Entry = {
      flags: view.getUint16(position + 8, true),
      method: view.getUint16(position + 10, true),
      crc: view.getUint32(position + 16, true),
      compressedSize: view.getUint32(position + 20, true),
      size: view.getUint32(position + 24, true),
      headerOffset: view.getUint32(position + 42, true),
    }
    if ([entry.compressedSize, entry.size, entry.headerOffset].includes(ELSEWHERE)) {
      throw new LstmError('UNSUPPORTED', `${this.#format}: ${JSON.stringify(name)}: zip64 archives are not supported`)
    }
    if (this.#entries.has(name)) throw new LstmError('FORMAT', `${this.#format}: two files in the archive are named ${JSON.stringify(name)}`)
    this.#entries.set(name, entry)
    return next
  }

  #contents({ headerOffset, compressedSize }: Entry, what: string): Uint8Array {
    const view = this.#view
    if (headerOffset + LOCAL_BYTES > view.byteLength || view.getUint32(headerOffset, true) !== LOCAL_SIGNATURE) {
      throw new LstmError('FORMAT', `${what}: expected its header at byte ${headerOffset}`)
    }
    const begin = headerOffset + LOCAL_BYTES + view.getUint16(headerOffset + 26, true) + view.getUint16(headerOffset + 28, true)
    if (begin + compressedSize > view.byteLength) {
      throw new LstmError('FORMAT', `${what}: expected ${compressedSize} bytes at ${begin}, got a file of ${view.byteLength}`)
    }
    return this.#bytes.subarray(begin, begin + compressedSize)
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0')
}

function crcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    let value = n
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
    return value
  })
}

let table: Uint32Array | undefined

/** CRC-32 (polynomial 0xedb88320, reflected), a byte at a time. */
function crc32(bytes: Uint8Array): number {
  table ??= crcTable()
  let crc = 0xffffffff
  for (let n = 0; n < bytes.length; n++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[n] as number)) & 0xff] as number)
  return ~crc >>> 0
}
