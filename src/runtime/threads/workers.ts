// Workers, wherever there are some: threads of Node, or Workers of browsers, Deno and Bun.
import type { KernelMemory, KernelModule } from '../web-assembly.ts'

/** What a worker is given. */
export interface WorkerTask {
  readonly module: KernelModule
  readonly memory: KernelMemory
  readonly crewPtr: number
  readonly thread: number
}

/** A worker that runs. */
export interface RunningWorker {
  readonly end: () => void
}

interface NodeWorker {
  on(event: 'message' | 'error' | 'exit', listener: (value: unknown) => void): void
  unref(): void
  terminate(): unknown
}

interface Platform {
  readonly process?: { readonly versions?: { readonly node?: string, readonly bun?: string }, readonly getBuiltinModule?: (name: string) => unknown }
  readonly Deno?: unknown
  readonly navigator?: { readonly hardwareConcurrency?: number }
  readonly crossOriginIsolated?: boolean
}

const platform = (): Platform => globalThis

/** Whether threads are Node's own: Deno and Bun have Workers, which they start faster. */
const isNode = (): boolean => {
  const { process, Deno } = platform()
  return process?.versions?.node !== undefined && process.versions.bun === undefined && Deno === undefined
}

async function moduleOfNode(name: string): Promise<unknown> {
  return platform().process?.getBuiltinModule?.(name) ?? import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name)
}

/** Processors that this process may use. */
export async function processors(): Promise<number> {
  if (!isNode()) return platform().navigator?.hardwareConcurrency ?? 1
  return (await moduleOfNode('node:os') as typeof import('node:os')).availableParallelism()
}

/** Why there can be no threads here; undefined where there can. */
export function reasonAgainst(): string | undefined {
  if (typeof SharedArrayBuffer !== 'function') {
    return platform().crossOriginIsolated === false
      ? 'this page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
      : 'this place has no SharedArrayBuffer'
  }
  return isNode() || typeof Worker === 'function' ? undefined : 'this place has no workers'
}

// A worker's program is text: bundlers leave it as it is, and no file must be found. It says that it is there, and serves until the crew is over.
const SERVE = `const serve = ({ module, memory, crewPtr, thread }, say) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  say('here')
  while (exports.serve(crewPtr, thread)) continue
}
`
const NODE_PROGRAM = `${SERVE}const { parentPort, workerData } = require('node:worker_threads')
serve(workerData, (word) => parentPort.postMessage(word))`
const WEB_PROGRAM = `${SERVE}globalThis.onmessage = ({ data }) => {
  serve(data, (word) => postMessage(word))
  close()
}`

/** Workers that do not say within this time that they are there are not waited for. */
const START_MILLISECONDS = 20_000

/**
 * Starts a worker; resolves when it is there.
 * @param lost called when it ends, whatever the reason is
 * @throws what kept it from starting
 */
export async function startWorker(task: WorkerTask, lost: () => void): Promise<RunningWorker> {
  return isNode() ? startNodeWorker(task, lost) : startWebWorker(task, lost)
}

async function startNodeWorker(task: WorkerTask, lost: () => void): Promise<RunningWorker> {
  const { Worker } = await moduleOfNode('node:worker_threads') as typeof import('node:worker_threads')
  const worker: NodeWorker = new Worker(NODE_PROGRAM, { eval: true, workerData: task, execArgv: [], name: `lstm-wasm ${task.thread}` })
  await inTime((here, failed) => {
    worker.on('message', here)
    worker.on('error', failed)
    worker.on('exit', (code) => failed(new Error(`the worker has ended with code ${String(code)}`)))
  }, () => void worker.terminate())
  worker.on('exit', lost)
  // A process may end while its workers wait.
  worker.unref()
  return { end: () => void worker.terminate() }
}

async function startWebWorker(task: WorkerTask, lost: () => void): Promise<RunningWorker> {
  const url = URL.createObjectURL(new Blob([WEB_PROGRAM], { type: 'text/javascript' }))
  // Deno has no other kind.
  const worker = new Worker(url, { type: 'module', name: `lstm-wasm ${task.thread}` })
  try {
    await inTime((here, failed) => {
      worker.onmessage = here
      worker.onerror = (event) => {
        event.preventDefault()
        failed(new Error(event.message || 'a Worker of a blob: URL cannot be started; a Content-Security-Policy must allow it: worker-src blob:'))
      }
      worker.postMessage(task)
    }, () => worker.terminate())
  } finally {
    URL.revokeObjectURL(url)
  }
  worker.onerror = (event) => {
    event.preventDefault()
    lost()
  }
  return { end: () => worker.terminate() }
}

/** Waits for a worker. */
function inTime(begin: (here: () => void, failed: (cause: unknown) => void) => void, giveUp: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => failed(new Error('a worker has not started in time')), START_MILLISECONDS)
    const failed = (cause: unknown): void => {
      clearTimeout(timer)
      giveUp()
      reject(cause instanceof Error ? cause : new Error(String(cause)))
    }
    begin(() => {
      clearTimeout(timer)
      resolve()
    }, failed)
  })
}
