import { LstmError } from '../../errors.ts'
import { describeValue } from '../../values/dtype.ts'
import { field, isList, type Json } from '../json.ts'
import { malformedFile } from '../malformed.ts'

/** A model description that is not what Keras writes. */
export const malformed: (what: string, cause?: unknown) => LstmError = malformedFile('Keras')

function camelCase(key: string): string {
  return key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * The `config` of a layer. Keys are Keras's own, in snake_case; the camelCase that TensorFlow.js may write is read too.
 * A key that is null counts as missing.
 */
export class Settings {
  readonly #config: Json
  /** `layer 'lstm_1' (LSTM)`: for messages. */
  readonly what: string

  constructor(config: Json | undefined, what: string) {
    this.#config = config ?? null
    this.what = what
  }

  /** The value of a key, undefined where there is none. */
  json(key: string): Json | undefined {
    return field(this.#config, key) ?? field(this.#config, camelCase(key)) ?? undefined
  }

  /** Whether a key is there, be it null. */
  has(key: string): boolean {
    return [key, camelCase(key)].some((spelling) => field(this.#config, spelling) !== undefined)
  }

  /** @throws LstmError `FORMAT` for what is neither true nor false */
  flag(key: string, otherwise: boolean): boolean {
    const value = this.json(key) ?? otherwise
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false', value)
    return value
  }

  number(key: string, otherwise?: number): number {
    const value = this.json(key) ?? otherwise
    // NaN and infinities are no JSON numbers, but Python writes them.
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.wrong(key, 'a number', value)
    return value
  }

  /** A whole number >= `least`. */
  count(key: string, otherwise?: number, least = 1): number {
    return this.#checkCount(key, this.json(key) ?? otherwise, least)
  }

  /** A whole number, or a list of exactly one: Keras's settings of one-dimensional layers may be either. */
  single(key: string, otherwise?: number): number {
    const value = this.json(key) ?? otherwise
    return this.#checkCount(key, isList(value) && value.length === 1 ? value[0] : value, 1)
  }

  text(key: string, otherwise?: string): string {
    const value = this.json(key) ?? otherwise
    if (typeof value !== 'string') throw this.wrong(key, 'text', value)
    return value
  }

  /** A list of whole numbers; a single one counts as a list of one. */
  integers(key: string, otherwise?: readonly number[]): readonly number[] {
    const value = this.json(key) ?? otherwise
    const list = typeof value === 'number' ? [value] : value
    if (!isList(list) || !list.every((size) => typeof size === 'number' && Number.isSafeInteger(size))) {
      throw this.wrong(key, 'whole numbers', value)
    }
    return list as readonly number[]
  }

  /** The class name of a layer inside this one. */
  innerClassName(key: string): string | undefined {
    const className = field(this.json(key), 'class_name')
    return typeof className === 'string' ? className : undefined
  }

  wrong(key: string, expected: string, got: unknown): LstmError {
    return malformed(`${this.what}: expected ${expected} for '${key}', got ${describeValue(got)}`)
  }

  #checkCount(key: string, value: Json | undefined, least: number): number {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw this.wrong(key, `a whole number >= ${least}`, value)
    }
    return value
  }
}
