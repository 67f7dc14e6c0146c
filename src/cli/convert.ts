import { describePytorch, toKeras, toOnnx, toStateDict, writeNpz, type ExportOptions } from '../export/index.ts'
import { saveGraph, summarise, type Graph } from '../index.ts'
import { writeSafetensors } from '../readers/safetensors.ts'
import { COMMON_OPTIONS, parseArguments, UsageError, type Arguments } from './arguments.ts'
import { outputName, writeBytes } from './conversion-target.ts'
import { READ_HELP, READ_OPTIONS, readModel } from './reading.ts'
import { clearStatus, grouped, printable, showStatus } from './terminal.ts'

export const CONVERT_HELP: string = `\
Writes any model that lstm-wasm can load as another file, with the same numbers. What it becomes,
the name of OUT says:

  .safetensors   a self-describing file: no reader is needed for it; other programs see its tensors.
                 With --pytorch a state dict for PyTorch
  .onnx          ONNX, for onnxruntime and whatever else reads it
  .keras         Keras 3, of Keras's own layers
  .npz           a state dict for PyTorch, as NumPy's arrays

IN is a path or URL, or - for standard input; it is never written to. docs/export.md says what goes
into which.

Usage
  lstm-wasm convert IN OUT

Options
  --pytorch                a state dict by PyTorch's names. It prints the lines of Python that make
                           the module and load the file; so it does for .npz
  --only NAME              an output that is written; may be given again. Default: all
  --zero-states            first states that may be left out here are zeros there, not inputs
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm convert model.onnx model.safetensors
  lstm-wasm convert model.keras model.onnx
  lstm-wasm convert lstm.safetensors lstm.keras --zero-states --only output
  lstm-wasm convert model.keras weights.safetensors --pytorch > model.py
  lstm-wasm convert silero_vad.onnx vad.safetensors --constant sr=16000
  lstm-wasm convert - model.safetensors < model.keras

Exit codes: 0 done, 1 a file cannot be read, converted or written, 2 the command line is wrong.
`

/** How a file is written, and what is printed of it. */
interface Target {
  readonly write: (graph: Graph, options: ExportOptions) => Uint8Array
  /** Lines of Python that load a state dict. */
  readonly loading?: (file: string) => string
}

const STATE_DICT: Target = {
  write: (graph, options) => writeSafetensors(toStateDict(graph, options)),
  loading: (file) => `from safetensors.torch import load_file\n\nmodel.load_state_dict(load_file(${JSON.stringify(file)}), strict=True)`,
}

/** By the ending of the file. */
const TARGETS: Readonly<Record<string, Target>> = {
  '.safetensors': { write: saveGraph },
  '.onnx': { write: toOnnx },
  '.keras': { write: toKeras },
  '.npz': {
    write: (graph, options) => writeNpz(toStateDict(graph, options)),
    loading: (file) => `import numpy\n\narrays = numpy.load(${JSON.stringify(file)})\nmodel.load_state_dict({name: torch.from_numpy(arrays[name]) for name in arrays}, strict=True)`,
  },
}

/** What is written. @throws UsageError for options that the file has no use for */
function targetOf({ flags, values }: Arguments, to: string): { readonly target: Target, readonly options: ExportOptions } {
  const ending = Object.keys(TARGETS).find((end) => to.endsWith(end)) as string
  const isStateDict = flags.has('pytorch')
  if (isStateDict && ending !== '.safetensors' && ending !== '.npz') throw new UsageError(`--pytorch is for .safetensors and .npz, got '${to}'`)
  const target = isStateDict && ending === '.safetensors' ? STATE_DICT : TARGETS[ending] as Target
  const outputs = values.get('only')
  const hasZeroStates = flags.has('zero-states')
  if (target === TARGETS['.safetensors'] && (outputs !== undefined || hasZeroStates)) {
    throw new UsageError('--only and --zero-states are for other files: a self-describing one has the whole model')
  }
  return { target, options: { outputs, ...(hasZeroStates && { optionalStates: 'zeros' }) } }
}

/** `lstm-wasm convert`. */
export async function convert(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, { ...COMMON_OPTIONS, ...READ_OPTIONS, 'only': 'string', 'zero-states': 'boolean', 'pytorch': 'boolean' })
  const { from, to } = await outputName(parsed, Object.keys(TARGETS))
  const { target, options } = targetOf(parsed, to)
  const graph = await readModel(from, parsed)
  showStatus(`making ${to} ...`)
  const bytes = target.write(graph, options)
  const { parameters } = summarise(graph)
  await writeBytes(to, bytes)
  clearStatus()
  const line = `${printable(to)}: ${grouped(bytes.length)} bytes, ${grouped(parameters)} parameters\n`
  process.stdout.write(target.loading === undefined ? line : `# ${line}${describePytorch(graph, options)}${target.loading(to)}\n`)
  return 0
}
