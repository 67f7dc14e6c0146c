import type { WorkerProgram } from './workers.ts'

// It says that it is there, and serves until the crew is over. `serve` of the binary comes back with the address of a list of calls (call-list.ts) where
// it has claimed one. What goes wrong in it is not told: whoever gave it out sees that it was not made, and finds the reason.
const SERVE = `const serve = ({ module, memory, crewPtr, thread }, say) => {
  const instance = (binary, others) => new WebAssembly.Instance(binary, { env: { ...others, memory } }).exports
  const exports = instance(module)
  let kernels
  const make = (ptr) => {
    const head = new Uint32Array(memory.buffer, ptr, 4)
    kernels ??= Object.values({ ...exports, ...instance(new WebAssembly.Module(new Uint8Array(memory.buffer, head[1], head[2]).slice()), exports) })
    const numbers = new Float64Array(memory.buffer, ptr + 16, head[3])
    for (let at = 0; at < numbers.length; at += 2 + numbers[at + 1]) {
      const refused = kernels[numbers[at]](...numbers.subarray(at + 2, at + 2 + numbers[at + 1]))
      if (refused !== undefined && refused !== -1) return
    }
    head[0] = 1
  }
  say('here')
  for (let next; (next = exports.serve(crewPtr, thread) >>> 0) !== 0;) {
    if (next === 1) continue
    try { make(next) } catch {}
    exports.taskDone(crewPtr)
  }
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
