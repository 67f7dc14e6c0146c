import { Signal } from './signal.mjs'

/** A session in memory, as SessionStore keeps it. Sequence numbers are of frames, and of their outputs. */
export class Session {
  /** In the pool; 0 until it has a place there. */
  id = 0
  /** The last frame that the state has seen, the last one that was accepted, the last one of the saved state. */
  done = 0
  accepted = 0
  saved = 0
  /** Of the saved bytes: how many outputs they have, and their revision. */
  savedOutputs = 0
  revision = undefined
  /** The last output that the caller has; after a crash it may be past `done`. */
  confirmed = 0
  /** Accepted and not computed yet. */
  frames = []
  /** Outputs that are not confirmed, by sequence number. */
  outputs = new Map()
  /** Of the last save. */
  lastError = undefined
  /** Tells that frames are computed, or that it is no longer in memory. */
  stepped = new Signal()
  /** Why it is no longer in memory. */
  failure = undefined
  ready = Promise.resolve()
  saving = undefined
  /** While it is being put away. */
  left = undefined
  usedAt = Date.now()

  constructor(name) {
    this.name = name
  }

  /** Whether all frames are computed. */
  get isIdle() {
    return this.done === this.accepted
  }

  /** Whether what is saved is what there is: the state, and no outputs that have been confirmed since. */
  get isSaved() {
    return this.done === this.saved && this.outputs.size === this.savedOutputs
  }

  restored({ sequence, outputs }, revision) {
    this.done = this.accepted = this.saved = sequence
    this.confirmed = sequence - outputs.length
    this.savedOutputs = outputs.length
    this.revision = revision
    outputs.forEach((output, n) => this.outputs.set(this.confirmed + 1 + n, output))
  }

  accept(frame) {
    this.accepted++
    this.frames.push(frame)
  }

  computed(output) {
    this.done++
    if (this.done > this.confirmed) this.outputs.set(this.done, output)
  }

  /** Outputs up to a sequence number need not be kept. */
  confirm(sequence) {
    if (sequence <= this.confirmed) return
    this.confirmed = sequence
    for (const kept of this.outputs.keys()) {
      if (kept > sequence) break
      this.outputs.delete(kept)
    }
  }

  /** Outputs that are kept, from `begin` on and before `end`. */
  unconfirmed(begin, end) {
    const outputs = []
    for (let sequence = Math.max(begin, this.confirmed + 1); sequence < end; sequence++) outputs.push({ sequence, output: this.outputs.get(sequence) })
    return outputs
  }
}
