import { unzipSync, type UnzipFileInfo } from 'fflate'
import { LstmError } from '../errors.ts'

/** An entry of the central directory takes at least so many bytes: what bounds the number of entries. */
const LEAST_ENTRY_BYTES = 46
/** Extracted files may be so many times as large as the archive, plus a little: weights hardly compress. */
const MOST_EXPANSION = 4
const SMALL_BYTES = 2 ** 24
/** fflate gathers files in a plain object, where this name would be something else. */
const UNUSABLE_NAME = '__proto__'

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4
}

/** The files in a zip archive, by name. Nothing is extracted before it is asked for. */
export class ZipArchive {
  /** Sizes of the files, extracted. */
  readonly sizes: ReadonlyMap<string, number>
  readonly #bytes: Uint8Array
  readonly #format: string

  /**
   * @param format as messages call the file: `npz`
   * @throws LstmError `FORMAT` for bytes that are no archive
   */
  constructor(bytes: Uint8Array, format: string) {
    this.#bytes = bytes
    this.#format = format
    const sizes: Map<string, number> = new Map()
    this.#walk(({ name, originalSize }) => {
      if (sizes.has(name)) throw new LstmError('FORMAT', `${format}: two files in the archive are named ${JSON.stringify(name)}`)
      sizes.set(name, originalSize)
      return false
    })
    sizes.delete(UNUSABLE_NAME)
    this.sizes = sizes
  }

  /**
   * Extracts files.
   * @throws LstmError `FORMAT` for files that are not there, are broken, or larger together than weights ever are
   */
  extract(names: Iterable<string>): Map<string, Uint8Array> {
    const wanted = new Set(names)
    const most = this.#bytes.length * MOST_EXPANSION + SMALL_BYTES
    let total = 0
    const files = this.#walk(({ name, originalSize, size }) => {
      if (!wanted.has(name) || name === UNUSABLE_NAME) return false
      // A file that shrinks by being extracted is made to keep the reader busy.
      total += Math.max(originalSize, size)
      if (!(total <= most)) {
        throw new LstmError('FORMAT', `${this.#format}: the files in this archive of ${this.#bytes.length} bytes are said to have more than ${most} bytes`)
      }
      return true
    })
    const result: Map<string, Uint8Array> = new Map()
    for (const name of wanted) {
      const found = Object.hasOwn(files, name) ? files[name] : undefined
      if (found === undefined) throw new LstmError('FORMAT', `${this.#format}: no file ${JSON.stringify(name)} in the archive`)
      if (found.length !== this.sizes.get(name)) {
        throw new LstmError('FORMAT', `${this.#format}: expected ${this.sizes.get(name)} bytes in the archive's file ${JSON.stringify(name)}, got ${found.length}`)
      }
      result.set(name, found)
    }
    return result
  }

  #walk(filter: (entry: UnzipFileInfo) => boolean): Record<string, Uint8Array> {
    const most = this.#bytes.length / LEAST_ENTRY_BYTES
    let count = 0
    try {
      return unzipSync(this.#bytes, {
        filter: (entry) => {
          if (++count > most) throw new LstmError('FORMAT', `${this.#format}: the archive is said to have more files than fit into its ${this.#bytes.length} bytes`)
          return filter(entry)
        },
      })
    } catch (cause) {
      if (cause instanceof LstmError) throw cause
      throw new LstmError('FORMAT', `${this.#format}: the zip archive is broken: ${String(cause)}`, { cause })
    }
  }
}
