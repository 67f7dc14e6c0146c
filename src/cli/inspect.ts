import { readFile, stat } from 'node:fs/promises'
import { readSafetensors, type Safetensors } from '../readers/safetensors.ts'
import { createRuntime, formatSummary, LstmError, summarise, type Graph, type Summary } from '../index.ts'
import { streams } from '../streams/index.ts'
import { COMMON_OPTIONS, onlyFile, parseArguments } from './arguments.ts'
import { inOwnWords, READ_HELP, READ_OPTIONS, readModel } from './reading.ts'
import { clearStatus, grouped, headline, printable } from './terminal.ts'

export const INSPECT_HELP: string = `\
Shows what is in a model file: inputs, outputs, and for every layer its settings, output shape,
parameters, multiply-adds for each timestep and bytes. Runs nothing.

Usage
  lstm-wasm inspect FILE [--json]

FILE is a path or URL, or - for standard input, of a model that lstm-wasm can load: ONNX, Keras
(.keras, .h5), TensorFlow.js (model.json), TensorFlow 1 variables (.index, .npz, manifest.json),
PyTorch (.pt, .safetensors), RTNeural and AIDA-X (.json), NAM (.nam), Tesseract
(.traineddata), or a file written by model.save() or 'convert'.
Of a state dict that is not one torch.nn.LSTM the tensors are listed, with the lines of JavaScript
that would load it; the exit code is then 1.

Options
  --json                   the same as JSON, for programs
${READ_HELP}\
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm inspect digits.safetensors
  lstm-wasm inspect digits.safetensors --json > digits.json
  lstm-wasm inspect - < digits.safetensors

Exit codes: 0 done, 1 the file cannot be read or not be run, 2 the command line is wrong.
`

/** `lstm-wasm inspect`. */
export async function inspect(args: readonly string[]): Promise<number> {
  const parsed = parseArguments(args, { ...COMMON_OPTIONS, ...READ_OPTIONS, json: 'boolean' })
  const file = onlyFile(parsed, 'one model file')
  const json = parsed.flags.has('json')
  try {
    const graph = await readModel(file, parsed)
    const fileBytes = await sizeOf(file)
    const summary = summarise(graph, streams.carry)
    if (json) print(JSON.stringify({ file, fileBytes, ...summary }, null, 2))
    else print([title(file, fileBytes), '', formatSummary(summary), ...inPlainWords(graph, summary), ...await int8Here(summary)].join('\n'))
    return 0
  } catch (error) {
    if (!(error instanceof LstmError) || error.code !== 'UNSUPPORTED' || !error.message.includes('\n')) throw error
    await printDetails(file, error, json)
    throw new LstmError(error.code, headline(error.message), { cause: error })
  }
}

function print(text: string): void {
  clearStatus()
  process.stdout.write(`${printable(text)}\n`)
}

async function sizeOf(file: string): Promise<number | null> {
  return stat(file).then(({ size }) => size, () => null)
}

function title(file: string, fileBytes: number | null): string {
  return fileBytes === null ? file === '-' ? 'standard input' : file : `${file}: ${grouped(fileBytes)} bytes`
}

/** What each unit weighs its inputs for, by the number of gates. */
const GATES: Readonly<Record<number, readonly [string, string]>> = {
  4: ['what to let in,', 'what to forget, the new content, what to show. A plain RNN does so once.'],
  3: ['what of the old', 'to look at, how much of it to keep, the new content. A plain RNN does so once.'],
}

/** How weights of 8 bits are multiplied on this machine, where there are any. */
async function int8Here({ rows }: Summary): Promise<string[]> {
  if (!rows.some(({ detail }) => detail.endsWith('int8'))) return []
  const { int8Products } = await createRuntime()
  const how = int8Products === 'bytes' ? 'four bytes at a time: this engine has an exact dot of bytes' : 'as 16 bits: this engine has no exact dot of bytes'
  return ['', `int8 weights are multiplied ${how}. The sums are the same everywhere.`]
}

/** What the words of the table mean, with the numbers of the first recurrent layer. */
function inPlainWords({ nodes, constants }: Graph, { rows }: Summary): string[] {
  const recurrent = rows.find(({ arithmetic }) => arithmetic.length > 0)
  const node = nodes.find(({ name }) => name === recurrent?.name)
  const units = node?.attributes.hiddenSize
  const weights = Object.entries(node?.parameters ?? {}).find(([role]) => role.endsWith('.inputWeights'))?.[1]
  const [height, features] = constants.get(weights ?? '')?.shape ?? []
  if (node === undefined || typeof units !== 'number' || height === undefined || features === undefined) return []
  const gates = height / units
  const [first, second] = GATES[gates] ?? []
  return [
    '',
    `In plain words, for the first layer of '${node.name}':`,
    `  units      the ${units} numbers it remembers from step to step, which are also what it puts out`,
    `  timesteps  how many rows of ${features} features it reads, one after the other, with the same weights`,
    ...(first === undefined
      ? []
      : [`  ${gates}x         each unit weighs ${features} features and ${units} remembered numbers ${gates} times a step: ${first}`, `             ${second}`]),
  ]
}

/** What stands in an error of a file that cannot be run; for a state dict, a table of its tensors. */
async function printDetails(file: string, error: LstmError, json: boolean): Promise<void> {
  const lines = inOwnWords(error.message).split('\n').slice(1)
  const fileBytes = await sizeOf(file)
  const tensors = await tensorsOf(file)
  if (tensors === undefined) {
    print(json
      ? JSON.stringify({ file, fileBytes, unsupported: lines.map((line) => line.trim()) }, null, 2)
      : [title(file, fileBytes), '', ...lines].join('\n'))
    return
  }
  // The message lists the tensors, too: what follows them is how to load them.
  const load = lines.slice(lines.findIndex((line) => !line.startsWith(' ')))
  const rows = [...tensors].map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, bytes: data.byteLength }))
  if (json) {
    print(JSON.stringify({ file, fileBytes, tensors: rows, load: load.slice(1).map((line) => line.slice(2)) }, null, 2))
    return
  }
  const cells = rows.map(({ name, dtype, shape, bytes }) => [name, dtype, `[${shape.join(', ')}]`, grouped(bytes)])
  const total = ['total', '', '', grouped(rows.reduce((sum, { bytes }) => sum + bytes, 0))]
  print([title(file, fileBytes), '', ...table(['tensor', 'dtype as read', 'shape', 'bytes as read'], cells, total), '', ...load].join('\n'))
}

/** The tensors of a plain state dict; undefined for other files. */
async function tensorsOf(file: string): Promise<Safetensors['tensors'] | undefined> {
  try {
    const { tensors, metadata } = readSafetensors(await readFile(file))
    return metadata.has('lstm-wasm') ? undefined : tensors
  } catch {
    return undefined
  }
}

/** Columns of text, the last one flush right. */
function table(header: readonly string[], cells: readonly (readonly string[])[], total: readonly string[]): string[] {
  const widths = header.map((_, column) => [header, ...cells, total].reduce((width, row) => Math.max(width, (row[column] as string).length), 0))
  const line = (row: readonly string[]): string => row.map((cell, column) => {
    const width = widths[column] as number
    return column < header.length - 1 ? cell.padEnd(width) : cell.padStart(width)
  }).join('  ')
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return [line(header), rule, ...cells.map(line), rule, line(total)]
}
