import { saveGraph, summarise } from '../index.ts'
import { COMMON_OPTIONS, parseArguments } from './arguments.ts'
import { outputName, writeBytes } from './conversion-target.ts'
import { READ_HELP, READ_OPTIONS, readModel } from './reading.ts'
import { clearStatus, grouped, printable } from './terminal.ts'

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
  const { from, to } = await outputName(parsed)
  const graph = await readModel(from, parsed)
  const bytes = saveGraph(graph)
  const { parameters } = summarise(graph)
  await writeBytes(to, bytes)
  clearStatus()
  process.stdout.write(`${printable(to)}: ${grouped(bytes.length)} bytes, ${grouped(parameters)} parameters\n`)
  return 0
}
