// What load() may be told that files do not say: each option reaches its reader, and no other takes it.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { FormatOptions } from '../src/formats/reader.ts'
import { readTensorflow1 } from '../src/formats/tf1/reader.ts'
import { nam } from '../src/formats/nam/reader.ts'
import { loadStreams } from '../src/model/late-streams-given.ts'
import { load, readGraph } from '../src/model/load.ts'
import { loadOperators } from '../src/ops/loading-given.ts'
import type { GraphNode } from '../src/ops/graph-data.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { expectRejection } from './expect-error.ts'
import { GoldenFolder, type GoldenCase } from './formats/keras-golden.ts'

const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}`, import.meta.url))
const FILES: Readonly<Record<string, readonly [file: string, name: string, options: readonly (keyof FormatOptions)[]]>> = {
  safetensors: ['state-dicts/lstm-1layer.safetensors', 'safetensors', ['unbatched', 'batchFirst', 'timeMajor']],
  onnx: ['onnx/op-cum-sum.onnx', 'ONNX', ['constants', 'seed']],
  keras: ['keras3/initial-state.h5', 'Keras', ['constants', 'architecture', 'dialect', 'batch']],
  tfjs: ['tfjs/initial-state/model.json', 'TensorFlow.js', ['constants', 'architecture', 'dialect', 'batch']],
  torch: ['pytorch/unbatched.pt', 'PyTorch', ['unbatched', 'key', 'batchFirst', 'timeMajor']],
  tensorflow1: ['tf1/cell-clip.index', 'TensorFlow 1', ['forgetBias', 'activation', 'cellClip', 'projClip', 'cells', 'residual', 'timeMajor', 'sequenceLength']],
  rtneural: ['rtneural/plain.json', 'RTNeural', ['sampleRate', 'trainingSampleRate', 'sampleRateCorrection', 'unbatched']],
}
/** A value that each option takes. */
const VALUES: Readonly<Record<keyof FormatOptions, unknown>> = {
  forgetBias: 1, activation: 'tanh', cellClip: 1, projClip: 1, cells: [], residual: true, timeMajor: true, sequenceLength: true,
  sampleRate: 48000, trainingSampleRate: 48000, sampleRateCorrection: 'NoInterp', constants: {}, seed: 7, unbatched: true, architecture: '{}', batchFirst: true, key: 'model', dialect: 'keras2', batch: 2,
}
const ALL = new Set(Object.keys(VALUES) as (keyof FormatOptions)[])

/** `no option 'x' (did you mean 'y'?)` or without. */
const noOption = (what: string, option: string, options: readonly string[]): RegExp => (
  new RegExp(`^${what}: no option '${option}'( \\(did you mean '\\w+'\\?\\))?; options are ${options.join(', ')}$`)
)

describe.each(Object.entries(FILES))('%s files', (_format, [file, name, options]) => {
  it.each([...ALL].filter((option) => !options.includes(option)))('refuse %s', async (option) => {
    await expectRejection(load(golden(file), { [option]: VALUES[option] }), 'VALUE', noOption(name, option, options))
  })

  it('take options that are undefined as none', async () => {
    await expect(readGraph(golden(file), Object.fromEntries([...ALL].map((option) => [option, undefined])))).resolves.toEqual(await readGraph(golden(file)))
  })
})

it('readers that the caller brings refuse the same', async () => {
  const bytes = new TextEncoder().encode('{"architecture": "LSTM", "weights": []}')
  await expectRejection(load(bytes, { readers: [nam], forgetBias: 1 }), 'VALUE', "NAM: no option 'forgetBias'; options are unbatched")
})

describe('TensorFlow 1', () => {
  const path = golden('tf1/cell-clip.index')
  const files = async (): Promise<Parameters<typeof readTensorflow1>[0]> => ({
    bytes: await readFile(path), name: 'cell-clip.index', sibling: (name) => readFile(golden(`tf1/${name}`)),
  })

  it.each<FormatOptions>([
    { cellClip: 0.3 }, { activation: 'relu', forgetBias: 0.5 }, { cells: [{ cellClip: 0.25, activation: 'elu' }] },
    { timeMajor: true, sequenceLength: true }, { cells: [{ forgetBias: 0 }], cellClip: 1 },
  ])('%j is what readTensorflow1 makes of it', async (options) => {
    const expected = await readTensorflow1(await files(), options)
    expect(await readGraph(path, options)).toEqual(expected)
    expect(expected).not.toEqual(await readTensorflow1(await files()))
  })

  it('a slip of the pen in a cell is told', async () => {
    await expectRejection(load(path, { cells: [{ cellclip: 1 } as object] }), 'VALUE', "TensorFlow 1: cells[0]: no option 'cellclip' (did you mean 'cellClip'?); options are forgetBias, activation, cellClip, projClip")
  })
})

describe.each([['keras3', 'Keras'], ['tfjs', 'TensorFlow.js']])('constants of %s files', (folder, format) => {
  const cases = new GoldenFolder(folder)
  const entry = cases.cases.find(({ name }) => name === 'initial-state') as GoldenCase
  const path = golden(`${folder}/${entry.file}`)

  it('are inputs no more, and their numbers count', async () => {
    const [{ inputs }] = cases.callsOf(entry) as [ReturnType<GoldenFolder['callsOf']>[number]]
    const names = (await readGraph(path)).inputs.map(({ name }) => name)
    const given = Object.fromEntries(names.map((name, position) => [name, inputs[position]?.[1] as NdArray]))
    const [x = '', h = '', c = ''] = names
    using whole = await load(path)
    using fixed = await load(path, { constants: { [h]: given[h] as NdArray, [c]: 0.25 } })
    expect(fixed.inputs.map(({ name }) => name)).toEqual([x])
    await expectRejection(load(path, { constants: { nothing: 1 } }), 'VALUE', `${format}: 'constants' fixes 'nothing', expected inputs of the model: ${names.map((name) => `'${name}'`).join(', ')}`)
    using both = await load(path, { constants: { [h]: given[h] as NdArray, [c]: given[c] as NdArray } })
    expect(both.run({ [x]: given[x] as NdArray })).toEqual(whole.run(given))
    const wrong = { [h]: new NdArray(new Float32Array(1), [1, 1, 1]) }
    await expectRejection(load(path, { constants: wrong }), 'VALUE', `${format}: 'constants' for the input '${h}': expected float32 [batch, 5], got float32 [1, 1, 1]`)
  })
})

it('Keras weights with their architecture', async () => {
  const path = golden('keras3/go-backwards.weights.h5')
  const architecture = await readFile(golden('keras3/go-backwards.json'), 'utf8')
  await expectRejection(load(path), 'UNSUPPORTED', /weights/)
  using model = await load(path, { architecture })
  const cases = new GoldenFolder('keras3')
  cases.check(cases.cases.find(({ name }) => name === 'go-backwards-weights-h5') as GoldenCase, model)
})

it('PyTorch: a state dict by its key, a sequence alone, a cell', async () => {
  const checkpoint = golden('pytorch/checkpoint.pt')
  await expectRejection(load(checkpoint, { key: 'nothing' }), 'UNSUPPORTED', /no state dict under the key "nothing"; the file has/)
  using model = await load(golden('pytorch/unbatched.pt'), { unbatched: true })
  expect([model.inputs, model.outputs].map((ports) => ports.map(({ name, shape }) => [name, shape]))).toEqual([
    [['input', ['timesteps', 3]], ['h_0', [1, 5]], ['c_0', [1, 5]]],
    [['output', ['timesteps', 5]], ['h_n', [1, 5]], ['c_n', [1, 5]]],
  ])
  using cell = await load(golden('pytorch/cell.pt'))
  expect(cell.run({ input: [[1, 2, 3], [4, 5, 6]] })).toMatchObject({ h_1: { shape: [2, 5] }, c_1: { shape: [2, 5] } })
  using one = await load(golden('pytorch/cell.pt'), { unbatched: true })
  expect(one.run({ input: [4, 5, 6] }).h_1?.toArray()).toEqual((cell.run({ input: [[1, 2, 3], [4, 5, 6]] }).h_1?.toArray() as number[][])[1])
})

describe.each(['state-dicts/lstm-1layer.safetensors', 'pytorch/unbatched.pt'])('a bare torch.nn.LSTM, %s', (file) => {
  const path = golden(file)

  it('is read as batch_first, which summary() says, or as the options say', async () => {
    using first = await load(path)
    const [, , features] = first.inputs[0]?.shape as [string, string, number]
    const number = (b: number, t: number, k: number): number => Math.sin(b + 3 * t + k)
    const row = (b: number, t: number): number[] => Array.from({ length: features }, (_, k) => number(b, t, k))
    const x = NdArray.from(Array.from({ length: 2 }, (_, b) => Array.from({ length: 4 }, (__, t) => row(b, t))))
    const turned = NdArray.from(Array.from({ length: 4 }, (_, t) => Array.from({ length: 2 }, (__, b) => row(b, t))))
    expect(first.summary()).toMatch(/read as batch_first=True.*the option batchFirst: false/)
    const { output, h_n: h } = first.run({ input: x })
    for (const options of [{ batchFirst: false }, { timeMajor: true }]) {
      using model = await load(path, options)
      expect(model.inputs[0]?.shape).toEqual(['timesteps', 'batch', features])
      expect(model.summary()).toMatch(/batch_first=False.*as the option says/)
      const results = model.run({ input: turned })
      const steps = (results.output as NdArray).toArray() as number[][][]
      expect(((output as NdArray).toArray() as number[][][]).map((rows, b) => rows.map((_, t) => steps[t]?.[b]))).toEqual((output as NdArray).toArray())
      expect(results.h_n).toEqual(h)
      using again = await load(model.save())
      expect(again.run({ input: turned })).toEqual(results)
      expect(again.summary()).toBe(model.summary())
      await expectRejection(load(model.save(), options), 'VALUE', "safetensors: 'batchFirst' and 'timeMajor' are for bare state dicts, and this file describes its model")
    }
  })

  it('refuses what contradicts itself', async () => {
    await expectRejection(load(path, { batchFirst: true, timeMajor: true }), 'VALUE', "PyTorch: 'batchFirst' and 'timeMajor' say the opposite of each other, got true for both")
    await expectRejection(load(golden('pytorch/cell.pt'), { batchFirst: false }), 'VALUE', "PyTorch: 'batchFirst' and 'timeMajor' are for sequences, and a torch.nn.LSTMCell, GRUCell or RNNCell takes a step")
  })
})

it('lstm-wasm/core loads nothing later: it makes no streams of its own, and has no operators but those of layers', async () => {
  expect(await loadStreams()).toBe(false)
  const node = (op: string): GraphNode => ({ name: 'n', op, inputs: ['x'], outputs: ['y'], parameters: {}, attributes: {} })
  await expect(loadOperators([node('lstm'), node('linear')])).resolves.toBeUndefined()
  await expectRejection(loadOperators([node('lstm'), node('warp'), node('bend'), node('warp')]), 'ENVIRONMENT', /the model needs warp, bend: import \{ operators \}/)
})
