/**
 * What went wrong with a session, for programs to branch on:
 * - `VALUE`: a name, sequence number or frame is none that is accepted.
 * - `SIZE`: a message is no whole number of frames, or longer than it may be.
 * - `GAP`: frames are missing before this one; `expected` is the sequence number to send from.
 * - `MODEL`: the saved state belongs to another model or a newer version. It is left as it is.
 * - `DAMAGED`: the saved bytes are not what was saved.
 * - `STORE`: states cannot be read or written now. Nothing is lost: send again later.
 * - `TAKEN`: another worker has the session. Nothing is lost: send again, there.
 * - `FULL`: no more sessions, or no more frames before outputs are confirmed. Send again later.
 * - `INTERNAL`: a mistake in the host; it goes on with other sessions. Only clients see it.
 *
 * @typedef {'VALUE' | 'SIZE' | 'GAP' | 'MODEL' | 'DAMAGED' | 'STORE' | 'TAKEN' | 'FULL' | 'INTERNAL'} SessionErrorCode
 */

/** Codes of errors that pass: whoever sends the same frames again goes on where the session was. */
const PASSING = new Set(['STORE', 'TAKEN', 'FULL'])

/** The one class of every error that the session store throws on purpose. */
export class SessionError extends Error {
  name = 'SessionError'

  /**
   * @param {SessionErrorCode} code
   * @param {string} message
   * @param {{ cause?: unknown, expected?: number }} [details] expected: of `GAP`, the sequence number to send from
   */
  constructor(code, message, { cause, expected } = {}) {
    super(message, { cause })
    this.code = code
    this.expected = expected
  }

  /** Whether the same call may work later. */
  get passes() {
    return PASSING.has(this.code)
  }
}
