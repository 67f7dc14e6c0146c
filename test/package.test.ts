import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { parseSync } from 'vite'
import { describe, expect, it } from 'vitest'
import { packPackage } from './installed.ts'

const root = new URL('../', import.meta.url)
const dist = new URL('dist/', root)
const run = promisify(execFile)

interface Manifest {
  readonly sideEffects: unknown
  readonly files: readonly string[]
  readonly bin: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, Target>>
  readonly dependencies?: unknown
  readonly main: string
  readonly module: string
  readonly types: string
  readonly unpkg: string
  readonly jsdelivr: string
}

type Target = string | { readonly [condition: string]: Target }

/** The files that an entry of the exports map leads to, under any conditions. */
const targetsOf = (target: Target): string[] => (typeof target === 'string' ? [target] : Object.values(target).flatMap(targetsOf))

const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Manifest

/** Names of files below dist. */
async function filesOfDist(): Promise<string[]> {
  const entries = await readdir(dist, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return paths.map((path) => relative(fileURLToPath(dist), path).replaceAll('\\', '/'))
}

interface Imports {
  readonly fixed: readonly string[]
  readonly late: readonly string[]
}

/** Parsed once: most files are asked for by several tests. */
const parsed: Map<string, Promise<Imports>> = new Map()

/** Modules a file of dist imports: statically, and at run time where it says `import()`. */
function importsOf(file: string): Promise<Imports> {
  const imports = parsed.get(file) ?? parseImports(file)
  parsed.set(file, imports)
  return imports
}

async function parseImports(file: string): Promise<Imports> {
  const text = await readFile(new URL(file, dist), 'utf8')
  const { module } = parseSync(file, text)
  const again = module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []))
  return {
    fixed: [...new Set([...module.staticImports.map(({ moduleRequest }) => moduleRequest.value), ...again])],
    late: module.dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start, end)),
  }
}

/** A file of dist and all it imports statically, directly or not. */
async function closureOf(entry: string): Promise<{ readonly files: string[], readonly packages: string[] }> {
  const files = [entry]
  const packages: Set<string> = new Set()
  for (const file of files) {
    for (const specifier of (await importsOf(file)).fixed) {
      if (!specifier.startsWith('.')) packages.add(specifier)
      else if (!files.includes(specifier.slice(2))) files.push(specifier.slice(2))
    }
  }
  return { files, packages: [...packages] }
}

/** What else can be imported: `lstm-wasm/layers`, the readers one by one, and arrays in files. */
const BINARIES = ['simd', 'relaxed-simd', 'gradients-simd', 'gradients-relaxed-simd']
const DOORS = ['layers', 'operators', 'relaxed', 'streams', 'quantization', 'export', 'sharing', 'training', 'gradients', 'worklet', 'processor', 'npy', 'safetensors', 'onnx', 'keras', 'tfjs', 'torch', 'tensorflow1', 'rtneural', 'nam', 'tesseract']

/** Their public names, in the same order. */
const DOOR_NAMES = [
  ['operators'],
  ['relaxedSimd'],
  ['streams'],
  ['formatReport', 'quantize'],
  ['describePytorch', 'toKeras', 'toNam', 'toOnnx', 'toRtneural', 'toStateDict', 'writeNpz'],
  ['openShared', 'share'],
  [
    'adam', 'adamw', 'binaryCrossentropy', 'categoricalCrossentropy', 'constantRate', 'cosineDecay', 'createTrainer', 'ctc', 'earlyStopping', 'esr', 'exponentialDecay', 'huber',
    'initialStateDict', 'learningRateScheduler', 'meanAbsoluteError', 'meanSquaredError', 'modelCheckpoint', 'reduceOnPlateau', 'resumeTrainer', 'rmsprop', 'sgd',
    'sparseCategoricalCrossentropy', 'stepDecay', 'warmUp',
  ],
  ['gradients'],
  ['createWorkletNode', 'createWorkletOptions'],
  ['LstmError', 'createProcessorModel'],
  ['readNpy', 'readNpyHeader', 'writeNpy', 'writeNpyHeader'],
  ['readSafetensors', 'safetensors', 'writeSafetensors'],
  ['onnx', 'readOnnx'],
  ['keras', 'readKeras', 'readKerasWeights'],
  ['readTfjs', 'readTfjsStateDict', 'readTfjsWeights', 'tfjs'],
  ['readTorch', 'torch'],
  ['readTensorflow1', 'readTensorflow1Variables', 'tensorflow1', 'tensorflow1StateDict'],
  ['readRtneural', 'readRtneuralStateDict', 'rtneural'],
  ['nam', 'namSampleRate', 'readNam'],
  ['decodeLine', 'prepareLine', 'readTraineddata', 'recognizeLine', 'recognizeLines', 'tesseract'],
]

