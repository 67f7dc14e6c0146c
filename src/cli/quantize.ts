import { formatReport, quantize as quantizeModel, type QuantizationReport } from '../quantization/index.ts'
import { COMMON_OPTIONS, parseArguments, UsageError } from './arguments.ts'
import { outputName, writeBytes } from './conversion-target.ts'
import { readInputs } from './inputs.ts'
import { interruptible } from './interrupt.ts'
import { READ_HELP, READ_OPTIONS, readModel, toNumber } from './reading.ts'
import { clearStatus, grouped, printable, showBar, showStatus } from './terminal.ts'

export const QUANTIZE_HELP: string = `\
Makes the weights of a model smaller, and writes it as a self-describing safetensors file: integers
of 8 bits with a scale for each output, a quarter of the size and faster; or half precision, half of
the size and as fast as before. States, gates and biases stay float32. docs/quantization.md says
when not to use it.

Usage
  lstm-wasm quantize IN OUT.safetensors [--data [NAME=]ARRAY ...] [--report]

Options
  --dtype DTYPE            int8 (default) or float16
  --data [NAME=]ARRAY      inputs to measure with, as 'run' takes them: how far the outputs move
  --max-error E            how far they may move: root of the mean squares, relative to the output
                           (0.01 is 1 %). Layers stay float32, the worst first, until it holds.
                           Without --data: how far the weights of each layer may move.
  --convolutions DTYPE     float32 (default) or int8: how they are multiplied. With float32, their
                           weights are only stored in 8 bits; int8 is faster, and costs more.
  --keep NAME              a layer that stays as it is, as inspect calls it; may be given again
  --report                 a table: for each layer range, error, bytes, and its time here
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm quantize digits.safetensors small.safetensors --report
  lstm-wasm quantize digits.safetensors small.safetensors --data images.npy --max-error 0.01
  lstm-wasm quantize model.onnx half.safetensors --dtype float16

Exit codes: 0 done, 1 a file cannot be read, quantised or written, 2 the command line is wrong.
`

/** `lstm-wasm quantize`. */
export async function quantize(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, {
    ...COMMON_OPTIONS, ...READ_OPTIONS, 'dtype': 'string', 'data': 'string', 'max-error': 'string', 'convolutions': 'string', 'keep': 'string', 'report': 'boolean',
  })
  const { from, to } = await outputName(parsed)
  const dtype = parsed.values.get('dtype')?.at(-1) ?? 'int8'
  if (dtype !== 'int8' && dtype !== 'float16') throw new UsageError(`--dtype: expected int8 or float16, got '${dtype}'`)
  const convolutions = parsed.values.get('convolutions')?.at(-1) ?? 'float32'
  if (convolutions !== 'float32' && convolutions !== 'int8') throw new UsageError(`--convolutions: expected float32 or int8, got '${convolutions}'`)
  const limit = parsed.values.get('max-error')?.at(-1)
  const maxError = limit === undefined ? undefined : toNumber(limit, '--max-error')
  if (maxError !== undefined && !(maxError >= 0)) throw new UsageError(`--max-error: expected a number >= 0, got '${limit}'`)
  const files = parsed.values.get('data') ?? []

  const { model, report } = await interruptible(async (signal) => {
    const graph = await readModel(from, parsed, signal)
    showStatus('reading the data ...')
    const data = files.length === 0 ? undefined : await readInputs(files, graph.inputs)
    return quantizeModel(graph, {
      dtype, signal, data, maxError, convolutions, keep: parsed.values.get('keep'),
      onProgress: ({ done, total, layer }) => showBar(`quantising ${layer}`, done, total),
    })
  })
  const bytes = model.save()
  model.dispose()
  await writeBytes(to, bytes)
  clearStatus()
  if (parsed.flags.has('report')) process.stdout.write(`${printable(formatReport(report))}\n\n`)
  process.stdout.write(`${printable(`${to}: ${grouped(bytes.length)} bytes, ${sentence(report)}`)}\n`)
  return 0
}

/** What it came to, in a line. */
function sentence({ dtype, layers, bytesBefore, bytesAfter, change }: QuantizationReport): string {
  const changed = layers.filter(({ kept }) => kept === undefined).length
  const moved = Object.entries(change ?? {}).map(([name, { relative }]) => `, ${name} moved by ${(100 * relative).toPrecision(2)} %`).join('')
  return `${changed} of ${layers.length} layers with weights are ${dtype}, ${Math.round(100 * bytesAfter / bytesBefore)} % of the weights' bytes${moved}`
}
