import { open, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SessionError } from './session-error.mjs'

/**
 * Saved sessions as files of a folder, for a SessionStore. One process writes a session at a time. A file is replaced as a whole, after its
 * bytes have reached the disk: what was saved last stays readable, also when the disk is full or the power fails.
 *
 * @param {string} folder made if it is not there
 * @returns {import('./states.mjs').States}
 */
export function fileStates(folder) {
  const pathOf = (name) => join(folder, `${name}.session`)
  return {
    async get(name) {
      try {
        return { bytes: await readFile(pathOf(name)), revision: undefined }
      } catch (error) {
        if (error.code === 'ENOENT') return undefined
        throw cannot('read', name, error)
      }
    },
    async put(name, bytes) {
      const path = pathOf(name)
      try {
        await mkdir(folder, { recursive: true })
        await writeWhole(`${path}.new`, bytes)
        await rename(`${path}.new`, path)
        if (process.platform !== 'win32') await syncFolder(folder)
      } catch (error) {
        await rm(`${path}.new`, { force: true }).catch(() => {}) // half a file takes room
        throw cannot('write', name, error)
      }
    },
  }
}

/** So that the new name, too, has reached the disk. Windows opens no folders. */
async function syncFolder(folder) {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function writeWhole(path, bytes) {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
}

function cannot(what, name, cause) {
  const why = cause.code === 'ENOSPC' ? 'the disk is full' : cause.message
  return new SessionError('STORE', `session '${name}': cannot ${what} its file: ${why}`, { cause })
}
