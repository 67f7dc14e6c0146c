// HDF5 files as h5py writes them: https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
// The part that models need: groups, datasets of numbers, attributes that are text. Every offset and size
// is checked before it is used, and nothing is read twice in a circle: files are untrusted.
import { NdArray } from '../../values/ndarray.ts'
import { Budget } from '../budget.ts'
import { broken, Cursor, unsupported } from './cursor.ts'
import { readDataset } from './dataset.ts'
import { readMembers } from './group.ts'
import { readMessages, type Hdf5Bytes, type Message } from './header.ts'
import { readAttributes, type AttributeValue } from './types.ts'

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]

/** Whether bytes begin as an HDF5 file. */
export function isHdf5(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => bytes[index] === byte)
}

/** A group or a dataset. */
export class Hdf5Object {
  /** Names from the root, joined by `/`; `''` for the root. */
  readonly path: string
  /** Where in the file it is: two names may mean one object. */
  readonly address: number
  readonly #file: Hdf5Bytes
  readonly #messages: readonly Message[]
  readonly #members: ReadonlyMap<string, number> | undefined
  #attributes: ReadonlyMap<string, AttributeValue> | undefined

  /** Use `openHdf5`. */
  constructor(file: Hdf5Bytes, address: number, path: string) {
    this.path = path
    this.address = address
    this.#file = file
    this.#messages = readMessages(file, address)
    this.#members = readMembers(file, this.#messages, `'${path}'`)
  }

  get isGroup(): boolean {
    return this.#members !== undefined
  }

  /** Names of the members of a group; none of a dataset. */
  get names(): string[] {
    return [...this.#members?.keys() ?? []]
  }

  /** A member, or a member of a member: `lstm/kernel`. Undefined where there is none. */
  find(path: string): Hdf5Object | undefined {
    return path.split('/').filter((part) => part !== '')
      .reduce<Hdf5Object | undefined>((found, name) => found?.member(name), this)
  }

  /** Text, a list of texts, or undefined where there is no such attribute, or it is of another kind. */
  attribute(name: string): AttributeValue {
    this.#attributes ??= readAttributes(this.#file, this.#messages)
    return this.#attributes.get(name)
  }

  /**
   * A list of texts that Keras may have cut in pieces, `NAME0`, `NAME1` and so on, as one
   * attribute holds 64 kB only. Undefined where there is none.
   */
  textList(name: string): readonly string[] | undefined {
    const whole = this.attribute(name)
    if (Array.isArray(whole)) return whole as readonly string[]
    const pieces: string[] = []
    let count = 0
    for (let piece = this.attribute(`${name}0`); Array.isArray(piece); piece = this.attribute(`${name}${count}`)) {
      for (const text of piece as readonly string[]) pieces.push(text)
      count++
    }
    return count > 0 ? pieces : undefined
  }

  /** The elements of a dataset: see `readDataset`. */
  read(): NdArray {
    const what = `the dataset '${this.path}'`
    if (this.isGroup) throw broken(`expected '${this.path}' to be a dataset, got a group`)
    const dtype = this.attribute('dtype')
    return readDataset(this.#file, this.#messages, what, typeof dtype === 'string' ? dtype : undefined)
  }

  /** A member of this name, which may have slashes in it; undefined where there is none. */
  member(name: string): Hdf5Object | undefined {
    const address = this.#members?.get(name)
    return address === undefined ? undefined : new Hdf5Object(this.#file, address, this.path === '' ? name : `${this.path}/${name}`)
  }
}

/**
 * The root group of an HDF5 file.
 * @param budget of the load that the file is a part of
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for parts of the format that h5py does not write
 */
export function openHdf5(bytes: Uint8Array, budget: Budget = new Budget(bytes.length)): Hdf5Object {
  if (!isHdf5(bytes)) throw broken('expected an HDF5 file: its signature is not there')
  const superblock = new Cursor(bytes, 0, Math.min(bytes.length, 128), 'superblock')
  superblock.skip(SIGNATURE.length)
  const version = superblock.expectVersion(0, 1, 2, 3)
  if (version < 2) superblock.skip(4)
  const [offsetBytes, lengthBytes] = [superblock.u8(), superblock.u8()]
  if (offsetBytes !== 8 || lengthBytes !== 8) {
    throw unsupported(`offsets of ${offsetBytes} and lengths of ${lengthBytes} bytes; supported are 8 and 8`)
  }
  // Reserved, the K values of B-trees, flags; only flags in version 2.
  superblock.skip(version === 0 ? 9 : version === 1 ? 13 : 1)
  const base = superblock.u64()
  if (base !== 0) throw unsupported(`a file that begins at byte ${base}`)
  superblock.skip(8)
  const end = superblock.u64()
  if (end > bytes.length) throw broken(`expected ${end} bytes, got ${bytes.length}: the file is cut off`)
  if (version < 2) superblock.skip(16) // the driver, and the name of the root
  const file: Hdf5Bytes = { bytes, budget, globalHeaps: new Map() }
  return new Hdf5Object(file, superblock.u64(), '')
}
