// Every block of the README is run: JavaScript as it stands, commands with the built CLI, Python where torch is installed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSafetensors } from '../src/formats/safetensors-writer.ts'
import { lstmTensors } from '../src/formats/pytorch-names.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lengthOf } from '../src/values/shape.ts'
import { pseudoRandom } from './random.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
/** Code blocks of a page. */
function blocksOf(text: string): { title: string, language: string, code: string }[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code], index) => ({
    title: `${index + 1} (${language as string}): ${(code as string).split('\n')[0] as string}`, language: language as string, code: code as string,
  }))
}
const blocks = blocksOf(readme)
const streamBlocks = blocksOf(readFileSync(join(root, 'docs', 'streams.md'), 'utf8'))
const python = ['python3', 'python'].find((command) =>
  spawnSync(command, ['-c', 'import torch, safetensors'], { stdio: 'ignore' }).status === 0)

/** The project's folders, and a place for the files that the blocks write. */
let folder: string

beforeAll(() => {
  // Inside the project, so that `import 'lstm-wasm'` finds it.
  folder = mkdtempSync(join(root, 'build', 'readme-'))
  for (const name of readdirSync(root)) {
    if (['examples', 'node_modules'].includes(name)) symlinkSync(join(root, name), join(folder, name))
  }
  const tensors: [string, readonly number[]][] = [
    ['embed.weight', [65, 16]], ['fc.weight', [65, 32]], ['fc.bias', [65]],
    ...lstmTensors({ inputSize: 16, hiddenSize: 32, numLayers: 2, bidirectional: false, bias: true })
      .map(({ name, shape }): [string, readonly number[]] => [`lstm.${name}`, shape]),
  ]
  writeFileSync(join(folder, 'model.safetensors'), writeSafetensors(new Map(tensors.map(([name, shape], n) =>
    [name, new NdArray(pseudoRandom(n, lengthOf(shape), 0.2), shape)]))))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  expect(status, stderr).toBe(0)
  return stdout
}

describe('README', () => {
  it('has blocks of every kind', () => {
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['sh', 'js', 'python']))
  })

  const runBlock = ({ code }: { code: string }): void => {
    writeFileSync(join(folder, 'block.mjs'), code)
    const printed = run(process.execPath, ['block.mjs'])
    for (const [, expected] of code.matchAll(/^\/\/ prints: (.*)$/gm)) expect(printed).toContain(expected)
  }
  it.each(blocks.filter(({ language }) => language === 'js'))('block $title', runBlock)
  it.each(streamBlocks)('docs/streams.md, block $title', runBlock)

  it('the first example has at most 15 lines', () => {
    expect(blocks.find(({ language }) => language === 'js')?.code.trimEnd().split('\n').length).toBeLessThanOrEqual(15)
  })

  it.each(blocks.filter(({ language }) => language === 'sh'))('block $title', ({ code }) => {
    for (const line of code.trim().split('\n')) {
      if (line === 'npm install lstm-wasm') continue // what package.test.ts is about
      const [npx, name, ...args] = line.split(' ')
      expect([npx, name]).toEqual(['npx', 'lstm-wasm'])
      expect(run(process.execPath, [join(root, 'dist', 'cli.js'), ...args])).toContain('parameters')
    }
  })

  const pythonBlocks = blocks.filter(({ language }) => language === 'python')
  if (python === undefined) {
    it.skip(`${pythonBlocks.length} Python blocks: no Python with torch and safetensors on this machine`)
  } else {
    it.each(pythonBlocks)('block $title', ({ code }) => {
      writeFileSync(join(folder, 'block.py'), code)
      run(python, ['block.py'])
    })
  }
})
