// A thread with nothing but what an AudioWorkletGlobalScope has, in which dist/processor.js is loaded and run: blocks of
// workerData.inputs [channels][samples] go through the processor 'lstm-wasm', or what its constructor throws comes back.
import { parentPort, workerData } from 'node:worker_threads'

const { processor: url, nodeOptions, inputs, messages = [] } = workerData
const BLOCK = 128

// Chromium and Firefox have none of these there. Loading a module takes some of them, so they go when it is asked for.
const ABSENT = [
  'TextDecoder', 'TextEncoder', 'fetch', 'performance', 'atob', 'btoa', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'structuredClone',
  'process', 'Buffer', 'URL', 'Blob', 'Response', 'Worker', 'crypto', 'require', 'navigator', 'document', 'window', 'self',
]
const registered = new Map()
globalThis.AudioWorkletProcessor = class {
  port = { onmessage: undefined }
}
globalThis.registerProcessor = (name, type) => {
  if (registered.has(name)) throw new Error(`${name} is registered already`)
  registered.set(name, type)
}
for (const name of ABSENT) delete globalThis[name]
const left = ABSENT.filter((name) => name in globalThis)

const { createProcessorModel } = await import(url)
await import(`${url}?another copy`) // as when two processors were bundled with it
const Processor = registered.get('lstm-wasm')
try {
  const node = new Processor(nodeOptions)
  const outputs = inputs.map((channel) => new Float32Array(channel.length))
  const alive = []
  for (let begin = 0; begin < inputs[0].length; begin += BLOCK) {
    for (const { at, data } of messages) if (at === begin) node.port.onmessage({ data })
    const blocks = (channels) => channels.map((channel) => channel.subarray(begin, begin + BLOCK))
    // A channel of NaN stands for one that is not connected.
    alive.push(node.process([blocks(inputs).filter((block) => !Number.isNaN(block[0]))], [blocks(outputs)]))
  }
  parentPort.postMessage({ left, names: [...registered.keys()], outputs, alive, exported: typeof createProcessorModel })
} catch (error) {
  parentPort.postMessage({ error: { name: error.name, code: error.code, message: error.message } })
}
