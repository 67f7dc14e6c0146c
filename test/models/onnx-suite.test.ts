// The LSTM cases of ONNX's own conformance suite: https://github.com/onnx/onnx, onnx/backend/test/data/node
import { expect } from 'vitest'
import { readOnnx } from '../../src/formats/onnx/index.ts'
import { readTensorMessage } from '../../src/formats/onnx/messages.ts'
import { decodeTensor } from '../../src/formats/onnx/tensors.ts'
import { compile } from '../../src/model/load.ts'
import type { NdArray } from '../../src/values/ndarray.ts'
import { distance, itWithModels } from './model-folder.ts'

/** How many of its inputs and outputs each case brings. */
const CASES = [['test_lstm_defaults', 3, 1], ['test_lstm_with_initial_bias', 4, 1], ['test_lstm_with_peepholes', 8, 1], ['test_lstm_batchwise', 3, 2]] as const

for (const [name, inputCount, outputCount] of CASES) {
  itWithModels('onnx-node', `${name} of the ONNX suite within 1e-6`, async ({ read }) => {
    const bytes = read(`${name}/model.onnx`)
    const tensor = (file: string): NdArray => (
      decodeTensor(readTensorMessage(read(`${name}/test_data_set_0/${file}.pb`)), new Map(), file)
    )
    const inputs = Array.from({ length: inputCount }, (_, n) => tensor(`input_${n}`))
    // Weights are inputs here; they are what a model would have as constants.
    const names = ['X', 'W', 'R', 'B', 'sequence_lens', 'initial_h', 'initial_c', 'P']
    const constants = Object.fromEntries(inputs.map((value, n) => [names[n] as string, value] as const).filter(([input]) => ['W', 'R', 'B', 'P'].includes(input)))
    const graph = readOnnx(bytes, { constants })
    using model = await compile(graph)
    const given = Object.fromEntries(inputs.map((value, n) => [names[n] as string, value] as const).filter(([input]) => !(input in constants)))
    const outputs = Object.values(model.run(given))
    for (let n = 0; n < outputCount; n++) {
      const expected = tensor(`output_${n}`)
      expect(outputs[n]?.shape).toEqual(expected.shape)
      expect(distance(outputs[n]?.data, expected.data)).toBeLessThanOrEqual(1e-6)
    }
  })
}
