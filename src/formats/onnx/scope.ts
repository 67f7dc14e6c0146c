import { malformed } from '../protobuf/wire.ts'

/** Stands for a value that cannot be computed, because what makes it is not supported. */
export const UNSUPPORTED_VALUE: unique symbol = Symbol('unsupported')

/** What a name of the file stands for: the name of a value of our graph. */
export type Resolved = string | typeof UNSUPPORTED_VALUE

/** Names of a graph of the file. Graphs inside nodes (branches of If) see those around them too. */
export class Scope {
  readonly #values: Map<string, Resolved> = new Map()
  readonly #outer: Scope | undefined
  readonly #through: (value: string) => string

  /** @param through what a value around this graph is called in it. Default: the same */
  constructor(outer?: Scope, through: (value: string) => string = (value) => value) {
    this.#outer = outer
    this.#through = through
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** What makes this value cannot be run after all. */
  spoil(name: string): void {
    this.#values.set(name, UNSUPPORTED_VALUE)
  }

  /** @throws LstmError `FORMAT` for a name that is taken in this graph */
  set(name: string, value: Resolved): void {
    if (this.#values.has(name)) throw malformed(`the value '${name}' is made twice`)
    this.#values.set(name, value)
  }

  /**
   * `''`, which stands for an absent input, is itself.
   * @throws LstmError `FORMAT` for a name that nothing before has made
   */
  resolve(name: string, reader: string): Resolved {
    if (name === '') return ''
    const value = this.#values.get(name)
    if (value !== undefined) return value
    if (this.#outer === undefined) throw malformed(`${reader} reads the value '${name}', which nothing makes before it`)
    const around = this.#outer.resolve(name, reader)
    return around === UNSUPPORTED_VALUE ? around : this.#through(around)
  }
}
