// The models of test/python/golden_rtneural.py, with the outputs of RTNeural, at the sample rate of the training and above it.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { onlyBytes } from '../../src/formats/reader.ts'
import { rtneural, type RtneuralOptions } from '../../src/formats/rtneural/reader.ts'
import { readSafetensors } from '../../src/formats/safetensors/safetensors.ts'
import type { Graph } from '../../src/graph/graph.ts'
import { compile } from '../../src/model/load.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { NdArray, type ArrayLike } from '../../src/values/ndarray.ts'
import { expectRejection } from '../expect-error.ts'
import { checkOutput } from '../golden-outputs.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'

interface Case {
  readonly name: string
  readonly file: string
  readonly options: { readonly sampleRateCorrection: 'None' | 'NoInterp' | 'LinInterp', readonly delaySamples: number, readonly trainedAt: number }
}

const folder = new URL('../golden/rtneural/', import.meta.url)
const { cases } = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8')) as { cases: Case[] }
const { tensors } = readSafetensors(readFileSync(new URL('cases.safetensors', folder)))

/** RTNeural has neither a batch nor any other input than samples. */
function graphOf({ file, options }: Case, more: RtneuralOptions = {}): Promise<Graph> {
  const { sampleRateCorrection, delaySamples, trainedAt } = options
  const rate = sampleRateCorrection === 'None' ? {} : { sampleRate: delaySamples * trainedAt, sampleRateCorrection }
  return rtneural.read(onlyBytes(readFileSync(new URL(file, folder))), { unbatched: true, ...rate, ...more })
}

const stateful = (graph: Graph): Graph => ({
  ...graph, nodes: graph.nodes.map((node) => (node.op === 'lstm' ? { ...node, attributes: { ...node.attributes, stateful: true } } : node)),
})

describeBinaries('RTNeural models give its outputs', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(cases.map((test): [string, Case] => [test.name, test]))('%s', async (name, test) => {
    using model = await compile(await graphOf(test), { runtime })
    const input = tensors.get(`${name}/in/input`) as ArrayLike
    const { output } = model.run({ input })
    checkOutput(tensors, name, 'output', output)
    if (test.options.sampleRateCorrection !== 'None') expect([model.inputs.length, model.outputs.length]).toEqual([1, 1])
  })

  it.each(cases.map((test): [string, Case] => [test.name, test]))('%s in chunks that remember, to the bit, and again after a reset', async (name, test) => {
    const input = tensors.get(`${name}/in/input`) as ArrayLike
    const features = input.shape[1] as number
    using whole = await compile(await graphOf(test), { runtime })
    const expected = whole.run({ input }).output as NdArray
    const graph = await graphOf(test)
    // States that are inputs and outputs are carried by hand.
    const carried = graph.inputs.slice(1).map(({ name: state }) => state)
    expect(carried.length > 0).toBe(test.options.sampleRateCorrection === 'None')
    using model = await compile(carried.length > 0 ? graph : stateful(graph), { runtime })
    for (let round = 0; round < 2; round++) {
      const outputs: number[] = []
      let states: Record<string, NdArray> = {}
      for (let from = 0, steps = 1; from < 40; from += steps, steps = Math.min(40 - from, 2 * steps + 1)) {
        const chunk = new NdArray((input.data as Float32Array).slice(from * features, (from + steps) * features), [steps, features])
        const given = model.run({ input: chunk, ...states })
        states = Object.fromEntries(carried.map((state) => [state, given[state.slice(0, -1)] as NdArray]))
        outputs.push(...(given.output as NdArray).data)
      }
      expect(outputs).toEqual([...expected.data])
      model.resetStates()
    }
  })

  it.each(cases.map((test): [string, Case] => [test.name, test]))('%s as a stream of samples, to the bit', async (name, test) => {
    const input = tensors.get(`${name}/in/input`) as ArrayLike
    using model = await compile(await graphOf(test), { runtime })
    const expected = model.run({ input }).output as NdArray
    using stream = model.stream()
    const [features, width] = [input.shape[1] as number, expected.shape[1] as number]
    const frame = new Float32Array(width)
    for (let n = 0; n < 40; n++) {
      stream.step((input.data as Float32Array).slice(n * features, (n + 1) * features), frame)
      expect([...frame]).toEqual([...expected.data.slice(n * width, (n + 1) * width)])
    }
  })
})

