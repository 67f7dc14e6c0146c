import { SessionError } from '../../session-error.mjs'

/**
 * The one session of a Durable Object, in its SQLite.
 *
 * @param {{ sql: { exec: (query: string, ...values: unknown[]) => { toArray: () => object[] } } }} storage of the object
 * @returns {import('../../states.mjs').States}
 */
export function objectStates({ sql }) {
  const exec = (what, query, ...values) => {
    try {
      sql.exec('CREATE TABLE IF NOT EXISTS saved (name TEXT PRIMARY KEY, bytes BLOB NOT NULL)')
      return sql.exec(query, ...values).toArray()
    } catch (cause) {
      throw new SessionError('STORE', `session: cannot ${what} the object's storage: ${cause.message}`, { cause })
    }
  }
  return {
    async get(name) {
      const [row] = exec('read', 'SELECT bytes FROM saved WHERE name = ?', name)
      return row && { bytes: new Uint8Array(row.bytes), revision: undefined }
    },
    // There is only one object of a name, so nobody else has written. What it sends waits until this has reached the disk.
    async put(name, saved) {
      exec('write', 'INSERT OR REPLACE INTO saved VALUES (?, ?)', name, saved)
    },
  }
}
