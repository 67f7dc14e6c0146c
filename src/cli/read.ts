import { readFile } from 'node:fs/promises'
import { LstmError, load } from '../index.ts'
import { recognizeLine, type RecognizedLine } from '../readers/tesseract.ts'
import { COMMON_OPTIONS, parseArguments, UsageError } from './arguments.ts'
import { cannotRead } from './file-errors.ts'
import { readPicture } from './pictures.ts'
import { readStandardInput } from './reading.ts'
import { clearStatus, printable, showStatus } from './terminal.ts'

export const READ_LINES_HELP: string = `\
Reads pictures of one line of text each (not of pages), with a network of Tesseract: a line of text
for each. It is as Tesseract's --psm 13 without its dictionaries.

Usage
  lstm-wasm read PICTURE ... --model MODEL.traineddata [--json]

A PICTURE is a PNG, PGM or PPM file, or - for standard input: dark ink on light paper, or light on
dark. MODEL is a path or URL of a .traineddata file (also one packed by gzip), or of what 'convert'
made of one. Debian has them in tesseract-ocr-eng and so on, npm in @tesseract.js-data/eng.
Scripts from right to left come as they are seen, from left to right.

Options
  --model FILE             the network
  --json                   the characters, with confidences (0 to 1) and columns of the picture
  -h, --help               this help
  --verbose                on an error, also the whole message and the stack

Examples
  lstm-wasm read line.png --model eng.traineddata
  lstm-wasm read lines/*.png --model eng.traineddata --json > lines.json

Exit codes: 0 done, 1 a file cannot be read or run, 2 the command line is wrong.
`

/** `lstm-wasm read`. */
export async function read(args: readonly string[]): Promise<number> {
  const { positionals, values, flags } = parseArguments(args, { ...COMMON_OPTIONS, model: 'string', json: 'boolean' })
  const file = values.get('model')?.at(-1)
  if (positionals.length === 0) throw new UsageError('expected a picture of a line')
  if (file === undefined) throw new UsageError('expected --model FILE, a .traineddata file')
  showStatus(`reading ${file} ...`)
  const model = await load(file)
  const lines: (RecognizedLine & { readonly file: string })[] = []
  for (const picture of positionals) {
    showStatus(`reading ${picture} ...`)
    const line = { file: picture, ...await inFile(picture, (bytes) => recognizeLine(model, readPicture(bytes))) }
    clearStatus()
    if (flags.has('json')) lines.push(line)
    else process.stdout.write(`${printable(line.text)}\n`)
  }
  if (flags.has('json')) process.stdout.write(`${JSON.stringify(lines, null, 2)}\n`)
  return 0
}

/** Puts the file in front of the message of an error. */
async function inFile<T>(file: string, work: (bytes: Uint8Array) => T): Promise<T> {
  const bytes = file === '-'
    ? await readStandardInput()
    : await readFile(file).catch((cause: unknown) => {
        throw cannotRead(JSON.stringify(file), cause)
      })
  try {
    return work(bytes)
  } catch (cause) {
    if (!(cause instanceof LstmError)) throw cause
    throw new LstmError(cause.code, `${file}: ${cause.message}`, { cause })
  }
}
