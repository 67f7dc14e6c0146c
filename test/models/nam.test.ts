// A guitar amplifier of Neural Amp Modeler: https://github.com/sdatkinson/NeuralAmpModelerCore. No outputs come with
// it: they are computed here once more, in float64, straight from the flat list of weights.
import { expect } from 'vitest'
import { nam, namSampleRate, readNam } from '../../src/formats/nam/reader.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { distance, itWithModels } from './model-folder.ts'
import { referenceNam } from '../formats/nam-reference.ts'

/** The second that begins after one of silence has sound. */
const FIRST = 48000
const SAMPLES = 4096
const BLOCK = 128

/** Samples from the middle of a WAV file with 16, 24 or 32 bits, as float32 in [-1, 1). */
function samplesOf(wav: Buffer): Float32Array {
  const bytes = wav.readUInt16LE(wav.indexOf('fmt ') + 22) / 8
  const begin = wav.indexOf('data') + 8 + FIRST * bytes
  const count = Math.min(SAMPLES, Math.floor((wav.length - begin) / bytes))
  return Float32Array.from({ length: count }, (_, n) => wav.readIntLE(begin + n * bytes, bytes) / 2 ** (8 * bytes - 1))
}

itWithModels('nam', `lstm.nam: ${SAMPLES} samples within 1e-6 of a float64 transcription, in one run as in blocks of ${BLOCK}`, async ({ read, json }) => {
  const bytes = read('lstm.nam')
  expect(nam.detect(bytes)).toBe(true)
  expect(namSampleRate(bytes)).toBe(48000)
  const samples = samplesOf(read('input.wav'))
  expect(samples.length).toBe(SAMPLES)
  expect(Math.max(...samples)).toBeGreaterThan(0.01)
  using model = await compile(readNam(bytes))
  const whole = model.run({ input: new NdArray(samples, [1, SAMPLES, 1]) })
  const { weights } = json('lstm.nam') as { weights: number[] }
  expect(distance(whole.output?.data, referenceNam(weights, 3, 1, samples))).toBeLessThan(1e-6)

  const blocks: number[] = []
  let state: NdArray | undefined
  for (let begin = 0; begin < SAMPLES; begin += BLOCK) {
    const input = new NdArray(samples.slice(begin, begin + BLOCK), [1, BLOCK, 1])
    const result = model.run({ input, ...(state && { state }) })
    blocks.push(...result.output?.data ?? [])
    state = result.state
  }
  expect(Float32Array.from(blocks)).toEqual(whole.output?.data)
  expect(state).toEqual(whole.state)
})
