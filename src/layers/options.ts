// Options of layers: those of every call (src/options.ts), in the words of Keras, TensorFlow 1 and PyTorch.
import { LstmError } from '../errors.ts'
import { checkKind, checkRecord, noOption, TEXT, type Kind, type OptionTable } from '../options.ts'

/** `returnSequences` -> `return_sequences`. */
type SnakeCase<Word extends string> = Word extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Tail>}`
  : ''

/** From other words for an option to its own name. */
export type Aliases<T> = Readonly<Record<string, keyof T & string>>

/** Options in every spelling that is understood: their own names, other words for them, and snake_case for both. */
export type Spelled<T, Others extends Aliases<T> = Record<never, never>> = T
  & { readonly [Name in keyof T & string as SnakeCase<Name>]?: T[Name] }
  & { readonly [Word in keyof Others & string as Word | SnakeCase<Word>]?: T[Others[Word]] }

/** Options of every layer. */
export interface LayerOptions {
  /** Name of the layer. Default: its kind, with a number from the second on. */
  readonly name?: string | undefined
}

export const NAME: OptionTable<LayerOptions> = { name: TEXT }

/** `return_sequences` -> `returnSequences`. */
function camelCase(word: string): string {
  return word.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * Options under their own names, checked; those that are undefined are left out.
 * @param positional options that were given as arguments of their own
 * @throws LstmError `VALUE` for a word that is no option, listing those there are, a value that is not of its kind, or two words for one option
 */
export function readWords<T extends object>(
  given: unknown, table: OptionTable<T>, what: string, aliases: Aliases<T> = {}, positional: object = {},
): T {
  const kinds = table as Readonly<Record<string, Kind>>
  const others = aliases as Readonly<Record<string, string>>
  const read: Record<string, unknown> = {}
  const words: Map<string, string> = new Map()
  const unknown: string[] = []
  for (const options of [positional, given]) {
    checkRecord(options, what)
    for (const word in options) {
      const value = options[word]
      if (value === undefined) continue
      const camel = camelCase(word)
      const name = Object.hasOwn(others, camel) ? others[camel] as string : camel
      if (!Object.hasOwn(kinds, name)) {
        unknown.push(word)
        continue
      }
      const earlier = words.get(name)
      if (earlier !== undefined) throw new LstmError('VALUE', `${what}: '${earlier}' and '${word}' are the same option`)
      words.set(name, word)
      checkKind(value, kinds[name] as Kind, what, word)
      read[name] = value
    }
  }
  const known = Object.keys(kinds)
  if (unknown.length > 0) throw new LstmError('VALUE', `${what}: ${noOption(unknown, known, [...known, ...Object.keys(others)])}`)
  return read as T
}