describe('the package', () => {
  it('holds what was built, the licence, the readme and the changelog, and nothing else', async () => {
    const packed = [...packPackage().files].sort()
    const built = (await filesOfDist()).map((name) => `dist/${name}`)
    const pages = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md', ...packed.filter((path) => /^docs\/(\w[\w-]*\.md|benchmark\/[\w-]+\.svg|playground\/[\w-]+\.(?:mjs|css|html))$/.test(path))]
    expect(packed).toEqual([...pages, 'examples/digits.npy', 'examples/digits.safetensors', 'package.json', ...built].sort())
    expect(pages).toContain('docs/api.md')
    expect(built).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/layers.js', 'dist/layers.d.ts', 'dist/cli.js', ...BINARIES.map((name) => `dist/${name}.wasm`)]))
    expect(packed.filter((path) => /test|src|assembly|bench(?!mark)|\.map$|(?<!\.d)\.ts$/.test(path))).toEqual([])
  })

  it('exports files that are there, and no others', async () => {
    const targets = Object.values(manifest.exports).flatMap(targetsOf)
    const { main, module, types, unpkg, jsdelivr } = manifest
    const all = [...targets, ...Object.values(manifest.bin), main, module, types, unpkg, jsdelivr]
    for (const target of all) expect((await readFile(new URL(target, root))).length).toBeGreaterThan(0)
    const files = ['./examples/digits.safetensors', './examples/digits.npy', ...BINARIES.flatMap((name) => [`./${name}.wasm`, `./${name}.wasm?module`])]
    expect(Object.keys(manifest.exports)).toEqual(['.', './core', ...DOORS.map((name) => `./${name}`), ...files, './package.json'])
    // A package may import itself by name: the map is resolved as a user's import would be.
    const names = ['', ...['core', ...DOORS, ...BINARIES.map((name) => `${name}.wasm`), 'package.json'].map((name) => `/${name}`)]
    const script = `for (const name of ${JSON.stringify(names)}) console.log(import.meta.resolve('lstm-wasm' + name))`
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: fileURLToPath(root) })
    const found = ['dist/index.js', 'dist/core.js', ...DOORS.map((name) => `dist/${name}.js`), ...BINARIES.map((name) => `dist/${name}.wasm`), 'package.json']
    expect(stdout.trim().split('\n')).toEqual(found.map((file) => new URL(file, root).href))
    const inner = "import('lstm-wasm/dist/index.js').catch(({ code }) => console.log(code))"
    expect((await run(process.execPath, ['--input-type=module', '-e', inner], { cwd: fileURLToPath(root) })).stdout).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n')
  })

  it('ships the binaries it was tested with', async () => {
    for (const name of BINARIES.map((binary) => `${binary}.wasm`)) {
      expect((await readFile(new URL(name, dist))).equals(await readFile(new URL(`build/${name}`, root)))).toBe(true)
    }
  })

  it('imports no other package: their code is inside its files, and their licences beside it', async () => {
    const built = (await filesOfDist()).filter((name) => name.endsWith('.js'))
    const imported = (await Promise.all(built.map(async (file) => {
      const { fixed, late } = await importsOf(file)
      return [...fixed, ...late.map((specifier) => /^["'`](.*)["'`]$/.exec(specifier)?.[1] ?? '.')]
    }))).flat()
    expect(imported).toContain('node:util') // of the command
    expect(imported.filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))).toEqual([])
    expect(manifest.dependencies).toBeUndefined()
    const licences = await readFile(new URL('THIRD-PARTY-LICENSES.txt', dist), 'utf8')
    for (const text of ['@assemblyscript/loader 0', 'Apache License', 'fflate 0', 'Copyright (c) 2026 Arjun Barrett', 'pbf 5', 'Copyright (c) 2026, Mapbox', 'hyparquet 1', 'hyparquet-writer 0', 'fzstd 0']) {
      expect(licences).toContain(text)
    }
    for (const file of ['lstm-wasm.js', 'commonjs/lstm-wasm.js']) expect((await readFile(new URL(file, dist), 'utf8')).split('\n')[0]).toMatch(/^\/\*! .*THIRD-PARTY-LICENSES/)
  })

  it('has the same names in every form: modules, one module, a script, CommonJS', async () => {
    const names = async (specifier: string): Promise<string[]> => Object.keys(await import(new URL(specifier, dist).href) as object).filter((name) => name !== 'default').sort()
    // One script has both binaries: nothing is handed over to it.
    const whole = [...await names('index.js'), ...DOORS.filter((door) => !['processor', 'relaxed'].includes(door))].sort()
    expect(await names('lstm-wasm.js')).toEqual(whole)
    const require = createRequire(import.meta.url)
    const commonJs = (name: string): string[] => Object.keys(require(fileURLToPath(new URL(`commonjs/${name}.js`, dist))) as object).sort()
    expect(commonJs('lstm-wasm')).toEqual(whole)
    for (const door of DOORS.filter((name) => name !== 'processor')) expect(commonJs(door)).toEqual(await names(`${door}.js`))
    const scope: { lstmWasm?: object } = {}
    runInNewContext(await readFile(new URL(manifest.unpkg, root), 'utf8'), scope)
    expect(Object.keys(scope.lstmWasm ?? {}).sort()).toEqual(whole)
  })

  it('is found by require, which takes the same modules as import where it can', async () => {
    const script = "import('lstm-wasm').then((names) => console.log(names === require('lstm-wasm'), require('lstm-wasm/layers') === require('lstm-wasm').layers))"
    const newNode = await run(process.execPath, ['-e', script], { cwd: fileURLToPath(root) })
    expect(newNode.stdout).toBe(process.features.require_module ? 'true false\n' : 'false true\n')
    const oldNode = await run(process.execPath, ['-e', "console.log(typeof require('lstm-wasm').load, typeof require('lstm-wasm/layers').lstm)"], {
      cwd: fileURLToPath(root), env: { ...process.env, NODE_OPTIONS: process.features.require_module ? '--no-experimental-require-module' : '' },
    })
    expect(oldNode.stdout).toBe('function function\n')
  })
})

