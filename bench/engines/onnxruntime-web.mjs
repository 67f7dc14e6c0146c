// onnxruntime-web, its WebAssembly execution provider on one thread.
import { loadPeer } from '../peers/load.mjs'
import { createOnnxruntime } from './onnxruntime.mjs'

/** @type {Promise<any> | undefined} */
let loaded

/** The module is configured before its first session, once. */
function loadOrt() {
  loaded ??= loadPeer('onnxruntime-web/wasm').then((ort) => {
    ort.env.wasm.numThreads = 1
    ort.env.wasm.proxy = false
    ort.env.logLevel = 'error'
    return ort
  })
  return loaded
}

/** @type {import('./index.mjs').Engine} */
export const onnxruntimeWeb = {
  name: 'onnxruntime-web',
  variants: ['wasm'],
  settings: 'wasm execution provider, env.wasm.numThreads = 1, all graph optimisations, time-major sequences, states fed back as they come out',
  packages: ['onnxruntime-web'],
  supports: () => true,
  available: loadOrt,
  create: async (prepared) => createOnnxruntime(await loadOrt(), { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }, prepared),
}
