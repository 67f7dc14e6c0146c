import { LstmError } from '../errors.ts'

/** Bytes of memory: so many for any file, and so many for each of its bytes. Weights are rarely compressible. */
const BYTES = 2 ** 25
const BYTES_A_BYTE = 8
/** Units of work, of about 10 ns: a byte or element that is looked at, inflated or copied. */
const WORK = 2 ** 25
const WORK_A_BYTE = 64

/** What a node of a graph takes, from the reader to the plan. */
const NODE = { bytes: 1500, work: 1000 }
/** What an object of a file takes that others may refer to. */
const PART = { bytes: 96, work: 40 }
/** What a character of JSON becomes. */
const JSON_BYTES = 4
/** A byte that is to be inflated: Deflate may have the header of a block in every few, and make nothing of them. */
const STORED_BYTE_WORK = 32

/**
 * What one load may take. All that readers inflate, copy, repeat, call or build is charged here, so that files which inflate without
 * end, or refer to themselves or to the same bytes again and again, are stopped: each part of a sound file takes some bytes of it.
 * It is a count, no clock: the same file is read or refused on every machine.
 */
export class Budget {
  #fileBytes: number
  #bytes = 0
  #work = 0

  /** @param fileBytes of the file as it is stored */
  constructor(fileBytes: number) {
    this.#fileBytes = fileBytes
  }

  /** Bytes and units of work that were charged so far. */
  get spent(): { readonly bytes: number, readonly work: number } {
    return { bytes: this.#bytes, work: this.#work }
  }

  /** Another file beside the first. Each may be added once. */
  addFile(bytes: number): void {
    this.#fileBytes += bytes
  }

  /** Memory. @throws LstmError `FORMAT` when it is more than a file of this size can need */
  take(bytes: number, what: string): void {
    this.#bytes += bytes
    const most = BYTES + BYTES_A_BYTE * this.#fileBytes
    if (!(this.#bytes <= most)) {
      throw new LstmError('FORMAT', `${what}: a file of ${this.#fileBytes} bytes that unpacks to more than ${most} is not read`)
    }
  }

  /** Time. @throws LstmError `FORMAT` when it is more than a file of this size can need */
  work(units: number, what: string): void {
    this.#work += units
    if (!(this.#work <= WORK + WORK_A_BYTE * this.#fileBytes)) {
      throw new LstmError('FORMAT', `${what}: a file of ${this.#fileBytes} bytes that goes through its own parts so often is not read`)
    }
  }

  /** A copy, or an array that is made. */
  copy(elements: number, bytes: number, what: string): void {
    this.take(bytes, what)
    this.work(elements, what)
  }

  /** Deflated bytes, and how many they become. */
  inflate(stored: number, size: number, what: string): void {
    this.take(size, what)
    this.work(STORED_BYTE_WORK * stored + size, what)
  }

  /** A part of the file. */
  visit(what: string): void {
    this.take(PART.bytes, what)
    this.work(PART.work, what)
  }

  /** JSON of so many characters. */
  json(length: number, what: string): void {
    this.copy(length, JSON_BYTES * length, what)
  }

  /** A node of the graph, and what is called by its name. */
  build(name: string): void {
    this.take(NODE.bytes + name.length, 'the graph')
    this.work(NODE.work, 'the graph')
  }
}