describe('the public names', () => {
  it('of lstm-wasm are these', async () => {
    expect(Object.keys(await import(new URL('index.js', dist).href) as object).sort()).toEqual([
      'LstmError', 'NdArray', 'compile', 'createRuntime', 'formatSummary', 'load', 'readGraph', 'saveGraph', 'summarise',
    ])
  })

  it('of the readers and of arrays in files are these', async () => {
    const names = async (door: string): Promise<string[]> => Object.keys(await import(new URL(`${door}.js`, dist).href) as object).sort()
    expect(await Promise.all(DOORS.slice(1).map(names))).toEqual(DOOR_NAMES)
  })

  it('of lstm-wasm/layers are these', async () => {
    expect(Object.keys(await import(new URL('layers.js', dist).href) as object).sort()).toEqual([
      'activation', 'batchNorm', 'conv1d', 'dense', 'dropout', 'embedding', 'gru', 'gruCell', 'input', 'lastStep', 'layerNorm', 'linear', 'lstm', 'lstmCell',
      'rnnCell', 'sequential', 'simpleRnn',
    ])
  })
})

describe('importing lstm-wasm', () => {
  it('has no side effects: no fetch, no compiling, no memory, no globals', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lstm-wasm-'))
    try {
      const script = join(folder, 'import.mjs')
      await writeFile(script, `
        const used = []
        const forbid = (of, name) => { of[name] = function () { used.push(name); throw new Error(name + ' is forbidden') } }
        for (const name of Object.getOwnPropertyNames(WebAssembly)) if (typeof WebAssembly[name] === 'function' && !name.endsWith('Error')) forbid(WebAssembly, name)
        for (const name of ['fetch', 'Worker', 'setTimeout', 'setInterval', 'queueMicrotask']) forbid(globalThis, name)
        const before = Reflect.ownKeys(globalThis).length
        const { createRuntime } = await import('${new URL('index.js', dist).href}')
        await import('${new URL('layers.js', dist).href}')
        const atImport = { used: [...used], globals: Reflect.ownKeys(globalThis).length - before }
        await createRuntime().catch(() => undefined)
        console.log(JSON.stringify({ atImport, afterwards: used }))
      `)
      const { stdout } = await run(process.execPath, [script])
      const { atImport, afterwards } = JSON.parse(stdout) as { atImport: unknown, afterwards: string[] }
      expect(atImport).toEqual({ used: [], globals: 0 })
      // The meter works: a runtime cannot be made without what is forbidden.
      expect(afterwards).toEqual(['compile', 'validate'])
    } finally {
      await rm(folder, { recursive: true })
    }
    expect(manifest.sideEffects).toBe(false)
  })

  it('needs nothing of Node: no import of node: that a bundler could see', async () => {
    for (const entry of ['index.js', 'layers.js']) {
      const { files, packages } = await closureOf(entry)
      expect(packages.filter((name) => name.startsWith('node:'))).toEqual([])
      for (const file of files) expect((await importsOf(file)).late.filter((specifier) => specifier.includes('node:'))).toEqual([])
    }
    const { files } = await closureOf('index.js')
    expect(files.length).toBeGreaterThan(1)
  })
})

describe('the file for audio worklets', () => {
  it('imports nothing, and names nothing that worklets lack', async () => {
    expect(await importsOf('processor.js')).toEqual({ fixed: [], late: [] })
    const text = await readFile(new URL('processor.js', dist), 'utf8')
    const absent = /\b(TextDecoder|fetch|performance|atob|setTimeout|process\.|Worker|Blob|Response)\b/
    expect(absent.exec(text)).toBeNull()
    const { files } = await closureOf('index.js')
    const core = await Promise.all(files.map((file) => readFile(new URL(file, dist), 'utf8')))
    expect(core.some((code) => absent.test(code))).toBe(true)
  })
})
