// What the source files import: which modules are needed when the package is loaded.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import ts from 'typescript'

const isTypeOnly = (statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean => (
  ts.isExportDeclaration(statement) ? statement.isTypeOnly : statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
)

/** The files that `file` imports when it is loaded, and theirs, but for types and what `import()` loads later. */
export function importedBy(file: string, found: Set<string> = new Set()): Set<string> {
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

export const hasBinaries = (file: string): boolean => [...importedBy(file)].some((imported) => /[/\\]binaries[/\\]/.test(imported))

/** Injected in the place of the global TextDecoder, which some scopes lack. */
export const TEXT_DECODER: string = resolve('src/values/text-decoder.ts')

const ofSource = (file: string): string[] => [...importedBy(resolve(file))]

/**
 * Each file more costs half a millisecond at every start. Importing the package loads two: index.js with the binaries, and shared.js
 * with what other entry points share. The reader of safetensors, which most starts go through, loads three besides its own: what
 * tells formats apart, what it shares with most readers, and what it shares with those of state dicts.
 */
const [shared, sniff, safetensors, onnx, torch] = [
  [...ofSource('src/index.ts'), TEXT_DECODER].filter((file) => !hasBinaries(file)),
  ...['sniff', 'safetensors/safetensors-model', 'onnx/reader', 'torch/reader'].map((name) => ofSource(`src/formats/${name}.ts`)),
] as [string[], string[], string[], string[], string[]]
const CHUNKS: readonly (readonly [name: string, files: readonly string[]])[] = [
  ['shared', shared],
  ['sniff', sniff],
  ['reading', safetensors.filter((file) => onnx.includes(file))],
  // The file's own reader is shared with what reads checkpoints of training: beside the others it costs no file of its own.
  ['state-dicts', [
    ...safetensors.filter((file) => torch.includes(file)),
    ...['formats/safetensors/safetensors', 'formats/safetensors/safetensors-model', 'graph/from-json'].map((name) => resolve(`src/${name}.ts`)),
  ]],
]

export const isShared = (file: string): boolean => shared.includes(file)

/** Chunks that are not left to the bundler: the first that asks for a module has it. */
export const GROUPS: { name: string, priority: number, test: (id: string) => boolean }[] = CHUNKS.map(([name, files], n) => ({
  name, priority: CHUNKS.length - n, test: (id) => files.includes(id) || (name === 'shared' && id.includes('assemblyscript/loader')),
}))
