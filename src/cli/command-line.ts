// The command `lstm-wasm`, from its arguments to its exit code: picks the command, says errors in one line.
import { inspect as describe } from 'node:util'
import manifest from '../../package.json' with { type: 'json' }
import { LstmError } from '../index.ts'
import { COMMON_OPTIONS, parseArguments, suggestion, UsageError } from './arguments.ts'
import { convert, CONVERT_HELP } from './convert.ts'
import { bench, BENCH_HELP } from './bench.ts'
import { inspect, INSPECT_HELP } from './inspect.ts'
import { inOwnWords } from './reading.ts'
import { quantize, QUANTIZE_HELP } from './quantize.ts'
import { read, READ_LINES_HELP } from './read.ts'
import { run, RUN_HELP } from './run.ts'
import { score } from './score/score.ts'
import { SCORE_HELP } from './score/score-help.ts'
import { serve, SERVE_HELP } from './serve.ts'
import { clearStatus, headline, printable } from './terminal.ts'
import { train, TRAIN_HELP } from './train/train.ts'

const HELP = `\
Runs trained LSTMs: model files in, the numbers of the framework that trained them out.

Usage
  lstm-wasm inspect FILE              what is in a model: layers, shapes, parameters, costs
  lstm-wasm run FILE --input X.npy    run a model on .npy, .json or .csv files
  lstm-wasm score MODEL DATA -o OUT   the rows of a .parquet, .csv or .npy table, however long
  lstm-wasm convert IN OUT            any model as ONNX, for Keras, or as one self-describing file
  lstm-wasm quantize IN OUT.safetensors
                                      a quarter of the size, and faster: weights of 8 bits
  lstm-wasm train CONFIG.json         train layers with data from files
  lstm-wasm read LINE.png --model MODEL.traineddata
                                      the text in a picture of one line
  lstm-wasm bench FILE                time a model here, and onnxruntime-web where it is installed
  lstm-wasm serve FILE                the playground: a page that runs it, and shows its gates
  lstm-wasm COMMAND --help            all about one command, with examples

FILE is a model of PyTorch, Keras, TensorFlow 1, TensorFlow.js, ONNX, RTNeural, NAM or Tesseract, or
- for standard input. One comes with the package, and images for it, digits.npy:
  npx lstm-wasm inspect node_modules/lstm-wasm/examples/digits.safetensors

Options
  -h, --help    this help
  --version     the version of lstm-wasm
  --verbose     on an error, also the whole message and the stack

Exit codes
  0  done
  1  it failed: the file cannot be read or run, the input does not fit, ...
  2  the command line is wrong
  130  Ctrl-C stopped it
  Errors are one line on stderr.
`

interface Command {
  readonly help: string
  /** @returns the exit code */
  run(args: readonly string[]): Promise<number>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  inspect: { help: INSPECT_HELP, run: inspect },
  quantize: { help: QUANTIZE_HELP, run: quantize },
  score: { help: SCORE_HELP, run: score },
  convert: { help: CONVERT_HELP, run: convert },
  run: { help: RUN_HELP, run },
  train: { help: TRAIN_HELP, run: train },
  read: { help: READ_LINES_HELP, run: read },
  bench: { help: BENCH_HELP, run: bench },
  serve: { help: SERVE_HELP, run: serve },
}

async function runCommand(all: readonly string[]): Promise<number> {
  const args = all[0] === 'help' ? [...all.slice(1), '--help'] : all
  const at = args.findIndex((arg) => !arg.startsWith('-') || arg === '-')
  const name = args[at]
  if (name === undefined) {
    const { flags } = parseArguments(args, { ...COMMON_OPTIONS, version: 'boolean' })
    process.stdout.write(flags.has('version') && !flags.has('help') ? `${manifest.version}\n` : HELP)
    return 0
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command === undefined) throw new UsageError(`unknown command '${name}'${suggestion(name, Object.keys(COMMANDS))}`)
  const rest = args.filter((_, n) => n !== at)
  if (rest.some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(command.help)
    return 0
  }
  return command.run(rest)
}

/** Writes the first line of an error's message to stderr; all of it, and the stack, where asked for. */
function report(error: unknown, args: readonly string[]): number {
  clearStatus()
  if (error instanceof LstmError && error.code === 'ABORTED') {
    process.stderr.write('lstm-wasm: stopped\n')
    return 130
  }
  const isUsage = error instanceof UsageError
  const verbose = args.includes('--verbose')
  const command = args.find((arg) => Object.hasOwn(COMMANDS, arg))
  const told = error instanceof Error ? error.message : String(error)
  // The file of a training names settings as the library does.
  const message = command === 'train' ? told : inOwnWords(told)
  const hint = isUsage
    ? ` (see lstm-wasm ${command === undefined ? '' : `${command} `}--help)`
    : message.includes('\n') && !verbose ? ' (--verbose shows more)' : ''
  process.stderr.write(`lstm-wasm: ${printable(headline(message))}${hint}\n`)
  if (verbose) process.stderr.write(`${printable(describe(error))}\n`)
  return isUsage ? 2 : 1
}

/**
 * Runs `lstm-wasm ARGS`, writing to stdout and stderr.
 * @returns the exit code
 */
export async function commandLine(args: readonly string[]): Promise<number> {
  return runCommand(args).catch((error: unknown) => report(error, args))
}