describe('options of RTNeural files', () => {
  const [plain, delayed] = [cases[0], cases[1]] as [Case, Case]
  it.each<[string, Case, RtneuralOptions, string]>([
    ['no rate of the training', plain, { sampleRate: 48000 }, "RTNeural: the file does not say which sample rate it was trained at; give 'trainingSampleRate' as well"],
    ['a lower rate', delayed, { sampleRate: 22050 }, "RTNeural: expected a 'sampleRate' from 44100 Hz, which the model was trained at, to 1000 times that, got 22050"],
    ['an absurd rate', delayed, { sampleRate: 1e9 }, "RTNeural: expected a 'sampleRate' from 44100 Hz, which the model was trained at, to 1000 times that, got 1000000000"],
    ['no rate', delayed, { sampleRate: NaN }, "RTNeural: expected a number for 'sampleRate', got NaN"],
    ['a rate of training that is none', delayed, { sampleRate: 1, trainingSampleRate: 0 }, "RTNeural: expected a number of Hz for 'trainingSampleRate', got 0"],
    ['no whole multiple', delayed, { sampleRate: 48000 }, "RTNeural: 'NoInterp' is for whole multiples of 44100 Hz, which the model was trained at, got 48000; use 'LinInterp'"],
    ['another word', delayed, { sampleRateCorrection: 'linear' as 'LinInterp' }, "RTNeural: expected 'LinInterp' or 'NoInterp' for 'sampleRateCorrection', got \"linear\""],
    ['unbatched', delayed, { unbatched: 1 as unknown as boolean }, "RTNeural: expected true or false for 'unbatched', got 1"],
  ])('%s', async (_, test, options, message) => {
    await expectRejection(graphOf(test, options), 'VALUE', message)
  })

  it('the rate of the training changes nothing, and says so', async () => {
    const same = await graphOf(delayed, { sampleRate: 44100 })
    expect(same).toEqual(await rtneural.read(onlyBytes(readFileSync(new URL(delayed.file, folder))), { unbatched: true }))
    expect((await graphOf(plain, { sampleRate: 96000, trainingSampleRate: 48000, sampleRateCorrection: 'NoInterp' })).nodes.find(({ op }) => op === 'lstm')?.attributes.delaySamples).toBe(2)
  })

  it('a convolution, and tensors alone, cannot be corrected', async () => {
    const zeros = (length: number): number[] => Array.from({ length }, () => 0)
    const json = {
      in_shape: [null, null, 1], metadata: { samplerate: 48000 },
      layers: [{ type: 'conv1d', activation: '', shape: [null, null, 1], kernel_size: [2], dilation: [1], weights: [[[[1]], [[2]]], [0]] }],
    }
    const rates = { sampleRate: 96000, trainingSampleRate: 48000 }
    const read = (value: unknown): Promise<Graph> => rtneural.read(onlyBytes(new TextEncoder().encode(JSON.stringify(value))), rates)
    await expectRejection(read(json), 'UNSUPPORTED', "RTNeural: 'sampleRate' cannot be corrected for layer 0 (conv1d)")
    const tensorsAlone = { weight_ih_l0: zeros(4).map(() => [1]), weight_hh_l0: zeros(4).map(() => [1]) }
    await expectRejection(read(tensorsAlone), 'UNSUPPORTED', "RTNeural: 'sampleRate' goes with models that are described as layers, got the tensors of a state dict alone")
  })
})
