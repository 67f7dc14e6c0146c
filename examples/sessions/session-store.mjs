// Sessions of one model by name: in memory while they are used, saved bytes otherwise. The same in every host.
//
// Frames are numbered from 1 on, and each is computed exactly once into the state that is kept. Outputs go out at once; states are saved
// later. After a crash the state is the last one that was saved, and whoever has the frames since then sends them again: a client, or a
// log. They give the same bits, so it does not matter that some outputs have gone out before.
import { retry } from './retry.mjs'
import { Session } from './session.mjs'
import { checkFrame, checkName, checkSequence } from './session-checks.mjs'
import { SessionError } from './session-error.mjs'
import { readRecord, writeRecord } from './session-record.mjs'
import { putOnce } from './states.mjs'

/** @typedef {{ sequence: number, output: Float32Array }} Output */

const DEFAULTS = {
  saveEvery: 32, saveAfterMs: 500, leaveAfterMs: 60_000, window: 256, patienceMs: 20_000, collect: (step) => queueMicrotask(step), onSaved: () => {},
}

export class SessionStore {
  #pool
  #states
  #frameLength
  #outputLength
  #options
  /** @type {Map<string, Session>} open ones, the one that was used last at the end */
  #sessions = new Map()
  /** Sessions with frames that wait for the next step. */
  #waiting = new Set()
  #timer

  /**
   * @param {{ pool: import('lstm-wasm').StreamPool, frameLength: number, outputLength: number }} model what `openModel` gives
   * @param {import('./states.mjs').States} states
   * @param {object} [options]
   * @param {number} [options.saveEvery] frames after which a session is saved
   * @param {number} [options.saveAfterMs] without frames, after which a session is saved all the same
   * @param {number} [options.leaveAfterMs] without frames, after which a session is taken out of memory
   * @param {number} [options.window] most frames that are not saved, or whose outputs are not confirmed; then frames are refused
   * @param {number} [options.patienceMs] for how long reading and writing are tried again
   * @param {(step: () => void) => void} [options.collect] calls `step` when enough frames have come to step together
   * @param {(name: string, sequence: number) => void} [options.onSaved] is told that a state is saved that has seen all frames up to `sequence`
   */
  constructor({ pool, frameLength, outputLength }, states, options = {}) {
    this.#pool = pool
    this.#frameLength = frameLength
    this.#outputLength = outputLength
    this.#states = states
    this.#options = { ...DEFAULTS, ...options }
  }

