// Noise suppression in two models: https://github.com/breizhn/DTLN. Expected numbers are onnxruntime's.
import { expect } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { distance, itWithModels } from './model-folder.ts'

type Step = Readonly<Record<'mag' | 'mask' | 'state1' | 'frame' | 'out' | 'state2', readonly number[]>>

const array = (values: readonly number[], shape: readonly number[]): NdArray => new NdArray(Float32Array.from(values), shape)
const zeros = (): NdArray => new NdArray(new Float32Array(512), [1, 2, 128, 2])

itWithModels('dtln', 'model_1.onnx, two LSTMs: 5 steps within 1e-5 of onnxruntime', async ({ read, json }) => {
  const { steps } = json('expected.json') as { steps: Step[] }
  using model = await compile(readOnnx(read('model_1.onnx')))
  let state = zeros()
  for (const { mag, mask, state1 } of steps) {
    const result = model.run({ input_2: array(mag, [1, 1, 257]), input_3: state })
    expect(distance(result.activation_2?.data, mask)).toBeLessThanOrEqual(1e-5)
    state = result.tf_op_layer_stack_2 as NdArray
    expect(distance(state.data, state1)).toBeLessThanOrEqual(1e-5)
  }
})

itWithModels('dtln', 'model_2.onnx, two LSTMs taken apart: 5 steps within 1e-5 of onnxruntime', async ({ read, json }) => {
  const { steps } = json('expected.json') as { steps: Step[] }
  using model = await compile(readOnnx(read('model_2.onnx')))
  let state = zeros()
  for (const { frame, out, state2 } of steps) {
    const result = model.run({ input_4: array(frame, [1, 1, 512]), input_5: state })
    expect(distance(result.conv1d_3?.data, out)).toBeLessThanOrEqual(1e-5)
    state = result.tf_op_layer_stack_5 as NdArray
    expect(distance(state.data, state2)).toBeLessThanOrEqual(1e-5)
  }
})
