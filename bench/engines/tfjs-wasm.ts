// TensorFlow.js on its WebAssembly backend, on one thread.
import { loadPeer } from '../peers/load.ts'
import { ROOT } from '../places.ts'
import { createTfjs, loadTfjs } from './tfjs.ts'
import type { Engine } from './engine.ts'

let loaded: Promise<any> | undefined

function loadWasm() {
  loaded ??= loadTfjs().then(async (tf) => {
    const folder = new URL('bench/peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/', ROOT)
    const inBrowser = typeof document !== 'undefined'
    const wasm = inBrowser
      ? await import(new URL('tf-backend-wasm.min.js', folder).href).then(() => tf.wasm)
      : await loadPeer('@tensorflow/tfjs-backend-wasm').then((module) => module.default ?? module)
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
    wasm.setWasmPaths(inBrowser ? folder.href : decodeURIComponent(folder.pathname))
    if (!await tf.setBackend('wasm')) throw new Error('its wasm backend does not start')
    return tf
  })
  return loaded
}

export const tfjsWasm: Engine = {
  name: 'tfjs-wasm',
  variants: ['simd'],
  settings: "LSTMCell of its layers API, recurrentActivation: 'sigmoid', a tensor and a tf.tidy a step, dataSync: faster than its LSTM layer by predict or apply; GRUs of operations, because its GRUCell has no reset gate after the product",
  packages: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'],
  supports: ({ file }) => file === undefined,
  available: loadWasm,
  create: async (prepared) => createTfjs(await loadWasm(), 'wasm', prepared),
}
