import { DeliverPolicy } from '@nats-io/jetstream'
import { readRun, writeRun } from '../../messages.mjs'
import { retry } from '../../retry.mjs'
import { checkFrame } from '../../session-checks.mjs'
import { SessionError } from '../../session-error.mjs'
import { Signal } from '../../signal.mjs'
import { errorSubject, frameSubject, lastRun, orStoreError, outputSubject, PULL_MS } from './jetstream.mjs'

/**
 * The client's end of a session whose frames go through the log of JetStream. What `send` has written is not lost, whoever dies. One client
 * of a session at a time.
 */
export class NatsSessionClient {
  #nats
  #name
  #sizes
  #next
  #received
  /** Not in the log yet. */
  #frames = []
  #messages
  #errors
  #failure
  #changed = new Signal()

  /**
   * @param nats what `openJetStream` gives
   * @param {string} name
   * @param {{ frameLength: number, outputLength: number, window: number }} sizes of a SessionStore
   * @param {(sequence: number, output: Float32Array) => void} onOutput
   * @returns {Promise<NatsSessionClient>} which goes on after the last frame of the log
   * @throws SessionError `STORE`
   */
  static async open(nats, name, sizes, onOutput) {
    const client = new NatsSessionClient(nats, name, sizes)
    await client.#begin(onOutput)
    return client
  }

  /** Use `NatsSessionClient.open`. */
  constructor(nats, name, sizes) {
    this.#nats = nats
    this.#name = name
    this.#sizes = sizes
  }

  /**
   * Sends the next frame; waits while many outputs are outstanding. The frame is copied then.
   * @returns {Promise<number>} its sequence number
   * @throws SessionError `SIZE` and `VALUE` for a frame that is none, which is not sent; what a worker says, where sending again does not help
   */
  async send(frame) {
    await this.#until(() => this.#next - this.#received <= this.#sizes.window / 2)
    checkFrame(frame, this.#sizes.frameLength)
    this.#frames.push(frame.slice())
    if (this.#frames.length === 1) queueMicrotask(() => this.#writeAll())
    return this.#next++
  }

  /** Waits until all outputs have come. @throws SessionError */
  async finished() {
    await this.#until(() => this.#received === this.#next - 1)
  }

  async close() {
    this.#errors.unsubscribe()
    await this.#messages.close()
  }

  async #begin(onOutput) {
    const { manager, js, connection } = this.#nats
    const { frameLength, outputLength, window } = this.#sizes
    const output = await lastRun(manager, 'OUTPUTS', outputSubject(this.#name), { length: outputLength, most: window })
    const frame = await lastRun(manager, 'FRAMES', frameSubject(this.#name), { length: frameLength, most: window })
    this.#received = output.sequence
    this.#next = Math.max(output.sequence, frame.sequence) + 1
    this.#errors = connection.subscribe(errorSubject(this.#name), { callback: (_, message) => this.#takeError(message.json()) })
    this.#messages = await orStoreError('read OUTPUTS', async () => {
      const consumer = await js.consumers.get('OUTPUTS', {
        filter_subjects: outputSubject(this.#name), deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: output.streamSequence + 1,
      })
      return consumer.consume({ expires: PULL_MS, callback: (message) => this.#take(message, onOutput) })
    })
  }

  #take({ data }, onOutput) {
    const { sequence, arrays } = readRun(data, { length: this.#sizes.outputLength, most: this.#sizes.window })
    arrays.forEach((output, n) => {
      if (sequence + n !== this.#received + 1) return // had before
      this.#received++
      onOutput(this.#received, output)
    })
    this.#changed.tell()
  }

  #takeError({ code, message, expected, passes }) {
    if (passes) return // the worker tries again
    this.#failure = new SessionError(code, message, { expected })
    this.#changed.tell()
  }

  /** One message at a time: frames are in the log in order, also where a server or connection fails in between. */
  async #writeAll() {
    while (this.#frames.length > 0) {
      const frames = this.#frames.slice(0, this.#sizes.window)
      const run = writeRun(this.#next - this.#frames.length, this.#received, frames)
      await retry(() => orStoreError('publish frames', () => this.#nats.js.publish(frameSubject(this.#name), run)), Infinity)
      this.#frames.splice(0, frames.length)
    }
  }

  async #until(isTrue) {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (isTrue()) return
      await this.#changed.told
    }
  }
}
