import { checkOf } from './session-record.mjs'

/** Which part of the workers has a session: the same everywhere, for a number of parts. */
export function partitionOf(name, count) {
  return checkOf(new TextEncoder().encode(name)) % count
}
