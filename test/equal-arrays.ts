// Set up before every test file: typed arrays with the same bytes are equal at once. Vitest compares them element by element, some
// 100 times as slow; it still does for those that differ, and says where, and whether they are equal all the same (NaN).
import { expect } from 'vitest'

/** Kept from the beginning: tests take Buffer away, to be where there is none. */
const NodeBuffer = Buffer
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength)

/** Test files that share a process share what is set up. */
const SET_UP = Symbol.for('lstm-wasm equal arrays')
if (!(SET_UP in globalThis)) {
  Object.assign(globalThis, { [SET_UP]: true })
  expect.addEqualityTesters([(a: unknown, b: unknown): boolean | undefined => (
    ArrayBuffer.isView(a) && ArrayBuffer.isView(b) && a.constructor === b.constructor && NodeBuffer.compare(bytesOf(a), bytesOf(b)) === 0 ? true : undefined
  )])
}
