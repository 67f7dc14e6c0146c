import { errorMessage, readRun, writeRun } from '../../messages.mjs'
import { retry } from '../../retry.mjs'
import { SessionError } from '../../session-error.mjs'
import { errorSubject, lastRun, orStoreError, outputSubject } from './jetstream.mjs'

/** Frames are tried again after this, where it is up to someone else that they can be computed. */
const AGAIN_MS = 500
/** Frames that will not be computed, however often they are tried. */
const HOPELESS = new Set(['GAP', 'SIZE', 'VALUE'])

/**
 * A session whose frames come from the log. Its messages are computed one after another. A message is acknowledged, which deletes it, when
 * the saved state has seen its frames and their outputs are in OUTPUTS. Where another worker has written the state in between, this one
 * goes on from that, and computes again what it has not seen.
 */
export class LoggedSession {
  #name
  #nats
  #store
  /** Messages that are not acknowledged, in order: { message, last }, last: number of their last frame, known when they are computed. */
  #log = []
  /** How many of them are computed. */
  #computed = 0
  #isReading = false
  #isPublishing = false
  /** Until the last output is known: those up to it have been published, by this worker or the one before. */
  #begun
  /** Of the last message of outputs. */
  #streamSequence = 0
  #saved = 0
  #confirmed = 0
  #isOver = false
  #usedAt = 0

  /**
   * @param {string} name
   * @param nats what `openJetStream` gives
   * @param {import('../../session-store.mjs').SessionStore} store
   */
  constructor(name, nats, store) {
    this.#name = name
    this.#nats = nats
    this.#store = store
  }

  /** A message of the log. */
  take(message) {
    this.#usedAt = Date.now()
    this.#log.push({ message, last: undefined })
    this.#readAll()
  }

  /** Whether there has been nothing to do with it for some time. */
  isUnusedFor(milliseconds) {
    return !this.#isPublishing && this.#log.length === 0 && Date.now() - this.#usedAt > milliseconds
  }

  /** The state is saved. */
  saved(sequence) {
    this.#saved = Math.max(this.#saved, sequence)
    this.#settle()
  }

  /** This worker has it no longer: what is not acknowledged is for the next one. */
  end() {
    this.#isOver = true
  }

  async #readAll() {
    if (this.#isReading) return
    this.#isReading = true
    while (!this.#isOver && this.#computed < this.#log.length) await this.#readNext()
    this.#isReading = false
  }

  async #readNext() {
    try {
      this.#begun ??= this.#begin()
      await this.#begun
      await this.#compute(this.#log[this.#computed])
    } catch (error) {
      if (!this.#isOver) await this.#answer(error)
    }
  }

  /** What is done about a message that cannot be computed. */
  async #answer(error) {
    if (error.code === 'TAKEN' || (error.code === 'GAP' && this.#computed > 0)) return this.#goBack()
    this.#nats.connection.publish(errorSubject(this.#name), errorMessage(error))
    if (HOPELESS.has(error.code)) {
      const [{ message }] = this.#log.splice(this.#computed, 1)
      message.term(error.message)
      return
    }
    if (!(error instanceof SessionError)) console.error(error)
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }

  /** To the first message that is not acknowledged: the state is what is saved, perhaps by another worker. */
  #goBack() {
    this.#computed = 0
    this.#begun = undefined
  }

  async #begin() {
    try {
      await this.#readLast()
      this.#store.forget(this.#name) // what is in memory may be from before another worker had it
      const { saved } = await this.#store.open(this.#name)
      this.#saved = saved
      this.#store.confirm(this.#name, this.#confirmed)
    } catch (error) {
      this.#begun = undefined
      throw error
    }
    this.#publish()
  }

  /** Where OUTPUTS ends for this session. */
  async #readLast() {
    const { outputLength, window } = this.#store.sizes
    const { sequence, streamSequence } = await lastRun(this.#nats.manager, 'OUTPUTS', outputSubject(this.#name), { length: outputLength, most: window })
    this.#streamSequence = streamSequence
    this.#confirmed = Math.max(this.#confirmed, sequence)
  }

  async #compute(entry) {
    const { frameLength, window } = this.#store.sizes
    const { sequence, arrays } = readRun(entry.message.data, { length: frameLength, most: window })
    await this.#store.step(this.#name, { sequence, frames: arrays, confirmed: this.#confirmed })
    entry.last = sequence + arrays.length - 1
    this.#computed++
    this.#publish()
    this.#settle()
  }

  /** Publishes the outputs that are not in OUTPUTS yet, one message at a time, so that they are there once and in order. */
  async #publish() {
    if (this.#isPublishing) return
    this.#isPublishing = true
    try {
      while (await retry(() => this.#publishSome(), Infinity));
    } catch (error) {
      if (!(error instanceof SessionError)) console.error(error)
      this.#goBack()
      setTimeout(() => this.#readAll(), AGAIN_MS)
    } finally {
      this.#isPublishing = false
    }
  }

  /** @returns whether there were any */
  async #publishSome() {
    if (this.#isOver) return false
    const { saved, outputs } = await this.#store.open(this.#name)
    if (outputs.length === 0 || this.#isOver) return false
    try {
      await orStoreError('publish outputs', async () => {
        const run = writeRun(outputs[0].sequence, saved, outputs.map(({ output }) => output))
        const { seq } = await this.#nats.js.publish(outputSubject(this.#name), run, { expect: { lastSubjectSequence: this.#streamSequence } })
        this.#streamSequence = seq
        this.#confirmed = outputs.at(-1).sequence
      })
    } catch (error) {
      if (error.code !== 'TAKEN') throw error
      await this.#readLast() // an answer was lost, or another worker was faster: with the same bits
    }
    this.#store.confirm(this.#name, this.#confirmed)
    this.#settle()
    return true
  }

  #settle() {
    const settled = Math.min(this.#saved, this.#confirmed)
    while (this.#computed > 0 && this.#log[0].last <= settled) {
      this.#log.shift().message.ack()
      this.#computed--
    }
  }
}
