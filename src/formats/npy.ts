// NumPy's .npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//   6 bytes   "\x93NUMPY"
//   2 bytes   version: major, minor
//   2 bytes   N, length of the header, unsigned little-endian (4 bytes from version 2 on)
//   N bytes   a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, padded with spaces
//   the rest  the elements, in row-major order unless fortran_order is True
import { LstmError } from '../errors.ts'
import { checkKind } from '../options.ts'
import { describeValue, type DataOf } from '../values/dtype.ts'
import { NdArray, type ArrayLike } from '../values/ndarray.ts'
import { checkShape, formatShape } from '../values/shape.ts'
import { decodeElements, ELEMENT_BYTES, type ElementType } from './elements.ts'
import { ARRAY, BYTES } from './given.ts'
import { malformedFile } from './malformed.ts'
import { gatherStrided } from './strides.ts'

const malformed = malformedFile('npy')

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]
/** Magic, version, and the shorter of the two header lengths. */
const PREFIX_BYTES = 10
/** Longer headers are those of structured dtypes, which are not read anyway. */
const MAX_HEADER_BYTES = 65535
/** NumPy's own limit. */
const MAX_AXES = 64
/** Data begins at a multiple of this; the header is padded with spaces. */
const DATA_ALIGNMENT = 64

const DTYPES: Readonly<Record<string, ElementType>> = {
  '<f4': 'float32', '<f8': 'float64', '<f2': 'float16', '<i4': 'int32', '<i8': 'int64', '|u1': 'uint8', '|b1': 'uint8',
}
const CODES = { float32: '<f4', int32: '<i4', uint8: '|u1' } as const

interface Header {
  /** Type of the elements, as NumPy writes it: `<f4`. */
  readonly descr: string
  /** Whether the first axis runs fastest, not the last one. */
  readonly fortranOrder: boolean
  /** Sizes of the axes. */
  readonly shape: readonly number[]
}

/** What stands in front of the elements of a .npy file. */
export interface NpyHeader extends Header {
  /** Index of the first byte of the elements. */
  readonly dataBegin: number
}

/** Types of elements that are written: float32, float64, float16, int32 and uint8. */
export type NpyElement = '<f4' | '<f8' | '<f2' | '<i4' | '|u1'

/**
 * Reads a .npy file. float64 and float16 become float32, int64 becomes int32, bool uint8; float32, int32 and uint8
 * stay views of `bytes` where order and alignment allow.
 *
 * @throws LstmError `FORMAT` for bytes that are not a well-formed file, `UNSUPPORTED` for other element types,
 *   `VALUE` for an int64 that does not fit int32
 */
export function readNpy(bytes: Uint8Array): NdArray {
  const { descr, fortranOrder, shape, dataBegin } = readNpyHeader(bytes)
  const type = DTYPES[descr] as ElementType
  // A plain Uint8Array: the `slice` of Node's Buffer copies nothing.
  const elements = new Uint8Array(bytes.buffer, bytes.byteOffset + dataBegin, bytes.length - dataBegin)
  const data = decodeElements(elements, type, 'npy')
  return new NdArray(fortranOrder ? rowMajor(data, shape) : data, shape)
}

/**
 * Reads the beginning of a .npy file, so that a long one can be read by ranges.
 *
 * @param bytes the first 64 KiB of the file, or all of it
 * @param fileBytes length of the whole file, which must be that of its elements. Default: that of `bytes`
 * @throws LstmError `FORMAT`, `UNSUPPORTED` as `readNpy`
 */
