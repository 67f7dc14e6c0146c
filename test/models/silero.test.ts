// Voice activity in audio: https://github.com/snakers4/silero-vad. Expected numbers are onnxruntime's.
import { expect } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { expectError } from '../expect-error.ts'
import { distance, itWithModels } from './model-folder.ts'
import { CONTEXT, FRAME, samplesOf } from './speech.ts'

interface Expected {
  readonly frames: number
  readonly probs: readonly number[]
  readonly finalState: readonly number[]
}

const files = [
  ['silero_vad_openvino_16k.onnx', {}, 'with weights that are cut and joined'],
  ['silero_vad.onnx', { sr: 16000 }, 'with 25 branches, decided by the sample rate'],
] as const

for (const [file, constants, what] of files) {
  itWithModels('silero-vad', `${file}, ${what}: 400 frames of speech within 1e-5 of onnxruntime`, async ({ read, json }) => {
    const { frames, probs, finalState } = json('expected.json') as Expected
    const samples = samplesOf(read('test.wav'))
    using model = await compile(readOnnx(read(file), { constants }))
    let state = new NdArray(new Float32Array(2 * 128), [2, 1, 128])
    const frame = new Float32Array(CONTEXT + FRAME)
    const got: number[] = []
    for (let n = 0; n < frames; n++) {
      frame.copyWithin(0, FRAME)
      frame.set(samples.subarray(n * FRAME, (n + 1) * FRAME), CONTEXT)
      const { output, stateN } = model.run({ input: new NdArray(frame, [1, CONTEXT + FRAME]), state })
      got.push(output?.data[0] as number)
      state = stateN as typeof state
    }
    expect(distance(got, probs)).toBeLessThanOrEqual(1e-5)
    expect(distance(state.data, finalState)).toBeLessThanOrEqual(1e-5)
  })
}

itWithModels('silero-vad', 'silero_vad.onnx without a sample rate: the error says which input to fix', ({ read }) => {
  expectError(() => readOnnx(read('silero_vad.onnx')), 'UNSUPPORTED', /"sr": fix what decides it with the option 'constants', as in \{ constants: \{ "sr": value \} \}/)
})
