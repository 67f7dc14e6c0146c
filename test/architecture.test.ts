import { readdir, readFile } from 'node:fs/promises'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = new URL('../', import.meta.url)

/** Layers of the source, from the lowest to the highest: a file imports from its own layer and those below. */
const LAYERS = ['errors', 'values', 'contract', 'options', 'runtime', 'ops', 'graph', 'formats', 'layers', 'plan', 'streams', 'model', 'sharing', 'quantization', 'export', 'gradients', 'training', 'readers', 'worklet', 'index', 'operators', 'relaxed', 'whole', 'cli']
/** Folders that may name the runtime's types, but run without it: models are read where no WebAssembly is. */
const WITHOUT_RUNTIME = ['ops', 'graph', 'formats', 'layers', 'export']
const MOST_LINES = 300
const MOST_FILES = 25

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(new URL(folder, root), { recursive: true })
  return entries.map((entry) => `${folder}${entry.replaceAll('\\', '/')}`)
    .filter((file) => file.endsWith('.ts') && !file.startsWith('src/runtime/binaries/'))
    .sort()
}

const read = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8')

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) {
    const named = node.exportClause
    return node.isTypeOnly || (named !== undefined && ts.isNamedExports(named) && named.elements.every((name) => name.isTypeOnly))
  }
  const clause = node.importClause
  if (clause === undefined) return false
  const named = clause.namedBindings
  return clause.phaseModifier === ts.SyntaxKind.TypeKeyword || (clause.name === undefined && named !== undefined && ts.isNamedImports(named)
    && named.elements.every((name) => name.isTypeOnly))
}

/** Imports of the project's own files, the dynamic ones included. */
function importsOf(file: string, text: string): Import[] {
  const imports: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return
    imports.push({ from: file, to: new URL(specifier.text, new URL(file, 'file:///')).pathname.slice(1), typeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node))
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true))
  return imports
}

/** `src/graph/json.ts` -> `graph`, `src/errors.ts` -> `errors`. */
const layerOf = (file: string): string => (file.split('/')[1] as string).replace(/\.ts$/, '')

const importsFromAbove = ({ from, to }: Import): boolean => LAYERS.indexOf(layerOf(to)) > LAYERS.indexOf(layerOf(from))

/** A circle of files that import each other, types and late imports included: `[a, b, a]`; or undefined. */
function circleOf(all: readonly Import[]): string[] | undefined {
  const targets: Map<string, string[]> = new Map()
  for (const { from, to } of all) targets.set(from, [...targets.get(from) ?? [], to])
  const done: Set<string> = new Set()
  const walk = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    for (const next of targets.get(file) ?? []) {
      const found = walk(next, [...path, file])
      if (found !== undefined) return found
    }
    done.add(file)
    return undefined
  }
  for (const file of targets.keys()) {
    const found = walk(file, [])
    if (found !== undefined) return found
  }
  return undefined
}

const sources = new Map(await Promise.all((await filesBelow('src/')).map(async (file) => [file, await read(file)] as const)))
const imports = [...sources].flatMap(([file, text]) => importsOf(file, text)).filter(({ to }) => to.startsWith('src/'))

