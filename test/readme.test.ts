// Every block of the README and of the pages in docs is run, in a folder where the packed package is installed: JavaScript
// and commands as they stand, Python where torch is installed.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { writeSafetensors } from '../src/formats/safetensors/writer.ts'
import { lstmTensors } from '../src/formats/pytorch-names.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { lengthOf } from '../src/values/shape.ts'
import { floatTensor, writeOnnx } from './formats/onnx-writer.ts'
import { smallFile, smallPicture } from './formats/traineddata-writer.ts'
import { installPackage } from './installed.ts'
import { pseudoRandom } from './random.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pageOf = (name: string): string => readFileSync(join(root, name), 'utf8')

interface Block {
  readonly title: string
  readonly language: string
  readonly code: string
}

/** Code blocks of a page. */
function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code], index) => ({
    title: `${index + 1} (${language as string}): ${(code as string).split('\n')[0] as string}`, language: language as string, code: code as string,
  }))
}

const blocks = blocksOf(pageOf('README.md'))
/** Pages whose code is for a browser: test:examples runs it there. */
const IN_BROWSERS = ['audio-worklets.md']
const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
/** Pages of the site alone: the package does not have them. */
const guides = readdirSync(join(root, 'docs', 'guides')).map((name) => `guides/${name}`)
const docBlocks = [...docs, ...guides].filter((name) => !IN_BROWSERS.includes(name))
  .flatMap((name) => blocksOf(pageOf(`docs/${name}`)).map((block) => ({ ...block, title: `docs/${name}, block ${block.title}` })))
const python = [process.env.PYTHON ?? 'python3', 'python'].find((command) =>
  spawnSync(command, ['-c', 'import torch, onnx'], { stdio: 'ignore' }).status === 0)

let installed: ReturnType<typeof installPackage>

beforeAll(() => {
  installed = installPackage()
  // What is left to the user: models under the names that the pages give them.
  const golden = join(root, 'test', 'golden')
  const put = (name: string, from: string): void => copyFileSync(join(golden, from), join(installed.folder, name))
  put('model.keras', 'keras3/lstm-3-sequences.keras')
  writeFileSync(join(installed.folder, 'eng.traineddata'), smallFile())
  writeFileSync(join(installed.folder, 'line.png'), Buffer.concat([Buffer.from('P5 60 20 255\n'), smallPicture().data]))
  const tensors: [string, readonly number[]][] = [
    ['embed.weight', [65, 16]], ['fc.weight', [65, 32]], ['fc.bias', [65]],
    ...lstmTensors({ inputSize: 16, hiddenSize: 32, numLayers: 2, bidirectional: false, bias: true })
      .map(({ name, shape }): [string, readonly number[]] => [`lstm.${name}`, shape]),
  ]
  writeFileSync(join(installed.folder, 'model.safetensors'), writeSafetensors(new Map(tensors.map(([name, shape], n) =>
    [name, new NdArray(pseudoRandom(n, lengthOf(shape), 0.2), shape)]))))
  writeFileSync(join(installed.folder, 'model.onnx'), writeOnnx({
    inputs: [{ name: 'input', shape: ['batch', 'timesteps', 3] }],
    nodes: [{ op: 'MatMul', inputs: ['input', 'w'], outputs: ['output'] }],
    outputs: [{ name: 'output' }],
    initializers: [floatTensor('w', [3, 2], [1, 2, 3, 4, 5, 6])],
  }))
  for (const name of ['bidi-js', 'require-from-string']) cpSync(join(root, 'node_modules', name), join(installed.folder, 'node_modules', name), { recursive: true })
  const silero = join('node_modules', '@ricky0123', 'vad-web', 'dist', 'silero_vad_v5.onnx')
  mkdirSync(dirname(join(installed.folder, silero)), { recursive: true })
  cpSync(join(root, silero), join(installed.folder, silero))
}, 120_000)
vi.setConfig({ testTimeout: 60_000 })
afterAll(() => installed.remove())

function runBlock({ code }: Block): void {
  writeFileSync(join(installed.folder, 'block.mjs'), code)
  const { status, stdout, stderr } = installed.node('block.mjs')
  expect(status, stderr).toBe(0)
  const wanted = [...code.matchAll(/^\/\/ prints: (.*)$/gm)].map(([, text]) => `${text as string}\n`)
  expect(stdout).toContain(wanted.join(''))
}

