// What `lstm-wasm score --pool pool.mjs` and its workers agree on in NATS JetStream:
//
//   bucket score-tasks     models, and how windows become their inputs, by the hash of their bytes
//   stream SCORE_JOBS      score.jobs: groups of windows. Each goes to one worker, and to another one where that one says nothing for a while
//   stream SCORE_RESULTS   score.results.RUN: their scores, for the run that asked
//
// Messages are what `node:v8` makes of them: { run, number, task, job } and { number, answer }.
import { createHash } from 'node:crypto'
import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream'
import { Objm } from '@nats-io/obj'
import { nanos } from '@nats-io/transport-node'
import { retry } from '../../retry.mjs'
import { connectTo, orStoreError, PULL_MS, REQUEST_MS } from '../nats/jetstream.mjs'

const JOBS = 'score.jobs'
const SCORERS = 'scorers'
/** What nobody has asked for any more goes by itself. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000
/** An object of the bucket is sent in parts of this size. */
const PART_BYTES = 2 ** 17

export class ScoreQueue {
  #connection
  #manager
  #js
  #tasks
  #patienceMs
  #isClosed = false

  /**
   * @param {string} servers
   * @param {number} patienceMs for how long a server that is gone is waited for
   * @throws SessionError `STORE`
   */
  static async open(servers, patienceMs) {
    const queue = new ScoreQueue(patienceMs)
    await queue.#begin(servers)
    return queue
  }

  /** Use `ScoreQueue.open`. */
  constructor(patienceMs) {
    this.#patienceMs = patienceMs
  }

  async #begin(servers) {
    this.#connection = await this.#store('connect', () => connectTo(servers))
    await this.#store('set up JetStream', async () => {
      this.#manager = await jetstreamManager(this.#connection, { timeout: REQUEST_MS })
      this.#js = jetstream(this.#connection, { timeout: REQUEST_MS })
      const kept = { retention: RetentionPolicy.Workqueue, max_age: nanos(KEPT_MS) }
      await this.#manager.streams.add({ name: 'SCORE_JOBS', subjects: [JOBS], ...kept })
      await this.#manager.streams.add({ name: 'SCORE_RESULTS', subjects: ['score.results.*'], ...kept })
      this.#tasks = await new Objm(this.#js).create('score-tasks', { ttl: nanos(KEPT_MS) })
    })
  }

  /** Most bytes of a message. */
  get mostBytes() {
    return this.#connection.info.max_payload
  }

  /** @returns {Promise<string>} the name of a task that workers read */
  async putTask(bytes) {
    const name = createHash('sha256').update(bytes).digest('hex')
    await this.#store('write the task', () => this.#tasks.putBlob({ name, options: { max_chunk_size: PART_BYTES } }, bytes))
    return name
  }

  /** @returns {Promise<Uint8Array>} */
  async task(name) {
    const bytes = await this.#store('read the task', () => this.#tasks.getBlob(name))
    if (bytes === null) throw new Error(`no task ${name}: it is older than a week`)
    return bytes
  }

  /** Written once, however often an answer of the server is lost. */
  async putJob(run, number, bytes) {
    await this.#store('write a job', () => this.#js.publish(JOBS, bytes, { msgID: `${run}.${number}` }))
  }

  async putResult(run, number, bytes) {
    await this.#store('write scores', () => this.#js.publish(resultsOf(run), bytes, { msgID: `${run}.${number}` }))
  }

  /** A worker comes. @param {number} ackMs after which one that says nothing has lost its job; the same for all */
  async beginWork(ackMs) {
    await this.#store('begin work', () => this.#manager.consumers.add('SCORE_JOBS', { durable_name: SCORERS, ack_policy: AckPolicy.Explicit, ack_wait: nanos(ackMs) }))
  }

  /** The next job, which nobody else has; null after some seconds without any. */
  nextJob() {
    return this.#next('SCORE_JOBS', SCORERS)
  }

  /** The next scores of a run; null after some seconds without any. */
  nextResult(run) {
    return this.#next('SCORE_RESULTS', run)
  }

  async beginRun(run) {
    await this.#store('begin a run', () => this.#manager.consumers.add('SCORE_RESULTS', {
      durable_name: run, filter_subject: resultsOf(run), ack_policy: AckPolicy.Explicit, inactive_threshold: nanos(KEPT_MS),
    }))
  }

  /** Nobody waits for scores of it any more. */
  async endRun(run) {
    await orStoreError('end a run', async () => {
      await this.#manager.streams.purge('SCORE_RESULTS', { filter: resultsOf(run) })
      await this.#manager.consumers.delete('SCORE_RESULTS', run)
    })
  }

  async close() {
    this.#isClosed = true
    await this.#connection.close()
  }

  async #next(stream, name) {
    return this.#store(`read ${stream}`, async () => (
      within(PULL_MS + REQUEST_MS, (await this.#js.consumers.get(stream, name)).next({ expires: PULL_MS }))
    ))
  }

  /** Tries again while the server is gone, until this is closed. */
  #store(what, work) {
    return retry(async () => {
      if (this.#isClosed) throw new Error('this queue is closed')
      return orStoreError(what, work)
    }, this.#patienceMs)
  }
}

const resultsOf = (run) => `score.results.${run}`

/** A request for messages does not end while the server is gone. */
async function within(milliseconds, work) {
  let timer
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([work, silence]).finally(() => clearTimeout(timer))
}
