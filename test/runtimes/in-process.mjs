// Runs the suite in a JavaScript runtime with a command line.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { HERE } from './paths.mjs'

// Options that the caller's own Node runs with are not to change what is tested.
const ENVIRONMENT = { ...process.env, DENO_NO_UPDATE_CHECK: '1', DO_NOT_TRACK: '1', NODE_OPTIONS: '' }

/** @param args what stands before the program: options of the runtime, or the runtime itself after an emulator */
export async function inProcess({ path, args = [], env = {}, variant, signal }) {
  const command = [...args, join(HERE, 'process-cell.mjs'), variant]
  const { stdout } = await promisify(execFile)(path, command, { env: { ...ENVIRONMENT, ...env }, signal, killSignal: 'SIGKILL' })
  return { report: JSON.parse(stdout) }
}
