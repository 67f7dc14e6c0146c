import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { ENTRY_POINTS } from './entry-points.ts'
import { WASM_FILES } from './wasm-files.ts'

/** Of `import module from 'lstm-wasm/simd.wasm'` and `import source module from ...`: what createRuntime and createTrainer take. */
const WASM_TYPES = `import type { RuntimeOptions } from './index.js'

declare const module: NonNullable<RuntimeOptions['module']>
export default module
`

/**
 * For `require` where it takes no ES modules (Node before 20.19, Jest): the one script, and a file of one line an entry point.
 * Types stand there again, because a file's folder says which kind of module it is.
 */
export function writeCommonJs(): void {
  writeFileSync('dist/core.d.ts', "export * from './index.js'\n")
  for (const name of WASM_FILES) {
    writeFileSync(`dist/${name}.wasm.d.ts`, WASM_TYPES)
    // For Turbopack, which looks for 'lstm-wasm/simd.wasm?module' in the exports map as it is; webpack leaves the query out.
    writeFileSync(`dist/${name}-module.js`, `export { default } from './${name}.wasm?module'\n`)
  }
  mkdirSync('dist/commonjs', { recursive: true })
  writeFileSync('dist/commonjs/package.json', '{ "type": "commonjs" }\n')
  // The one script has both binaries, and starts the faster one by itself.
  writeFileSync('dist/commonjs/relaxed.js', 'exports.relaxedSimd = async () => undefined\n')
  const inside = Object.keys(ENTRY_POINTS).filter((name) => name !== 'relaxed')
  for (const name of inside) writeFileSync(`dist/commonjs/${name}.js`, `module.exports = require('./lstm-wasm.js').${name}\n`)
  for (const name of readdirSync('dist').filter((file) => file.endsWith('.d.ts') && !/^(cli|processor|.*\.wasm)\./.test(file))) copyFileSync(`dist/${name}`, `dist/commonjs/${name}`)
  const types = ["export * from './index.js'", ...inside.map((name) => `export * as ${name} from './${name}.js'`)].join('\n') + '\n'
  for (const folder of ['dist', 'dist/commonjs']) writeFileSync(`${folder}/lstm-wasm.d.ts`, types)
}
