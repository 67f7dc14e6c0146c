import { stat, writeFile } from 'node:fs/promises'
import { LstmError, saveGraph, summarise } from '../index.ts'
import { COMMON_OPTIONS, parseArguments, UsageError } from './arguments.ts'
import { READ_HELP, READ_OPTIONS, readModel } from './reading.ts'
import { clearStatus, grouped, printable, showStatus } from './terminal.ts'

export const CONVERT_HELP: string = `\
Makes a self-describing safetensors file of any model that lstm-wasm can load: one file, no reader
needed for it, the same numbers. Other programs see its tensors. IN is a path or URL, or - for
standard input; it is never written to.

Usage
  lstm-wasm convert IN OUT.safetensors

Options
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm convert model.onnx model.safetensors
  lstm-wasm convert silero_vad.onnx vad.safetensors --constant sr=16000
  lstm-wasm convert - model.safetensors < model.keras

Exit codes: 0 done, 1 a file cannot be read, converted or written, 2 the command line is wrong.
`

/** `lstm-wasm convert`. */
export async function convert(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, { ...COMMON_OPTIONS, ...READ_OPTIONS })
  const [from, to, ...more] = parsed.positionals
  if (from === undefined || to === undefined || more.length > 0) {
    throw new UsageError(`expected a model file and a .safetensors file to write, got ${parsed.positionals.length} names`)
  }
  if (!to.endsWith('.safetensors')) throw new UsageError(`expected a name that ends in .safetensors to write to, got '${to}'`)
  if (await isSameFile(from, to)) throw new UsageError(`'${to}' is the model to read: write to another file`)
  const graph = await readModel(from, parsed)
  showStatus(`writing ${to} ...`)
  const bytes = saveGraph(graph)
  const { parameters } = summarise(graph)
  try {
    await writeFile(to, bytes)
  } catch (cause) {
    throw new LstmError('ENVIRONMENT', `cannot write '${to}': ${String(cause)}`, { cause })
  }
  clearStatus()
  process.stdout.write(`${printable(to)}: ${grouped(bytes.length)} bytes, ${grouped(parameters)} parameters\n`)
  return 0
}

/** Whether two names are one file, by whatever way. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map(async (file) => stat(file).catch(() => undefined)))
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino
}
