// Text generator: https://github.com/reiinakano/tfjs-lstm-text-generation. Expected numbers are tfjs's (cpu backend).
import { expect } from 'vitest'
import { tfjs } from '../../src/formats/tfjs/index.ts'
import { compile } from '../../src/model/load.ts'
import { NdArray } from '../../src/values/ndarray.ts'
import { distance, itWithModels } from './model-folder.ts'

itWithModels('tfjs-nietzsche', 'LSTM with hard sigmoid, two weight groups: the next character within 1e-6 of tfjs', async ({ read, json }) => {
  const { text, probs } = json('expected.json') as { text: string, probs: number[] }
  const indices = json('char_indices.json') as Record<string, number>
  const graph = await tfjs.read({ bytes: read('model.json'), name: 'model.json', sibling: async (name) => read(name) }, {})
  using model = await compile(graph)
  expect(model.inputs).toEqual([{ name: 'lstm_2_input', dtype: 'float32', shape: ['batch', 40, 57] }])
  const hot = new NdArray(new Float32Array(40 * 57), [1, 40, 57])
  for (let step = 0; step < text.length; step++) hot.data[step * 57 + (indices[text.charAt(step)] as number)] = 1
  const { activation_2: next } = model.run({ lstm_2_input: hot })
  expect(distance(next?.data, probs)).toBeLessThanOrEqual(1e-6)
})