export function readNpyHeader(bytes: Uint8Array, fileBytes: number = bytes?.length): NpyHeader {
  checkKind(bytes, BYTES, 'readNpyHeader')
  const { header, dataBegin } = splitFile(bytes)
  const read = new HeaderReader(header).read()
  const { descr, shape } = read
  const type = Object.hasOwn(DTYPES, descr) ? DTYPES[descr] as ElementType : undefined
  if (type === undefined) throw unsupportedType(descr)
  // As BigInt: sizes are safe integers, but their product may be none.
  const needed = shape.reduce((product, size) => product * BigInt(size), BigInt(ELEMENT_BYTES[type]))
  if (needed !== BigInt(fileBytes - dataBegin)) {
    throw malformed(`expected ${needed} bytes of data for '${descr}' ${formatShape(shape)}, got ${fileBytes - dataBegin}`)
  }
  return { ...read, dataBegin }
}

/** Writes a .npy file (version 1.0, row-major). @throws LstmError `VALUE` for anything but an array */
export function writeNpy(array: ArrayLike): Uint8Array<ArrayBuffer> {
  checkKind(array, ARRAY, 'writeNpy')
  const { dtype, shape, data } = array
  const header = writeNpyHeader(CODES[dtype], shape)
  const bytes = new Uint8Array(header.length + data.byteLength)
  bytes.set(header)
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length)
  return bytes
}

/**
 * Writes the beginning of a .npy file (version 1.0, row-major); its elements are to follow. For arrays of two axes it is 128 bytes, however many rows there
 * are: it can be written again when that is known.
 * @throws LstmError `VALUE` for an element or a shape that is none
 */
export function writeNpyHeader(descr: NpyElement, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  if (typeof descr !== 'string' || !Object.hasOwn(DTYPES, descr)) throw new LstmError('VALUE', `writeNpyHeader: expected one of ${Object.keys(DTYPES).join(', ')}, got ${describeValue(descr)}`)
  checkShape(shape, 'writeNpyHeader')
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  // At least one character follows the dictionary: the newline that ends the header.
  const dataBegin = Math.ceil((PREFIX_BYTES + header.length + 1) / DATA_ALIGNMENT) * DATA_ALIGNMENT
  const bytes = new Uint8Array(dataBegin)
  bytes.set([...MAGIC, 1, 0])
  new DataView(bytes.buffer).setUint16(PREFIX_BYTES - 2, dataBegin - PREFIX_BYTES, true)
  bytes.set(new TextEncoder().encode(`${header.padEnd(dataBegin - PREFIX_BYTES - 1)}\n`), PREFIX_BYTES)
  return bytes
}

function unsupportedType(descr: string): LstmError {
  // Of text and complex numbers, no float32 has the whole.
  const wayOn = /^.?[iufb]/.test(descr) || descr.startsWith('|O') ? ": convert it in Python with array.astype('<f4')" : ''
  const why = descr.startsWith('>') ? ' (big-endian)' : descr.startsWith('|O') ? ' (Python objects)' : ''
  const supported = Object.keys(DTYPES).map((code) => `'${code}'`).join(', ')
  return new LstmError('UNSUPPORTED', `npy: the dtype is '${descr}'${why}; supported are ${supported}${wayOn}`)
}

