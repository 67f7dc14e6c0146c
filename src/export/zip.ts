import { zipSync, type Zippable } from 'fflate'

/** Files of one content are alike to the byte, whenever they are written. */
const DATE = new Date(1980, 0, 1)

/** A zip archive of files that are stored as they are: weights become hardly smaller. */
export function writeZip(files: readonly (readonly [name: string, bytes: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const entries: Zippable = {}
  for (const [name, bytes] of files) entries[name] = [bytes, { level: 0, mtime: DATE }]
  return zipSync(entries)
}
