/**
 * Where sessions are saved. Errors of `get` and `put` are SessionErrors: `STORE` is tried again.
 *
 * @typedef {object} States
 * @property {(name: string) => Promise<{ bytes: Uint8Array, revision: unknown } | undefined>} get
 * @property {(name: string, bytes: Uint8Array, revision: unknown) => Promise<unknown>} put replaces what has that revision (undefined: nothing),
 *   and gives the new one. Throws `TAKEN` where another one has written since
 */

/**
 * Puts a session where it is saved, and knows its own bytes again where an earlier attempt that seemed to fail has been done.
 *
 * @param {States} states
 * @returns {Promise<unknown>} the new revision
 * @throws SessionError as `put`
 */
export async function putOnce(states, name, bytes, revision) {
  try {
    return await states.put(name, bytes, revision)
  } catch (error) {
    if (error.code !== 'TAKEN') throw error
    const found = await states.get(name)
    if (found === undefined || !isEqual(found.bytes, bytes)) throw error
    return found.revision
  }
}

function isEqual(a, b) {
  return a.length === b.length && a.every((byte, n) => byte === b[n])
}
