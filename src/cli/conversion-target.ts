// IN and OUT of commands that write a model.
import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LstmError } from '../index.ts'
import { alternatives, twoFiles, UsageError, type Arguments } from './arguments.ts'
import { reasonOf } from './file-errors.ts'
import { showStatus } from './terminal.ts'

/**
 * The two names of a command line.
 * @param endings of files that can be written
 * @throws UsageError unless they are a model to read and another file to write
 */
export async function outputName(parsed: Arguments, endings: readonly string[] = ['.safetensors']): Promise<{ readonly from: string, readonly to: string }> {
  const all = alternatives(endings)
  const [from, to] = twoFiles(parsed, `a model file and a ${all} file to write`)
  if (!endings.some((ending) => to.endsWith(ending))) throw new UsageError(`expected a name that ends in ${all} to write to, got '${to}'`)
  if (await isSameFile(from, to)) throw new UsageError(`'${to}' is the model to read: write to another file`)
  return { from, to }
}

/** @throws LstmError `ENVIRONMENT` where it cannot be written */
export async function writeBytes(file: string, bytes: Uint8Array): Promise<void> {
  showStatus(`writing ${file} ...`)
  try {
    await writeFile(file, bytes)
  } catch (cause) {
    throw new LstmError('ENVIRONMENT', `cannot write '${file}': ${reasonOf(cause, 'no such folder')}`, { cause })
  }
}

/** Before hours of work whose result goes there. @throws LstmError `ENVIRONMENT` where it could not be written */
export async function checkWritable(file: string): Promise<void> {
  try {
    const found = await stat(file).catch(() => undefined)
    if (found?.isDirectory() === true) throw Object.assign(new Error(), { code: 'EISDIR' })
    await access(found === undefined ? dirname(file) : file, constants.W_OK)
  } catch (cause) {
    throw new LstmError('ENVIRONMENT', `cannot write '${file}': ${reasonOf(cause, 'no such folder')}`, { cause })
  }
}

/** Whether two names are one file, by whatever way. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map(async (file) => stat(file).catch(() => undefined)))
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino
}
