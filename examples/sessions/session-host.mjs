import { errorMessage, readRun, writeRun } from './messages.mjs'
import { SessionError } from './session-error.mjs'
import { SessionStore } from './session-store.mjs'

/** What a host says to clients that are connected, whatever carries the messages: a WebSocket, or a pipe to the process that has it. */
export class SessionHost {
  #store
  #send

  /**
   * @param model what `openModel` gives
   * @param {import('./states.mjs').States} states
   * @param {(name: string, message: Uint8Array | string) => void} send to the client of a session, if there is one
   * @param options of SessionStore
   */
  constructor(model, states, send, options) {
    this.#send = send
    this.#store = new SessionStore(model, states, { ...options, onSaved: (name, saved) => this.#tell(name, { type: 'saved', saved }) })
  }

  /** A client has come, or this host has taken its session over: it is told where the session is, and what it may have missed. */
  connected(name) {
    return this.#answer(name, async () => {
      const { done, saved, outputs } = await this.#store.open(name)
      this.#tell(name, { type: 'welcome', done, saved, confirmed: done - outputs.length, ...this.#store.sizes })
      this.#sendOutputs(name, saved, outputs)
    })
  }

  /** Frames, as `writeRun` writes them. What is wrong with them is told to the client. */
  received(name, bytes) {
    return this.#answer(name, async () => {
      const { frameLength, window } = this.#store.sizes
      const { sequence, upTo, arrays } = readRun(bytes, { length: frameLength, most: window })
      const { saved, outputs } = await this.#store.step(name, { sequence, frames: arrays, confirmed: upTo })
      this.#sendOutputs(name, saved, outputs)
    })
  }

  /** The client has gone: its session is saved until it returns. */
  disconnected(name) {
    return this.#answer(name, () => this.#store.leave(name))
  }

  /** All sessions are saved. @throws SessionError */
  end() {
    return this.#store.leaveAll()
  }

  async #answer(name, work) {
    try {
      await work()
    } catch (error) {
      this.#send(name, errorMessage(error))
      if (!(error instanceof SessionError)) throw error
    }
  }

  #sendOutputs(name, saved, outputs) {
    if (outputs.length > 0) this.#send(name, writeRun(outputs[0].sequence, saved, outputs.map(({ output }) => output)))
  }

  #tell(name, message) {
    this.#send(name, JSON.stringify(message))
  }
}
