// What `lstm-wasm score` asks of whoever scores for it, in a thread: the built worker that the command itself has.
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { LstmError } from 'lstm-wasm'

/** A plan is read by the version that made it. */
export const { version: VERSION } = createRequire(import.meta.url)('lstm-wasm/package.json')

/** A thread that scores the windows of one model. */
export class ScoringThread {
  #worker
  /** Rejects when the thread has ended. */
  #ended

  /** @param {{ model: Uint8Array, plan: object, variant: string }} task what `lstm-wasm score --pool` is given */
  constructor({ model, plan, variant }) {
    this.#worker = new Worker(new URL('score-worker.js', import.meta.resolve('lstm-wasm')), { workerData: { model, plan, variant } })
    this.#ended = new Promise((_, reject) => {
      this.#worker.once('error', reject)
      this.#worker.once('exit', () => reject(new Error('the thread that scores has ended')))
    })
    this.#ended.catch(() => {}) // whoever waits for scores is told
  }

  /**
   * One job at a time.
   * @param {{ inputs: ArrayBufferView[], ends: Int32Array }} job
   * @returns {Promise<{ scores: ArrayBufferView[] } | { code?: string, message: string }>}
   */
  score(job) {
    const answer = new Promise((resolve) => this.#worker.once('message', resolve))
    this.#worker.postMessage(job)
    return Promise.race([answer, this.#ended])
  }

  async end() {
    await this.#worker.terminate()
  }
}

/** @returns the scores of an answer. @throws LstmError what the thread has thrown */
export function scoresOf(answer) {
  if ('scores' in answer) return answer.scores
  throw answer.code === undefined ? new Error(answer.message) : new LstmError(answer.code, answer.message)
}
