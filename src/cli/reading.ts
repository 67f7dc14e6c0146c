// What every command that reads a model is told: the file, and what the file does not say.
import { readFile } from 'node:fs/promises'
import { readGraph, type Graph, type ReadGraphOptions, type Variant } from '../index.ts'
import { UsageError, type Arguments, type Options } from './arguments.ts'
import { cannotRead } from './file-errors.ts'
import { showProgress, showStatus } from './terminal.ts'

/** Options of readers, as `load` calls them, by what they take. */
const NUMBERS = ['forgetBias', 'cellClip', 'projClip', 'sampleRate', 'trainingSampleRate', 'seed'] as const
const WORDS = ['activation', 'sampleRateCorrection', 'dialect', 'key'] as const
const FLAGS = ['unbatched', 'residual', 'timeMajor', 'sequenceLength'] as const
/** On where they are not given. */
const SWITCHES = ['batchFirst'] as const
const FILES = ['architecture', 'cells'] as const
const NAMES: readonly string[] = [...NUMBERS, ...WORDS, ...FLAGS, ...SWITCHES, ...FILES]

/** `forgetBias` -> `forget-bias`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** Options of every command that reads a model. */
export const READ_OPTIONS: Options = {
  constant: 'string',
  ...Object.fromEntries(NAMES.map((name) => [kebab(name), (FLAGS as readonly string[]).includes(name) ? 'boolean' : 'string'])),
}

export const READ_HELP = `\
  --constant NAME=NUMBER   ONNX, Keras, TensorFlow.js: fixes an input that says what to run
  --seed NUMBER            ONNX: of the random numbers that a model draws
  --architecture FILE      Keras files with weights only: what model.to_json() returned
  --dialect NAME           Keras, TensorFlow.js: in whose sense the file is read, keras2, keras3.0,
                           keras3.4, keras3 or tfjs. Default: as the file says.
  --key NAME               PyTorch checkpoints with several state dicts: which one
  --batch-first true|false PyTorch: whether a bare LSTM takes [batch, timesteps, features].
                           Default true.
  --unbatched              PyTorch, RTNeural, NAM: inputs and outputs have no axis for the batch
  --forget-bias NUMBER     TensorFlow 1, which does not store it: added to forget gates. Default 1.
  --activation NAME        TensorFlow 1: of the cells. Default tanh.
  --cell-clip NUMBER       TensorFlow 1: c is clamped. --proj-clip NUMBER: so is a projected h.
  --cells FILE             TensorFlow 1: these four for each cell, a list in JSON:
                           [{ "forgetBias": 0 }, { "cellClip": 3 }]
  --residual               TensorFlow 1: every cell is in a ResidualWrapper
  --time-major             TensorFlow 1, PyTorch: sequences are [timesteps, batch, features]
  --sequence-length        TensorFlow 1: there is an input sequence_length
  --sample-rate NUMBER     RTNeural: of the samples, if not that of the training, in Hz
  --training-sample-rate NUMBER, --sample-rate-correction LinInterp|NoInterp
                           RTNeural: the rate it was trained at, in Hz; how another is corrected
`

/**
 * The model in a file, `-` for standard input.
 * @throws UsageError for values that are no numbers; LstmError
 */
export async function readModel(file: string, parsed: Arguments, signal?: AbortSignal): Promise<Graph> {
  const options = { onProgress: showProgress, ...await readOptionsOf(parsed) }
  showStatus(`reading ${file === '-' ? 'standard input' : file} ...`)
  const source = file === '-' ? await readStandardInput() : file
  return readGraph(source, { ...options, ...(signal !== undefined && { signal }) })
}

/** All bytes of standard input. */
export async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}

/** What `load` is told of the file. @throws UsageError, LstmError `ENVIRONMENT` */
export async function readOptionsOf({ values, flags }: Arguments): Promise<ReadGraphOptions & Readonly<Record<string, unknown>>> {
  const options: Record<string, unknown> = {}
  const last = (name: string): string | undefined => values.get(kebab(name))?.at(-1)
  for (const name of NUMBERS) {
    const text = last(name)
    if (text !== undefined) options[name] = toNumber(text, `--${kebab(name)}`)
  }
  for (const name of WORDS) options[name] = last(name)
  for (const name of FLAGS) if (flags.has(kebab(name))) options[name] = true
  for (const name of SWITCHES) {
    const text = last(name)
    if (text !== undefined && text !== 'true' && text !== 'false') throw new UsageError(`--${kebab(name)}: expected true or false, got '${text}'`)
    if (text !== undefined) options[name] = text === 'true'
  }
  for (const name of FILES) {
    const file = last(name)
    if (file !== undefined) options[name] = name === 'cells' ? parseCells(await readText(file), file) : await readText(file)
  }
  const constants = values.get('constant')?.map((argument): [string, number] => {
    const [, name, value] = /^(.+)=([^=]+)$/.exec(argument) ?? []
    if (name === undefined || value === undefined) throw new UsageError(`--constant: expected NAME=NUMBER, got '${argument}'`)
    return [name, toNumber(value, '--constant')]
  })
  if (constants !== undefined) options.constants = Object.fromEntries(constants)
  // Readers refuse values that are none of theirs.
  return options
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw cannotRead(JSON.stringify(file), cause)
  })
}

function parseCells(text: string, file: string): unknown {
  try {
    const cells: unknown = JSON.parse(text)
    if (Array.isArray(cells) && cells.every((cell) => typeof cell === 'object' && cell !== null)) return cells
  } catch {
    // The same for the user.
  }
  throw new UsageError(`--cells: expected a list of objects in JSON in '${file}'`)
}

const VARIANTS = ['simd', 'relaxed-simd', 'auto'] as const

/** The option --variant: which binary. @throws UsageError */
export function variantOf({ values }: Arguments): Variant | 'auto' {
  const text = values.get('variant')?.at(-1) ?? 'auto'
  const variant = VARIANTS.find((known) => known === text)
  if (variant === undefined) throw new UsageError(`--variant: expected ${VARIANTS.join(', ')}, got '${text}'`)
  return variant
}

/** A number of things. @throws UsageError for what is no whole number >= 1 */
export function toSize(text: string, what: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`${what}: expected a whole number >= 1, got '${text}'`)
  return Number(text)
}

export function toNumber(text: string, what: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new UsageError(`${what}: expected a number, got '${text}'`)
  return value
}

/** A message of the library with options as they are called here: `--forget-bias`, not `forgetBias`. Lines of code stay as they are. */
export function inOwnWords(message: string): string {
  const flag = (name: string): string => (name === 'constants' ? '--constant' : `--${kebab(name)}`)
  const known = [...NAMES, 'constants'].join('|')
  return message.split('\n').map((line) => (line.startsWith('  ')
    ? line
    : line
        .replace(/^load: /, '')
        .replace(/readTorch\(\w+, \{ key: (.*?) \}\)/g, '--key $1')
        .replace(new RegExp(`(?:the )?options? '?(${known})'?(?![\\w'])`, 'g'), (_, name: string) => `the option ${flag(name)}`)
        .replace(new RegExp(`'(${known})'`, 'g'), (_, name: string) => flag(name))
        .replace(/(?<=options are )\w[\w, ]*/, (names) => names.split(', ').map((name) => (NAMES.includes(name) || name === 'constants' ? flag(name) : name)).join(', '))
  )).join('\n').replaceAll('no the option', 'no option')
}
