import { JetStreamApiError } from '@nats-io/jetstream'
import { orStoreError, PARTITIONS } from './jetstream.mjs'

/** The stream and the subjects of the bucket. */
const [STREAM, PREFIX] = ['KV_session-leases', '$KV.session-leases.']

/**
 * Which partitions a worker has: each is an entry that only one can create, and that vanishes unless it is renewed. Workers take their share
 * of those that are free, and give back what is more than it.
 */
export class Leases {
  #manager
  #bucket
  #worker
  /** Revision of this worker's entry. */
  #announced
  /** Revisions by partition. */
  #held = new Map()

  /** @param nats what `openJetStream` gives  @param {string} worker a name that no other worker has */
  constructor({ manager, leases }, worker) {
    this.#manager = manager
    this.#bucket = leases
    this.#worker = worker
  }

  /**
   * Renews what this worker has, and takes what is free.
   * @returns {Promise<{ lost: number[], held: number[], extra: number[] }>} partitions; extra: more than its share, for `giveBack`
   * @throws SessionError `STORE`
   */
  async renew() {
    const lost = await this.#renewHeld()
    this.#announced = await orStoreError('write a lease', () => this.#bucket.put(`worker.${this.#worker}`, ''))
    const keys = await orStoreError('list leases', () => this.#keys())
    const workers = keys.filter((key) => key.startsWith('worker.')).length
    const share = Math.ceil(PARTITIONS / workers)
    for (let partition = 0; partition < PARTITIONS && this.#held.size < share; partition++) {
      if (!keys.includes(keyOf(partition))) await this.#take(partition)
    }
    const held = Array.from(this.#held.keys())
    return { lost, held: held.slice(0, share), extra: held.slice(share) }
  }

  /** Others may have a partition from now on. */
  async giveBack(partition) {
    const revision = this.#held.get(partition)
    this.#held.delete(partition)
    await this.#remove(revision)
  }

  /** This worker counts no longer. */
  async end() {
    await this.#remove(this.#announced)
  }

  /** Names of all entries. The bucket's `keys` would make a consumer for each call. */
  async #keys() {
    const { state: { subjects = {} } } = await this.#manager.streams.info(STREAM, { subjects_filter: `${PREFIX}>` })
    return Object.keys(subjects).map((subject) => subject.slice(PREFIX.length))
  }

  /** Removes an entry without a trace, if it is still that revision: the bucket's `delete` would leave a mark that looks like an entry. */
  async #remove(revision) {
    try {
      await this.#manager.streams.deleteMessage(STREAM, revision, false)
    } catch (error) {
      if (!(error instanceof JetStreamApiError)) throw error
    }
  }

  async #renewHeld() {
    const lost = []
    for (const [partition, revision] of this.#held) {
      const renewed = await this.#unlessTaken(() => this.#bucket.update(keyOf(partition), this.#worker, revision))
      if (renewed !== undefined) {
        this.#held.set(partition, renewed)
        continue
      }
      this.#held.delete(partition)
      lost.push(partition)
    }
    return lost
  }

  async #take(partition) {
    const revision = await this.#unlessTaken(() => this.#bucket.create(keyOf(partition), this.#worker))
    if (revision !== undefined) this.#held.set(partition, revision)
  }

  /** @returns what `write` gives; undefined where another worker has the partition */
  async #unlessTaken(write) {
    try {
      return await orStoreError('write a lease', write)
    } catch (error) {
      if (error.code !== 'TAKEN') throw error
      return undefined
    }
  }
}

function keyOf(partition) {
  return `partition.${partition}`
}
