// Threads that call one shared model at the same time, each with inputs and sizes of its own: they have the bits of a model that nobody shares.
import { makeCase } from './suite.mjs'

const THREADS = 3
/** By turns, so that buffers come and go, and the memory grows while others run. */
const SIZES = [[1, 20], [6, 35], [40, 50], [3, 9]]
const ROUNDS = 8
const CASE = { seed: 9_000, layers: 2, bidirectional: true, bias: true, hiddenSize: 65, inputSize: 33, batchFirst: true, initialState: false }

/**
 * @param api what `lstm-wasm` and `lstm-wasm/sharing` export
 * @throws where a bit differs, or memory is not given back
 */
export async function compareCallers({ createRuntime, compile, share, openShared }, variant) {
  const { graph } = makeCase({ ...CASE, batch: 1, timesteps: 1 })
  if (typeof SharedArrayBuffer !== 'function') {
    const error = await share(graph).catch((caught) => caught)
    if (error.code !== 'ENVIRONMENT') throw new Error(`sharing without shared memory: ${String(error)}`)
    return
  }
  const shared = await share(graph, { variant })
  const alone = await compile(graph, { runtime: await createRuntime({ variant }), streams: false })
  const threads = await Promise.all(Array.from({ length: THREADS }, startThread))
  const found = await Promise.all(threads.map((thread, own) => {
    const runs = SIZES.map(([batch, timesteps], n) => {
      const { inputs } = makeCase({ ...CASE, seed: 9_001 + 10 * own + n, batch, timesteps })
      return { inputs, outputs: plain(alone.run(inputs)) }
    })
    // Each begins with another one.
    return thread.ask({ shared, caller: own, rounds: ROUNDS, runs: [...runs.slice(own), ...runs.slice(0, own)] })
  }))
  const { inputs } = makeCase({ ...CASE, seed: 9_001, batch: 2, timesteps: 7 })
  const here = await openShared(shared, { caller: THREADS, streams: false })
  if (JSON.stringify(plain(here.run(inputs))) !== JSON.stringify(plain(alone.run(inputs)))) found.push({ error: 'the sharing thread has other bits' })
  here.dispose()
  for (const thread of threads) thread.end()
  const errors = found.map(({ error }) => error).filter((error) => error !== undefined)
  if (errors.length > 0) throw new Error(`calling a shared model: ${errors.join('; ')}`)
  if (shared.callers().length > 0) throw new Error(`calling a shared model: memory is not given back: ${JSON.stringify(shared.callers())}`)
  const runs = found.reduce((sum, { runs }) => sum + runs, 0)
  if (runs !== THREADS * ROUNDS * SIZES.length) throw new Error(`calling a shared model: ${runs} runs`)
}

const plain = (outputs) => Object.entries(outputs).map(([name, { shape, data }]) => ({ name, shape: [...shape], data }))

/** A thread of Node, or a Worker; its first message says that it is there. */
async function startThread() {
  const { process } = globalThis
  const isNode = globalThis.Deno === undefined && process?.versions?.bun === undefined && process?.versions?.node !== undefined
  const url = new URL('./caller.mjs', import.meta.url)
  const thread = isNode ? new (process.getBuiltinModule('node:worker_threads').Worker)(url) : new Worker(url, { type: 'module' })
  const next = () => new Promise((resolve, reject) => {
    if (isNode) {
      thread.once('message', resolve)
      thread.once('error', reject)
    } else {
      thread.onmessage = ({ data }) => resolve(data)
      thread.onerror = ({ message }) => reject(new Error(message || 'a Worker does not start'))
    }
  })
  await next()
  return {
    ask(message) {
      const answer = next()
      thread.postMessage(message)
      return answer
    },
    end: () => void thread.terminate(),
  }
}
