import { LstmError } from '../errors.ts'

/** How a reader says that bytes are not what their format says: a `FORMAT` error that begins with the format's name. */
/* @__NO_SIDE_EFFECTS__ */
export function malformedFile(format: string): (what: string, cause?: unknown) => LstmError {
  return (what, cause) => new LstmError('FORMAT', `${format}: ${what}`, { cause })
}

/** The first few of a list as a message names them: `a, b and 3 more`. */
export function listed<T>(items: readonly T[], most: number, nameOf: (item: T) => string): string {
  const shown = items.slice(0, most).map(nameOf).join(', ')
  return items.length > most ? `${shown} and ${items.length - most} more` : shown
}
