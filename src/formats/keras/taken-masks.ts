// Masks that are there no more: from Keras 3.8 on, attention of several heads takes those of its inputs away, for all that is called
// with the same tensors later. Its own output has the mask of its query.

export class TakenMasks {
  readonly #taken: Set<string> = new Set()
  /** Values that are the same tensor in Keras, by those that were made of them. */
  readonly #sources: Map<string, string> = new Map()

  /** Says that a layer returns the tensor that it was given. */
  same(value: string, source: string): void {
    this.#sources.set(value, source)
  }

  take(value: string): void {
    this.#taken.add(this.#sourceOf(value))
  }

  has(value: string): boolean {
    return this.#taken.has(this.#sourceOf(value))
  }

  #sourceOf(value: string): string {
    let source = value
    for (let next = this.#sources.get(source); next !== undefined; next = this.#sources.get(source)) source = next
    return source
  }
}
