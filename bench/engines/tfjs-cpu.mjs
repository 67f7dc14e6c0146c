// TensorFlow.js on its JavaScript backend.
import { createTfjs, loadTfjs } from './tfjs.mjs'

/** @type {import('./index.mjs').Engine} */
export const tfjsCpu = {
  name: 'tfjs-cpu',
  variants: ['javascript'],
  settings: "layers API, recurrentActivation: 'sigmoid', layer.apply in tf.tidy, LSTMCell.call for single steps, sequences over 500 steps in chunks, dataSync",
  packages: ['@tensorflow/tfjs'],
  supports: ({ file }) => file === undefined,
  available: loadTfjs,
  create: async (prepared) => createTfjs(await loadTfjs(), 'cpu', prepared),
}
