/** Names of a file: each is there once. */
export class Names {
  readonly #values: Set<string>
  readonly #nodes: Set<string> = new Set()
  /** The number after names that were taken. */
  readonly #copies: Map<string, number> = new Map()

  /** @param taken names that are there already */
  constructor(taken: Iterable<string> = []) {
    this.#values = new Set(taken)
  }

  /** A name like `name` that no value has yet. */
  unused(name: string): string {
    return this.#free(name, this.#values)
  }

  /** A name like `name` that no node has yet. */
  unusedNode(name: string): string {
    return this.#free(name, this.#nodes)
  }

  #free(name: string, taken: Set<string>): string {
    let free = name
    let n = this.#copies.get(name) ?? 2
    while (free === '' || taken.has(free)) free = `${name}_${n++}`
    if (free !== name) this.#copies.set(name, n)
    taken.add(free)
    return free
  }
}
