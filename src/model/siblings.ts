// Files beside a model: weight shards, external data.
import { LstmError } from '../errors.ts'
import { isUrl, moduleOfNode, pathOf, readFromDisk, readLocation, type ReadOptions } from './source.ts'

/**
 * The bytes of a file beside the model at a path or URL.
 * @throws LstmError `FORMAT` for a name or a link that leads out of the folder, and as `readSource`
 */
export async function readSibling(location: string, wanted: string, options: ReadOptions): Promise<Uint8Array> {
  return readInside(...besides(location, wanted), options)
}

/**
 * All bytes of a file in a folder, or below it. On a disk, links are followed as long as they stay there.
 * @param folder ends with a slash
 * @throws LstmError `FORMAT` for a link that leads out of the folder, for what is no file, and as `readSource`
 */
async function readInside(folder: string, name: string, options: ReadOptions = {}): Promise<Uint8Array> {
  const path = pathOf(folder + name)
  if (path === undefined) return readLocation(folder + name, options)
  const { realpath, stat } = await moduleOfNode('node:fs/promises') as typeof import('node:fs/promises')
  const { sep } = await moduleOfNode('node:path') as typeof import('node:path')
  let real: string | undefined
  let root = ''
  try {
    [root, real] = await Promise.all([realpath(pathOf(folder === '' ? '.' : folder) as string | URL), realpath(path)])
  } catch {
    // Reading it says what is wrong.
  }
  if (real === undefined) return readFromDisk(path, options)
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) {
    throw new LstmError('FORMAT', `the model refers to the file ${JSON.stringify(name)}, which is a link to a place outside of its folder; if that is meant, give it in the option 'files'`)
  }
  // Pipes and devices have no end.
  const found = await stat(real)
  if (!found.isFile() && !found.isDirectory()) throw new LstmError('FORMAT', `the model refers to the file ${JSON.stringify(name)}, which is a pipe, a socket or a device`)
  return readFromDisk(real, options)
}

/**
 * The folder of a location, and a name in it as the location would have it. Names come out of untrusted files, so they may not lead out of the folder.
 * @throws LstmError `FORMAT` for a name that leads elsewhere
 */
function besides(location: string, wanted: string): [folder: string, name: string] {
  const parts = wanted.split('/')
  if (wanted === '' || /[\\:\0]/.test(wanted) || parts.includes('..') || parts[0] === '') {
    throw new LstmError('FORMAT', `the model refers to the file ${JSON.stringify(wanted)}, expected a name beside it or below`)
  }
  if (isUrl(location)) return [new URL('.', location).href, parts.map(encodeURIComponent).join('/')]
  const end = Math.max(location.lastIndexOf('/'), location.lastIndexOf('\\'))
  return [location.slice(0, end + 1), wanted]
}
