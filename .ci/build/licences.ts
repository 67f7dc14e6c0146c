import { readFileSync, writeFileSync } from 'node:fs'

/** Packages whose code is inside our files, and where their licences stand: those of the library, and those of the command alone. */
export const BUNDLED: Readonly<Record<string, string>> = { '@assemblyscript/loader': 'assemblyscript/LICENSE', 'fflate': 'fflate/LICENSE', 'pbf': 'pbf/LICENSE' }
const OF_COMMAND: Readonly<Record<string, string>> = { 'hyparquet': 'hyparquet/LICENSE', 'hyparquet-writer': 'hyparquet-writer/LICENSE', 'fzstd': 'fzstd/LICENSE' }

/** dist/THIRD-PARTY-LICENSES.txt */
export function writeLicences(): void {
  const parts = Object.entries({ ...BUNDLED, ...OF_COMMAND }).map(([name, licence]) => {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }
    return `${name} ${version}\n\n${readFileSync(`node_modules/${licence}`, 'utf8').trimEnd()}\n`
  })
  const head = 'The files of lstm-wasm contain code of the packages below. Their licences:\n'
  writeFileSync('dist/THIRD-PARTY-LICENSES.txt', [head, ...parts].join(`\n${'-'.repeat(80)}\n\n`))
}