describe('the layers of the source', () => {
  it('have a place for every file', () => {
    expect([...sources.keys()].filter((file) => !LAYERS.includes(layerOf(file)))).toEqual([])
    expect(sources.size).toBeGreaterThan(30)
  })

  it('import only from below', () => {
    expect(imports.filter(importsFromAbove)).toEqual([])
    expect(imports.length).toBeGreaterThan(100)
  })

  it('have no files that import each other in a circle, nor have the benchmarks and the kernels', async () => {
    expect(circleOf(imports)).toBeUndefined()
    for (const folder of ['bench/', 'assembly/']) {
      const files = (await filesBelow(folder)).filter((file) => !file.includes('node_modules'))
      const own = (await Promise.all(files.map(async (file) => importsOf(file, await read(file))))).flat()
      expect(own.length).toBeGreaterThan(50)
      expect(circleOf(own.map(({ to, ...rest }) => ({ ...rest, to: to.endsWith('.ts') ? to : `${to}.ts` })))).toBeUndefined()
    }
  })

  it('read models where no WebAssembly is: only types of the runtime', () => {
    const uses = imports.filter(({ from, to }) => WITHOUT_RUNTIME.includes(layerOf(from)) && layerOf(to) === 'runtime')
    expect(uses.filter(({ typeOnly }) => !typeOnly)).toEqual([])
  })

  it('let the CLI import public entry points only, and the spelling of options', () => {
    const uses = imports.filter(({ from, to }) => layerOf(from) === 'cli' && layerOf(to) !== 'cli').map(({ to }) => to)
    expect(new Set(uses)).toEqual(new Set(['src/index.ts', 'src/options.ts', 'src/readers/npy.ts', 'src/export/index.ts', 'src/quantization/index.ts', 'src/training/index.ts', 'src/layers/index.ts', 'src/readers/safetensors.ts', 'src/readers/tesseract.ts', 'src/streams/index.ts']))
  })

  it('use WebAssembly in the runtime only', () => {
    const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'/g, '')
    const knowing = [...sources].filter(([, text]) => /\bWebAssembly\b/.test(withoutComments(text))).map(([file]) => file)
    expect(knowing.length).toBeGreaterThan(0)
    expect(knowing.filter((file) => layerOf(file) !== 'runtime')).toEqual([])
  })

  it('make views of linear memory in one file', () => {
    // The program of a thread is a text, which stands alone: it makes views of one list of calls, which nothing keeps.
    const program = 'src/runtime/threads/program.ts'
    const pattern = /new (Float32|Int32|Uint8|Uint32|Float64)Array\([^)]*\b(memory|wasm)\b[^)]*\.buffer/
    for (const found of [(text: string) => pattern.test(text), (text: string) => text.includes('wasm.buffer')]) {
      expect([...sources].filter(([file, text]) => file !== program && found(text)).map(([file]) => file)).toEqual(['src/runtime/memory.ts'])
    }
  })

  it('have no folders for odds and ends', () => {
    expect([...sources.keys()].filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file))).toEqual([])
  })

  it(`have no folder of more than ${MOST_FILES} files`, async () => {
    const folders: Map<string, number> = new Map()
    for (const file of [...sources.keys(), ...await filesBelow('assembly/')]) {
      const folder = file.slice(0, file.lastIndexOf('/'))
      folders.set(folder, (folders.get(folder) ?? 0) + 1)
    }
    expect(folders.size).toBeGreaterThan(20)
    expect([...folders].filter(([, files]) => files > MOST_FILES)).toEqual([])
  })

  it(`have no file of more than ${MOST_LINES} lines`, async () => {
    const assembly = await Promise.all((await filesBelow('assembly/')).map(async (file) => [file, await read(file)] as const))
    expect(assembly.length).toBeGreaterThan(5)
    const written = [...sources].filter(([file]) => !file.startsWith('src/contract/')) // by assembly/write-contract.mjs
    const lines = [...written, ...assembly].map(([file, text]) => ({ file, lines: text.trimEnd().split('\n').length }))
    expect(lines.filter((entry) => entry.lines > MOST_LINES)).toEqual([])
  })
})

describe('these tests themselves', () => {
  it('see imports of every form', () => {
    const text = [
      "import { a } from '../model/load.ts'", "import type { B } from '../runtime/tensor.ts'", "import { type C, type D } from '../runtime/kernels.ts'",
      "import { type E, f } from '../runtime/memory.ts'", "export { g } from './h.ts'", "export type { I } from './j.ts'", "const k = import('../index.ts')",
      "import fs from 'node:fs'", "import '../cli/main.ts'",
    ].join('\n')
    const found = importsOf('src/graph/x.ts', text)
    expect(found.map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
      ['src/model/load.ts', false], ['src/runtime/tensor.ts', true], ['src/runtime/kernels.ts', true], ['src/runtime/memory.ts', false],
      ['src/graph/h.ts', false], ['src/graph/j.ts', true], ['src/index.ts', false], ['src/cli/main.ts', false],
    ])
    expect(circleOf(found)).toBeUndefined()
    expect(circleOf([...found, { from: 'src/graph/j.ts', to: 'src/graph/x.ts', typeOnly: true }])).toEqual(['src/graph/x.ts', 'src/graph/j.ts', 'src/graph/x.ts'])
    expect(found.filter(importsFromAbove).map(({ to }) => to)).toEqual(['src/model/load.ts', 'src/index.ts', 'src/cli/main.ts'])
  })
})
