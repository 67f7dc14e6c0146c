// Engines that need no installation give what the reference gives; and so does the ONNX file that is written for others.
import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { CASES, findCases, networkCase, prepare, TOLERANCE, type Case, type PreparedCase } from '../../bench/cases.ts'
import type { Engine } from '../../bench/engines/engine.ts'
import { findEngines } from '../../bench/engines/index.ts'
import { writeNetwork } from '../../bench/engines/onnx-file.ts'
import { check } from '../../bench/measure.ts'
import { gruLayer, lstmLayer, type Layer } from '../../bench/network.ts'
import { distance } from '../../bench/statistics.ts'
import { load } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'

const text: Layer[] = [
  { kind: 'embedding', name: 'embed', vocabulary: 7, width: 3 },
  lstmLayer(3, 5, { numLayers: 2, returnSequences: false }),
  { kind: 'dense', name: 'fc', inputSize: 5, units: 7, activation: 'softmax' },
]
const one = (list: string): Case => findCases(list)[0]
const described = (name: string, mode: Case['mode'], sizes: [number, number, number], layers: Layer[]): Case => {
  const [batch, timesteps, features] = sizes
  return networkCase({ name, about: '', mode, batch, timesteps, features, layers })
}

/** Small ones of every kind there is among the cases. */
const SMALL: Case[] = [
  one('B1 T1 F3 H5'), one('B1 T1 F5 H17'), one('B1 T7 F3 H5'), one('B3 T5 F7 H9'),
  described('classes', 'sequence', [3, 4, 5], [lstmLayer(5, 9, { returnSequences: false }), { kind: 'dense', name: 'fc', inputSize: 9, units: 3, activation: 'softmax' }]),
  described('audio', 'sequence', [1, 50, 1], [lstmLayer(1, 6), { kind: 'dense', name: 'fc', inputSize: 6, units: 1, activation: 'linear' }]),
  described('stack', 'sequence', [1, 6, 3], [lstmLayer(3, 5, { numLayers: 3, bidirectional: true })]),
  described('text', 'generate', [1, 30, 1], text),
  one('GRU B1 T1 F3 H5'), one('GRU B3 T5 F7 H9'),
  described('GRU stack', 'sequence', [2, 6, 3], [gruLayer(3, 5, { numLayers: 2, bidirectional: true, returnSequences: false })]),
]

/** Models that are files, where they are. */
const FILES: Case[] = CASES.filter(({ file }) => file === 'silero' || (file === 'dtln' && existsSync(new URL('../../../shared/models/dtln', import.meta.url))))

const engine = (name: string): Engine => (findEngines(name)[0] as { engine: Engine }).engine
const prepared: Map<string, PreparedCase> = new Map()
beforeAll(async () => {
  for (const entry of [...SMALL, ...FILES]) prepared.set(entry.name, await prepare(entry))
})

describe.each([['lstm-wasm', 'simd'], ['lstm-wasm', 'relaxed-simd'], ['lstm-wasm 2 threads', 'simd'], ['plain-js', 'float32']])('%s %s', async (name, variant) => {
  const available = await engine(name).available(variant).then(() => true, () => false)
  const cases = [...SMALL, ...FILES].filter((entry) => engine(name).supports(entry))

  it.skipIf(!available).each(cases.map((entry) => entry.name))(`gives the expected output of '%s' within ${TOLERANCE}`, async (title) => {
    const instance = await engine(name).create(prepared.get(title) as PreparedCase, variant)
    expect((await check(instance, prepared.get(title) as PreparedCase)).worst).toBeLessThanOrEqual(TOLERANCE)
    instance.dispose()
  })

  it.skipIf(!available)('is checked in earnest: another weight is another output', async () => {
    const entry = prepared.get('B3 T5 F7 H9') as PreparedCase
    const tensors = new Map([...entry.tensors].map(([key, tensor]) => [key, { ...tensor, data: tensor.data.slice() }]))
    const weights = tensors.get('lstm.weight_hh_l0')?.data as Float32Array
    weights[80] = (weights[80]) + 0.01
    const instance = await engine(name).create({ ...entry, tensors }, variant)
    expect((await check(instance, entry)).worst).toBeGreaterThan(TOLERANCE)
    instance.dispose()
  })
})

describe('a step that forgets its state', () => {
  it('is found out', async () => {
    const entry = prepared.get('B1 T1 F3 H5') as PreparedCase
    const forgetful = await engine('plain-js').create({ ...entry, mode: 'sequence' }, 'float32')
    expect((await check(forgetful, entry)).worst).toBeGreaterThan(TOLERANCE)
  })
})

describe('the ONNX file for onnxruntime', () => {
  const readable = SMALL.filter(({ mode }) => mode === 'sequence')
  it.each(readable.map((entry) => entry.name))("of '%s' gives the expected output", async (title) => {
    const entry = prepared.get(title) as PreparedCase
    const { bytes, inputDims } = writeNetwork(entry)
    const model = await load(bytes)
    const { batch, timesteps, features } = entry
    const x = entry.inputs[0]
    // Time-major, as onnxruntime wants it.
    const turned = x.map((_, at) => {
      const [t, b, k] = [Math.floor(at / features / batch), Math.floor(at / features) % batch, at % features]
      return x[(b * timesteps + t) * features + k]
    })
    const { y } = model.run({ x: new NdArray(Float32Array.from(turned), inputDims) })
    const expected = entry.expected[0]
    const width = expected.length / batch / timesteps
    const back = y?.shape.length === 2 && y.shape[0] === batch
      ? y.data
      : expected.map((_, at) => {
          const [b, t, k] = [Math.floor(at / width / timesteps), Math.floor(at / width) % timesteps, at % width]
          return y?.data[(t * batch + b) * width + k]
        })
    expect(distance(back, expected)).toBeLessThanOrEqual(TOLERANCE)
    model.dispose()
  })

  it('takes the state in and gives it back where it is carried', async () => {
    for (const [title, count] of [['B1 T1 F3 H5', 2], ['text', 4], ['GRU B1 T1 F3 H5', 1]] as const) {
      const entry = prepared.get(title) as PreparedCase
      const { bytes, states } = writeNetwork(entry)
      const model = await load(bytes)
      expect(states.length).toBe(count)
      expect(model.inputs.map(({ name }) => name)).toEqual(['x', ...states.map(({ before }) => before)])
      expect(model.outputs.map(({ name }) => name)).toEqual(['y', ...states.map(({ after }) => after)])
      model.dispose()
    }
  })
})

describe('engines', () => {
  it('are found with their variants', () => {
    expect(findEngines('lstm-wasm:simd, plain-js').map(({ engine: { name }, variants }) => [name, variants])).toEqual([
      ['lstm-wasm', ['simd']], ['plain-js', ['float32']],
    ])
    expect(findEngines('lstm-wasm:simd,lstm-wasm:relaxed-simd')[0]?.variants).toEqual(['simd', 'relaxed-simd'])
    expect(findEngines('lstm-wasm')[0]?.variants).toEqual(['relaxed-simd', 'simd'])
  })

  it('that do not exist are refused, with those that do', () => {
    expect(() => findEngines('onnx')).toThrow("no engine 'onnx'; engines are lstm-wasm, onnxruntime-web, tfjs-wasm, onnxruntime-node, plain-js, tfjs-cpu")
    expect(() => findEngines('lstm-wasm:mmx')).toThrow("no variant 'mmx' of lstm-wasm; it has relaxed-simd, simd")
  })
})
