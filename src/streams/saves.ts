// States as bytes: saved here, they go on there. All numbers are little-endian 32-bit words:
//
//   'LSTM' 'save'  version  hash (4 words)  rows  bytes of a row  check  |  rows, one after the other
//
// The hash is that of the graph, its weights and the states it has; the check is one of the rows.
import { LstmError } from '../errors.ts'
import { describeValue } from '../values/dtype.ts'
import { bytesGiven } from '../values/realm.ts'
import type { StreamHost } from './blueprint.ts'
import { ContentHash, hashGraph } from './content-hash.ts'
import type { Machine } from './machine.ts'

const MAGIC = [0x4d54534c, 0x65766173] as const
const VERSION = 1
const HEADER_WORDS = 10
const HEADER_BYTES = HEADER_WORDS * 4

/** What a save belongs to. */
export interface SaveKind {
  readonly hash: Uint32Array
  readonly rows: number
  readonly rowBytes: number
}

/** Hashes of models, which take a while for large ones. */
const HASHES: WeakMap<StreamHost, Uint32Array> = new WeakMap()

/** The hash of a model and of what is remembered of each sequence. */
export function hashStates(host: StreamHost, machine: Machine): Uint32Array {
  let own = HASHES.get(host)
  if (own === undefined) {
    own = hashGraph(host.graph)
    HASHES.set(host, own)
  }
  const hash = new ContentHash()
  own.forEach((word) => hash.word(word))
  for (const { name, outer, rowBytes } of machine.blocks) hash.text(`${name} ${outer} ${rowBytes}`)
  return hash.digest()
}

function checkOf(rows: Uint8Array): number {
  const hash = new ContentHash()
  hash.bytes(rows)
  return hash.digest()[0] as number
}

/** A save with its rows to be filled in; then `seal` it. */
export function newSave({ rows, rowBytes }: SaveKind): { readonly bytes: Uint8Array<ArrayBuffer>, readonly rows: Uint8Array } {
  const bytes = new Uint8Array(HEADER_BYTES + rows * rowBytes)
  return { bytes, rows: bytes.subarray(HEADER_BYTES) }
}

export function seal(bytes: Uint8Array, { hash, rows, rowBytes }: SaveKind): void {
  const view = new DataView(bytes.buffer)
  const words = [...MAGIC, VERSION, ...hash, rows, rowBytes, checkOf(bytes.subarray(HEADER_BYTES))]
  words.forEach((word, n) => view.setUint32(n * 4, word, true))
}

/**
 * The rows of a save.
 * @throws LstmError `FORMAT` for bytes that are no save, cut off or damaged, `UNSUPPORTED` for one of a newer version, `VALUE` for one
 *   of another model or another number of sequences
 */
export function openSave(given: Uint8Array, { hash, rows, rowBytes }: SaveKind): Uint8Array {
  const bytes = bytesGiven(given)
  if (bytes === undefined) throw new LstmError('VALUE', `restore: expected the Uint8Array that save() gave, got ${describeValue(given)}`)
  const word = (n: number): number => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(n * 4, true)
  if (bytes.length < HEADER_BYTES || word(0) !== MAGIC[0] || word(1) !== MAGIC[1]) {
    throw new LstmError('FORMAT', `restore: expected a saved state, got ${bytes.length} bytes that are none`)
  }
  if (word(2) !== VERSION) throw new LstmError('UNSUPPORTED', `restore: expected version ${VERSION}, got ${word(2)}; a newer lstm-wasm may read it`)
  if (hash.some((one, n) => word(3 + n) !== one)) {
    throw new LstmError('VALUE', 'restore: this state was saved by another model: its graph, weights or carried states differ')
  }
  const expected = HEADER_BYTES + word(7) * word(8)
  if (bytes.length !== expected) throw new LstmError('FORMAT', `restore: expected ${expected} bytes, got ${bytes.length}`)
  const payload = bytes.subarray(HEADER_BYTES)
  if (word(8) !== rowBytes || word(9) !== checkOf(payload)) throw new LstmError('FORMAT', 'restore: the saved state is damaged')
  if (word(7) !== rows) throw new LstmError('VALUE', `restore: expected the state of ${rows} sequences, got ${word(7)}`)
  return payload
}
