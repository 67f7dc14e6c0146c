// Matches arrays to names: one rule for `run`, `runAsync`, `into`, streams and pools.
import { LstmError } from '../errors.ts'
import { describeValue } from '../values/dtype.ts'

/** What values are given for: an input or output of a model or stream. */
export interface NamedPort {
  readonly name: string
  readonly optional?: boolean
}

/** How messages speak of values: `run`, and of one of them `input`. */
export interface NamedWords {
  readonly call: string
  readonly port: 'input' | 'output'
}

const NONE: readonly NamedPort[] = []

/** The position of the only port that must be given; -1 where there are several, or none. */
function onlyPort(ports: readonly NamedPort[]): number {
  if (ports.length === 1) return 0
  let found = -1
  for (let n = 0; n < ports.length; n++) {
    if (ports[n]?.optional === true) continue
    if (found >= 0) return -1
    found = n
  }
  return found
}

/**
 * Takes what a caller gave for some ports, each value once, by position: an array alone is that of the only port that is not optional,
 * everything else is an object with values by name, of which only own properties count (names come out of untrusted files, and
 * `constructor` is in every object). Allocates nothing. Values that are not there are undefined.
 * @param unneeded further names that may be given; no output depends on their values
 * @throws LstmError `VALUE` for an array alone where there are several ports, a name that is none, or what is no object
 */
export function takeNamed(given: unknown, ports: readonly NamedPort[], values: unknown[], words: NamedWords, unneeded: readonly NamedPort[] = NONE): void {
  if (typeof given !== 'object' || given === null) refuseArray(given, ports, words)
  const named = given as Readonly<Record<string, unknown>>
  let known = 0
  for (let n = 0; n < ports.length; n++) {
    const { name } = ports[n] as NamedPort
    const isThere = Object.hasOwn(named, name)
    if (isThere) known++
    values[n] = isThere ? named[name] : undefined
  }
  // A model may have inputs that are called `data` and `shape`; `data` alone is a name that is none.
  if (known === 0 && (ArrayBuffer.isView(given) || Array.isArray(given) || ('data' in given && ('shape' in given || 'dims' in given)))) {
    const only = onlyPort(ports)
    if (only < 0) refuseArray(given, ports, words)
    values[only] = given
    return
  }
  for (let n = 0; n < unneeded.length; n++) if (Object.hasOwn(named, (unneeded[n] as NamedPort).name)) known++
  // Inherited names count here as well: the exact check is rarely needed.
  for (const name in named) if (--known < 0 && name in named) refuseUnknown(named, ports, words, unneeded)
}

/** Names in a message: untrusted files may have very many. */
const MOST_NAMES = 20

export function listNames(ports: readonly NamedPort[]): string {
  const names = ports.slice(0, MOST_NAMES).map(({ name, optional }) => `'${name}'${optional === true ? ' (optional)' : ''}`)
  if (ports.length > MOST_NAMES) names.push(`and ${ports.length - MOST_NAMES} more`)
  return names.length === 0 ? 'none' : names.join(', ')
}

function refuseArray(given: unknown, ports: readonly NamedPort[], { call, port }: NamedWords): never {
  throw new LstmError('VALUE', `${call}: expected an object with ${port}s by name (${listNames(ports)}), got ${describeValue(given)}`)
}

/** @throws LstmError `VALUE` where an own name is none of the ports' */
function refuseUnknown(named: object, ports: readonly NamedPort[], words: NamedWords, unneeded: readonly NamedPort[]): void {
  const names = new Set([...ports, ...unneeded].map(({ name }) => name))
  const unknown = Object.keys(named).find((name) => !names.has(name))
  if (unknown !== undefined) throw noSuchPort(unknown, ports, words)
}

function noSuchPort(name: string, ports: readonly NamedPort[], { call, port }: NamedWords): LstmError {
  return new LstmError('VALUE', `${call}: no ${port} '${name}'; ${port}s are ${listNames(ports)}`)
}
