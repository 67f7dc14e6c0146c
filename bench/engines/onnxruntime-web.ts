// onnxruntime-web, its WebAssembly execution provider on one thread.
import { loadPeer } from '../peers/load.ts'
import { createOnnxruntime } from './onnxruntime.ts'
import type { Engine } from './engine.ts'

let loaded: Promise<any> | undefined

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

export const onnxruntimeWeb: Engine = {
  name: 'onnxruntime-web',
  variants: ['wasm'],
  settings: 'wasm execution provider, env.wasm.numThreads = 1, all graph optimisations, time-major sequences, states fed back as they come out',
  packages: ['onnxruntime-web'],
  supports: () => true,
  available: loadOrt,
  create: async (prepared) => createOnnxruntime(await loadOrt(), { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }, prepared),
}
