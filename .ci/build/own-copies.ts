// Entry points that most starts go through have their own copies of what they share with readers, and so load one file each.
// Modules with state are never copied: test/chunks.test.ts.
import { dirname, resolve } from 'node:path'
import { EDITIONS } from './editions.ts'
import { isShared } from './imports.ts'

const COPYING = ['layers', 'streams']
const folderOf = (entryPoint: string): string => resolve(`src/${entryPoint}`)

export const ownCopies = {
  name: 'own-copies',
  resolveId(id: string, importer: string = ''): string | undefined {
    const [from = '', query] = importer.split('?')
    if (query !== undefined && EDITIONS[query] !== undefined) return undefined
    const entryPoint = query ?? COPYING.find((name) => folderOf(name) === dirname(from))
    if (entryPoint === undefined || !id.startsWith('.')) return undefined
    const file = resolve(dirname(from), id)
    return isShared(file) || dirname(file) === folderOf(entryPoint) ? undefined : `${file}?${entryPoint}`
  },
}
