// What test/documented.test.ts finds nothing to read of.
/** A class. */
export class Loud {
  #hidden: number = 1
  said: number = this.#hidden
  /** A sum. */
  add(): number {
    return this.#hidden
  }
}

/** An interface. */
export interface Quiet {
  readonly word: string
}

export const nameless: number = 1
