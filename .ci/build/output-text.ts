// Changes to the text of finished files.
import { BUNDLED } from './licences.ts'

type Bundle = Record<string, { code?: string }>

/** One character beyond ASCII, and engines keep the whole file in two bytes a character. */
export const asciiOnly = {
  name: 'ascii-only',
  generateBundle(_options: unknown, bundle: Bundle): void {
    for (const [name, chunk] of Object.entries(bundle)) {
      if (name.endsWith('.js') && chunk.code !== undefined) chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    }
  },
}

/** Bundlers are not to look for modules whose names are known at run time only; the minifier drops what tells them so. */
const RUN_TIME_IMPORT = 'import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ $1)'

/** Lines of messages that begin as imports do are joined with the line before: tools tell modules by such lines. */
const joined = (code: string): string => code.replace(/\n(?=\s*(?:import|export)\b)/g, '\\n')

/** Files that are copied alone say where the licences of what is in them stand. */
export const commentsOfWhole = {
  name: 'comments-of-whole',
  generateBundle(_options: unknown, bundle: Bundle): void {
    const head = `/*! lstm-wasm, MIT; contains ${Object.keys(BUNDLED).join(', ')}: see THIRD-PARTY-LICENSES.txt of the package */`
    for (const chunk of Object.values(bundle)) chunk.code = `${head}\n${joined(chunk.code ?? '').replace(/\bimport\((\w+)\)/g, RUN_TIME_IMPORT)}`
  },
}
