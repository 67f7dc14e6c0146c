// A file that is written piece by piece, and can be taken up again where a killed run left it:
// OUT.part holds what is written, OUT.part.jsonl what that is: a line about the run, then a line for each piece.
// OUT itself is there only when it is whole.
import { open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { LstmError } from '../../index.ts'
import { reasonOf } from '../file-errors.ts'

/** What a run is of; another run may not go on with its output. */
export type Identity = Readonly<Record<string, unknown>>

/** A piece that is written. */
interface Piece {
  /** Bytes of the file with it. */
  readonly bytes: number
  /** Rows of the table that were read for it, and those before. */
  readonly read: number
  /** Rows that are written, with those before. */
  readonly written: number
  readonly group?: unknown
}

/** The share of time that may go into making sure that pieces are on the disk. */
const SYNC_SHARE = 0.02

const partOf = (file: string): string => `${file}.part`
const notesOf = (file: string): string => `${file}.part.jsonl`

/** @throws LstmError `ENVIRONMENT` for a file that is there already */
export async function refuseFinished(file: string, isForced: boolean): Promise<void> {
  if (isForced) return
  const found = await stat(file).catch(() => undefined)
  if (found !== undefined) throw new LstmError('ENVIRONMENT', `'${file}' is there already: --force writes it anew`)
}

export class PartialOutput {
  readonly #file: string
  readonly #part: FileHandle
  readonly #notes: FileHandle
  /** Pieces of a run before. */
  readonly pieces: readonly Piece[]
  #bytes: number
  #written: number
  #noted: number
  #pending: string = ''
  #nextSync: number = 0

  private constructor(file: string, part: FileHandle, notes: FileHandle, pieces: readonly Piece[], noted: number) {
    this.#file = file
    this.#part = part
    this.#notes = notes
    this.pieces = pieces
    this.#bytes = pieces.at(-1)?.bytes ?? 0
    this.#written = pieces.at(-1)?.written ?? 0
    this.#noted = noted
  }

  /**
   * Begins a file, or goes on with what a run before has left of it.
   * @throws LstmError `ENVIRONMENT` for what another run has left, or where nothing can be written
   */
  static async open(file: string, identity: Identity, isForced: boolean): Promise<PartialOutput> {
    const head = `${JSON.stringify(identity)}\n`
    const text = isForced ? undefined : await readFile(notesOf(file), 'utf8').catch(() => undefined)
    const partBytes = isForced ? undefined : await stat(partOf(file)).then(({ size }) => size, () => undefined)
    const isLeft = text === undefined ? (partBytes ?? 0) > 0 : piecesOf(text.slice(text.indexOf('\n') + 1), partBytes ?? 0).pieces.length > 0
    // Of a run that failed before its first rows were noted, nothing is worth keeping.
    if (isLeft && text?.startsWith(head) !== true) {
      throw new LstmError('ENVIRONMENT', `'${partOf(file)}' is left of a run with ${differences(text, identity)}: --force begins anew`)
    }
    const { pieces, length } = piecesOf(text?.startsWith(head) === true ? text.slice(head.length) : '', partBytes ?? 0)
    const isNew = pieces.length === 0
    const part = await writable(partOf(file), isNew)
    const notes = await writable(notesOf(file), isNew)
    const output = new PartialOutput(file, part, notes, pieces, isNew ? 0 : Buffer.byteLength(head) + length)
    await output.#writing(async () => {
      await part.truncate(output.#bytes)
      await notes.truncate(output.#noted)
    })
    if (isNew) output.#pending = head
    return output
  }

  /** Rows that are written. */
  get written(): number {
    return this.#written
  }

  /** Bytes that are written. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Writes a piece.
   * @param read rows of the table so far
   * @throws LstmError `ENVIRONMENT` where it cannot be written: what was written before remains
   */
  async write(bytes: Uint8Array, rows: number, read: number, group?: unknown): Promise<void> {
    await this.#writing(async () => writeAll(this.#part, bytes, this.#bytes))
    this.#bytes += bytes.length
    this.#written += rows
    this.#pending += `${JSON.stringify({ bytes: this.#bytes, read, written: this.#written, ...group !== undefined && { group } } satisfies Piece)}\n`
    if (performance.now() >= this.#nextSync) await this.#sync()
  }

  /** Pieces are noted when they are on the disk, never before. */
  async #sync(): Promise<void> {
    const begin = performance.now()
    const notes = Buffer.from(this.#pending)
    await this.#writing(async () => {
      await this.#part.datasync()
      await writeAll(this.#notes, notes, this.#noted)
    })
    this.#pending = ''
    this.#noted += notes.length
    this.#nextSync = performance.now() + (performance.now() - begin) / SYNC_SHARE
  }

  /**
   * The file is whole: it gets its name.
   * @param bytes its end
   * @param head replaces its beginning
   */
  async finish(bytes: Uint8Array, head: Uint8Array = new Uint8Array(0)): Promise<void> {
    await this.#writing(async () => {
      await writeAll(this.#part, bytes, this.#bytes)
      await writeAll(this.#part, head, 0)
      await this.#part.sync()
    })
    await this.close()
    await this.#writing(async () => {
      await rename(partOf(this.#file), this.#file)
      await rm(notesOf(this.#file))
    })
  }

  /** Leaves what is written for a later run. */
  async leave(): Promise<void> {
    try {
      if (this.#pending !== '') await this.#sync()
    } finally {
      await this.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#part.close(), this.#notes.close()])
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    return work().catch((cause: unknown) => {
      throw new LstmError('ENVIRONMENT', `cannot write '${partOf(this.#file)}': ${reasonOf(cause, 'no such folder')}. ${this.#written} rows are written; the same command goes on from there`, { cause })
    })
  }
}

async function writable(path: string, isNew: boolean): Promise<FileHandle> {
  return open(path, isNew ? 'w' : 'r+').catch((cause: unknown) => {
    throw new LstmError('ENVIRONMENT', `cannot write '${path}': ${reasonOf(cause, 'no such folder')}`, { cause })
  })
}

/** A write may take less than it was given. */
async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** Pieces whose lines are whole, and whose bytes are there. */
function piecesOf(text: string, partBytes: number): { readonly pieces: Piece[], readonly length: number } {
  const pieces: Piece[] = []
  let length = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', length)) {
    const piece = parsed(text.slice(length, end)) as Piece | undefined
    if (piece === undefined || piece.bytes > partBytes) break
    pieces.push(piece)
    length = end + 1
  }
  return { pieces, length: Buffer.byteLength(text.slice(0, length)) }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** In what a run before differed. */
function differences(text: string | undefined, identity: Identity): string {
  const before = parsed(text?.split('\n')[0] ?? '')
  if (typeof before !== 'object' || before === null) return 'no notes of it'
  const names = Object.keys(identity).filter((name) => JSON.stringify((before as Identity)[name]) !== JSON.stringify(identity[name]))
  return names.length === 0 ? 'other notes' : `other ${names.join(', ')}`
}
