import type { OutputLoss } from '../descriptions/output-losses.ts'

/** What a loss has come to over some batches. */
export class LossSum {
  #sum = 0
  #divisor = 0

  add(sum: number, divisor: number): void {
    this.#sum += sum
    this.#divisor += divisor
  }

  /** Whether nothing has counted yet. */
  get isEmpty(): boolean {
    return this.#divisor === 0
  }

  /** NaN before there is any. */
  get mean(): number {
    return this.#sum / this.#divisor
  }
}

/** What all losses of a model have come to over some batches. */
export class LossSums {
  /** In the order of the losses. */
  readonly parts: readonly LossSum[]
  readonly #losses: readonly OutputLoss[]

  constructor(losses: readonly OutputLoss[]) {
    this.#losses = losses
    this.parts = losses.map(() => new LossSum())
  }

  /** What is made small: the means by their weights. Losses of which nothing has counted yet are left out; NaN where that is all of them. */
  get total(): number {
    if (this.parts.every(({ isEmpty }) => isEmpty)) return NaN
    return this.parts.reduce((sum, { isEmpty, mean }, n) => (isEmpty ? sum : sum + mean * (this.#losses[n] as OutputLoss).weight), 0)
  }

  /** Each of several, as `OUTPUT_loss`. */
  named(): Record<string, number> {
    return Object.fromEntries(this.parts.flatMap(({ mean }, n) => {
      const { name } = this.#losses[n] as OutputLoss
      return name === undefined ? [] : [[`${name}_loss`, mean]]
    }))
  }
}
