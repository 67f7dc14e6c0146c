// Files for players of amplifier models: read again, they give the same sound.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { toNam, toRtneural } from '../../src/export/index.ts'
import type { ExportSource } from '../../src/export/source.ts'
import { nam, namSampleRate } from '../../src/formats/nam/reader.ts'
import { readRtneural } from '../../src/formats/rtneural/reader.ts'
import { activation, dense, dropout, gru, input, lstm, sequential } from '../../src/layers/index.ts'
import { compile, load } from '../../src/model/load.ts'
import { createRuntime } from '../../src/runtime/create.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { initialStateDict } from '../../src/training/initializers.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'

const SOUND = new NdArray(pseudoRandom(3, 2 * 31, 1), [2, 31, 1])
let runtime: Runtime
beforeAll(async () => {
  runtime = await createRuntime({ variant: 'simd' })
})

type Layers = Parameters<typeof sequential>[0]
/** Layers with random weights, biases too. */
function made(layers: Layers): ExportSource {
  const net = sequential([input(['timesteps', 1]), ...layers])
  return net.toGraph(initialStateDict(net.weightSpecs(), { like: 'pytorch' }, 5))
}
const STACK: Layers = [lstm(5, { returnSequences: true, numLayers: 2, stateful: true }), dropout(0.1), dense(1)]

async function distance(source: ExportSource, bytes: Uint8Array): Promise<number> {
  const again = 'toGraph' in source ? source.toGraph() : source
  const fresh = { ...again, nodes: again.nodes.map((node) => ('stateful' in node.attributes ? { ...node, attributes: { ...node.attributes, stateful: false } } : node)) }
  using ours = await compile(fresh, { runtime })
  using theirs = await load(bytes, { runtime })
  const [expected, got] = [ours.run({ input: SOUND }).output as NdArray, theirs.run({ input: SOUND }).output as NdArray]
  expect(got.shape).toEqual(expected.shape)
  return Math.max(...got.data.map((value, n) => Math.abs(value - (expected.data[n] as number))))
}

describe('toRtneural', () => {
  it.each([
    ['an LSTM and a dense layer', [lstm(7, { returnSequences: true }), dense(1)]],
    ['stacks of LSTMs', STACK],
    ['GRUs, activations after dense layers and by themselves', [
      gru(4, { returnSequences: true }), dense(3, { activation: 'tanh' }), activation('relu'), gru(3, { returnSequences: true }), activation('sigmoid'), dense(1),
    ]],
    ['no biases', [lstm(3, { returnSequences: true, bias: false }), dense(1, { bias: false })]],
  ] as [string, Layers][])('writes %s', async (_, layers) => {
    const source = made(layers)
    expect(await distance(source, toRtneural(source))).toBeLessThan(2e-7)
  })

  it('writes what was read, with the input that is added, to the bit', async () => {
    const file = readFileSync(new URL('../golden/amp/amp.json', import.meta.url))
    const graph = readRtneural(file)
    const bytes = toRtneural(graph, { sampleRate: 48000 })
    const [before, after] = [file, bytes].map((text) => JSON.parse(new TextDecoder().decode(text)) as Record<string, unknown>)
    expect(after).toMatchObject({ in_skip: 1, samplerate: 48000, in_shape: [null, null, 1] })
    expect(after?.layers).toEqual(before?.layers)
    expect(await distance(graph, bytes)).toBe(0)
  })

  it('refuses by name what players have not', () => {
    expectError(
      () => toRtneural(made([lstm(3, { returnSequences: true, projSize: 2 }), dense(2, { activation: 'softplus' as never }), lstm(2)])), 'UNSUPPORTED',
      /^toRtneural: expected lstm, gru and dense layers .* added at the end: .*lstm.*projSize 2.*softplus.*no layer of a chain.*lstm_1.*returnSequences false/,
    )
    expectError(() => toRtneural(made([lstm(3, { returnSequences: true, bidirectional: true })])), 'UNSUPPORTED', /lstm.*direction bidirectional/)
    expectError(() => toRtneural(made(STACK), { sampleRate: 0 }), 'VALUE', /^toRtneural: expected a number >= 1 for 'sampleRate'/)
    expectError(() => toRtneural(7 as never), 'VALUE', /^toRtneural: expected a model, layers with weights or a graph, got/)
  })
})

describe('toNam', () => {
  it('writes LSTMs with a head', async () => {
    const source = made(STACK)
    const bytes = toNam(source, { sampleRate: 44100 })
    expect(nam.detect(bytes)).toBe(true)
    expect(namSampleRate(bytes)).toBe(44100)
    expect(await distance(source, bytes)).toBeLessThan(2e-7)
    expect(JSON.parse(new TextDecoder().decode(bytes))).toMatchObject({ architecture: 'LSTM', config: { input_size: 1, hidden_size: 5, num_layers: 2 } })
  })

  it('refuses other models, and says what they are', () => {
    const message = 'toNam: expected LSTM layers of one size and a dense layer with one output, got '
    const cases: readonly [Layers, string][] = [
      [[gru(3, { returnSequences: true }), dense(1)], 'gru 3, dense 1'],
      [[lstm(3, { returnSequences: true }), lstm(2, { returnSequences: true }), dense(1)], 'lstm 3, lstm 2, dense 1'],
      [[lstm(3, { returnSequences: true }), dense(1, { activation: 'tanh' })], 'lstm 3, dense 1, tanh'],
      [[lstm(3, { returnSequences: true }), dense(2)], 'lstm 3, dense 2'],
    ]
    for (const [layers, got] of cases) expectError(() => toNam(made(layers)), 'UNSUPPORTED', message + got)
  })

  it('refuses an input that is added', () => {
    const graph = readRtneural(readFileSync(new URL('../golden/amp/amp.json', import.meta.url)))
    expectError(() => toNam(graph), 'UNSUPPORTED', /got lstm 40, dense 1, and the input added$/)
  })
})
