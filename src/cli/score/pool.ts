// Who scores: this thread, or several others. Each has the whole model; jobs go to whoever is free, and come back in order by their promises.
import { Worker } from 'node:worker_threads'
import { compile, createRuntime, LstmError, type DataOf, type Graph, type LstmErrorCode, type OutputDTypes, type Variant } from '../../index.ts'
import { BatchScorer, type ScorePlan, type Scores } from './batch-scorer.ts'
import type { ScoreJob } from './framing.ts'

export interface ScorePool {
  /** Jobs that may wait or run at the same time, so that nobody waits for one. */
  readonly depth: number
  score(job: ScoreJob): Promise<Scores>
  end(): Promise<void>
}

/** What a worker is given when it starts. */
export interface WorkerTask {
  /** The model as `saveGraph` writes it; threads share its memory. */
  readonly model: Uint8Array
  readonly plan: ScorePlan
  readonly variant: Variant
}

/** What a worker answers. */
export type WorkerAnswer = { readonly scores: Scores } | { readonly code: LstmErrorCode | undefined, readonly message: string }

/** Time between turns of the event loop, in milliseconds. */
const TURN_MS = 50

/** Lets the event loop run now and then. */
function turns(): () => Promise<void> {
  let last = performance.now()
  return async () => {
    if (performance.now() - last < TURN_MS) return
    await new Promise(setImmediate)
    last = performance.now()
  }
}

/** In this thread: one worker costs no second thread, no second copy of the model. */
export async function scoreHere(graph: Graph, plan: ScorePlan, variant: Variant): Promise<ScorePool> {
  const model = await compile<OutputDTypes>(graph, { runtime: await createRuntime({ variant }) })
  const scorer = new BatchScorer(model, plan)
  return {
    depth: 1,
    score: (job) => scorer.score(job, turns()),
    end: async () => model.dispose(),
  }
}

interface Waiting {
  readonly job: ScoreJob
  readonly resolve: (scores: Scores) => void
  readonly reject: (error: unknown) => void
}

/** In threads of Node. */
export class WorkerPool implements ScorePool {
  readonly depth: number
  readonly #workers: readonly Worker[]
  readonly #idle: Worker[]
  readonly #queue: Waiting[] = []
  readonly #running: Map<Worker, Waiting> = new Map()
  #failure: LstmError | undefined

  /** @param file the built worker, beside the command */
  constructor(count: number, task: WorkerTask, file: URL) {
    this.depth = 2 * count
    this.#workers = Array.from({ length: count }, () => new Worker(file, { workerData: task, execArgv: [] }))
    this.#idle = [...this.#workers]
    for (const worker of this.#workers) {
      worker.on('message', (answer: WorkerAnswer) => this.#answered(worker, answer))
      worker.on('error', (cause) => this.#failed(new LstmError('ENVIRONMENT', `a worker has failed: ${String(cause)}`, { cause })))
      worker.on('exit', () => this.#failed(new LstmError('ENVIRONMENT', 'a worker has ended')))
    }
  }

  async score(job: ScoreJob): Promise<Scores> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#queue.push({ job, resolve, reject })
      this.#give()
    })
  }

  #give(): void {
    while (this.#idle.length > 0 && this.#queue.length > 0) {
      const worker = this.#idle.pop() as Worker
      const waiting = this.#queue.shift() as Waiting
      this.#running.set(worker, waiting)
      worker.postMessage(waiting.job, buffersOf([...waiting.job.inputs, waiting.job.ends]))
    }
  }

  #answered(worker: Worker, answer: WorkerAnswer): void {
    const waiting = this.#running.get(worker)
    this.#running.delete(worker)
    this.#idle.push(worker)
    if ('scores' in answer) waiting?.resolve(answer.scores)
    else waiting?.reject(answer.code === undefined ? new Error(answer.message) : new LstmError(answer.code, answer.message))
    this.#give()
  }

  #failed(error: LstmError): void {
    this.#failure ??= error
    for (const { reject } of [...this.#queue.splice(0), ...this.#running.values()]) reject(this.#failure)
    this.#running.clear()
  }

  async end(): Promise<void> {
    this.#failure ??= new LstmError('ABORTED', 'stopped')
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}

/** Bytes that workers share. */
export function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}

/** Buffers of arrays, to hand them over rather than copy them. */
export const buffersOf = (arrays: readonly DataOf[]): ArrayBuffer[] => arrays.map(({ buffer }) => buffer as ArrayBuffer)
