import { hasShape } from '../../values/ndarray.ts'
import { tagOf } from '../../values/realm.ts'

/** A copy of a typed array, with memory of its own. `slice` of Node's Buffers copies nothing. */
function copyOf(array: Uint8Array): Uint8Array<ArrayBuffer> {
  const { slice } = Object.getPrototypeOf(Uint8Array.prototype) as { readonly slice: (this: Uint8Array) => Uint8Array<ArrayBuffer> }
  return slice.call(array)
}

/**
 * What can be posted of arguments: arrays are copied, since views of a linear memory would bring all of it, and callers keep theirs; objects with a shape
 * become plain ones.
 * @param moved is given the memory of the copies
 */
export function sendable(given: unknown, moved: ArrayBuffer[]): unknown {
  if (typeof given !== 'object' || given === null) return given
  if (ArrayBuffer.isView(given)) {
    if (given instanceof DataView) return given
    const copy = copyOf(given as Uint8Array)
    moved.push(copy.buffer)
    return copy
  }
  if (hasShape(given)) return { shape: [...given.shape], data: sendable(given.data, moved) }
  // Nested numbers are left to the engine.
  if (Array.isArray(given)) return given.some((each) => typeof each === 'object' && !Array.isArray(each)) ? given.map((each) => sendable(each, moved)) : given
  if (tagOf(given) === 'Map') return new Map([...given as Map<unknown, unknown>].map(([name, each]) => [name, sendable(each, moved)]))
  const prototype: unknown = Object.getPrototypeOf(given)
  // Plain objects of any realm.
  return prototype === null || Object.getPrototypeOf(prototype) === null
    ? Object.fromEntries(Object.entries(given).map(([name, each]) => [name, sendable(each, moved)]))
    : given
}
