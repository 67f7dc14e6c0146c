import { compile, createRuntime, type NdArray, type OutputDTypes } from '../index.ts'
import { formatOf, writeArrayFile, writeNamedArrays } from './array-files.ts'
import { COMMON_OPTIONS, onlyFile, parseArguments, UsageError } from './arguments.ts'
import { readInputs, splitName } from './inputs.ts'
import { interruptible } from './interrupt.ts'
import { READ_HELP, READ_OPTIONS, readModel, variantOf } from './reading.ts'
import { readable } from './results.ts'
import { clearStatus, printable, showBar, showStatus } from './terminal.ts'

export const RUN_HELP: string = `\
Runs a model once on arrays from files. 'lstm-wasm inspect FILE' lists the names and shapes of its
inputs and outputs.

Usage
  lstm-wasm run FILE --input [NAME=]ARRAY ... [--output [NAME=]ARRAY ...]

FILE is a path or URL of a model that lstm-wasm can load. An ARRAY is a file that ends in
  .npy   NumPy: float32, float64, float16, int32, int64 or uint8, little-endian
  .json  nested arrays of numbers, or several by name: { "NAME": nested arrays, ... }
  .csv   a matrix, a line for each row; a first line without a single number is a header
FILE or one ARRAY may be -, for standard input.

Options
  --input [NAME=]ARRAY     what goes in. NAME may be left out when the model needs one input only.
                           An array with one axis less than the input is a batch of one: for
                           [batch, timesteps, features], a .csv is one sequence, a line for each
                           timestep; for [batch, features], a line is a row of the batch. Inputs
                           that inspect calls optional are zeros when they are not given.
  --output [NAME=]ARRAY    where an output goes. Without NAME, .json takes all outputs by name,
                           .npy and .csv the first one. In .csv, columns are the last axis, and
                           rows all others. Default: all outputs are printed: up to 64 numbers
                           whole, long ones cut in the middle; of probabilities, the most likely
                           classes.
  --variant VARIANT        simd: bit-identical on every machine. relaxed-simd: faster where the
                           processor fuses multiply and add. auto (default): the fastest there is.
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm run digits.safetensors --input images.npy --output scores.npy
  lstm-wasm run lstm.safetensors --input input=x.csv --input h_0=h.npy --output all.json
  lstm-wasm run digits.safetensors --input - < images.npy

Exit codes: 0 done, 1 a file cannot be read, run or written, 2 the command line is wrong.
`

/** `lstm-wasm run`. */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, { ...COMMON_OPTIONS, ...READ_OPTIONS, input: 'string', output: 'string', variant: 'string' })
  const file = onlyFile(parsed, 'one model file')
  const inputFiles = parsed.values.get('input') ?? []
  const outputFiles = parsed.values.get('output') ?? []
  const variant = variantOf(parsed)
  if (inputFiles.length === 0) throw new UsageError('expected --input ARRAY')
  // Before any work: a name without a format is not found out at the end of it.
  for (const argument of [...inputFiles, ...outputFiles]) if (argument !== '-' && !argument.endsWith('=-')) formatOf(argument)
  if (outputFiles.some((argument) => argument === '-' || argument.endsWith('=-'))) throw new UsageError('--output: expected a file; without --output, outputs are printed')

  if ([file, ...inputFiles.map((argument) => argument.slice(argument.indexOf('=') + 1))].filter((name) => name === '-').length > 1) {
    throw new UsageError('standard input can be read once: - is given twice')
  }
  const graph = await interruptible(async (signal) => readModel(file, parsed, signal))
  const targets = outputFiles.map((argument) => splitName(argument, graph.outputs.map(({ name }) => name), 'output'))
  showStatus('reading the input ...')
  const inputs = await readInputs(inputFiles, graph.inputs)
  showStatus('compiling ...')
  const model = await compile<OutputDTypes>(graph, { runtime: await createRuntime({ variant }) })
  showStatus('running ...')
  const outputs = await interruptible(async (signal) => model.runAsync(inputs, { signal, onProgress: ({ done, total }) => showBar('running', done, total) }))
  clearStatus()
  if (targets.length === 0) {
    for (const [name, array] of Object.entries(outputs)) process.stdout.write(`${printable(readable(name, array))}\n`)
  }
  for (const { name, file: path } of targets) {
    process.stdout.write(`${printable(await write(path, name, outputs))}\n`)
  }
  return 0
}

/** Writes one output, or all by name; says what was written where. */
async function write(file: string, name: string | undefined, outputs: Readonly<Record<string, NdArray>>): Promise<string> {
  const all = Object.entries(outputs)
  const wanted = name !== undefined ? all.filter(([key]) => key === name) : formatOf(file) === '.json' ? all : all.slice(0, 1)
  showStatus(`writing ${file} ...`)
  if (name === undefined && formatOf(file) === '.json') await writeNamedArrays(file, outputs)
  else for (const [, array] of wanted) await writeArrayFile(file, array)
  clearStatus()
  return `${file}: ${wanted.map(([key, { dtype, shape }]) => `${key} ${dtype} [${shape.join(', ')}]`).join(', ')}`
}
