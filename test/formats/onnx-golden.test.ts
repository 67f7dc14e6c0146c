// The models of test/python/golden_onnx.py and golden_loops.py, with the outputs of onnxruntime (layout 1: of onnx.reference).
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { beforeAll, expect, it } from 'vitest'
import { onnx } from '../../src/formats/onnx/index.ts'
import type { ModelFiles } from '../../src/formats/reader.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import type { ArrayLike } from '../../src/values/ndarray.ts'
import { checkOutput } from '../golden-outputs.ts'
import '../guards.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'

interface Case {
  readonly name: string
  readonly file: string
  readonly folder: URL
  readonly inputs: Readonly<Record<string, unknown>>
  readonly outputs: Readonly<Record<string, unknown>>
}

const folders = ['onnx', 'loops'].map((name) => new URL(`../golden/${name}/`, import.meta.url))
const cases = folders.flatMap((folder) => (
  (JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { cases: Case[] }).cases.map((test) => ({ ...test, folder }))
))
const tensors = new Map(folders.flatMap((folder) => [...readSafetensors(readFileSync(new URL('cases.safetensors', folder))).tensors]))

const inputsOf = (test: Case): Record<string, ArrayLike> => Object.fromEntries(
  Object.keys(test.inputs).map((name) => [name, tensors.get(`${test.name}/in/${name}`) as ArrayLike]),
)

async function filesOf({ file, folder }: Case): Promise<ModelFiles> {
  return { bytes: await readFile(new URL(file, folder)), name: file, sibling: (name: string) => readFile(new URL(name, folder)) }
}

it('the golden models are all there', () => {
  expect(cases.length).toBeGreaterThanOrEqual(240)
})

describeBinaries('ONNX models give the outputs of onnxruntime within 5e-6, and are as near to float64', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(cases.map((test): [string, Case] => [test.name, test]))('%s', async (_name, test) => {
    const graph = await onnx.read(await filesOf(test), {})
    using model = await compile(graph, { runtime })
    const outputs = model.run(inputsOf(test))
    expect(Object.keys(outputs)).toEqual(Object.keys(test.outputs))
    for (const [name, output] of Object.entries(outputs)) checkOutput(tensors, test.name, name, output)
  })
})
