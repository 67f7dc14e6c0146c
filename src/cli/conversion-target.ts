// IN and OUT of commands that write a model.
import { stat, writeFile } from 'node:fs/promises'
import { LstmError } from '../index.ts'
import { UsageError, type Arguments } from './arguments.ts'
import { showStatus } from './terminal.ts'

/** The two names of a command line. @throws UsageError unless they are a model to read and another file to write */
export async function outputName({ positionals }: Arguments): Promise<{ readonly from: string, readonly to: string }> {
  const [from, to, ...more] = positionals
  if (from === undefined || to === undefined || more.length > 0) {
    throw new UsageError(`expected a model file and a .safetensors file to write, got ${positionals.length} names`)
  }
  if (!to.endsWith('.safetensors')) throw new UsageError(`expected a name that ends in .safetensors to write to, got '${to}'`)
  if (await isSameFile(from, to)) throw new UsageError(`'${to}' is the model to read: write to another file`)
  return { from, to }
}

/** @throws LstmError `ENVIRONMENT` where it cannot be written */
export async function writeBytes(file: string, bytes: Uint8Array): Promise<void> {
  showStatus(`writing ${file} ...`)
  try {
    await writeFile(file, bytes)
  } catch (cause) {
    throw new LstmError('ENVIRONMENT', `cannot write '${file}': ${String(cause)}`, { cause })
  }
}

/** Whether two names are one file, by whatever way. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map(async (file) => stat(file).catch(() => undefined)))
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino
}
