import { LstmError } from '../errors.ts'

/** How a reader says that bytes are not what their format says: a `FORMAT` error that begins with the format's name. */
/* @__NO_SIDE_EFFECTS__ */
export function malformedFile(format: string): (what: string, cause?: unknown) => LstmError {
  return (what, cause) => new LstmError('FORMAT', `${format}: ${what}`, { cause })
}
