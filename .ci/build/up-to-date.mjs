// Whether what was made is that of the source: a digest of all that it is made of, and of all that was made, is kept. Whatever differs by a byte,
// or is gone, has everything made again.
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'

const root = new URL('../../', import.meta.url)

/** @param {string} path of a folder, which ends with a slash, or of a file */
async function filesOf(path) {
  if (!path.endsWith('/')) return [path]
  const names = await readdir(new URL(path, root), { recursive: true }).catch(() => [])
  return names.filter((name) => /\.\w+$/.test(name)).map((name) => `${path}${name.replaceAll('\\', '/')}`)
}

/**
 * @param {string} file where the digest is kept
 * @param {readonly string[]} counted paths whose files count: of sources, of what compiles them, and of what comes of them
 * @param {(file: string) => boolean} isForeign files of those folders that do not
 */
export function record(file, counted, isForeign = () => false) {
  const kept = new URL(file, root)
  const digest = async () => {
    const hash = createHash('sha256').update(process.version)
    const files = (await Promise.all(counted.map(filesOf))).flat().filter((name) => !isForeign(name)).sort()
    for (const name of files) hash.update(`${name}\n`).update(await readFile(new URL(name, root)))
    return hash.digest('hex')
  }
  return {
    /** Whether nothing has changed since `keep` was called. */
    isUpToDate: async () => await readFile(kept, 'utf8').catch(() => '') === await digest(),
    /** Everything has been made. */
    keep: async () => writeFile(kept, await digest()),
  }
}
