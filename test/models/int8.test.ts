// What weights of 8 bits cost models of others, from end to end.
import { expect } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { quantize } from '../../src/quantization/quantize.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { pseudoRandom } from '../random.ts'
import { itWithModels } from './model-folder.ts'
import { CONTEXT, FRAME, samplesOf } from './speech.ts'

/** The probability of speech in each frame. */
function speechIn(model: Model, samples: Float32Array): number[] {
  const frame = new Float32Array(CONTEXT + FRAME)
  let state = new NdArray(new Float32Array(256), [2, 1, 128])
  return Array.from({ length: Math.floor(samples.length / FRAME) }, (_, n) => {
    frame.copyWithin(0, FRAME)
    frame.set(samples.subarray(n * FRAME, (n + 1) * FRAME), CONTEXT)
    const { output, stateN } = model.run({ input: new NdArray(frame, [1, CONTEXT + FRAME]), state })
    state = stateN as NdArray<'float32'>
    return output?.data[0] as number
  })
}

itWithModels('silero-vad', 'a minute of speech: probabilities move by 0.003 in the mean at most, 99.8 % of frames are on the same side', async ({ read }) => {
  const graph = readOnnx(read('silero_vad_openvino_16k.onnx'))
  const samples = samplesOf(read('test.wav'))
  using whole = await compile(graph)
  const { model } = await quantize(graph)
  const [expected, got] = [speechIn(whole, samples), speechIn(model, samples)]
  const moved = got.map((value, n) => Math.abs(value - (expected[n] as number)))
  expect(moved.reduce((sum, value) => sum + value, 0) / moved.length).toBeLessThan(0.003)
  expect(Math.max(...moved)).toBeGreaterThan(0)
  expect(got.filter((value, n) => (value > 0.5) === ((expected[n] as number) > 0.5)).length / got.length).toBeGreaterThanOrEqual(0.998)
  model.dispose()
})

const SECOND = 16_000
/** Samples of a block of DTLN, of the frame that ends with it, and frequencies of a frame. */
const [BLOCK, BLOCKS_FRAME, BINS] = [128, 512, 257]
/** Of a turn in as many parts. */
const [COSINES, SINES] = [Math.cos, Math.sin].map((wave) => Float64Array.from({ length: BLOCKS_FRAME }, (_, n) => wave(2 * Math.PI * n / BLOCKS_FRAME)))

/** The discrete Fourier transform of n = re.length numbers, a power of two: real and imaginary parts; every second number apart, and joined. */
function transformed(re: Float64Array, im: Float64Array): readonly [re: Float64Array, im: Float64Array] {
  const n = re.length
  if (n === 1) return [re, im]
  const half = (values: Float64Array, first: number): Float64Array => Float64Array.from({ length: n / 2 }, (_, k) => values[2 * k + first] as number)
  const [evenRe, evenIm] = transformed(half(re, 0), half(im, 0))
  const [oddRe, oddIm] = transformed(half(re, 1), half(im, 1))
  const [outRe, outIm] = [new Float64Array(n), new Float64Array(n)]
  for (let k = 0; k < n / 2; k++) {
    const at = k * BLOCKS_FRAME / n
    const [cosine, sine] = [COSINES?.[at] as number, SINES?.[at] as number]
    const [a, b] = [oddRe[k] as number, oddIm[k] as number]
    const [c, d] = [a * cosine + b * sine, b * cosine - a * sine]
    outRe[k] = (evenRe[k] as number) + c
    outIm[k] = (evenIm[k] as number) + d
    outRe[k + n / 2] = (evenRe[k] as number) - c
    outIm[k + n / 2] = (evenIm[k] as number) - d
  }
  return [outRe, outIm]
}

/** The frame whose spectrum is this one's, with so much of each frequency. */
function frameOf(re: Float64Array, im: Float64Array, mask: Float32Array): Float32Array {
  // Backwards, it is the same transform of real and imaginary parts that have changed places.
  const share = (bin: number): number => mask[Math.min(bin, BLOCKS_FRAME - bin)] as number
  const [, frame] = transformed(im.map((value, bin) => share(bin) * value), re.map((value, bin) => share(bin) * value))
  return Float32Array.from(frame, (value) => value / BLOCKS_FRAME)
}

/** What DTLN makes of a recording, as its real_time_processing.py does: block by block, frames that overlap added up. */
function suppressed([first, second]: readonly Model[], samples: Float32Array): Float32Array {
  const result = new Float32Array(samples.length + BLOCKS_FRAME)
  const frame = new Float32Array(BLOCKS_FRAME)
  let states = [0, 1].map(() => new NdArray(new Float32Array(512), [1, 2, 128, 2]))
  for (let begin = 0; begin + BLOCK <= samples.length; begin += BLOCK) {
    frame.copyWithin(0, BLOCK)
    frame.set(samples.subarray(begin, begin + BLOCK), BLOCKS_FRAME - BLOCK)
    const [re, im] = transformed(Float64Array.from(frame), new Float64Array(BLOCKS_FRAME))
    const magnitudes = re.subarray(0, BINS).map((value, bin) => Math.hypot(value, im[bin] as number))
    const share = first?.run({ input_2: new NdArray(Float32Array.from(magnitudes), [1, 1, BINS]), input_3: states[0] as NdArray })
    const estimated = frameOf(re, im, share?.activation_2?.data as Float32Array)
    const block = second?.run({ input_4: new NdArray(estimated, [1, 1, BLOCKS_FRAME]), input_5: states[1] as NdArray })
    block?.conv1d_3?.data.forEach((value, n) => (result[begin + n] = (result[begin + n] as number) + value))
    states = [share?.tf_op_layer_stack_2, block?.tf_op_layer_stack_5] as NdArray<'float32'>[]
  }
  return result
}

/** With noise whose power lies so far below that of the speech. */
function noisy(speech: Float32Array, decibels: number): Float32Array {
  const power = speech.reduce((sum, value) => sum + value * value, 0) / speech.length
  // Of numbers from -1 to 1 it is a third.
  const scale = Math.sqrt(3 * power / 10 ** (decibels / 10))
  const noise = pseudoRandom(15, speech.length, scale)
  return speech.map((value, n) => value + (noise[n] as number))
}

itWithModels('dtln', 'noise suppression from end to end: what 8 bits change is 38 dB below what float32 gives', async ({ read }) => {
  const graphs = ['model_1.onnx', 'model_2.onnx'].map((file) => readOnnx(read(file)))
  const whole = await Promise.all(graphs.map((graph) => compile(graph)))
  const narrow = await Promise.all(graphs.map(async (graph) => (await quantize(graph)).model))
  // Noise of 20 dB, which is easier, gave 39.1.
  const samples = noisy(samplesOf(read('../silero-vad/test.wav')).subarray(0, 20 * SECOND), 5)
  const [expected, got] = [suppressed(whole, samples), suppressed(narrow, samples)]
  const power = expected.reduce((sum, value) => sum + value * value, 0)
  expect(power).toBeGreaterThan(0)
  const change = got.reduce((sum, value, n) => sum + (value - (expected[n] as number)) ** 2, 0)
  expect(change).toBeGreaterThan(0)
  expect(10 * Math.log10(power / change)).toBeGreaterThanOrEqual(38)
  for (const model of [...whole, ...narrow]) model.dispose()
})
