// Who scores for `lstm-wasm score --pool pool.mjs`: workers on any machines, by a work queue of NATS. NATS_URL says where that is, DEPTH how many
// groups of windows are on their way (default 16: more than there are workers), PATIENCE_MS for how long a server that is gone is waited for.
import { randomUUID } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { scoresOf, VERSION } from '../../scoring.mjs'
import { SessionError } from '../../session-error.mjs'
import { ScoreQueue } from './queue.mjs'

const { NATS_URL = 'nats://127.0.0.1:4222', DEPTH = '16', PATIENCE_MS = '60000' } = process.env
/** After which it is said that nobody scores. */
const SILENCE_MS = 10_000

/** @param {{ model: Uint8Array, plan: object, variant: string }} task */
export default async function openPool({ model, plan, variant }) {
  if (variant !== 'simd') throw new SessionError('VALUE', `scores would differ between machines: expected --variant simd, got ${variant}`)
  const queue = await ScoreQueue.open(NATS_URL, Number(PATIENCE_MS))
  try {
    const task = await queue.putTask(serialize({ version: VERSION, model: new Uint8Array(model), plan, variant }))
    const pool = new NatsPool(queue, task)
    await pool.begin()
    return pool
  } catch (error) {
    await queue.close()
    throw error
  }
}

class NatsPool {
  depth = Number(DEPTH)
  #queue
  #task
  #run = randomUUID()
  #number = 0
  /** Jobs without scores, by their numbers. */
  #waiting = new Map()
  #failure
  #isOver = false
  #heardAt = Date.now()

  constructor(queue, task) {
    this.#queue = queue
    this.#task = task
  }

  async begin() {
    await this.#queue.beginRun(this.#run)
    this.#receiveAll().catch((error) => this.#fail(error))
  }

  async score(job) {
    if (this.#failure !== undefined) throw this.#failure
    const number = ++this.#number
    const bytes = serialize({ run: this.#run, number, task: this.#task, job })
    const { mostBytes } = this.#queue
    if (bytes.length > mostBytes) {
      throw new SessionError('SIZE', `a group of windows takes ${bytes.length} bytes, the NATS server takes ${mostBytes}: less --group-rows, or max_payload in its configuration`)
    }
    const answer = new Promise((resolve, reject) => this.#waiting.set(number, { resolve, reject }))
    answer.catch(() => {}) // it may fail before the job is written
    await this.#queue.putJob(this.#run, number, bytes)
    return scoresOf(await answer)
  }

  async end() {
    this.#isOver = true
    await this.#queue.endRun(this.#run).catch(() => {}) // what is left of it goes by itself
    await this.#queue.close()
  }

  async #receiveAll() {
    while (!this.#isOver) {
      const message = await this.#queue.nextResult(this.#run)
      if (message === null) this.#tellSilence()
      else this.#take(message)
    }
  }

  #take(message) {
    this.#heardAt = Date.now()
    const { number, answer } = deserialize(message.data)
    this.#waiting.get(number)?.resolve(answer)
    this.#waiting.delete(number) // scores that come twice are the same
    message.ack()
  }

  #tellSilence() {
    if (this.#waiting.size === 0 || Date.now() - this.#heardAt < SILENCE_MS) return
    this.#heardAt = Date.now()
    console.error(`${this.#waiting.size} groups of windows wait in ${NATS_URL}, and nobody scores: node examples/sessions/hosts/score/worker.mjs, on any machine`)
  }

  #fail(error) {
    if (this.#isOver) return
    this.#failure = error
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
