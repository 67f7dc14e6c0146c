// Compiles assembly/kernels.ts to build/bench/, unless what is there is newer: node build/bench/roofline/compile.js
import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ROOT } from '../places.ts'

const VARIANTS = { 'simd': ['simd'], 'relaxed-simd': ['simd', 'relaxed-simd'] } as const

/** Not written as an import: its declarations of AssemblyScript's globals would be taken for those of JavaScript. */
const COMPILER = 'assemblyscript/asc'

const timeOf = (url: URL) => stat(url).then(({ mtimeMs }) => mtimeMs, () => -Infinity)

export async function compileRoofline() {
  const source = new URL('bench/roofline/assembly/kernels.ts', ROOT)
  await mkdir(new URL('build/bench/', ROOT), { recursive: true })
  for (const [variant, features] of Object.entries(VARIANTS)) {
    const out = new URL(`build/bench/roofline-${variant}.wasm`, ROOT)
    if (await timeOf(out) > await timeOf(source)) continue
    const { default: asc } = await import(COMPILER)
    // Its own base: asc would take the library's asconfig.json otherwise.
    const { error, stderr } = await asc.main([
      'kernels.ts', '--baseDir', fileURLToPath(new URL('.', source)), '--outFile', fileURLToPath(out), '-O3', '--runtime', 'stub', '--enable', features.join(), '--use', 'abort=', '--noAssert',
    ])
    if (error) throw new Error(`kernels.ts does not compile: ${stderr.toString()}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await compileRoofline()
