// Compiles roofline.ts to ../build/, unless what is there is newer: node bench/roofline/compile.mjs
import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'

const VARIANTS = /** @type {const} */ ({ 'simd': ['simd'], 'relaxed-simd': ['simd', 'relaxed-simd'] })

/** Not written as an import: its declarations of AssemblyScript's globals would be taken for those of JavaScript. */
const COMPILER = 'assemblyscript/asc'

const timeOf = (/** @type {URL} */ url) => stat(url).then(({ mtimeMs }) => mtimeMs, () => -Infinity)

export async function compileRoofline() {
  const source = new URL('roofline.ts', import.meta.url)
  await mkdir(new URL('../build/', import.meta.url), { recursive: true })
  for (const [variant, features] of Object.entries(VARIANTS)) {
    const out = new URL(`../build/roofline-${variant}.wasm`, import.meta.url)
    if (await timeOf(out) > await timeOf(source)) continue
    const { default: asc } = await import(COMPILER)
    // Its own base: asc would take the library's asconfig.json otherwise.
    const { error, stderr } = await asc.main([
      'roofline.ts', '--baseDir', fileURLToPath(new URL('.', import.meta.url)), '--outFile', `../build/roofline-${variant}.wasm`, '-O3', '--runtime', 'stub', '--enable', features.join(), '--use', 'abort=', '--noAssert',
    ])
    if (error) throw new Error(`roofline.ts does not compile: ${stderr.toString()}`)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await compileRoofline()
