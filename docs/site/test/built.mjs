// The site under test: what `npm run site` has built, and a server for it.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../paths.mjs'
import { serveFolder } from '../serve.mjs'

export const FOLDER = join(ROOT, 'build', 'site')

/** Names of all files of the site. */
export async function filesOfSite() {
  const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(FOLDER.length + 1).replaceAll('\\', '/')).sort()
}

export const pagesOfSite = async () => (await filesOfSite()).filter((name) => name.endsWith('.html'))

/** @returns the address of the site, which is not at the root of its server: links must be relative */
export async function serveSite() {
  const server = await serveFolder(join(ROOT, 'build'), 0)
  return { origin: `http://127.0.0.1:${server.address().port}/site`, close: () => server.close() }
}
