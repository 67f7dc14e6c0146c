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

/**
 * Importing the package loads two files: index.js with the binaries, and shared.js with what other entry points share.
 * Each file more costs half a millisecond at every start.
 */
const shared: readonly string[] = [...importedBy(resolve('src/index.ts')), TEXT_DECODER].filter((file) => !hasBinaries(file))

export const isShared = (file: string): boolean => shared.includes(file)
