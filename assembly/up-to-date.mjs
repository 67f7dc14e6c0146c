// Whether the binaries are those of the source: a digest of all that they are made of, and of all that was made, is kept beside them. Whatever
// differs by a byte, or is gone, has everything made again.
import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'

const root = new URL('../', import.meta.url)
const kept = new URL('build/binaries.sha256', root)
/** Paths whose files count: sources, and the versions of what compiles them; then what comes of them. */
const COUNTED = ['assembly/', 'asconfig.json', 'package-lock.json', 'build/', 'src/contract/', 'src/runtime/binaries/']
/** Not made here, though it is in one of these folders; and what is in build/ besides binaries. */
const isForeign = (/** @type {string} */ file) => file.endsWith('/training-program.ts') || /^build\/(?![\w-]+\.wa(sm|t)$)/.test(file)

/** @param {string} path of a folder, which ends with a slash, or of a file */
async function filesOf(path) {
  if (!path.endsWith('/')) return [path]
  const names = await readdir(new URL(path, root), { recursive: true }).catch(() => [])
  return names.filter((name) => /\.\w+$/.test(name)).map((name) => `${path}${name.replaceAll('\\', '/')}`)
}

async function digest() {
  const hash = createHash('sha256')
  const files = (await Promise.all(COUNTED.map(filesOf))).flat().filter((file) => !isForeign(file)).sort()
  for (const file of files) hash.update(`${file}\n`).update(await readFile(new URL(file, root)))
  return hash.digest('hex')
}

/** Whether nothing has changed since `keep` was called. */
export const isUpToDate = async () => await readFile(kept, 'utf8').catch(() => '') === await digest()

/** Everything has been made. */
export const keep = async () => writeFile(kept, await digest())
