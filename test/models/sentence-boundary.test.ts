// Sentence boundaries in bytes: embedding, two bidirectional LSTMs, dense. https://github.com/sonos/tract
import { unzipSync } from 'fflate'
import { expect } from 'vitest'
import { onnx } from '../../src/formats/onnx/index.ts'
import { readNpy } from '../../src/formats/npy.ts'
import { onlyBytes } from '../../src/formats/reader.ts'
import { compile } from '../../src/model/load.ts'
import { distance, itWithModels } from './model-folder.ts'

itWithModels('sentence-boundary', 'sentence boundaries within 1e-5 of the authors\' outputs', async ({ read }) => {
  const arrays = unzipSync(read('io.npz'))
  const [input, expected] = [readNpy(arrays['input.npy'] as Uint8Array), readNpy(arrays['Add_26.npy'] as Uint8Array)]
  using model = await compile(await onnx.read(onlyBytes(read('model.onnx')), {}))
  expect(model.inputs).toEqual([{ name: 'input', dtype: 'uint8', shape: ['batch', 'length'] }])
  const { output } = model.run({ input })
  expect(output?.shape).toEqual([2, 58, 2])
  expect(distance(output?.data, expected.data)).toBeLessThanOrEqual(1e-5)
})
