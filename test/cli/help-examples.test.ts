// The examples that --help prints, typed as they stand there, in a folder with the files that they name.
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ColumnSource } from 'hyparquet-writer'
import { writeNpy } from '../../src/formats/npy.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { floatTensor, writeOnnx } from '../formats/onnx-writer.ts'
import { smallFile, smallPicture } from '../formats/traineddata-writer.ts'
import { pseudoRandom } from '../random.ts'
import { lstmWasm } from './in-process.ts'
import { csvOf, parquetOf } from './tables.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const COMMANDS = ['inspect', 'run', 'score', 'convert', 'quantize', 'train', 'read', 'bench'] as const

/** Lines under `Examples` of a command's help. */
async function examplesOf(command: string): Promise<string[]> {
  const { stdout: help } = await lstmWasm('.', [command, '--help'])
  return (/\nExamples\n((?: {2}.*\n)+)/.exec(help)?.[1] ?? '').split('\n').map((line) => line.trim()).filter(Boolean)
}

// A shell that knows `<`, `>` and a script without an ending.
describe.skipIf(process.platform === 'win32')('examples of --help', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-help-'))
    copyFileSync(at('examples/digits.safetensors'), join(folder, 'digits.safetensors'))
    copyFileSync(at('examples/digits.npy'), join(folder, 'images.npy'))
    copyFileSync(at('test/golden/keras3/go-backwards.keras'), join(folder, 'model.keras'))
    copyFileSync(at('test/golden/state-dicts/lstm-1layer.safetensors'), join(folder, 'lstm.safetensors'))
    writeFileSync(join(folder, 'x.csv'), '0.1,0.25,-0.5\n1,2,3\n')
    writeFileSync(join(folder, 'h.npy'), writeNpy(new NdArray(pseudoRandom(1, 5, 1), [1, 1, 5])))
    copyFileSync(at('test/golden/onnx/classifier-last.onnx'), join(folder, 'model.onnx'))
    // A model that is told its rate, as Silero's is.
    writeFileSync(join(folder, 'silero_vad.onnx'), writeOnnx({
      inputs: [{ name: 'x', type: 1, shape: [1, 3] }, { name: 'sr', type: 7, shape: [] }], outputs: [{ name: 'y' }],
      nodes: [{ op: 'Cast', inputs: ['sr'], outputs: ['rate'], attributes: { to: 1 } }, { op: 'Div', inputs: ['x', 'rate'], outputs: ['z'] }, { op: 'Add', inputs: ['z', 'w'], outputs: ['y'] }],
      initializers: [floatTensor('w', [3], [1, 2, 3])],
    }))
    writeFileSync(join(folder, 'eng.traineddata'), smallFile())
    for (const file of ['waves.json', 'waves-x.csv', 'waves-y.csv']) copyFileSync(at(`examples/train/${file}`), join(folder, file))
    const rows = 40
    const column = (name: string, seed: number): ColumnSource => ({ name, data: Float64Array.from(pseudoRandom(seed, rows, 1)), type: 'DOUBLE' })
    writeFileSync(join(folder, 'sales.parquet'), parquetOf([{ name: 'store', data: new Array<string>(rows).fill('north'), type: 'STRING' }, column('a', 1), column('b', 2), column('c', 3)]))
    writeFileSync(join(folder, 'words.csv'), csvOf([{ name: 'page', data: new Array<string>(rows).fill('p. 1') }, { name: 'word', data: Array.from({ length: rows }, (_, n) => n % 5) }]))
    writeFileSync(join(folder, 'mnist.csv'), csvOf([{ name: 'label', data: new Array<number>(rows).fill(7) }, ...Array.from({ length: 784 }, (_, n) => column(`p${n}`, 10 + n))]))
    mkdirSync(join(folder, 'lines'))
    // Told by their content, as models are.
    for (const name of ['line.png', 'lines/1.png', 'lines/2.png']) writeFileSync(join(folder, name), Buffer.concat([Buffer.from('P5 60 20 255\n'), smallPicture().data]))
    writeFileSync(join(folder, 'lstm-wasm'), `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`)
    chmodSync(join(folder, 'lstm-wasm'), 0o755)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are there for every command', async () => {
    for (const command of COMMANDS) expect((await examplesOf(command)).length, command).toBeGreaterThan(1)
  })

  it.each(COMMANDS)('of %s run as they stand there', async (command) => {
    for (const line of await examplesOf(command)) {
      expect(line.startsWith(`lstm-wasm ${command} `), line).toBe(true)
      const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: `${folder}${delimiter}${process.env.PATH ?? ''}` } })
      expect(status, `${line}\n${stderr}`).toBe(0)
    }
  })
})
