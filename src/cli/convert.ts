import { toKeras, toOnnx, type ExportOptions } from '../export/index.ts'
import { saveGraph, summarise, type Graph } from '../index.ts'
import { COMMON_OPTIONS, parseArguments, UsageError, type Arguments } from './arguments.ts'
import { outputName, writeBytes } from './conversion-target.ts'
import { READ_HELP, READ_OPTIONS, readModel } from './reading.ts'
import { clearStatus, grouped, printable, showStatus } from './terminal.ts'

export const CONVERT_HELP: string = `\
Writes any model that lstm-wasm can load as another file, with the same numbers. What it becomes,
the name of OUT says:

  .safetensors   a self-describing file: no reader is needed for it; other programs see its tensors
  .onnx          ONNX, for onnxruntime and whatever else reads it
  .keras         Keras 3, of Keras's own layers

IN is a path or URL, or - for standard input; it is never written to. docs/export.md says what goes
into which.

Usage
  lstm-wasm convert IN OUT

Options
  --only NAME              an output that is written, for .onnx and .keras; may be given again.
                           Default: all
  --zero-states            for .onnx and .keras: first states that may be left out here are zeros
                           there, not inputs
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm convert model.onnx model.safetensors
  lstm-wasm convert model.keras model.onnx
  lstm-wasm convert lstm.safetensors lstm.keras --zero-states --only output
  lstm-wasm convert silero_vad.onnx vad.safetensors --constant sr=16000
  lstm-wasm convert - model.safetensors < model.keras

Exit codes: 0 done, 1 a file cannot be read, converted or written, 2 the command line is wrong.
`

type Writer = (graph: Graph, options: ExportOptions) => Uint8Array

/** How files of each ending are written. */
const WRITERS: Readonly<Record<string, Writer>> = { '.safetensors': saveGraph, '.onnx': toOnnx, '.keras': toKeras }

/** What is asked for besides the file. @throws UsageError where the whole model is written */
function exportOptions({ flags, values }: Arguments, ending: string): ExportOptions {
  const outputs = values.get('only')
  const hasZeroStates = flags.has('zero-states')
  if (ending === '.safetensors' && (outputs !== undefined || hasZeroStates)) {
    throw new UsageError('--only and --zero-states are for .onnx and .keras: a .safetensors file has the whole model')
  }
  return { outputs, ...(hasZeroStates && { optionalStates: 'zeros' }) }
}

/** `lstm-wasm convert`. */
export async function convert(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, { ...COMMON_OPTIONS, ...READ_OPTIONS, 'only': 'string', 'zero-states': 'boolean' })
  const { from, to } = await outputName(parsed, Object.keys(WRITERS))
  const [ending, write] = Object.entries(WRITERS).find(([end]) => to.endsWith(end)) as [string, Writer]
  const options = exportOptions(parsed, ending)
  const graph = await readModel(from, parsed)
  showStatus(`making ${to} ...`)
  const bytes = write(graph, options)
  const { parameters } = summarise(graph)
  await writeBytes(to, bytes)
  clearStatus()
  process.stdout.write(`${printable(to)}: ${grouped(bytes.length)} bytes, ${grouped(parameters)} parameters\n`)
  return 0
}
