import { SessionError } from './session-error.mjs'

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2000

/**
 * Does something again while it fails with `STORE`, with waits that double up to two seconds.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {number} patienceMs for how long; then its last error is thrown
 * @returns {Promise<T>}
 */
export async function retry(work, patienceMs) {
  const end = Date.now() + patienceMs
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof SessionError) || error.code !== 'STORE' || Date.now() + wait > end) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}
