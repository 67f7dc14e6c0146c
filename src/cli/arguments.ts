import { parseArgs } from 'node:util'
import { nearest } from '../options.ts'

/** A command line that cannot be understood: exit code 2. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError'
}

/** What each option takes: a value (`string`), or nothing (`boolean`). */
export type Options = Readonly<Record<string, 'string' | 'boolean'>>

/** Options of every command. */
export const COMMON_OPTIONS = { help: 'boolean', verbose: 'boolean' } as const

/** Letters for options, as `-h`. */
const SHORT: Readonly<Record<string, string>> = { help: 'h', output: 'o' }

export interface Arguments {
  readonly positionals: readonly string[]
  /** Options without a value that were given. */
  readonly flags: ReadonlySet<string>
  /** Values of the others, in the order given. */
  readonly values: ReadonlyMap<string, readonly string[]>
}

/**
 * Splits a command line. Says what is wrong in words of its own: those of `parseArgs` differ between
 * versions of Node, and suggest nothing.
 *
 * @throws UsageError
 */
export function parseArguments(args: readonly string[], options: Options): Arguments {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([name, type]) => {
      const short = Object.hasOwn(SHORT, name) ? SHORT[name] : undefined
      return [name, short === undefined ? { type } : { type, short }]
    })),
    strict: false,
    tokens: true,
  })
  const positionals: string[] = []
  const flags: Set<string> = new Set()
  const values: Map<string, string[]> = new Map()
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value, inlineValue } = token
    const type = Object.hasOwn(options, name) ? options[name] : undefined
    if (type === undefined) throw new UsageError(`unknown option '${rawName}'${suggestion(name, Object.keys(options), '--')}`)
    if (type === 'boolean') {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value, got '${value}'`)
      flags.add(name)
      continue
    }
    if (value === undefined || value === '') throw new UsageError(`${rawName} needs a value`)
    if (!inlineValue && value.startsWith('-') && value !== '-') throw new UsageError(`${rawName} needs a value, got the option '${value}'`)
    values.set(name, [...values.get(name) ?? [], value])
  }
  return { positionals, flags, values }
}

/** The one FILE of a command line. */
export function onlyFile({ positionals }: Arguments, what: string): string {
  const [file, ...more] = positionals
  if (file === undefined) throw new UsageError(`expected ${what}`)
  if (more.length > 0) throw new UsageError(`expected ${what}, got ${positionals.length}: ${positionals.join(' ')}`)
  return file
}

/** The two names of a command line. @throws UsageError */
export function twoFiles({ positionals }: Arguments, what: string): readonly [string, string] {
  const [first, second, ...more] = positionals
  if (first === undefined || second === undefined || more.length > 0) {
    throw new UsageError(`expected ${what}, got ${positionals.length} name${positionals.length === 1 ? '' : 's'}`)
  }
  return [first, second]
}

/** `a`, `a or b`, `a, b or c`. */
export function alternatives(words: readonly string[]): string {
  return words.join(', ').replace(/, (?=[^,]*$)/, ' or ')
}

/** `; did you mean 'inspect'?`, or nothing when no word is near. */
export function suggestion(word: string, known: readonly string[], prefix = ''): string {
  const near = nearest(word, known)
  return near === undefined ? '' : `; did you mean '${prefix}${near}'?`
}
