import { describe, expect, it } from 'vitest'
import { nam, namSampleRate, readNam } from '../../src/formats/nam/reader.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { pseudoRandom } from '../random.ts'
import { describeBinaries, runtimeOf } from '../variants.ts'
import { referenceNam } from './nam-reference.ts'

/** Weights of so many units and layers over one input: matrices, biases and first states; then the head. */
const countOf = (units: number, layers: number): number => 4 * units * (units + 1) + 6 * units + (layers - 1) * (8 * units * units + 6 * units) + units + 1

function model(units: number, layers: number, more: object = {}): Uint8Array {
  const weights = [...pseudoRandom(units * 10 + layers, countOf(units, layers), 0.8)]
  const config = { input_size: 1, hidden_size: units, num_layers: layers }
  return new TextEncoder().encode(JSON.stringify({ version: '0.5.4', architecture: 'LSTM', config, weights, sample_rate: 44100, ...more }))
}

const samples = pseudoRandom(7, 60, 1)

describeBinaries('NAM', (binary) => {
  it.each([[1, 1], [3, 1], [8, 2], [5, 3]])('%i units, %i layers: every weight in its place, the first states too', async (units, layers) => {
    const bytes = model(units, layers)
    const runtime = await runtimeOf(binary)
    using compiled = await compile(readNam(bytes), { runtime })
    const { output } = compiled.run({ input: new NdArray(samples, [1, 60, 1]) })
    const { weights } = JSON.parse(new TextDecoder().decode(bytes)) as { weights: number[] }
    const expected = referenceNam(weights, units, layers, samples)
    expect(Math.max(...expected.map((value, n) => Math.abs(value - (output?.data[n] as number))))).toBeLessThan(1e-6)
  })

  it('continues a stream bit for bit, each row of a batch its own; a row of zeros begins anew', async () => {
    const runtime = await runtimeOf(binary)
    using compiled = await compile(readNam(model(3, 2)), { runtime })
    const whole = compiled.run({ input: new NdArray(samples, [2, 30, 1]) })
    const half = (begin: number): NdArray => (
      new NdArray(Float32Array.of(...samples.slice(begin, begin + 15), ...samples.slice(30 + begin, 45 + begin)), [2, 15, 1])
    )
    const { state } = compiled.run({ input: half(0) })
    expect(state?.shape).toEqual([5, 2, 3])
    const second = compiled.run({ input: half(15), ...(state && { state }) })
    expect(second.output?.data.slice(0, 15)).toEqual(whole.output?.data.slice(15, 30))
    expect(second.state).toEqual(whole.state)
    const anew = Float32Array.from(state?.data ?? [])
    // The first row of the batch: the mark that its state is set is [0, 0, units].
    anew.fill(0, 0, 3)
    const mixed = compiled.run({ input: half(0), state: new NdArray(anew, [5, 2, 3]) })
    expect(mixed.output?.data.slice(0, 15)).toEqual(whole.output?.data.slice(0, 15))
    expect(mixed.output?.data.slice(15)).not.toEqual(whole.output?.data.slice(30, 45))
  })
})

describe('NAM files', () => {
  it('says the sample rate, 48000 where the file does not', () => {
    expect(namSampleRate(model(1, 1))).toBe(44100)
    expect(namSampleRate(model(1, 1, { sample_rate: null }))).toBe(48000)
  })

  it.each(['WaveNet', 'ConvNet', 'Linear'])('refuses %s by name', (architecture) => {
    expectError(() => readNam(model(1, 1, { architecture })), 'UNSUPPORTED', `NAM: the architecture is "${architecture}"; supported is "LSTM"`)
  })

  it.each([
    ['a weight too few', { weights: [1, 2] }, 'NAM: expected 16 weights for 1 layers of 1 units over 1 inputs, got 2'],
    ['weights that are none', { weights: 'x' }, 'NAM: expected 16 weights for 1 layers of 1 units over 1 inputs, got "x"'],
    ['weights that are no numbers', { weights: Array<null>(16).fill(null) }, "NAM: 'weights': expected numbers, got null at element 0"],
    ['an endless size', { config: { input_size: 1, hidden_size: 1e100, num_layers: 1 } }, /^NAM: expected 4e\+200 weights for 1 layers of 1e\+100 units/],
    ['endless layers', { config: { input_size: 1, hidden_size: 1, num_layers: 1e15 } }, /^NAM: expected \d+ weights for 1000000000000000 layers/],
    ['no config', { config: 5 }, "NAM: expected 'config' to be an object, got 5"],
    ['half a unit', { config: { input_size: 1, hidden_size: 0.5, num_layers: 1 } }, "NAM: expected a whole number >= 1 for 'hidden_size', got 0.5"],
    ['no architecture', { architecture: 5 }, 'NAM: expected an architecture, got 5'],
    ['no sample rate', { sample_rate: -1 }, "NAM: expected a number for 'sample_rate', got -1"],
  ])('refuses %s', (_, more, message) => {
    expectError(() => readNam(model(1, 1, more)), 'FORMAT', message)
  })

  it('refuses settings it does not know', () => {
    const config = { input_size: 1, hidden_size: 1, num_layers: 1, proj_size: 2 }
    expectError(() => readNam(model(1, 1, { config })), 'UNSUPPORTED', 'NAM: unknown settings of an LSTM: "proj_size"; it has input_size, hidden_size, num_layers')
  })

  it('knows its files, and no others', () => {
    expect(nam.detect(model(1, 1))).toBe(true)
    for (const text of ['', '{}', '{"layers": []}', '[]']) expect(nam.detect(new TextEncoder().encode(text))).toBe(false)
  })
})
