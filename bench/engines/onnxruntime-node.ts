// onnxruntime-node: native code, on one thread. Node only.
import { loadPeer } from '../peers/load.ts'
import { createOnnxruntime } from './onnxruntime.ts'
import type { Engine } from './engine.ts'

/** A module of CommonJS: its names may be on the default export only. */
async function loadOrt() {
  if (typeof process === 'undefined' || process.versions?.node === undefined) throw new Error('runs in Node only')
  const module = await loadPeer('onnxruntime-node')
  return module.default ?? module
}

export const onnxruntimeNode: Engine = {
  name: 'onnxruntime-node',
  variants: ['native'],
  settings: 'cpu execution provider, intraOpNumThreads = interOpNumThreads = 1, all graph optimisations, time-major sequences, states fed back as they come out',
  packages: ['onnxruntime-node'],
  supports: () => true,
  available: loadOrt,
  create: async (prepared) => createOnnxruntime(await loadOrt(), {
    executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all', logSeverityLevel: 3,
  }, prepared),
}
