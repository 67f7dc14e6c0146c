// Compiles bench/ to build/bench/, file by file: Node before 22.18 runs no TypeScript. npm run build:bench
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

const FROM = new URL('./', import.meta.url)
const TO = new URL('../build/bench/', import.meta.url)
const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true, rewriteRelativeImportExtensions: true }

export async function compileBench() {
  const names = (await readdir(FROM, { recursive: true })).map((name) => name.replaceAll('\\', '/'))
  for (const name of names.filter((file) => /^(?!peers\/node_modules|roofline\/assembly).*\.ts$/.test(file))) {
    const { outputText } = ts.transpileModule(await readFile(new URL(name, FROM), 'utf8'), { compilerOptions, fileName: name })
    const file = new URL(name.replace(/\.ts$/, '.js'), TO)
    await mkdir(new URL('./', file), { recursive: true })
    // Written only where it differs: tests may be reading it.
    if (await readFile(file, 'utf8').catch(() => '') !== outputText) await writeFile(file, outputText)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await compileBench()
