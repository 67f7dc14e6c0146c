// What weights of 8 bits cost models of others, from end to end.
import { expect } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { compile } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import { quantize } from '../../src/quantization/quantize.ts'
import { NdArray } from '../../src/values/ndarray.ts'
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

itWithModels('dtln', 'noise suppression: what 8 bits change is 30 dB below the mask, in each of 5 steps', async ({ read, json }) => {
  const { steps } = json('expected.json') as { steps: { mag: number[], mask: number[] }[] }
  const { model } = await quantize(readOnnx(read('model_1.onnx')))
  let state = new NdArray(new Float32Array(512), [1, 2, 128, 2])
  for (const { mag, mask } of steps) {
    const result = model.run({ input_2: new NdArray(Float32Array.from(mag), [1, 1, 257]), input_3: state })
    const got = result.activation_2?.data as Float32Array
    const noise = got.reduce((sum, value, n) => sum + (value - (mask[n] as number)) ** 2, 0)
    expect(10 * Math.log10(mask.reduce((sum, value) => sum + value * value, 0) / noise)).toBeGreaterThan(30)
    state = result.tf_op_layer_stack_2 as NdArray<'float32'>
  }
  model.dispose()
})
