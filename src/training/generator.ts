import { philox } from '../ops/random/philox.ts'

/** What numbers are drawn for: those of different purposes have nothing to do with each other. */
export const STREAMS = { weights: 1, order: 2 } as const

const WORDS = 4

/**
 * Random numbers that follow from a seed: words of Philox4x32-10, a counter-based generator, so that its state is a number. Uniform numbers and
 * orders are the same on every engine; normal ones may differ in the last bit, by the engine's logarithm.
 */
export class Generator {
  readonly #seed: number
  readonly #stream: number
  readonly #run: number
  #position: number
  readonly #words: Int32Array = new Int32Array(WORDS)
  #block = -1

  /**
   * @param seed int32
   * @param stream what is drawn
   * @param run which of several: an epoch
   */
  constructor(seed: number, stream: number, run: number = 0, position: number = 0) {
    this.#seed = seed | 0
    this.#stream = stream
    this.#run = run
    this.#position = position
  }

  /** A whole number from 0 to 2^32 - 1. */
  word(): number {
    const block = Math.floor(this.#position / WORDS)
    if (block !== this.#block) {
      philox(this.#words, block, this.#run, this.#stream, 0, this.#seed)
      this.#block = block
    }
    return (this.#words[this.#position++ % WORDS] as number) >>> 0
  }

  /** In [first, second). */
  uniform(first: number = 0, second: number = 1): number {
    return first + (second - first) * this.word() * 2 ** -32
  }

  /** A whole number from 0 to below `bound`, each as likely. @param bound at most 2^32 */
  below(bound: number): number {
    const most = 2 ** 32 - 2 ** 32 % bound
    for (;;) {
      const word = this.word()
      if (word < most) return word % bound
    }
  }

  /** Mean 0, standard deviation 1: Box and Muller's transform of two uniform numbers. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.word() + 1) * 2 ** -32))
    return radius * Math.cos(2 * Math.PI * this.uniform())
  }

  /** 0 to count - 1 in a random order, each as likely (Fisher and Yates). */
  order(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, n) => n)
    for (let n = count - 1; n > 0; n--) {
      const other = this.below(n + 1)
      const kept = order[n] as number
      order[n] = order[other] as number
      order[other] = kept
    }
    return order
  }
}
