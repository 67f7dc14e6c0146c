// Imports that stay imports.
import { dirname, resolve } from 'node:path'

/** Binaries are imported as modules where a platform forbids compiling. */
export const binaries = {
  name: 'binaries',
  resolveId: (id: string): { id: string, external: true } | undefined => (/\.wasm(\?module)?$/.test(id) ? { id, external: true } : undefined),
}

/** Sources of entry points that the command imports, and what they are built as. */
const FILES: Readonly<Record<string, string>> = Object.fromEntries([
  ['index', 'index'], ['streams/index', 'streams'], ['readers/npy', 'npy'], ['readers/safetensors', 'safetensors'], ['export/index', 'export'],
].map(([source, built]) => [resolve(`src/${source}.ts`), `./${built}.js`]))

/** The command imports the built entry points, and is no part of them: index.js stays one file. */
export const cliOverEntryPoints = {
  name: 'cli-over-entry-points',
  resolveId(id: string, importer: string = ''): { id: string, external: true } | undefined {
    const file = /[/\\]src[/\\]cli[/\\]/.test(importer) && id.startsWith('.') ? FILES[resolve(dirname(importer), id)] : undefined
    return file === undefined ? undefined : { id: file, external: true }
  },
}
