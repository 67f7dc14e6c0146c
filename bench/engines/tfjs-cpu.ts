// TensorFlow.js on its JavaScript backend.
import { createTfjs, loadTfjs } from './tfjs.ts'
import type { Engine } from './engine.ts'

export const tfjsCpu: Engine = {
  name: 'tfjs-cpu',
  variants: ['javascript'],
  settings: "LSTMCell of its layers API, recurrentActivation: 'sigmoid', a tensor and a tf.tidy a step, dataSync: faster than its LSTM layer by predict or apply; GRUs of operations, because its GRUCell has no reset gate after the product",
  packages: ['@tensorflow/tfjs'],
  supports: ({ file }) => file === undefined,
  available: loadTfjs,
  create: async (prepared) => createTfjs(await loadTfjs(), 'cpu', prepared),
}
