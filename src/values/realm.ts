// Values of iframes, of jsdom and of Node's vm are what they are, though they are no `instanceof` of our own classes.

/** The engine's name of a value's class, whichever realm made it: `Uint8Array`, `ArrayBuffer`, `URL`, `Map`, `WebAssembly.Module`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}

/** The bytes of an ArrayBuffer or a Uint8Array of any realm, not copied; undefined for anything else. */
export function bytesGiven(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  const tag = tagOf(value)
  if (tag === 'ArrayBuffer') return new Uint8Array(value as ArrayBuffer)
  if (tag !== 'Uint8Array' || !ArrayBuffer.isView(value)) return undefined
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}
