// Threads that open shared models: test/sharing/worker.mjs.
import { Worker } from 'node:worker_threads'
import { LstmError, type LstmErrorCode } from '../../src/errors.ts'

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly code?: LstmErrorCode, readonly message: string }
}

/** A thread that does what it is told, one thing after the other. */
export class Thread {
  readonly number: number
  readonly #worker: Worker
  #asked = 0

  constructor() {
    this.#worker = new Worker(new URL('worker.mjs', import.meta.url))
    this.number = this.#worker.threadId
  }

  /** @throws what the thread throws */
  ask<T = unknown>(name: string, ...args: readonly unknown[]): Promise<T> {
    const own = this.#asked++
    return new Promise((resolve, reject) => {
      const settled = (): void => {
        this.#worker.off('message', heard)
        this.#worker.off('error', failed)
      }
      const heard = ({ id, result, error }: Answer): void => {
        if (id !== own) return
        settled()
        if (error === undefined) resolve(result as T)
        else reject(error.code === undefined ? new Error(error.message) : new LstmError(error.code, error.message))
      }
      const failed = (error: Error): void => {
        settled()
        reject(error)
      }
      this.#worker.on('message', heard)
      this.#worker.on('error', failed)
      this.#worker.postMessage([own, name, ...args])
    })
  }

  /** Resolves when it has ended, and those who listen have been told. */
  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  /** The same when it ends by itself. */
  async exit(): Promise<void> {
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage([this.#asked++, 'exit'])
    await ended
  }
}

/** A word for threads to meet at. */
export const meeting = (): Int32Array => new Int32Array(new SharedArrayBuffer(4))
