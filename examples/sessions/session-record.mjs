// A saved session as bytes: what the model remembers, and the outputs that nobody has confirmed yet. Little-endian:
//
//   'SESS' u32  version u32  check u32  bytes of state u32  sequence f64  outputs u32  0 u32  |  state  |  outputs, float32
//
// `sequence` is the last frame that the state has seen; the outputs are those of the last frames up to it.
// The state is what `pool.save` gives: it names its model, and `pool.restore` refuses that of another one.
import { SessionError } from './session-error.mjs'

const MAGIC = 0x53534553
const VERSION = 1
const HEADER_BYTES = 32
const CHECKED_FROM = 12

/**
 * @param {{ sequence: number, state: Uint8Array, outputs: readonly Float32Array[] }} session outputs: of the frames up to `sequence`
 * @returns {Uint8Array}
 */
export function writeRecord({ sequence, state, outputs }) {
  const outputBytes = outputs.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const bytes = new Uint8Array(HEADER_BYTES + state.length + outputBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, VERSION, true)
  view.setUint32(12, state.length, true)
  view.setFloat64(16, sequence, true)
  view.setUint32(24, outputs.length, true)
  bytes.set(state, HEADER_BYTES)
  let at = HEADER_BYTES + state.length
  for (const output of outputs) {
    bytes.set(new Uint8Array(output.buffer, output.byteOffset, output.byteLength), at)
    at += output.byteLength
  }
  view.setUint32(8, checkOf(bytes.subarray(CHECKED_FROM)), true)
  return bytes
}

/**
 * @param {Uint8Array} bytes what `writeRecord` gave
 * @param {number} outputLength numbers of one output
 * @returns {{ sequence: number, state: Uint8Array, outputs: Float32Array[] }}
 * @throws SessionError `DAMAGED`; `MODEL` for a newer version
 */
export function readRecord(bytes, outputLength) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) throw new SessionError('DAMAGED', `session: expected a saved session, got ${bytes.length} bytes that are none`)
  const version = view.getUint32(4, true)
  if (version !== VERSION) throw new SessionError('MODEL', `session: expected version ${VERSION} of a saved session, got ${version}`)
  if (view.getUint32(8, true) !== checkOf(bytes.subarray(CHECKED_FROM))) throw new SessionError('DAMAGED', 'session: the saved session is damaged')
  const stateEnd = HEADER_BYTES + view.getUint32(12, true)
  const count = view.getUint32(24, true)
  const state = new Uint8Array(bytes.subarray(HEADER_BYTES, stateEnd)) // copies: a Buffer's slice is none, and may lie at an odd address
  const numbers = new Float32Array(new Uint8Array(bytes.subarray(stateEnd)).buffer)
  // Another number for each output: of another model, which the state's own hash will tell.
  const length = count === 0 ? outputLength : numbers.length / count
  return { sequence: view.getFloat64(16, true), state, outputs: Array.from({ length: count }, (_, n) => numbers.slice(n * length, (n + 1) * length)) }
}

/** FNV-1a, 32 bits (G. Fowler, L. C. Noll, K.-P. Vo; public domain). */
export function checkOf(bytes) {
  let hash = 0x811c9dc5
  for (let n = 0; n < bytes.length; n++) hash = Math.imul(hash ^ bytes[n], 0x01000193)
  return hash >>> 0
}
