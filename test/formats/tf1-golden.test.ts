// Variables of TensorFlow 1 cells against the outputs of the cells: test/python/golden_tf1.py.
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { ModelFiles } from '../../src/formats/reader.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import { readTensorflow1, tensorflow1, type Tensorflow1CellOptions, type Tensorflow1Options } from '../../src/formats/tf1/reader.ts'
import { compile } from '../../src/model/load.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { checkOutput } from '../golden-outputs.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'

interface Case {
  readonly name: string
  readonly file: string
  readonly options: {
    readonly cells: readonly {
      readonly forget_bias?: number
      readonly activation?: string
      readonly cell_clip?: number
      readonly proj_clip?: number
    }[]
    readonly wrapper?: string
    readonly bidirectional?: boolean
    readonly time_major?: boolean
    readonly sequence_length?: boolean
  }
  readonly inputs: Readonly<Record<string, unknown>>
  readonly outputs: Readonly<Record<string, unknown>>
}

const folder = new URL('../golden/tf1/', import.meta.url)
const { cases } = JSON.parse(await readFile(new URL('cases.json', folder), 'utf8')) as { cases: Case[] }
const { tensors } = readSafetensors(await readFile(new URL('cases.safetensors', folder)))

async function filesOf(file: string): Promise<ModelFiles> {
  const url = new URL(file, folder)
  return { bytes: await readFile(url), name: file, sibling: (name) => readFile(new URL(name, url)) }
}

function optionsOf({ options }: Case): Tensorflow1Options {
  const cells = options.cells.map((cell): Tensorflow1CellOptions => ({
    ...(cell.forget_bias !== undefined && { forgetBias: cell.forget_bias }),
    ...(cell.activation !== undefined && { activation: cell.activation }),
    ...(cell.cell_clip !== undefined && { cellClip: cell.cell_clip }),
    ...(cell.proj_clip !== undefined && { projClip: cell.proj_clip }),
  }))
  return {
    cells: options.bidirectional === true ? [...cells, ...cells] : cells,
    residual: options.wrapper === 'ResidualWrapper',
    timeMajor: options.time_major === true,
    sequenceLength: options.sequence_length === true,
  }
}

describeBinaries('variables of TensorFlow 1', (binary) => {
  it.each(cases.map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
    const runtime = await runtimeOf(binary)
    using model = await compile(await readTensorflow1(await filesOf(entry.file), optionsOf(entry)), { runtime })
    const inputs = Object.fromEntries(Object.keys(entry.inputs).map((name) => (
      [name === 'x' ? 'input' : name, tensors.get(`${entry.name}/in/${name}`) as NdArray]
    )))
    const outputs = model.run(inputs)
    for (const name of Object.keys(entry.outputs)) checkOutput(tensors, entry.name, name, outputs[name])
  })
})

it.each(cases.map(({ file }) => file))('the reader knows %s', async (file) => {
  expect(tensorflow1.detect(await readFile(new URL(file, folder)))).toBe(true)
})

it('a graph with default options is that of the options TensorFlow has as defaults', async () => {
  const files = await filesOf('basic-5.index')
  expect(await tensorflow1.read(files, {})).toEqual(await readTensorflow1(files, { forgetBias: 1, cells: [{ forgetBias: 1, activation: 'tanh' }] }))
  expect((await readTensorflow1(files, { forgetBias: 0 })).nodes.find(({ op }) => op === 'lstm')?.attributes.forgetBias).toBe(0)
})
