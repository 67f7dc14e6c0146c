/** Something that others wait for, again and again. */
export class Signal {
  #promise
  #resolve

  constructor() {
    this.#renew()
  }

  /** Fulfilled at the next `tell`. */
  get told() {
    return this.#promise
  }

  /** Wakes all who wait. */
  tell() {
    this.#resolve()
    this.#renew()
  }

  #renew() {
    this.#promise = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }
}
