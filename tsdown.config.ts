import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import ts from 'typescript'
import { defineConfig, type UserConfig } from 'tsdown'

/** In the place of the global name, which some scopes lack. */
const TEXT_DECODER = resolve('src/values/text-decoder.ts')

const common = {
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: true,
  sourcemap: false,
  inputOptions: { transform: { inject: { TextDecoder: [TEXT_DECODER, 'TextDecoder'] } } },
} satisfies UserConfig

const isTypeOnly = (statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean => (
  ts.isExportDeclaration(statement) ? statement.isTypeOnly : statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
)

/** The files that `file` imports when it is loaded, and theirs, but for types and what `import()` loads later. */
function importedBy(file: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const statement of ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest).statements) {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue
    const from = statement.moduleSpecifier
    if (from === undefined || !ts.isStringLiteral(from) || !from.text.startsWith('.') || isTypeOnly(statement)) continue
    importedBy(resolve(dirname(file), from.text), found)
  }
  return found
}

const hasBinaries = (file: string): boolean => [...importedBy(file)].some((imported) => /[/\\]binaries[/\\]/.test(imported))

/**
 * What importing the package loads is two files, index.js with the binaries and shared.js with what other entry points share:
 * every file more costs half a millisecond at every start.
 */
const shared = [...importedBy(resolve('src/index.ts')), TEXT_DECODER].filter((file) => !hasBinaries(file))

/**
 * Entry points that most starts go through: they have their own copies of what they share with readers, and so load one file each.
 * Modules with state are never copied: test/chunks.test.ts.
 */
const COPYING = ['layers', 'streams'].map((door) => ({ door, folder: resolve(`src/${door}`) }))

const at = (...files: string[]): Record<string, string> => Object.fromEntries(files.map((file) => {
  const [folder = '', name = '', replacement = ''] = file.split(' ')
  return [resolve(`src/${folder}/${name}.ts`), resolve(`src/${folder}/${replacement}.ts`)]
}))

const GIVEN = at('runtime embedded embedded-small', 'model late-streams late-streams-given', 'model late-siblings late-siblings-given', 'ops loading loading-given', 'formats late-readers late-readers-given')
const WORKERD = at('runtime variant variant-workerd')
const EDGE_LIGHT = at('runtime variant variant-edge-light')

/**
 * index.js once more, with other files in the place of some: for the conditions `workerd` and `edge-light` of the exports map, which
 * import the .wasm files as modules, and for `lstm-wasm/core`, which loads nothing later. What imports such a file, or the
 * binaries, is copied; all else is shared.
 */
const EDITIONS: Record<string, Record<string, string>> = {
  'workerd': WORKERD, 'edge-light': EDGE_LIGHT, 'core': GIVEN, 'core-workerd': { ...WORKERD, ...GIVEN }, 'core-edge-light': { ...EDGE_LIGHT, ...GIVEN },
}

function importOfEdition(file: string, edition: string): string | undefined {
  const replaced = EDITIONS[edition] as Record<string, string>
  if (replaced[file] !== undefined) return replaced[file]
  return hasBinaries(file) || [...importedBy(file)].some((imported) => replaced[imported] !== undefined) ? `${file}?${edition}` : undefined
}

const ownCopies = {
  name: 'own-copies',
  resolveId(id: string, importer: string = '') {
    if (id.endsWith('.wasm') || id.endsWith('.wasm?module')) return { id, external: true }
    const [from = '', query] = importer.split('?')
    if (id === '@assemblyscript/loader' && query?.startsWith('core')) return resolve('src/runtime/plain-instance.ts')
    if (query !== undefined && EDITIONS[query] !== undefined && id.startsWith('.')) return importOfEdition(resolve(dirname(from), id), query)
    const door = query ?? COPYING.find(({ folder }) => dirname(from) === folder)?.door
    if (door === undefined || !id.startsWith('.')) return undefined
    const file = resolve(dirname(from), id)
    return shared.includes(file) || dirname(file) === resolve(`src/${door}`) ? undefined : `${file}?${door}`
  },
  load(id: string) {
    const [file = '', door] = id.split('?')
    return door === undefined ? undefined : { code: readFileSync(file, 'utf8'), moduleType: 'ts' as const }
  },
}

/** One character beyond ASCII, and engines keep the whole file in two bytes a character. */
const asciiOnly = {
  name: 'ascii-only',
  generateBundle(_options: unknown, bundle: Record<string, { code?: string }>) {
    for (const [name, chunk] of Object.entries(bundle)) {
      if (name.endsWith('.js') && chunk.code !== undefined) chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    }
  },
}

/**
 * Files that are copied alone say where the licences of what is in them stand; and what the minifier left out: bundlers are not
 * to look for modules whose names are known at run time only. Lines of messages that begin as imports do are in one line, for tools
 * that tell modules by such lines.
 */
const lines = (code: string): string => code.replace(/\n(?=\s*(?:import|export)\b)/g, '\\n')
const NOT_LOOKED_FOR = 'import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ $1)'
const commentsOfWhole = {
  name: 'comments-of-whole',
  generateBundle(_options: unknown, bundle: Record<string, { code?: string }>) {
    for (const chunk of Object.values(bundle)) chunk.code = `/*! lstm-wasm, MIT; contains ${Object.keys(BUNDLED).join(', ')}: see THIRD-PARTY-LICENSES.txt of the package */\n${lines(chunk.code ?? '').replace(/\bimport\((\w+)\)/g, NOT_LOOKED_FOR)}`
  },
}

