// index.js once more with some files replaced.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { hasBinaries, importedBy } from './imports.ts'

/** `folder name replacement`: src/folder/replacement.ts in the place of src/folder/name.ts. */
const replacing = (...files: string[]): Record<string, string> => Object.fromEntries(files.map((file) => {
  const [folder = '', name = '', replacement = ''] = file.split(' ')
  return [resolve(`src/${folder}/${name}.ts`), resolve(`src/${folder}/${replacement}.ts`)]
}))

const GIVEN = replacing('runtime embedded embedded-small', 'runtime late-threads late-threads-given', 'model late-streams late-streams-given', 'model late-siblings late-siblings-given', 'ops loading loading-given', 'formats late-readers late-readers-given')
const WORKERD = replacing('runtime variant variant-workerd', 'runtime late-threads late-threads-given')
const EDGE_LIGHT = replacing('runtime variant variant-edge-light', 'runtime late-threads late-threads-given')

/**
 * For the conditions `workerd` and `edge-light` of the exports map, which import the .wasm files as modules, and for `lstm-wasm/core`,
 * which loads nothing later. What imports a replaced file, or the binaries, is copied; all else is shared.
 */
export const EDITIONS: Readonly<Record<string, Record<string, string>>> = {
  'workerd': WORKERD, 'edge-light': EDGE_LIGHT, 'core': GIVEN, 'core-workerd': { ...WORKERD, ...GIVEN }, 'core-edge-light': { ...EDGE_LIGHT, ...GIVEN },
}

/** What a relative import means in an edition; undefined for the file itself. */
function importOf(file: string, edition: string): string | undefined {
  const replaced = EDITIONS[edition] as Record<string, string>
  if (replaced[file] !== undefined) return replaced[file]
  return hasBinaries(file) || [...importedBy(file)].some((imported) => replaced[imported] !== undefined) ? `${file}?${edition}` : undefined
}

/** A module id `file?edition` is a copy of the file for that edition. */
export const editions = {
  name: 'editions',
  resolveId(id: string, importer: string = ''): string | undefined {
    const [from = '', edition] = importer.split('?')
    if (edition === undefined || EDITIONS[edition] === undefined) return undefined
    if (id === '@assemblyscript/loader' && edition.startsWith('core')) return resolve('src/runtime/plain-instance.ts')
    return id.startsWith('.') ? importOf(resolve(dirname(from), id), edition) : undefined
  },
}

/** Reads the copies that module ids with a query stand for. */
export const copies = {
  name: 'copies',
  load(id: string): { code: string, moduleType: 'ts' } | undefined {
    const [file = '', query] = id.split('?')
    return query === undefined ? undefined : { code: readFileSync(file, 'utf8'), moduleType: 'ts' }
  },
}
