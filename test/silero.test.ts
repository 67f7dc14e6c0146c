// A real model that people use: Silero VAD (S. Veysov, MIT), from the npm package @ricky0123/vad-web, as it is shipped.
// Of onnxruntime-web, which that package depends on, nothing is needed here: package.json overrides it with a small one.
import { readFile } from 'node:fs/promises'
import { beforeAll, expect, it } from 'vitest'
import { readSafetensors } from '../src/formats/safetensors/safetensors.ts'
import { load } from '../src/model/load.ts'
import type { Runtime } from '../src/runtime/runtime.ts'
import { NdArray } from '../src/values/ndarray.ts'
import { pseudoRandom } from './random.ts'
import { PYTORCH_DISTANCE } from './tolerance.ts'
import { describeBinaries, runtimeOf } from './variants.ts'

const CONTEXT = 64
const FRAME = 512

const { tensors } = readSafetensors(await readFile(new URL('golden/silero.safetensors', import.meta.url)))

/** `samples` of test/python/golden_silero.py. */
function samples(frames: number): Float32Array {
  const loudness = pseudoRandom(2, frames + 1, 0.5)
  return pseudoRandom(1, CONTEXT + frames * FRAME, 1).map((value, n) => value * (loudness[Math.floor(n / FRAME)] as number))
}

describeBinaries('Silero VAD', (binary) => {
  let runtime: Runtime
  beforeAll(async () => {
    runtime = await runtimeOf(binary)
  })

  it.each(['silero_vad_v5', 'silero_vad_v6'])(`%s gives onnxruntime's probabilities within ${PYTORCH_DISTANCE}, its state carried on`, async (name) => {
    const model = await load(new URL(`../node_modules/@ricky0123/vad-web/dist/${name}.onnx`, import.meta.url), { runtime, constants: { sr: 16000 } })
    const probs = tensors.get(`${name}/probs`) as NdArray
    const audio = samples(probs.length)
    let state = new NdArray(new Float32Array(2 * 128), [2, 1, 128])
    const distances: number[] = []
    for (let n = 0; n < probs.length; n++) {
      const input = new NdArray(audio.slice(n * FRAME, n * FRAME + CONTEXT + FRAME), [1, CONTEXT + FRAME])
      const { output, stateN } = model.run({ input, state })
      distances.push(Math.abs((output?.data[0] as number) - (probs.data[n] as number)))
      state = stateN as typeof state
    }
    model.dispose()
    expect(Math.max(...distances)).toBeLessThanOrEqual(PYTORCH_DISTANCE)
    const finalState = tensors.get(`${name}/state`) as NdArray
    // c grows beyond 1: its distance is relative to its size.
    const largest = Math.max(1, ...finalState.data.map(Math.abs))
    expect(Math.max(...state.data.map((value, n) => Math.abs(value - (finalState.data[n] as number)))) / largest).toBeLessThanOrEqual(PYTORCH_DISTANCE)
  })
})