function splitFile(bytes: Uint8Array): { header: string, dataBegin: number } {
  if (MAGIC.some((byte, n) => bytes[n] !== byte)) {
    const start = [...bytes.subarray(0, MAGIC.length)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    throw malformed(`expected a file that begins with 93 4e 55 4d 50 59, got ${start === '' ? 'an empty file' : start}`)
  }
  const major = bytes[MAGIC.length] ?? 0
  const minor = bytes[MAGIC.length + 1] ?? 0
  const headerBegin = major === 1 ? PREFIX_BYTES : PREFIX_BYTES + 2
  if (bytes.length < headerBegin) throw malformed(`expected at least ${headerBegin} bytes, got ${bytes.length}`)
  if (major < 1 || major > 3 || minor !== 0) {
    throw new LstmError('UNSUPPORTED', `npy: expected version 1.0, 2.0 or 3.0, got ${major}.${minor}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = major === 1 ? view.getUint16(MAGIC.length + 2, true) : view.getUint32(MAGIC.length + 2, true)
  if (length > bytes.length - headerBegin) {
    throw malformed(`expected a header of ${length} bytes, got a file with ${bytes.length - headerBegin} bytes after its length`)
  }
  if (length > MAX_HEADER_BYTES) throw malformed(`expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`)
  const dataBegin = headerBegin + length
  return { header: new TextDecoder('latin1').decode(bytes.subarray(headerBegin, dataBegin)), dataBegin }
}

/** Reads the one kind of dictionary NumPy writes, from left to right; anything else is an error. */
class HeaderReader {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Header {
    let descr: string | undefined
    let fortranOrder: boolean | undefined
    let shape: number[] | undefined
    this.#expect('{')
    while (!this.#skip('}')) {
      const key = this.#string('a key')
      this.#expect(':')
      if (key === 'descr' && descr === undefined) descr = this.#descr()
      else if (key === 'fortran_order' && fortranOrder === undefined) fortranOrder = this.#boolean()
      else if (key === 'shape' && shape === undefined) shape = this.#tuple()
      else throw malformed(`expected 'descr', 'fortran_order' and 'shape' once each in the header, got '${key}'`)
      if (!this.#skip(',')) {
        this.#expect('}')
        break
      }
    }
    if (this.#match(/\s*$/y) === undefined) throw this.#unexpected('the end of the header')
    if (descr === undefined || fortranOrder === undefined || shape === undefined) {
      const missing = Object.entries({ descr, fortran_order: fortranOrder, shape }).find(([, value]) => value === undefined)?.[0]
      throw malformed(`the header lacks '${missing}'`)
    }
    return { descr, fortranOrder, shape }
  }

  /** The text a sticky pattern matches here, which is then behind. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#position += found.length
    return found
  }

  #skip(character: string): boolean {
    this.#match(/\s*/y)
    const found = this.#text[this.#position] === character
    if (found) this.#position++
    return found
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw this.#unexpected(`'${character}'`)
  }

  #string(what: string): string {
    this.#match(/\s*/y)
    const quoted = this.#match(/'[^'\\\n]*'|"[^"\\\n]*"/y)
    if (quoted === undefined) throw this.#unexpected(what)
    return quoted.slice(1, -1)
  }

  #descr(): string {
    if (this.#skip('[')) {
      throw new LstmError('UNSUPPORTED', 'npy: the elements are records with fields (a structured dtype); save each field as an array of its own')
    }
    return this.#string('a dtype')
  }

  #boolean(): boolean {
    this.#match(/\s*/y)
    const word = this.#match(/True|False/y)
    if (word === undefined) throw this.#unexpected('True or False')
    return word === 'True'
  }

  #tuple(): number[] {
    const sizes: number[] = []
    this.#expect('(')
    while (!this.#skip(')')) {
      this.#match(/\s*/y)
      const digits = this.#match(/\d+/y)
      if (digits === undefined || !Number.isSafeInteger(Number(digits))) throw this.#unexpected('a size')
      if (sizes.length === MAX_AXES) throw malformed(`expected at most ${MAX_AXES} axes`)
      sizes.push(Number(digits))
      // Python 2 wrote long integers as 3L.
      this.#match(/L/y)
      if (!this.#skip(',')) {
        // (3) is a number in Python, not a tuple.
        if (sizes.length === 1) throw this.#unexpected("','")
        this.#expect(')')
        break
      }
    }
    return sizes
  }

  #unexpected(expected: string): LstmError {
    const rest = this.#text.slice(this.#position, this.#position + 20)
    return malformed(`expected ${expected} at character ${this.#position} of the header, got ${rest === '' ? 'its end' : JSON.stringify(rest)}`)
  }
}

/** Elements in column-major order (the first axis runs fastest) -> row-major order. */
function rowMajor(data: DataOf, shape: readonly number[]): DataOf {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1))
  return gatherStrided(data, 0, shape, strides, data.length)
}
