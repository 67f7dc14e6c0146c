// Sessions spread over processes of this machine. A session stays with its process; a process that dies is replaced, and the new one
// takes its sessions over from where they were saved.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { partitionOf } from './partition.mjs'

const PROGRAM = fileURLToPath(new URL('worker-process.mjs', import.meta.url))
/** A process that dies at once, again and again, is not started more often than this. */
const RESTART_MS = 200

export class WorkerProcesses {
  #folder
  #send
  /** By partition. */
  #processes
  /** Names of sessions whose clients are here. */
  #connected = new Set()
  #isEnding = false

  /**
   * @param {number} count of processes
   * @param {string} folder of the saved sessions
   * @param {(name: string, message: Uint8Array | string) => void} send to the client of a session
   */
  constructor(count, folder, send) {
    this.#folder = folder
    this.#send = send
    this.#processes = Array.from({ length: count }, (_, partition) => this.#start(partition))
  }

  /** Process ids, by partition. */
  get pids() {
    return this.#processes.map(({ pid }) => pid)
  }

  /** The client of a session has come. */
  connected(name) {
    this.#connected.add(name)
    this.#post(name, { kind: 'connected', name })
  }

  /** Frames of a session. Those that a dying process does not read are lost here: the client still has them. */
  received(name, bytes) {
    this.#post(name, { kind: 'received', name, bytes })
  }

  /** The client of a session has gone. */
  disconnected(name) {
    this.#connected.delete(name)
    this.#post(name, { kind: 'disconnected', name })
  }

  /** Ends all processes, after they have saved their sessions. */
  async end() {
    this.#isEnding = true
    await Promise.all(this.#processes.map((child) => new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve()
      child.once('exit', resolve)
      child.disconnect()
    })))
  }

  #post(name, message) {
    const child = this.#processes[partitionOf(name, this.#processes.length)]
    if (child.connected) child.send(message, () => {}) // the callback keeps an error from being thrown
  }

  #start(partition) {
    const child = fork(PROGRAM, [this.#folder], { serialization: 'advanced' })
    child.on('message', ({ name, message }) => {
      if (this.#connected.has(name)) this.#send(name, message)
    })
    child.once('exit', () => {
      if (!this.#isEnding) setTimeout(() => this.#replace(partition), RESTART_MS)
    })
    return child
  }

  #replace(partition) {
    if (this.#isEnding) return
    this.#processes[partition] = this.#start(partition)
    for (const name of this.#connected) {
      if (partitionOf(name, this.#processes.length) === partition) this.#post(name, { kind: 'connected', name })
    }
  }
}
