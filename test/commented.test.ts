// Examples in the comments of what can be imported, which editors and the pages of the API show: they run as they stand, over the packed package.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it, vi } from 'vitest'
import { installPackage } from './installed.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

/** Lines of a comment that stand four spaces further in, after an empty one. */
const EXAMPLE = /(?<=^ \*\n)(?: \* {5}\S.*\n)+/gm
const examples = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).flatMap((name) => (
  [...readFileSync(join(root, 'src', name), 'utf8').matchAll(EXAMPLE)].map(([block]) => block.replace(/^ \* {5}/gm, ''))
))

/** What is left to the reader: imports, a model, data. */
const BEFORE = `import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { compile, createRuntime, load, readGraph } from 'lstm-wasm'
import { toKeras, toNam, toOnnx, toRtneural, toStateDict } from 'lstm-wasm/export'
import { conv1d, dense, embedding, gru, input as inputOf, lstm, sequential, simpleRnn } from 'lstm-wasm/layers'
import { formatReport, quantize } from 'lstm-wasm/quantization'
import { relaxedSimd } from 'lstm-wasm/relaxed'
import { writeSafetensors } from 'lstm-wasm/safetensors'
import { share } from 'lstm-wasm/sharing'
import { readTorch } from 'lstm-wasm/torch'
import { createTrainer } from 'lstm-wasm/training'

const net = sequential([inputOf(['timesteps', 3]), lstm(4), dense(2, { activation: 'softmax' })])
const amplifier = sequential([inputOf(['timesteps', 1]), lstm(24, { returnSequences: true }), dense(1)])
const model = await (await createTrainer(amplifier, { loss: 'meanSquaredError' })).model()
const layers = model.toGraph()
const input = { dtype: 'float32', shape: [1, 5, 1], data: Float32Array.of(1, -1, 0.5, 2, 0) }
const [x, y] = [[[[1, 2, 3]], [[4, 5, 6]]], Int32Array.of(1, 0)]
const bytes = readFileSync('checkpoint.pt')
const file = new URL('worker.mjs', import.meta.url)
`
/** The worker of the example of `share`. */
const WORKER = `import { workerData } from 'node:worker_threads'
import { openShared } from 'lstm-wasm/sharing'

const model = await openShared(workerData)
console.log('opened', model.inputs.length)
`

vi.setConfig({ testTimeout: 120_000 })

it('run as they stand', () => {
  const installed = installPackage()
  try {
    copyFileSync(join(root, 'test', 'golden', 'pytorch', 'checkpoint.pt'), join(installed.folder, 'checkpoint.pt'))
    // What writes model.onnx comes before what loads it; a block has its names for itself.
    const reads = (code: string): number => Number(/load<|readGraph\(/.test(code))
    const blocks = examples.sort((a, b) => reads(a) - reads(b)).map((code) => `{\n${code}}\nconsole.log('ran')\n`)
    expect(blocks.length).toBeGreaterThan(14)
    const { outputText } = ts.transpileModule(`${BEFORE}${blocks.join('')}`, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 } })
    writeFileSync(join(installed.folder, 'examples.mjs'), outputText)
    writeFileSync(join(installed.folder, 'worker.mjs'), WORKER)
    const { status, stdout, stderr } = installed.node('examples.mjs')
    expect(status, stderr).toBe(0)
    expect(stdout.match(/^ran$/gm)?.length).toBe(blocks.length)
    expect(stdout).toContain('opened 1')
  } finally {
    installed.remove()
  }
})
