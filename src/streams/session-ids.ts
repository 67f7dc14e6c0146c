import { LstmError } from '../errors.ts'
import { describeValue, type DataOf } from '../values/dtype.ts'

/** Ids are positive int32 numbers, so that they may be kept in an Int32Array. */
const MOST_ID = 2 ** 31

/**
 * Ids of sessions: a place, and how often it has been taken before. So an id that was closed is told from that of
 * the session which is in its place now.
 */
export class SessionIds {
  readonly #capacity: number
  /** The id at every place; 0 where it is free. */
  readonly #ids: Int32Array
  /** How often every place has been taken. */
  readonly #rounds: Int32Array
  /** Free places: a ring, so that the one that was closed first is taken first. */
  readonly #free: Int32Array
  /** In which call of `places` a place was named last. */
  readonly #named: Float64Array
  #calls = 0
  #firstFree = 0
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#ids = new Int32Array(capacity)
    this.#rounds = new Int32Array(capacity)
    this.#free = Int32Array.from({ length: capacity }, (_, place) => place)
    this.#named = new Float64Array(capacity)
  }

  get size(): number {
    return this.#size
  }

  /** @throws LstmError `MEMORY` when no place is free */
  open(): number {
    if (this.#size === this.#capacity) throw new LstmError('MEMORY', `streams: all ${this.#capacity} sessions are open`)
    const place = this.#free[this.#firstFree] as number
    this.#firstFree = (this.#firstFree + 1) % this.#capacity
    const rounds = Math.floor((MOST_ID - 1) / this.#capacity) - 1
    const round = ((this.#rounds[place] as number) % rounds) + 1
    this.#rounds[place] = round
    this.#ids[place] = round * this.#capacity + place
    this.#size++
    return this.#ids[place]
  }

  /** @throws LstmError `VALUE` for an id that is not open */
  close(id: number): void {
    const place = this.place(id)
    this.#free[(this.#firstFree + this.#capacity - this.#size) % this.#capacity] = place
    this.#ids[place] = 0
    this.#size--
  }

  /** The place of a session. @throws LstmError `VALUE` for an id that is not open */
  place(id: number): number {
    if (typeof id !== 'number') throw noSession(id)
    const place = id % this.#capacity
    if (!(id > 0) || this.#ids[place] !== id) throw noSession(id)
    return place
  }

  /**
   * The places of many sessions.
   * @throws LstmError `VALUE` for an id that is not open, or there twice
   */
  places(ids: ArrayLike<number>, count: number, places: DataOf): void {
    const call = ++this.#calls
    for (let n = 0; n < count; n++) {
      const id = ids[n] as number
      const place = this.place(id)
      if (this.#named[place] === call) throw new LstmError('VALUE', `streams: the session ${id} is there twice`)
      this.#named[place] = call
      places[n] = place
    }
  }
}

function noSession(id: unknown): LstmError {
  return new LstmError('VALUE', `streams: no session ${describeValue(id)} is open`)
}
