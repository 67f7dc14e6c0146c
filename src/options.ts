// Options of every public call: a table says what each may be; whatever else is given is refused by name.
import { LstmError } from './errors.ts'
import { describeValue } from './values/dtype.ts'

/** What an option may be: in words, for the message, and as a test. */
export interface Kind {
  readonly expected: string
  readonly test: (value: unknown) => boolean
}

/** A row for every option of `T`: one that is forgotten, or one that is none, does not compile. */
export type OptionTable<T> = { readonly [Name in keyof T]-?: Kind }

/** Whether it is an object by name: no list, no promise that somebody forgot to await. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value) && !('then' in value)
}

export const FLAG: Kind = { expected: 'true or false', test: (value) => typeof value === 'boolean' }
export const TEXT: Kind = { expected: 'text', test: (value) => typeof value === 'string' }
export const NUMBER: Kind = { expected: 'a number', test: Number.isFinite }
export const FUNCTION: Kind = { expected: 'a function', test: (value) => typeof value === 'function' }
export const RECORD: Kind = { expected: 'an object by name', test: isRecord }
export const LIST: Kind = { expected: 'a list', test: Array.isArray }
export const SIGNAL: Kind = { expected: 'an AbortSignal', test: (value) => isRecord(value) && typeof value.aborted === 'boolean' }

export const atLeast = (least: number): Kind => (
  { expected: `a number >= ${least}`, test: (value) => Number.isFinite(value) && (value as number) >= least }
)

/** A whole number. */
export const count = (least: number, most: number = Infinity): Kind => ({
  expected: `a whole number ${most === Infinity ? `>= ${least}` : `from ${least} to ${most}`}`,
  test: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
})

export const oneOf = (words: readonly string[]): Kind => (
  { expected: words.map((word) => `'${word}'`).join(' or '), test: (value) => words.includes(value as string) }
)

/** An object that has these methods, or other members. */
export const having = (expected: string, ...members: readonly string[]): Kind => (
  { expected, test: (value) => isRecord(value) && members.every((member) => member in value) }
)

export const GRAPH: Kind = having('a graph', 'inputs', 'outputs', 'nodes', 'constants')

/**
 * @param what the call that is given it
 * @param name of the option; of what the call is about, its first argument, none
 * @throws LstmError `VALUE` unless the value is of the kind
 */
export function checkKind(value: unknown, { expected, test }: Kind, what: string, name: string = ''): void {
  if (!test(value)) throw new LstmError('VALUE', `${what}: expected ${expected}${name && ` for '${name}'`}, got ${describeValue(value)}`)
}

/** @throws LstmError `VALUE` unless options are an object */
export function checkRecord(given: unknown, what: string): asserts given is Readonly<Record<string, unknown>> {
  if (!isRecord(given)) throw new LstmError('VALUE', `${what}: expected an object with options, got ${describeValue(given)}`)
}

/**
 * Refuses names that the table does not have, unless they are undefined. Allocates nothing: runs ask it every time.
 * @throws LstmError `VALUE`
 */
export function checkNames(given: unknown, table: Readonly<Record<string, Kind>>, what: string): asserts given is Readonly<Record<string, unknown>> {
  checkRecord(given, what)
  for (const name in given) {
    if (!Object.hasOwn(table, name) && given[name] !== undefined) throw unknownOptions(given, table, what)
  }
}

/**
 * The options that are given, each read once and checked; those that are undefined are left out.
 * @throws LstmError `VALUE` for names that the table does not have, with the nearest that it has, and for values that are not of their kind
 */
export function readOptions<T extends object>(given: unknown, table: OptionTable<T>, what: string): T {
  const kinds = table as Readonly<Record<string, Kind>>
  checkNames(given, kinds, what)
  const read: Record<string, unknown> = {}
  for (const name in given) {
    const value = given[name]
    if (value === undefined) continue
    checkKind(value, kinds[name] as Kind, what, name)
    read[name] = value
  }
  return read as T
}

function unknownOptions(given: Readonly<Record<string, unknown>>, table: Readonly<Record<string, Kind>>, what: string): LstmError {
  const known = Object.keys(table)
  const words = Object.keys(given).filter((word) => !Object.hasOwn(table, word) && given[word] !== undefined)
  return new LstmError('VALUE', `${what}: ${noOption(words, known)}`)
}

/** `no option 'forgetbias' (did you mean 'forgetBias'?); options are ...`. @param near words that may have been meant */
export function noOption(words: readonly string[], known: readonly string[], near: readonly string[] = known): string {
  const list = words.map((word) => {
    const meant = nearest(word, near)
    return `'${word.slice(0, MOST_LETTERS)}'${meant === undefined ? '' : ` (did you mean '${meant}'?)`}`
  })
  return `no option ${list.join(', ')}; options are ${known.join(', ')}`
}

/** Letters of a word that are looked at. */
const MOST_LETTERS = 40

/** The word of a list that somebody probably meant, or undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const letters = word.slice(0, MOST_LETTERS).toLowerCase()
  let best: string | undefined
  let least = Infinity
  for (const candidate of known) {
    const distance = editDistance(letters, candidate.toLowerCase())
    if (distance >= least || distance > Math.ceil(candidate.length / 3) || distance === candidate.length) continue
    least = distance
    best = candidate
  }
  return best
}

const sorted = (word: string): string => Array.from(word).sort().join()

/** How many letters to insert, delete or replace to make `b` of `a` (Levenshtein 1965); letters in another order are one slip. */
function editDistance(a: string, b: string): number {
  if (a !== b && sorted(a) === sorted(b)) return 1
  let above = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (const letter of a) {
    let left = (above[0] as number) + 1
    above = [left, ...Array.from(b, (other, n) => (
      left = Math.min((above[n] as number) + Number(letter !== other), (above[n + 1] as number) + 1, left + 1)
    ))]
  }
  return above[b.length] as number
}
