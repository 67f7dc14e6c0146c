import type { WorkerProgram } from './workers.ts'

// It says that it is there, and serves until the crew is over.
const SERVE = `const serve = ({ module, memory, crewPtr, thread }, say) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  say('here')
  while (exports.serve(crewPtr, thread)) continue
}
`
const NODE = `${SERVE}const { parentPort, workerData } = require('node:worker_threads')
serve(workerData, (word) => parentPort.postMessage(word))`
const WEB = `${SERVE}globalThis.onmessage = ({ data }) => {
  serve(data, (word) => postMessage(word))
  close()
}`

/** What a thread of a runtime runs. Its task: the module, the memory, where the words of the crew are, and its number. */
export function programOf(thread: number): WorkerProgram {
  return { name: `lstm-wasm ${thread}`, node: NODE, web: WEB }
}
