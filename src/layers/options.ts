import { LstmError } from '../errors.ts'
import { describeValue } from '../values/dtype.ts'

/** From what people type to the option's own name: Keras, TensorFlow 1 and PyTorch words, in either case style. */
export type Aliases = Readonly<Record<string, string>>

/** `return_sequences` -> `returnSequences`. */
function camelCase(word: string): string {
  return word.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * Options under their own names.
 * @param positional options that were given as arguments of their own
 * @throws LstmError `VALUE` for a word that is no option, listing those there are, or two words for one option
 */
export function readOptions<T extends object>(
  given: unknown, known: readonly (keyof T & string)[], aliases: Aliases, what: string, positional: object = {},
): T {
  if (typeof given !== 'object' || given === null) {
    throw new LstmError('VALUE', `${what}: expected an object with options, got ${describeValue(given)}`)
  }
  const result: Record<string, unknown> = {}
  const words: Map<string, string> = new Map()
  for (const [word, value] of [...Object.entries(positional), ...Object.entries(given)]) {
    if (value === undefined) continue
    const camel = camelCase(word)
    const name = Object.hasOwn(aliases, camel) ? aliases[camel] as string : camel
    if (!(known as readonly string[]).includes(name)) {
      throw new LstmError('VALUE', `${what}: no option '${word}'; options are ${known.join(', ')}`)
    }
    const earlier = words.get(name)
    if (earlier !== undefined) throw new LstmError('VALUE', `${what}: '${earlier}' and '${word}' are the same option`)
    words.set(name, word)
    result[name] = value
  }
  return result as T
}

/** @throws LstmError `VALUE` unless `value` is a whole number >= 1 */
export function checkCount(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new LstmError('VALUE', `${what}: expected a whole number >= 1, got ${describeValue(value)}`)
  }
  return value
}

/** @throws LstmError `VALUE` unless `value` is true or false; absent means `otherwise` */
export function checkFlag(value: unknown, otherwise: boolean, what: string): boolean {
  if (value === undefined) return otherwise
  if (typeof value !== 'boolean') throw new LstmError('VALUE', `${what}: expected true or false, got ${describeValue(value)}`)
  return value
}
