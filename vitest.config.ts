import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

/**
 * Folders whose test files share processes: to start one and import the library takes longer than most of them do. What stays behind in it is the
 * list of operators known by then: those for training come with some folders; tests of entry points, which find theirs by themselves, share processes
 * as well, but load all modules anew (`fresh`).
 */
const SHARING = /^test\/(export|formats|fuzz|graph|kernels|ops|quantization|streams)\//
/** So do files of test/ that use no operators, or ask for all of them. */
const OF_TEST = /^test\/[^/]+$/
const FINDS_OPERATORS = /\/src\/(index|model\/load|readers\/\w+)\.ts'/
const LEARNING = /^test\/(bench|cli|gradients|training)\//
/** Imported by whatever module, it puts guard zones around all memory, for all that comes after it in the process. */
const GUARDS = 'test/guards.ts'
const IMPORT = /(?:from|import) '(\.[^']+\.ts)'/g
/** These look at which operators are known before any is asked for. */
const FRESH = ['test/ops/families.test.ts', 'test/gradients/registry.test.ts', 'test/core.test.ts']
const shares = (name: string, text: string): boolean => (
  SHARING.test(name) || (OF_TEST.test(name) && (!FINDS_OPERATORS.test(text) || text.includes('addAllOperators()')))
)
/** What others would notice: mocks, a changed environment, memory that is measured, here or by a module that is imported. */
const NOTICED = /\bvi\.(spyOn|fn|mock|stub\w+|useFakeTimers)\b|\bchdir\(|getHeapStatistics|memoryUsage|setFlagsFromString|\bglobalThis\b|process\.env\.\w+ = /
const METER = 'test/heap-bytes.ts'

const modules = new Set(readdirSync('test', { recursive: true, encoding: 'utf8' }).map((name) => `test/${name.replaceAll('\\', '/')}`))
const tests = [...modules].filter((name) => name.endsWith('.test.ts') && !/^test\/runtimes\/|\/node_modules\//.test(name))

const PROJECTS = ['alone', 'fresh', 'learning', 'learningGuarded', 'guarded', 'sharing'] as const

/** The modules of test/ that a module imports, and those that they import. */
const imported: Map<string, ReadonlySet<string>> = new Map()
function importsOf(name: string): ReadonlySet<string> {
  const known = imported.get(name)
  if (known !== undefined) return known
  const found: Set<string> = new Set()
  imported.set(name, found)
  for (const [, path] of readFileSync(name, 'utf8').matchAll(IMPORT)) {
    const other = join(dirname(name), path as string).replaceAll('\\', '/')
    if (modules.has(other)) for (const one of [other, ...importsOf(other)]) found.add(one)
  }
  return found
}

function projectOf(name: string): typeof PROJECTS[number] {
  const text = readFileSync(name, 'utf8')
  const modulesOf = importsOf(name)
  if (NOTICED.test(text) || name.startsWith('test/models/') || modulesOf.has(METER)) return 'alone'
  const isGuarded = modulesOf.has(GUARDS)
  if (FRESH.includes(name)) return 'fresh'
  if (LEARNING.test(name)) return isGuarded ? 'learningGuarded' : 'learning'
  if (!shares(name, text)) return isGuarded ? 'alone' : 'fresh'
  return isGuarded ? 'guarded' : 'sharing'
}

const config: ViteUserConfig = defineConfig({
  resolve: { alias: [{ find: /^typescript$/, replacement: resolve('test/typescript.ts') }] },
  test: {
    setupFiles: ['test/equal-arrays.ts'],
    testTimeout: 60_000,
    // All cores: no test asserts a time.
    maxWorkers: '100%',
    // What was transformed is kept, by content: projects transform no module again, and neither does the next run.
    experimental: { fsModuleCache: true },
    projects: PROJECTS.map((name) => (
      { extends: true, test: { name, include: tests.filter((test) => projectOf(test) === name), isolate: name === 'alone', ...name === 'fresh' && { setupFiles: ['test/fresh.ts'] } } }
    )),
    coverage: {
      reportOnFailure: true, include: ['src/**'], exclude: ['src/contract/**', 'src/runtime/binaries/**'],
      // Of the whole of src: what the command and worklets run in processes of their own is not seen.
      thresholds: { lines: 97, statements: 96, functions: 96, branches: 92 },
    },
  },
})

export default config