describe('README', () => {
  it('has blocks of every kind', () => {
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['sh', 'js', 'html', 'python']))
  })

  it('begins with the install line and an example of at most 15 lines, whose output it shows', () => {
    expect(blocks[0]?.code).toBe('npm install lstm-wasm\n')
    const [first] = blocks.filter(({ language }) => language === 'js')
    expect(first?.code.trimEnd().split('\n').length).toBeLessThanOrEqual(15)
    expect(first?.code).toContain('// prints: ')
  })

  it.each(blocks.filter(({ language }) => language === 'js'))('block $title', runBlock)

  it('the page maps names to files of the package', () => {
    const page = blocks.find(({ language }) => language === 'html')?.code as string
    const { imports } = JSON.parse(/<script type="importmap">([^]*?)<\/script>/.exec(page)?.[1] as string) as { imports: Record<string, string> }
    const first = blocks.find(({ language }) => language === 'js')?.code as string
    expect(Object.keys(imports)).toEqual([...first.matchAll(/from '(.*)'/g)].map(([, name]) => name))
    for (const file of Object.values(imports)) expect(existsSync(join(installed.folder, file)), file).toBe(true)
  })

  it.each(blocks.filter(({ language, code }) => language === 'sh' && code.startsWith('npx')))('block $title', ({ code }) => {
    for (const line of code.trim().split('\n')) {
      const [npx, name, ...args] = line.split(' ')
      expect([npx, name]).toEqual(['npx', 'lstm-wasm'])
      const { status, stdout, stderr } = installed.node(join('node_modules', 'lstm-wasm', 'dist', 'cli.js'), ...args)
      expect(status, stderr).toBe(0)
      expect(stdout).toMatch(/parameters|0\.99/)
    }
  })

  const exportBlock = blocks.find(({ code }) => code.includes('torch.onnx.export('))?.code as string
  it('exports from PyTorch what the example after it loads', (context) => {
    expect(exportBlock).toMatch(/^import torch\n/)
    if (python === undefined) {
      context.skip('no Python with torch and onnx on this machine')
      return
    }
    writeFileSync(join(installed.folder, 'export.py'), [
      'import torch', 'model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4))', 'example = torch.zeros(1, 10, 3)', exportBlock,
    ].join('\n'))
    const { status, stderr } = spawnSync(python, ['export.py'], { cwd: installed.folder, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    runBlock(blocks.find(({ code }) => code.includes("load('model.onnx')")) as Block)
  })
})

describe('pages of docs', () => {
  it.each(docBlocks.filter(({ language }) => language === 'js'))('$title', runBlock)

  it.each(docBlocks.filter(({ language, code }) => language === 'sh' && code.startsWith('npx lstm-wasm')))('$title', ({ code }) => {
    for (const line of code.trim().split('\n')) {
      const command = line.replace(/^npx lstm-wasm/, `"${process.execPath}" ${join('node_modules', 'lstm-wasm', 'dist', 'cli.js')}`)
      const { status, stderr } = spawnSync(command, { cwd: installed.folder, encoding: 'utf8', shell: true })
      expect(status, stderr).toBe(0)
    }
  })

  it.for(docBlocks.filter(({ language }) => language === 'python'))('$title', ({ code }, context) => {
    const missing = [...code.matchAll(/^import (\w+)$/gm)].map(([, name]) => name as string).find((name) => python === undefined
      || spawnSync(python, ['-c', `import ${name}`], { stdio: 'ignore' }).status !== 0)
    if (python === undefined || missing !== undefined) {
      context.skip(`no Python with ${missing ?? 'torch and onnx'} on this machine`)
      return
    }
    writeFileSync(join(installed.folder, 'block.py'), code)
    const { status, stderr } = spawnSync(python, ['block.py'], { cwd: installed.folder, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
  })

  it.each(IN_BROWSERS)('%s imports what there is', (name) => {
    const lines = blocksOf(pageOf(`docs/${name}`)).flatMap(({ code }) => [...code.matchAll(/^import .*$/gm)].map(([line]) => line))
    expect(lines.length).toBeGreaterThan(2)
    for (const line of new Set(lines)) runBlock({ title: line, language: 'js', code: `${line}\n` })
  })

  it('have links that lead somewhere, in the package too', () => {
    const packed = join(installed.folder, 'node_modules', 'lstm-wasm')
    const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', ...docs.map((name) => `docs/${name}`)]
    const broken = pages.flatMap((page) => [...readFileSync(join(packed, page), 'utf8').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].flatMap(([link, file, anchor]) => {
      const target = file === '' ? page : join(dirname(page), file as string)
      if (!existsSync(join(packed, target))) return [`${page}: ${link}`]
      if (anchor === undefined) return []
      const anchors = [...readFileSync(join(packed, target), 'utf8').matchAll(/^#+ (.*)$/gm)]
        .map(([, title]) => (title as string).toLowerCase().replace(/[^\w -]/g, '').replaceAll(' ', '-'))
      return anchors.includes(anchor) ? [] : [`${page}: ${link}`]
    }))
    expect(broken).toEqual([])
  })
})

describe('the files of the first example', () => {
  it('take at most 12 kB, and are the model of 8 units', () => {
    const [model, images] = ['digits.safetensors', 'digits.npy'].map((name) => readFileSync(join(root, 'examples', name)))
    expect((model as Buffer).length + (images as Buffer).length).toBeLessThanOrEqual(12_000)
    expect((model as Buffer).equals(readFileSync(join(root, 'examples', 'digits', 'models', 'digits-8.safetensors')))).toBe(true)
  })
})
