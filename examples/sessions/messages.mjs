// What goes over the wire, the same in every host. A run is a header of two float64 numbers, then float32 numbers, little-endian:
//
//   frames:   sequence of the first, last output confirmed  |  frames
//   outputs:  sequence of the first, last frame saved       |  outputs
//
// All else is JSON: { type: 'welcome' | 'saved' | 'error', ... }.
import { SessionError } from './session-error.mjs'

const HEADER_BYTES = 16
/** Why a connection is closed (RFC 6455: codes from 4000 on are one's own): the session goes on over another one. */
export const REPLACED = 4000

/**
 * @param {number} sequence of the first frame or output
 * @param {number} upTo the last output confirmed, or the last frame saved
 * @param {readonly Float32Array[]} arrays frames or outputs, one after the other
 * @returns {Uint8Array}
 */
export function writeRun(sequence, upTo, arrays) {
  const length = arrays.reduce((sum, array) => sum + array.length, 0)
  const bytes = new Uint8Array(HEADER_BYTES + 4 * length)
  const view = new DataView(bytes.buffer)
  view.setFloat64(0, sequence, true)
  view.setFloat64(8, upTo, true)
  const numbers = new Float32Array(bytes.buffer, HEADER_BYTES)
  let at = 0
  for (const array of arrays) {
    numbers.set(array, at)
    at += array.length
  }
  return bytes
}

/**
 * @param {Uint8Array} bytes
 * @param {{ length: number, most: number }} expected length: numbers of one frame or output; most: how many there may be
 * @returns {{ sequence: number, upTo: number, arrays: Float32Array[] }}
 * @throws SessionError `SIZE`
 */
export function readRun(bytes, { length, most }) {
  const count = (bytes.length - HEADER_BYTES) / (4 * length)
  if (!Number.isInteger(count) || count < 0 || count > most) {
    throw new SessionError('SIZE', `message: expected ${HEADER_BYTES} bytes and 0 to ${most} times ${4 * length} (${length} float32 numbers), got ${bytes.length}`)
  }
  const { buffer } = new Uint8Array(bytes) // a copy, which is aligned and nobody else's
  const view = new DataView(buffer)
  const arrays = Array.from({ length: count }, (_, n) => new Float32Array(buffer, HEADER_BYTES + 4 * length * n, length))
  return { sequence: view.getFloat64(0, true), upTo: view.getFloat64(8, true), arrays }
}

/** An error as a client is told it. */
export function errorMessage(error) {
  const { code, message, expected, passes } = error
  return JSON.stringify({ type: 'error', code: error instanceof SessionError ? code : 'INTERNAL', message, expected, passes })
}