  /** Numbers of one frame and one output; most frames of one message. */
  get sizes() {
    return { frameLength: this.#frameLength, outputLength: this.#outputLength, window: this.#options.window }
  }

  /** How many sessions are in memory. */
  get size() {
    return this.#sessions.size
  }

  /**
   * A session, restored if it is not in memory; a new one if nothing is saved under its name.
   *
   * @param {string} name
   * @returns {Promise<{ done: number, saved: number, outputs: Output[] }>} the last frame it has seen, and the last one that is saved; outputs that
   *   nobody has confirmed
   * @throws SessionError `VALUE`, `MODEL`, `DAMAGED`, `STORE`, `FULL`
   */
  async open(name) {
    const session = await this.#session(name)
    const { done, saved } = session
    return { done, saved, outputs: session.unconfirmed(1, done + 1) }
  }

  /**
   * The next frames of a session. Frames that it has seen already are not computed again.
   *
   * @param {string} name
   * @param {{ sequence: number, frames: readonly Float32Array[], confirmed?: number }} run sequence: number of the first frame; frames: may not change until
   *   they are computed; confirmed: up to this one, the caller has all outputs
   * @returns {Promise<{ saved: number, outputs: Output[] }>} the last frame that is saved; in order, the outputs that are not confirmed
   * @throws SessionError `GAP` for frames after one that is missing, `SIZE` and `VALUE` for frames that are none: no frame of the run is then taken.
   *   As `open`
   */
  async step(name, { sequence, frames, confirmed = 0 }) {
    checkSequence(sequence, 1)
    checkSequence(confirmed, 0)
    for (const frame of frames) checkFrame(frame, this.#frameLength)
    const session = await this.#session(name)
    if (session.failure !== undefined) throw session.failure
    session.confirm(confirmed)
    if (sequence > session.accepted + 1) {
      const expected = session.accepted + 1
      throw new SessionError('GAP', `session '${name}': expected frame ${expected}, got ${sequence}; send from ${expected} on`, { expected })
    }
    const end = sequence + frames.length
    this.#checkWindow(session, end - 1)
    for (let next = session.accepted + 1; next < end; next++) session.accept(frames[next - sequence])
    if (session.frames.length > 0 && this.#waiting.add(session).size === 1) this.#options.collect(() => this.#stepAll())
    while (session.done < end - 1 && session.failure === undefined) await session.stepped.told
    if (session.failure !== undefined) throw session.failure
    return { saved: session.saved, outputs: session.unconfirmed(sequence, end) }
  }

  /** All outputs up to a sequence number have arrived where they are wanted: they need not be kept. */
  confirm(name, sequence) {
    this.#sessions.get(name)?.confirm(sequence)
  }

  /** Saves a session if it has seen frames since its last save. @throws SessionError `STORE`, `TAKEN` */
  async save(name) {
    const session = this.#sessions.get(name)
    if (session !== undefined && !session.isSaved) await retry(() => this.#save(session), this.#options.patienceMs)
  }

  /** Saves a session and takes it out of memory. It stays in memory if it cannot be saved. @throws as `save` */
  async leave(name) {
    const session = this.#sessions.get(name)
    if (session !== undefined) await this.#leave(session)
  }

  /** Saves all sessions and takes them out of memory. @throws as `save` */
  async leaveAll() {
    await Promise.all(Array.from(this.#sessions.values(), (session) => this.#leave(session)))
  }

  /** Takes a session out of memory as it is: another worker has it. */
  forget(name) {
    const session = this.#sessions.get(name)
    if (session !== undefined) this.#drop(session, new SessionError('TAKEN', `session '${name}': another worker has it`))
  }

  #checkWindow({ name, saved, confirmed, lastError }, last) {
    const { window } = this.#options
    if (last - saved > window && lastError !== undefined) {
      throw new SessionError('STORE', `session '${name}': frame ${saved} is the last one that is saved, ${last} is too far from it: ${lastError.message}`, { cause: lastError })
    }
    if (last - confirmed > window) {
      throw new SessionError('FULL', `session '${name}': output ${confirmed} is the last one confirmed; at most ${window} are kept, frame ${last} would be one more`)
    }
  }

  /** An open session. Callers go on in the order in which they called. */
  async #session(name) {
    checkName(name)
    for (;;) {
      const session = this.#sessions.get(name) ?? this.#begin(name)
      await session.ready
      if (session.left !== undefined) await session.left.catch(() => {}) // it stays where it cannot be saved, and is gone otherwise
      else if (session.failure === undefined) return this.#touch(session)
    }
  }

  #begin(name) {
    const session = new Session(name)
    this.#sessions.set(name, session)
    session.ready = this.#restore(session).catch((error) => {
      this.#drop(session, error)
      throw error
    })
    return session
  }

  #touch(session) {
    session.usedAt = Date.now()
    this.#sessions.delete(session.name)
    this.#sessions.set(session.name, session)
    this.#timer ??= setTimeout(() => this.#tidy(), this.#options.saveAfterMs)
    return session
  }

