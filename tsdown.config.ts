// What is built, and from where; how each part works stands in .ci/build/.
import { defineConfig, type UserConfig } from 'tsdown'
import { writeCommonJs } from './.ci/build/commonjs.ts'
import { copies, EDITIONS, editions } from './.ci/build/editions.ts'
import { ENTRY_POINTS } from './.ci/build/entry-points.ts'
import { binaries, cliOverEntryPoints } from './.ci/build/external.ts'
import { GROUPS, TEXT_DECODER } from './.ci/build/imports.ts'
import { writeLicences } from './.ci/build/licences.ts'
import { asciiOnly, commentsOfWhole } from './.ci/build/output-text.ts'
import { ownCopies } from './.ci/build/own-copies.ts'
import { WASM_FILES } from './.ci/build/wasm-files.ts'

const common = {
  format: 'esm', platform: 'neutral', target: 'es2022', fixedExtension: false, sourcemap: false,
  inputOptions: { transform: { inject: { TextDecoder: [TEXT_DECODER, 'TextDecoder'] } }, checks: { pluginTimings: false } },
} satisfies UserConfig

/** Later builds write into the same folder. */
const later = { ...common, minify: true, clean: false } satisfies UserConfig

/** In one file, with all readers: for pages without a bundler, and for `require`. */
const whole = { ...later, entry: { 'lstm-wasm': 'src/whole.ts' }, dts: false, plugins: [asciiOnly, commentsOfWhole] } satisfies UserConfig

const config: UserConfig[] = defineConfig([{
  ...common,
  dts: true,
  // What 'trainer' imports gets chunks without what only some trainers need, which training.js has too: nobody imports it by name.
  entry: { 'index': 'src/index.ts', 'cli': 'src/cli/main.ts', 'score-worker': 'src/cli/score/worker.ts', 'trainer': 'src/training/create-trainer.ts', ...ENTRY_POINTS, ...Object.fromEntries(Object.keys(EDITIONS).map((name) => [name, `src/index.ts?${name}`])) },
  minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: false } },
  copy: WASM_FILES.map((name) => ({ from: `build/${name}.wasm`, to: 'dist' })),
  outputOptions: {
    comments: { jsdoc: false, annotation: true, legal: true },
    codeSplitting: { groups: GROUPS },
  },
  // hyparquet's files for Node, of which nothing is used, import 'fs'.
  deps: { neverBundle: [/^node:/, 'fs'] },
  plugins: [binaries, cliOverEntryPoints, editions, ownCopies, copies, asciiOnly],
}, {
  // In one file: audio worklets load it by its address, and bundlers copy it as it is.
  ...later, dts: true, entry: { processor: 'src/worklet/processor.ts' },
}, {
  ...whole, outputOptions: { codeSplitting: false },
}, {
  // A script, which sets the global `lstmWasm`, and a CommonJS module.
  ...whole, format: 'umd', globalName: 'lstmWasm', outDir: 'dist/commonjs', define: { 'import.meta.url': 'undefined' },
  outputOptions: {
    codeSplitting: false, entryFileNames: '[name].js',
    // Does nothing: tools that tell modules by their text find `import` in messages, and here that it is CommonJS.
    footer: "typeof module === 'object' && module.exports",
  },
  onSuccess() {
    writeLicences()
    writeCommonJs()
  },
}])

export default config
