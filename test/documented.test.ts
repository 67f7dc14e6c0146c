// Everything that can be imported says what it is: editors show these texts, and so do package registries.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))
const { exports } = JSON.parse(readFileSync(`${root}jsr.json`, 'utf8')) as { exports: Readonly<Record<string, string>> }

const entries = Object.values(exports).map((file) => `${root}${file}`)
const LACKING = fileURLToPath(import.meta.resolve('./undocumented.ts'))

/** Names and comments are asked for, not types: libraries are not read. */
const program = ts.createProgram([...entries, LACKING], {
  allowImportingTsExtensions: true, noEmit: true, noLib: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, types: [],
})
const checker = program.getTypeChecker()

/** Exported symbols and their public members without a comment, as `src/values/shape.ts: Shape.name`. */
function undocumented(files: readonly string[]): string[] {
  const missing: Set<string> = new Set()
  const isOurs = (node: ts.Declaration | undefined): node is ts.Declaration => node !== undefined && !node.getSourceFile().fileName.includes('node_modules')
  const isHidden = (node: ts.Declaration): boolean => (
    ts.isPrivateIdentifier(ts.getNameOfDeclaration(node) ?? node) || (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0
  )
  const look = (symbol: ts.Symbol, name: string): void => {
    const declaration = symbol.declarations?.[0]
    if (!isOurs(declaration) || isHidden(declaration)) return
    if (symbol.getDocumentationComment(checker).length === 0) {
      missing.add(`${declaration.getSourceFile().fileName.replace(root, '')}: ${name}`)
    }
    if ((symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface)) === 0 || name.includes('.')) return
    for (const member of symbol.members?.values() ?? []) {
      if ((member.flags & (ts.SymbolFlags.TypeParameter | ts.SymbolFlags.Signature)) === 0) look(member, `${name}.${member.name}`)
    }
  }
  for (const file of files) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file) as ts.SourceFile)
    if (module === undefined) throw new Error(`${file} is no module`)
    for (const symbol of checker.getExportsOfModule(module)) {
      look((symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol), symbol.name)
    }
  }
  return [...missing].sort()
}

describe('what can be imported', () => {
  it('says what it is, members included', () => {
    expect(entries.length).toBeGreaterThan(10)
    expect(undocumented(entries)).toEqual([])
  })

  it('would be found if it did not', () => {
    expect(undocumented([LACKING])).toEqual([
      'test/undocumented.ts: Loud.said', 'test/undocumented.ts: nameless', 'test/undocumented.ts: Quiet.word',
    ].sort())
  })
})
