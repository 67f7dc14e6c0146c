import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { defineConfig, type UserConfig } from 'tsdown'

const common = {
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  fixedExtension: false,
  dts: true,
  sourcemap: false,
} satisfies UserConfig

/** The files that `file` imports when it is loaded, and theirs, but for types. */
function importedBy(file: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const [, from] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)(?! type\b)[^'\n]*from '(\.[^']+)'/gm)) {
    importedBy(resolve(dirname(file), from as string), found)
  }
  return found
}

const hasBinaries = (file: string): boolean => [...importedBy(file)].some((imported) => /[/\\]binaries[/\\]/.test(imported))

/**
 * What importing the package loads is two files and the loader, index.js with the binaries and core.js with what other
 * doors share: every file more costs half a millisecond at every start.
 */
const core = [...importedBy(resolve('src/index.ts'))].filter((file) => !hasBinaries(file))

/** Doors that most starts go through: they have their own copies of what they share with readers, and so load one file each. */
const COPYING = ['layers', 'streams'].map((door) => ({ door, folder: resolve(`src/${door}`) }))

const ownCopies = {
  name: 'own-copies',
  resolveId(id: string, importer: string = '') {
    const [from = '', query] = importer.split('?')
    const door = query ?? COPYING.find(({ folder }) => dirname(from) === folder)?.door
    if (door === undefined || !id.startsWith('.')) return undefined
    const file = resolve(dirname(from), id)
    return core.includes(file) || dirname(file) === resolve(`src/${door}`) ? undefined : `${file}?${door}`
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

const config: UserConfig[] = defineConfig([{
  ...common,
  entry: {
    index: 'src/index.ts',
    layers: 'src/layers/index.ts',
    cli: 'src/cli/main.ts',
    streams: 'src/streams/index.ts',
    worklet: 'src/worklet/index.ts',
    npy: 'src/formats/npy.ts',
    safetensors: 'src/formats/safetensors-model.ts',
    onnx: 'src/formats/onnx/index.ts',
    keras: 'src/formats/keras/index.ts',
    tfjs: 'src/formats/tfjs/index.ts',
    torch: 'src/formats/torch/reader.ts',
    tensorflow1: 'src/formats/tf1/reader.ts',
    rtneural: 'src/formats/rtneural/reader.ts',
    nam: 'src/formats/nam/reader.ts',
  },
  minify: { compress: true, mangle: { keepNames: true }, codegen: { removeWhitespace: false } },
  copy: ['build/simd.wasm', 'build/relaxed-simd.wasm'].map((from) => ({ from, to: 'dist' })),
  outputOptions: { comments: { jsdoc: false, annotation: true, legal: true }, codeSplitting: { groups: [{ name: 'core', test: (id) => core.includes(id) }] } },
  deps: { neverBundle: [/^node:/] },
  plugins: [ownCopies, asciiOnly, {
    // The command is a customer of index.js, not a part of it: index.js stays one file.
    name: 'cli-over-index',
    resolveId(id, importer = '') {
      const door = /[/\\]src[/\\]cli[/\\]/.test(importer)
        ? {
            '../index.ts': './index.js', '../formats/npy.ts': './npy.js', '../formats/safetensors-model.ts': './safetensors.js',
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
}])

export default config
