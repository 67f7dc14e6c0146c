// Blocks of TypeScript in the pages of docs, and that there is no block which no test runs. JavaScript, commands and Python: readme.test.ts;
// what is for browsers: docs/site/test/blocks.test.mjs; the queue of score.md: test/sessions.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { floatTensor, writeOnnx } from './formats/onnx-writer.ts'
import { installPackage } from './installed.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

interface Block {
  readonly page: string
  readonly language: string
  readonly code: string
}

const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...['docs', 'docs/guides'].flatMap((folder) => (
  readdirSync(join(root, folder)).filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`)
))]
const blocks: Block[] = pages.flatMap((page) => (
  [...readFileSync(join(root, page), 'utf8').matchAll(/^( *)```(\w*)\n([\s\S]*?)^ *```$/gm)].map(([, indent, language, code]) => (
    { page, language: language as string, code: (code as string).replaceAll(new RegExp(`^${indent as string}`, 'gm'), '') }
  ))
))
const typescript = (page: string): string[] => blocks.filter((block) => block.page === page && block.language === 'ts').map(({ code }) => code)
const TARGET = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 }
const javascript = (code: string): string => ts.transpileModule(code, { compilerOptions: TARGET }).outputText

/** Pages with blocks that are run elsewhere than in readme.test.ts. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  ts: ['docs/adding-a-format.md', 'docs/adding-a-kernel.md', 'docs/adding-an-operator.md', 'docs/api.md', 'docs/places.md'],
  html: ['README.md', 'docs/places.md'],
}

it('no block is left that nobody runs', () => {
  const left = blocks.filter(({ page, language, code }) => {
    if (['js', 'python'].includes(language)) return page === 'CONTRIBUTING.md'
    // Drawings and equations.
    if (language === 'text') return page !== 'docs/words.md'
    if (language !== 'sh') return !(ELSEWHERE[language] ?? []).includes(page)
    // Installing is what all tests of the package begin with; the queue's commands are those of test/sessions.
    return !/^(npx lstm-wasm |npm (install lstm-wasm|ci)$|NATS_URL=)/m.test(code)
  })
  expect(left).toEqual([])
  expect(blocks.length).toBeGreaterThan(60)
})

describe('api.md and places.md', () => {
  let installed: ReturnType<typeof installPackage>
  beforeAll(() => {
    installed = installPackage()
    writeFileSync(join(installed.folder, 'model.onnx'), writeOnnx({
      inputs: [{ name: 'input', shape: ['batch', 3] }],
      nodes: [{ op: 'MatMul', inputs: ['input', 'w'], outputs: ['probs'] }, { op: 'ArgMax', inputs: ['probs'], outputs: ['best'], attributes: { axis: 1 } }],
      outputs: [{ name: 'probs' }, { name: 'best' }],
      initializers: [floatTensor('w', [3, 2], [1, 2, 3, 4, 5, 6])],
    }))
  }, 120_000)
  vi.setConfig({ testTimeout: 60_000 })
  afterAll(() => installed.remove())

  /** Runs lines of a module. @returns what it prints */
  const run = (code: string): string => {
    writeFileSync(join(installed.folder, 'block.mjs'), javascript(code))
    const { status, stdout, stderr } = installed.node('block.mjs')
    expect(status, stderr).toBe(0)
    return stdout
  }
  /** The web, with one file in it. */
  const FETCH = `import { readFileSync } from 'node:fs'
globalThis.fetch = async (url) => new Response(String(url) === 'https://example.com/model.safetensors' ? readFileSync('node_modules/lstm-wasm/examples/digits.safetensors') : 'none')
`

  it('outputs of several types', () => {
    const [code, ...others] = typescript('docs/api.md')
    expect(others).toEqual([])
    expect(run(`const x = new Float32Array([1, 2, 3])\n${code as string}\nconsole.log(probs.data, best.data)`)).toBe('Float32Array(2) [ 22, 28 ] Int32Array(1) [ 1 ]\n')
  })

  it('workers of Cloudflare', () => {
    const [worker, handed, ...others] = typescript('docs/places.md')
    expect(others).toEqual([])
    const request = 'new Request(\'https://example.com\', { method: \'POST\', body: new Float32Array(28 * 28) })'
    expect(run(`${FETCH}${(worker as string).replace('export default', 'const worker =')}\nconsole.log((await (await worker.fetch(${request})).json()).length)`)).toBe('10\n')
    // Bundlers make a module of the file.
    const imported = 'const module = new WebAssembly.Module(readFileSync(\'node_modules/lstm-wasm/dist/simd.wasm\'))'
    expect(run(`${FETCH}${(handed as string).replace(/^import module from 'lstm-wasm\/simd\.wasm'$/m, imported)}\nconsole.log(model.runtime.variant)`)).toBe('custom\n')
  })
})

describe('recipes', () => {
  it('are lines of the source', () => {
    const source = ['src', 'assembly'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
      .flatMap((name) => readFileSync(join(root, folder, name), 'utf8').split('\n').map((line) => line.trim())))
    const lines = new Set(source)
    const recipe = ['docs/adding-a-format.md', 'docs/adding-an-operator.md'].flatMap(typescript).flatMap((code) => code.split('\n'))
      .map((line) => line.trim().replace(/\s{2,}\/\/.*$/, '')).filter(Boolean)
    expect(recipe.length).toBeGreaterThan(20)
    expect(recipe.filter((line) => {
      const [begin, end] = line.split('...')
      return end === undefined ? !lines.has(line) : !source.some((other) => other.startsWith((begin as string).trim()))
    })).toEqual([])
  })

  it('a kernel compiles, and is called', () => {
    const [kernel, call, ...others] = typescript('docs/adding-a-kernel.md')
    expect(others).toEqual([])
    const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-kernel-'))
    try {
      writeFileSync(join(folder, 'shift.ts'), kernel as string)
      const { status, stderr } = spawnSync(process.execPath, [
        join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js'), join(folder, 'shift.ts'), '--runtime', 'stub', '--initialMemory', '1', '-o', join(folder, 'shift.wasm'),
      ], { cwd: folder, encoding: 'utf8' })
      expect(status, stderr).toBe(0)
      const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(join(folder, 'shift.wasm'))), { env: { abort: () => undefined } })
      const kernels = instance.exports as unknown as { memory: WebAssembly.Memory } & Record<string, unknown>
      const view = new DataView(kernels.memory.buffer)
      const [recordAt, inAt, outAt] = [1024, 2048, 3072]
      const planner = {
        kernels, input: () => ({ ptr: inAt }), output: () => ({ ptr: outAt }),
        record: (_kind: unknown, { rows, columns, by }: { rows: number, columns: number, by: number }) => {
          view.setInt32(recordAt, rows, true)
          view.setInt32(recordAt + 4, columns, true)
          view.setFloat32(recordAt + 8, by, true)
          return { ptr: recordAt }
        },
        step: (run: () => void) => run(),
      }
      for (let n = 0; n < 6; n++) view.setFloat32(inAt + 4 * n, n, true)
      const body = javascript((call as string).replace(/^import .*$/m, ''))
      runInNewContext(body, { planner, rows: 2, columns: 3, by: 0.5, ShiftCall: {} })
      expect(Array.from({ length: 6 }, (_, n) => view.getFloat32(outAt + 4 * n, true))).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
