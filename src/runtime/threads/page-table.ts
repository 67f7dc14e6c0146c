/** Words before those of the pages: whether nobody may come any more, and how many numbers were given to callers. */
const IS_CLOSED = 0
const NUMBERS = 1
const HEAD = 2

/** A page that nobody has. */
const FREE = 0
/** Whom the pages with the weights belong to. */
export const OWNER: number = -1

/** Numbers from here on are those of threads, or of callers that have none; below are those that programs give. */
export const FIRST_NUMBER: number = 2 ** 30

/**
 * Who has which page of a memory that several threads allocate in: a word a page, in a memory of its own that they share too. A page is claimed by
 * one exchange, so that there is no lock that a thread could hold when it ends, and what a thread leaves behind bears its number.
 */
export class PageTable {
  readonly #words: Int32Array

  constructor(words: Int32Array) {
    this.#words = words
  }

  /** Words for a memory of so many pages, all free. @throws RangeError where the engine gives none */
  static wordsFor(pages: number): Int32Array {
    return new Int32Array(new SharedArrayBuffer(4 * (HEAD + pages)))
  }

  /** Pages that there can be. */
  get pages(): number {
    return this.#words.length - HEAD
  }

  get isClosed(): boolean {
    return Atomics.load(this.#words, IS_CLOSED) === 1
  }

  /** Nobody may come any more. */
  close(): void {
    Atomics.store(this.#words, IS_CLOSED, 1)
  }

  /** A number that no other caller has. */
  nextNumber(): number {
    return FIRST_NUMBER + Atomics.add(this.#words, NUMBERS, 1)
  }

  /** Claims so many pages in a row, the first that are free; returns the number of the first, or -1. */
  claim(caller: number, count: number): number {
    for (let isLate = true; isLate;) {
      isLate = false
      for (let first = 0; first + count <= this.pages;) {
        let free = 0
        while (free < count && Atomics.load(this.#words, HEAD + first + free) === FREE) free++
        if (free === count) {
          let mine = 0
          while (mine < count && Atomics.compareExchange(this.#words, HEAD + first + mine, FREE, markOf(caller)) === FREE) mine++
          if (mine === count) return first
          // Somebody else was faster, who may give back what stood in the way: it is worth another look.
          isLate = true
          this.release(caller, first, mine)
          free = mine
        }
        first += free + 1
      }
    }
    return -1
  }

  /** Frees pages in a row, as far as the caller has them. */
  release(caller: number, first: number, count: number): number {
    const mark = markOf(caller)
    let released = 0
    for (let at = HEAD + first; at < HEAD + first + count; at++) {
      if (Atomics.load(this.#words, at) === mark && Atomics.compareExchange(this.#words, at, mark, FREE) === mark) released++
    }
    return released
  }

  /** Frees whatever pages a caller has; returns how many. */
  releaseAll(caller: number): number {
    return this.release(caller, 0, this.pages)
  }

  /** How many pages the owner has. */
  get ownedPages(): number {
    return this.#words.subarray(HEAD).reduce((sum, mark) => sum + Number(mark === OWNER), 0)
  }

  /** How many pages each caller has, the owner not counted. */
  counts(): Map<number, number> {
    const counts: Map<number, number> = new Map()
    for (let at = HEAD; at < this.#words.length; at++) {
      const mark = Atomics.load(this.#words, at)
      if (mark > FREE) counts.set(mark - 1, (counts.get(mark - 1) ?? 0) + 1)
    }
    return counts
  }
}

/** Numbers of callers begin with 0, which stands for a free page. */
const markOf = (caller: number): number => (caller === OWNER ? OWNER : caller + 1)
