// A robot's actuator as TorchScript: https://github.com/leggedrobotics/legged_gym. Expected numbers are PyTorch's, from zero states.
import { expect } from 'vitest'
import { load } from '../../src/model/load.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { distance, itWithModels } from './model-folder.ts'

interface Expected {
  readonly inputs: { readonly x: NdArray }
  readonly outputs: Readonly<Record<'y' | 'h_n' | 'c_n', { readonly data: readonly number[] }>>
}

itWithModels('actuator-torchscript', 'an actuator: a run and a stream within 5e-5 of PyTorch, at outputs up to 50', async ({ read, json }) => {
  const { inputs: { x }, outputs } = json('expected.json') as Expected
  using model = await load(read('model.pt'))
  const data = Float32Array.from(x.data)
  const { output, output_1: h, output_2: c } = model.run({ x: { dtype: 'float32', shape: x.shape, data } })
  expect(distance(output?.data, outputs.y.data)).toBeLessThan(5e-5)
  expect(distance(h?.data, outputs.h_n.data)).toBeLessThan(1e-6)
  expect(distance(c?.data, outputs.c_n.data)).toBeLessThan(1e-6)
  const [batch = 0, timesteps = 0, features = 0] = x.shape
  using stream = model.stream({ batch })
  const frame = new Float32Array(batch * features)
  const step = new Float32Array(batch)
  for (let t = 0; t < timesteps; t++) {
    for (let row = 0; row < batch; row++) frame.set(data.subarray((row * timesteps + t) * features, (row * timesteps + t + 1) * features), row * features)
    stream.step({ x: frame }, { output: step })
    step.forEach((value, row) => expect(value).toBe(output?.data[row * timesteps + t]))
  }
})
