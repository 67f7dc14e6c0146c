/**
 * What edits (assembly/edits.mjs) make of a binary: each is text that is inserted, how far to skip, and how much to take.
 * @param bytesOf what the inserted text stands for
 */
export function editedBytes(base: Uint8Array, edits: string, bytesOf: (text: string) => Uint8Array): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  let at = 0
  for (const [, inserted = '', skip, length] of edits.matchAll(/(\S*) (-?\d+) (\d+) /g)) {
    parts.push(bytesOf(inserted), base.subarray(at += Number(skip), at += Number(length)))
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let end = 0
  for (const part of parts) {
    bytes.set(part, end)
    end += part.length
  }
  return bytes
}
