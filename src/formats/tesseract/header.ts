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
  const found: (readonly [number, number] | undefined)[] = Array.from({ length: count })
  // Back to back, from the header on: each ends where the next begins.
  let end = length
  for (let n = count - 1; n >= 0; n--) {
    const begin = Number(view.getBigInt64(4 + 8 * n, true))
    if (begin === -1) continue
    if (begin > end) return undefined
    found[n] = [begin, end]
    end = begin
  }
  return end === header ? found : undefined
}

/** Whether bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8
}
