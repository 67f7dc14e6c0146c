import { readRun, REPLACED, writeRun } from './messages.mjs'
import { checkFrame } from './session-checks.mjs'
import { SessionError } from './session-error.mjs'
import { Signal } from './signal.mjs'

/** Frames of one message when many are sent again. */
const RUN = 32
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2000
/** Every frame in flight after a gap is answered with the same error: one answer in this time is enough. */
const SAME_GAP_MS = 500

/** @typedef {{ onMessage: (data: ArrayBuffer | Uint8Array | string) => void, onClose: (code?: number) => void }} Events what a connection calls */

/**
 * The client's end of a session: numbers frames, keeps those that are not saved, and sends them again when the connection or the worker
 * behind it has gone. Every output arrives once, in order.
 */
export class SessionClient {
  #connect
  #onOutput
  #connection
  #wait = FIRST_WAIT_MS
  /** What `welcome` says of the session; undefined until then. */
  #sizes
  /** Sent, and not known to be saved, by sequence number. */
  #frames = new Map()
  #next = 1
  #received = 0
  #confirmed = 0
  #saved = 0
  #gap = { expected: 0, at: 0 }
  #failure
  #closed = false
  #changed = new Signal()

  /**
   * @param {(events: Events) => { send: (bytes: Uint8Array) => void, close: () => void }} connect opens a connection to the session, as
   *   `webSocketTo` does; called again when one ends
   * @param {(sequence: number, output: Float32Array) => void} onOutput
   */
  constructor(connect, onOutput) {
    this.#connect = connect
    this.#onOutput = onOutput
    this.#open()
  }

  /** The last frame that is saved on the other side: those up to it are not kept here. */
  get saved() {
    return this.#saved
  }

  /**
   * Sends the next frame; waits while many outputs are outstanding. The frame is copied then.
   * @returns {Promise<number>} its sequence number; of a session that was there before, they go on
   * @throws SessionError `SIZE` and `VALUE` for a frame that is none, which is not sent; what the host says, where sending again does not help
   */
  async send(frame) {
    await this.#until(() => this.#sizes !== undefined && this.#next - this.#received <= this.#sizes.window / 2)
    checkFrame(frame, this.#sizes.frameLength)
    const sequence = this.#next++
    this.#frames.set(sequence, frame.slice())
    this.#post(sequence, [frame])
    return sequence
  }

  /** Waits until all outputs have come and all frames are saved. @throws SessionError as `send` */
  async finished() {
    await this.#until(() => this.#sizes !== undefined && this.#received === this.#next - 1)
    this.#confirm()
    await this.#until(() => this.#saved === this.#next - 1)
  }

  /** Ends the connection. The session stays, for the next client of that name. */
  close() {
    this.#closed = true
    this.#connection?.close()
    this.#changed.tell()
  }

  async #until(isTrue) {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#closed) throw new SessionError('VALUE', 'this client is closed')
      if (isTrue()) return
      await this.#changed.told
    }
  }

  #open() {
    if (this.#closed) return
    let isOver = false
    const connection = this.#connect({
      onMessage: (data) => {
        if (!isOver) this.#take(data)
      },
      onClose: (code) => {
        if (isOver) return
        isOver = true
        this.#connection = undefined
        if (code === REPLACED) this.#fail(new SessionError('TAKEN', 'session: another connection of that name has come; one at a time has it'))
        if (this.#closed || this.#failure !== undefined) return
        setTimeout(() => this.#open(), this.#wait)
        this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS)
      },
    })
    this.#connection = connection
  }

  #take(data) {
    if (typeof data === 'string') this.#takeWord(JSON.parse(data))
    else this.#takeOutputs(readRun(new Uint8Array(data), { length: this.#sizes.outputLength, most: this.#sizes.window }))
    this.#changed.tell()
  }

  #takeWord(word) {
    if (word.type === 'welcome') this.#takeWelcome(word)
    else if (word.type === 'saved') this.#takeSaved(word.saved)
    else this.#takeError(word)
  }

  #takeWelcome({ done, saved, confirmed, frameLength, outputLength, window }) {
    if (this.#sizes === undefined) {
      this.#next = done + 1
      this.#received = this.#confirmed = confirmed
      this.#sizes = { frameLength, outputLength, window }
    }
    this.#takeSaved(saved)
    this.#sendAgain(done + 1)
  }

  #takeSaved(saved) {
    this.#saved = Math.max(this.#saved, saved)
    for (const sequence of this.#frames.keys()) {
      if (sequence > saved) break
      this.#frames.delete(sequence)
    }
  }

  #takeOutputs({ sequence, upTo, arrays }) {
    this.#wait = FIRST_WAIT_MS
    this.#takeSaved(upTo)
    arrays.forEach((output, n) => {
      if (sequence + n !== this.#received + 1) return // had before; or others are to come first
      this.#received++
      this.#onOutput(this.#received, output)
    })
    if (this.#received - this.#confirmed >= this.#sizes.window / 4) this.#confirm()
  }

  #takeError({ code, message, expected, passes }) {
    const now = Date.now()
    if (code === 'GAP') {
      if (this.#gap.expected === expected && now - this.#gap.at < SAME_GAP_MS) return
      this.#gap = { expected, at: now }
      this.#sendAgain(expected)
    } else if (passes) {
      this.#connection?.close() // and again, after a while
    } else {
      this.#fail(new SessionError(code, message))
    }
  }

  #sendAgain(from) {
    if (from <= this.#saved) {
      this.#fail(new SessionError('DAMAGED', `session: frame ${this.#saved} was saved, but the host asks for ${from} and those after it: it has lost what it saved`))
      return
    }
    const frames = []
    for (const [sequence, frame] of this.#frames) if (sequence >= from) frames.push(frame)
    for (let begin = 0; begin < frames.length; begin += RUN) this.#post(from + begin, frames.slice(begin, begin + RUN))
  }

  #confirm() {
    this.#post(this.#next, [])
  }

  #post(sequence, frames) {
    this.#confirmed = this.#received
    this.#connection?.send(writeRun(sequence, this.#received, frames))
  }

  #fail(error) {
    this.#failure = error
    this.#connection?.close()
    this.#changed.tell()
  }
}

/**
 * What a SessionClient connects with.
 *
 * @param {string} url of a session: ws://host/NAME
 * @param WebSocket the browser's, or that of the package `ws` where there is none (Node before 22)
 */
export function webSocketTo(url, WebSocket = globalThis.WebSocket) {
  return ({ onMessage, onClose }) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    socket.onmessage = ({ data }) => onMessage(data)
    socket.onclose = ({ code }) => onClose(code)
    socket.onerror = () => {} // `close` follows
    return {
      send: (bytes) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(bytes) // otherwise it is sent again after the welcome
      },
      close: () => socket.close(),
    }
  }
}
