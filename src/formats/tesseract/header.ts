// How a .traineddata file begins: u32 count, count x i64 offsets (-1: absent), then the components, in the order of their numbers.

/** The first versions had 17 components, those with networks 24. */
const FEWEST_COMPONENTS = 8
const MOST_COMPONENTS = 64

/**
 * Where each component lies, by its number; undefined for bytes that do not begin as such a file does.
 * @param length of the whole file
 */
export function componentsOf(bytes: Uint8Array, length: number = bytes.length): (readonly [begin: number, end: number] | undefined)[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = bytes.length < 4 ? 0 : view.getUint32(0, true)
  const header = 4 + 8 * count
  if (count < FEWEST_COMPONENTS || count > MOST_COMPONENTS || header > bytes.length) return undefined
  const offsets = Array.from({ length: count }, (_, n) => view.getInt32(8 + 8 * n, true) * 2 ** 32 + view.getUint32(4 + 8 * n, true))
  const present = offsets.filter((offset) => offset !== -1)
  // Components stand back to back, from the header on.
  if (present[0] !== header || present.some((offset, n) => offset > length || offset < (present[n - 1] ?? 0))) return undefined
  return offsets.map((begin, n) => (begin === -1 ? undefined : [begin, offsets.slice(n + 1).find((offset) => offset !== -1) ?? length]))
}

/** Whether bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8
}
