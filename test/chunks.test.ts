// Which files of dist are loaded when: a reader costs nothing until a model needs it.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const golden = (folder: string, ending: string): string =>
  `test/golden/${folder}/${readdirSync(new URL(`golden/${folder}/`, import.meta.url)).find((name) => name.endsWith(ending)) as string}`

/** The debugger is told of every script the engine reads. */
const SCRIPT = `
import { Session } from 'node:inspector'
const session = new Session()
session.connect()
const seen = []
session.on('Debugger.scriptParsed', ({ params }) => { if (params.url.includes('/dist/')) seen.push(params.url.split('/').pop()) })
session.post('Debugger.enable')
const { load } = await import('lstm-wasm')
const core = seen.splice(0)
const [file, readerName] = process.argv.slice(1)
const options = readerName
  ? { readers: [(await import('lstm-wasm/' + readerName))[readerName]], streams: (await import('lstm-wasm/streams')).streams }
  : {}
const brought = seen.splice(0)
const model = await load(file, options)
console.log(JSON.stringify({ core, brought, loaded: seen, outputs: model.outputs.length }))
session.disconnect()
`

interface Loaded {
  readonly core: readonly string[]
  readonly brought: readonly string[]
  readonly loaded: readonly string[]
}

function loadedFor(file: string, reader: string = ''): Loaded {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, '--', file, reader], { cwd: root, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return JSON.parse(stdout) as Loaded
}

/** The folders of src/formats that hold a format's reader. */
const READERS = ['onnx', 'keras', 'tfjs', 'torch', 'tf1', 'rtneural', 'nam', 'tesseract']

/** Whose code is in some files of dist: each module has a comment with its path there. */
function readersIn(files: readonly string[]): string[] {
  const folders = files.flatMap((name) => [...readFileSync(new URL(`../dist/${name}`, import.meta.url), 'utf8').matchAll(/^\/\/#region src\/formats\/(\w+)\//gm)])
  return [...new Set(folders.map(([, folder]) => folder as string))].filter((folder) => READERS.includes(folder))
}

/** Names of Maps, Sets and variables at the top of a module: its state, of which there must be one. */
function stateOf(module: string): string[] {
  const { statements } = ts.createSourceFile(module, readFileSync(new URL(`../${module}`, import.meta.url), 'utf8'), ts.ScriptTarget.Latest, true)
  return statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) => declarationList.declarations.filter(({ initializer }) => (
    (declarationList.flags & ts.NodeFlags.Const) === 0
    || (initializer !== undefined && ts.isNewExpression(initializer) && /^(Weak)?(Map|Set)$/.test(initializer.expression.getText())
      && (initializer.arguments ?? []).length === 0)
  )).map(({ name }) => `${module}: ${name.getText()}`))
}

describe('modules with state', () => {
  // The editions of index.js replace each other, and each file for pages and worklets holds a whole library.
  const APART = /^(core|workerd|edge-light|core-workerd|core-edge-light|lstm-wasm|processor)\.js$/

  it('are in one file each', () => {
    const places: Map<string, string[]> = new Map()
    for (const name of readdirSync(new URL('../dist/', import.meta.url)).filter((file) => file.endsWith('.js') && !APART.test(file))) {
      for (const [, module] of readFileSync(new URL(`../dist/${name}`, import.meta.url), 'utf8').matchAll(/^\/\/#region (src\/\S+\.ts)/gm)) {
        places.set(module as string, [...places.get(module as string) ?? [], name])
      }
    }
    expect(places.size).toBeGreaterThan(100)
    const withState = [...places.keys()].flatMap(stateOf)
    expect([...places].filter(([module, files]) => files.length > 1 && stateOf(module).length > 0)).toEqual([])
    expect(withState).toContain('src/ops/elementwise/functions.ts: FUNCTIONS')
  })

  it('are shared by every edition, but for what the edition replaces', () => {
    const copied = readdirSync(new URL('../dist/', import.meta.url)).filter((file) => APART.test(file) && file !== 'lstm-wasm.js' && file !== 'processor.js')
      .flatMap((name) => [...readFileSync(new URL(`../dist/${name}`, import.meta.url), 'utf8').matchAll(/^\/\/#region (src\/[^\s?]+\.ts)/gm)].map(([, module]) => module as string))
    expect(copied.length).toBeGreaterThan(5)
    // Each has a runtime of its own to share: it holds the edition's binary.
    expect([...new Set(copied)].flatMap(stateOf)).toEqual(['src/runtime/create.ts: shared'])
  })
})

describe('loading', () => {
  it.each([
    ['safetensors', 'examples/digits/models/digits-8.safetensors', []],
    ['onnx', golden('onnx', '.onnx'), ['onnx']],
    ['keras', 'test/golden/keras3/go-backwards.keras', ['keras']],
    ['tensorflow1', golden('tf1', '.npz'), ['tf1']],
  ])('a %s file loads its own reader and no other', (_format, file, readers) => {
    const { core, loaded } = loadedFor(file)
    expect(core).toContain('index.js')
    expect(readersIn(core)).toEqual([])
    expect(readersIn(loaded)).toEqual(readers)
  })

  it('a safetensors file with its layers in it takes few files: each costs half a millisecond at every start', () => {
    const { core, loaded } = loadedFor('examples/digits.safetensors')
    expect(core).toHaveLength(3)
    expect(loaded.map((name) => name.replace(/-[\w-]{8}\.js$/, '')).sort()).toEqual([
      'readers', 'reading', 'safetensors-model', 'sniff', 'state-dicts', 'streams.js',
    ])
  })

  it.each([[['onnx', 'if-lstm-inside'], false], [['onnx', 'conv-lstm-conv'], true], [['keras3', 'go-backwards'], false], [['keras3', 'conv1d'], true]] as const)(
    '%s loads operators of windows: %s', ([folder, name], wanted) => {
      const { loaded } = loadedFor(`test/golden/${folder}/${name}.${folder === 'onnx' ? 'onnx' : 'keras'}`)
      const modules = loaded.map((file) => readFileSync(new URL(`../dist/${file}`, import.meta.url), 'utf8')).join('\n')
      expect(modules.includes('//#region src/ops/windows/convolution.ts')).toBe(wanted)
      expect(modules).toContain('//#region src/ops/products/matmul.ts')
    },
  )

  it.each([['onnx', 'conv-lstm-conv'], ['keras', 'conv1d']])('loads nothing more for the reader of %s and streams that the caller brings', (format, name) => {
    const { loaded } = loadedFor(`test/golden/${format === 'onnx' ? 'onnx' : 'keras3'}/${name}.${format}`, format)
    expect(loaded).toEqual([])
  })
})