/** What can be imported besides the package itself, but for the processor: `lstm-wasm/layers`, ... */
const doors = {
  layers: 'src/layers/index.ts',
  operators: 'src/operators.ts',
  streams: 'src/streams/index.ts',
  worklet: 'src/worklet/index.ts',
  npy: 'src/readers/npy.ts',
  safetensors: 'src/readers/safetensors.ts',
  onnx: 'src/readers/onnx.ts',
  keras: 'src/readers/keras.ts',
  tfjs: 'src/readers/tfjs.ts',
  torch: 'src/readers/torch.ts',
  tensorflow1: 'src/readers/tensorflow1.ts',
  rtneural: 'src/readers/rtneural.ts',
  nam: 'src/readers/nam.ts',
}

/** Packages whose code is inside our files, and where their licences stand. */
const BUNDLED = { '@assemblyscript/loader': 'assemblyscript/LICENSE', 'fflate': 'fflate/LICENSE', 'pbf': 'pbf/LICENSE' }

/** Of `import module from 'lstm-wasm/simd.wasm'` and `import source module from ...`: what createRuntime takes. */
const WASM_TYPES = `import type { RuntimeOptions } from './index.js'

declare const module: NonNullable<RuntimeOptions['module']>
export default module
`

function writeLicences(): void {
  const parts = Object.entries(BUNDLED).map(([name, licence]) => {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as { version: string }
    return `${name} ${version}\n\n${readFileSync(`node_modules/${licence}`, 'utf8').trimEnd()}\n`
  })
  const head = 'The files of lstm-wasm contain code of the packages below. Their licences:\n'
  writeFileSync('dist/THIRD-PARTY-LICENSES.txt', [head, ...parts].join(`\n${'-'.repeat(80)}\n\n`))
}

/**
 * For `require` where it takes no ES modules (Node before 20.19, Jest): the one script, and a file of one line an entry point.
 * Types stand there again, because a file's folder says which kind of module it is.
 */
function writeCommonJs(): void {
  writeFileSync('dist/core.d.ts', "export * from './index.js'\n")
  for (const name of ['simd', 'relaxed-simd']) {
    writeFileSync(`dist/${name}.wasm.d.ts`, WASM_TYPES)
    // For Turbopack, which looks for 'lstm-wasm/simd.wasm?module' in the exports map as it is; webpack leaves the query out.
    writeFileSync(`dist/${name}-module.js`, `export { default } from './${name}.wasm?module'\n`)
  }
  mkdirSync('dist/commonjs', { recursive: true })
  writeFileSync('dist/commonjs/package.json', '{ "type": "commonjs" }\n')
  for (const door of Object.keys(doors)) writeFileSync(`dist/commonjs/${door}.js`, `module.exports = require('./lstm-wasm.js').${door}\n`)
  for (const name of readdirSync('dist').filter((file) => file.endsWith('.d.ts') && !/^(cli|processor|.*\.wasm)\./.test(file))) copyFileSync(`dist/${name}`, `dist/commonjs/${name}`)
  const types = ["export * from './index.js'", ...Object.keys(doors).map((door) => `export * as ${door} from './${door}.js'`)].join('\n') + '\n'
  for (const folder of ['dist', 'dist/commonjs']) writeFileSync(`${folder}/lstm-wasm.d.ts`, types)
}

const config: UserConfig[] = defineConfig([{
  ...common,
  entry: { index: 'src/index.ts', cli: 'src/cli/main.ts', ...doors, ...Object.fromEntries(Object.keys(EDITIONS).map((name) => [name, `src/index.ts?${name}`])) },
  minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: false } },
  copy: ['build/simd.wasm', 'build/relaxed-simd.wasm'].map((from) => ({ from, to: 'dist' })),
  outputOptions: { comments: { jsdoc: false, annotation: true, legal: true }, codeSplitting: { groups: [{ name: 'shared', test: (id) => shared.includes(id) || id.includes('assemblyscript/loader') }] } },
  deps: { neverBundle: [/^node:/] },
  plugins: [ownCopies, asciiOnly, {
    // The command uses index.js, and is no part of it: index.js stays one file.
    name: 'cli-over-index',
    resolveId(id, importer = '') {
      const door = /[/\\]src[/\\]cli[/\\]/.test(importer)
        ? {
            '../index.ts': './index.js', '../streams/index.ts': './streams.js', '../readers/npy.ts': './npy.js', '../readers/safetensors.ts': './safetensors.js',
          }[id]
        : undefined
      return door === undefined ? undefined : { id: door, external: true }
    },
  }],
}, {
  // In one file: audio worklets load it by its address, and bundlers copy it as it is.
  ...common,
  entry: { processor: 'src/worklet/processor.ts' },
  minify: true,
  clean: false,
}, {
  // In one file, with all readers: for pages without a bundler.
  ...common,
  entry: { 'lstm-wasm': 'src/whole.ts' },
  dts: false,
  minify: true,
  clean: false,
  plugins: [asciiOnly, commentsOfWhole],
  outputOptions: { codeSplitting: false },
}, {
  // The same as a script, which sets the global `lstmWasm`, and as a CommonJS module.
  ...common,
  format: 'umd',
  globalName: 'lstmWasm',
  entry: { 'lstm-wasm': 'src/whole.ts' },
  outDir: 'dist/commonjs',
  dts: false,
  minify: true,
  clean: false,
  define: { 'import.meta.url': 'undefined' },
  plugins: [asciiOnly, commentsOfWhole],
  outputOptions: { codeSplitting: false, entryFileNames: '[name].js' },
  onSuccess() {
    writeLicences()
    writeCommonJs()
  },
}])

export default config