  async #restore(session) {
    const found = await retry(() => this.#states.get(session.name), this.#options.patienceMs)
    session.id = await this.#place()
    if (session.failure !== undefined) { // it was forgotten meanwhile
      this.#pool.close(session.id)
      throw session.failure
    }
    if (found === undefined) return
    const record = readRecord(found.bytes, this.#outputLength)
    try {
      this.#pool.restore(session.id, record.state)
    } catch (error) {
      if (error.code === 'FORMAT') throw new SessionError('DAMAGED', `session '${session.name}': ${error.message}`, { cause: error })
      throw new SessionError('MODEL', `session '${session.name}': ${error.message}. It is left as it is: a worker with that model goes on with it`, { cause: error })
    }
    session.restored(record, found.revision)
  }

  /** A place in the pool, if need be that of the session which was used least lately. @throws SessionError `FULL` */
  async #place() {
    while (this.#pool.size === this.#pool.capacity) {
      const idle = Array.from(this.#sessions.values()).find((session) => session.id > 0 && session.isIdle)
      if (idle === undefined) throw new SessionError('FULL', `sessions: all ${this.#pool.capacity} are in use; send again later`)
      await this.#leave(idle)
    }
    return this.#pool.open()
  }

  /** Steps all frames that wait: in each round, the next one of each session, as one batch. */
  #stepAll() {
    const stepped = Array.from(this.#waiting)
    this.#waiting.clear()
    try {
      for (let round = stepped; round.length > 0; round = round.filter(({ frames }) => frames.length > 0)) this.#stepRound(round)
    } catch (error) {
      for (const session of stepped) this.#drop(session, error) // they go on from what is saved
      return
    }
    for (const session of stepped) {
      session.stepped.tell()
      if (session.done - session.saved >= this.#options.saveEvery) this.#inBackground(this.#save(session))
    }
  }

  #stepRound(sessions) {
    const inputs = new Float32Array(sessions.length * this.#frameLength)
    const outputs = new Float32Array(sessions.length * this.#outputLength)
    sessions.forEach((session, n) => inputs.set(session.frames.shift(), n * this.#frameLength))
    this.#pool.step(sessions.map(({ id }) => id), inputs, outputs)
    sessions.forEach((session, n) => session.computed(outputs.slice(n * this.#outputLength, (n + 1) * this.#outputLength)))
  }

  /** Saves sessions that are idle, and puts away those that have been for long. */
  #tidy() {
    this.#timer = undefined
    const { saveAfterMs, leaveAfterMs } = this.#options
    for (const session of this.#sessions.values()) {
      const unusedMs = Date.now() - session.usedAt
      if (unusedMs >= leaveAfterMs) this.#inBackground(this.#leave(session))
      else if (unusedMs >= saveAfterMs && !session.isSaved) this.#inBackground(this.#save(session))
    }
    if (this.#sessions.size > 0) this.#timer = setTimeout(() => this.#tidy(), this.#options.saveAfterMs)
  }

  /** What fails is kept in the session, and tried again by the timer. Frames are refused when too many are not saved. */
  #inBackground(work) {
    work.catch(() => {})
  }

  /** One save of a session at a time; it is of the last frame at the call, or a later one. */
  async #save(session) {
    const { done } = session
    do {
      if (session.failure !== undefined) throw session.failure
      session.saving ??= this.#write(session).finally(() => {
        session.saving = undefined
      })
      await session.saving
    } while (session.saved < done)
  }

  async #write(session) {
    const { name, id, done, revision } = session
    const outputs = session.unconfirmed(1, done + 1).map(({ output }) => output)
    try {
      session.revision = await putOnce(this.#states, name, writeRecord({ sequence: done, state: this.#pool.save(id), outputs }), revision)
    } catch (error) {
      session.lastError = error
      if (error.code === 'TAKEN') this.#drop(session, error)
      throw error
    }
    session.saved = done
    session.savedOutputs = outputs.length
    session.lastError = undefined
    this.#options.onSaved(name, done)
  }

  async #leave(session) {
    session.left ??= this.#saveAndDrop(session).finally(() => {
      session.left = undefined
    })
    await session.left
  }

  async #saveAndDrop(session) {
    await session.ready
    while (!session.isIdle || !session.isSaved) {
      if (session.failure !== undefined) throw session.failure
      if (!session.isIdle) await session.stepped.told
      else await retry(() => this.#save(session), this.#options.patienceMs)
    }
    this.#drop(session, new SessionError('TAKEN', `session '${session.name}': it has been put away; send again`))
  }

  /** Out of memory, as it is. */
  #drop(session, failure) {
    if (this.#sessions.get(session.name) !== session) return
    this.#sessions.delete(session.name)
    this.#waiting.delete(session)
    if (session.id > 0) this.#pool.close(session.id)
    session.failure = failure
    session.stepped.tell()
  }
}
