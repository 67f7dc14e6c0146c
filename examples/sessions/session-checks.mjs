import { SessionError } from './session-error.mjs'

/** Names are file names, keys and parts of subjects: letters, digits, `_` and `-`. @throws SessionError `VALUE` */
export function checkName(name) {
  if (typeof name === 'string' && /^[\w-]{1,64}$/.test(name)) return
  throw new SessionError('VALUE', `session: expected a name of 1 to 64 letters, digits, _ or -, got ${JSON.stringify(name)?.slice(0, 80)}`)
}

/** @throws SessionError `VALUE` */
export function checkSequence(sequence, least) {
  if (Number.isSafeInteger(sequence) && sequence >= least) return
  throw new SessionError('VALUE', `session: expected a sequence number from ${least} on, got ${sequence}`)
}

/** @throws SessionError `SIZE`; `VALUE` for numbers that are not finite */
export function checkFrame(frame, length) {
  if (!(frame instanceof Float32Array) || frame.length !== length) {
    throw new SessionError('SIZE', `session: expected frames of ${length} float32 numbers, got ${frame?.length ?? typeof frame}`)
  }
  for (let n = 0; n < length; n++) {
    if (Number.isFinite(frame[n])) continue
    throw new SessionError('VALUE', `session: expected finite numbers, got ${frame[n]} at ${n} of a frame: the state would never be a number again`)
  }
}
