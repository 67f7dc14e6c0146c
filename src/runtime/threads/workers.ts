// Workers, wherever there are some: threads of Node, or Workers of browsers, Deno and Bun.
/** A program for workers, as text: bundlers leave it as it is, and no file must be found. */
export interface WorkerProgram {
  /** Of the worker, where tools show it. */
  readonly name: string
  /** A script for a thread of Node, with the task as `workerData`. */
  readonly node: string
  /** A script for a Worker, with the task as its first message. */
  readonly web: string
}

/** What a worker tells, once it is there: its first message says that. */
export interface WorkerListener {
  /** Each further message. */
  readonly heard?: (message: unknown) => void
  /** It has ended, whatever the reason is; not after `end`, in browsers. */
  readonly lost: (cause: unknown) => void
}

/** A worker that runs. */
export interface RunningWorker {
  /** @throws DataCloneError for what cannot be sent */
  readonly post: (message: unknown, moved?: readonly ArrayBuffer[]) => void
  /** Whether a process of Node waits for it before it ends. Default: no. */
  readonly keepProcess: (kept: boolean) => void
  readonly end: () => void
}

interface NodeWorker {
  on(event: 'message' | 'error' | 'exit', listener: (value: unknown) => void): void
  postMessage(message: unknown, moved?: readonly ArrayBuffer[]): void
  ref(): void
  unref(): void
  terminate(): unknown
}

interface Platform {
  readonly process?: {
    readonly versions?: { readonly node?: string, readonly bun?: string }
    readonly getBuiltinModule?: (name: string) => unknown
    on(event: 'worker', listener: (worker: { readonly threadId: number, once(event: 'exit', listener: () => void): void }) => void): void
  }
  readonly Deno?: unknown
  readonly navigator?: { readonly hardwareConcurrency?: number }
  readonly crossOriginIsolated?: boolean
}

const platform = (): Platform => globalThis

/** Whether threads are Node's own: Deno and Bun have Workers, which they start faster. */
export const isNode = (): boolean => {
  const { process, Deno } = platform()
  return process?.versions?.node !== undefined && process.versions.bun === undefined && Deno === undefined
}

async function moduleOfNode(name: string): Promise<unknown> {
  return platform().process?.getBuiltinModule?.(name) ?? import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name)
}

/** The number of this thread, where Node numbers them: 0 is the main thread. */
export async function threadNumber(): Promise<number | undefined> {
  return isNode() ? (await moduleOfNode('node:worker_threads') as typeof import('node:worker_threads')).threadId : undefined
}

/** Tells of workers of this thread that have ended, where Node does: those that it starts from now on. */
export function whenWorkersEnd(ended: (thread: number) => void): void {
  if (!isNode()) return
  platform().process?.on('worker', (worker) => {
    // When it has ended, it has none.
    const { threadId } = worker
    worker.once('exit', () => ended(threadId))
  })
}

/** Processors that this process may use. */
export async function processors(): Promise<number> {
  if (!isNode()) return platform().navigator?.hardwareConcurrency ?? 1
  return (await moduleOfNode('node:os') as typeof import('node:os')).availableParallelism()
}

/** Why there can be no threads here; undefined where there can. */
export function reasonAgainst(): string | undefined {
  return reasonAgainstSharing() ?? (hasWorkers() ? undefined : NO_WORKERS)
}

/** Why no memory can be shared here; undefined where it can. */
export function reasonAgainstSharing(): string | undefined {
  if (typeof SharedArrayBuffer === 'function') return undefined
  return platform().crossOriginIsolated === false
    ? 'this page is not cross-origin isolated: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
    : 'this place has no SharedArrayBuffer'
}

/** Why there can be no workers here. */
export const NO_WORKERS = 'this place has no workers'

export const hasWorkers = (): boolean => isNode() || typeof Worker === 'function'

/** Workers that do not say within this time that they are there are not waited for. */
const START_MILLISECONDS = 20_000

/**
 * Starts a worker; resolves when it is there.
 * @throws what kept it from starting
 */
export async function startWorker(program: WorkerProgram, task: unknown, listener: WorkerListener): Promise<RunningWorker> {
  return isNode() ? startNodeWorker(program, task, listener) : startWebWorker(program, task, listener)
}

async function startNodeWorker({ name, node }: WorkerProgram, task: unknown, { heard, lost }: WorkerListener): Promise<RunningWorker> {
  const { Worker } = await moduleOfNode('node:worker_threads') as typeof import('node:worker_threads')
  const worker: NodeWorker = new Worker(node, { eval: true, workerData: task, execArgv: [], name })
  let failure: unknown
  await inTime((here, failed) => {
    worker.on('message', firstAndOthers(here, heard))
    worker.on('error', (cause) => {
      failure = cause
      failed(cause)
    })
    worker.on('exit', (code) => failed(new Error(`the worker has ended with code ${String(code)}`)))
  }, () => void worker.terminate())
  worker.on('exit', (code) => lost(failure ?? new Error(`it has ended with code ${String(code)}`)))
  // A process may end while its workers wait.
  worker.unref()
  return {
    post: (message, moved) => worker.postMessage(message, moved),
    keepProcess: (kept) => (kept ? worker.ref() : worker.unref()),
    end: () => void worker.terminate(),
  }
}

async function startWebWorker({ name, web }: WorkerProgram, task: unknown, { heard, lost }: WorkerListener): Promise<RunningWorker> {
  const url = URL.createObjectURL(new Blob([web], { type: 'text/javascript' }))
  // Deno has no other kind.
  const worker = new Worker(url, { type: 'module', name })
  try {
    await inTime((here, failed) => {
      const hear = firstAndOthers(here, heard)
      worker.onmessage = ({ data }) => hear(data)
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
    lost(new Error(event.message))
  }
  return {
    post: (message, moved = []) => worker.postMessage(message, [...moved]),
    keepProcess() {
      // Node's own.
    },
    end: () => worker.terminate(),
  }
}

/** Messages may come two at a time: the one after the first must not be lost. */
function firstAndOthers(here: () => void, heard: WorkerListener['heard']): (message: unknown) => void {
  let isThere = false
  return (message) => {
    if (isThere) return heard?.(message)
    isThere = true
    here()
  }
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
