// Arrays in files: .npy, .json and .csv, told apart by the name.
import { readFile, writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { readNpy, writeNpy } from '../readers/npy.ts'
import { LstmError, NdArray, type ArrayLike, type DType, type Nested } from '../index.ts'
import { UsageError } from './arguments.ts'
import { formatCsv, parseCsv } from './csv.ts'
import { convert, lengthOf } from './conversion.ts'
import { reasonOf } from './file-errors.ts'
import { readStandardInput } from './reading.ts'
import { shortest } from './shortest.ts'

const EXTENSIONS = ['.npy', '.json', '.csv']

/** @throws UsageError for a file name that does not say a format we have */
export function formatOf(file: string): string {
  const extension = extname(file).toLowerCase()
  if (!EXTENSIONS.includes(extension)) {
    const hint = extension === '.npz' ? '; an .npz holds several .npy files' : ''
    throw new UsageError(`expected a file name that ends in .npy, .json or .csv, got '${file}'${hint}`)
  }
  return extension
}

/** What a file holds: one array, or (JSON only) several by name. Made an array when it is known for which input. */
export type FileContent =
  | { readonly kind: 'array', readonly read: (dtype: DType) => NdArray }
  | { readonly kind: 'named', readonly read: ReadonlyMap<string, (dtype: DType) => NdArray> }

/**
 * Reads a file of one array, or of several by name.
 * @throws LstmError with the file in front of the message, here and in `read`
 */
export async function readArrayFile(file: string): Promise<FileContent> {
  const bytes = file === '-'
    ? await readStandardInput()
    : await readFile(file).catch((cause: unknown) => {
        throw new LstmError('ENVIRONMENT', `cannot read ${JSON.stringify(file)}: ${reasonOf(cause)}`, { cause })
      })
  const of = <T>(read: (dtype: DType) => T) => (dtype: DType): T => inFile(file, () => read(dtype))
  const format = file === '-' ? sniff(bytes) : formatOf(file)
  if (format === '.npy') {
    const array = inFile(file, () => readNpy(bytes))
    return { kind: 'array', read: of((dtype) => convert(array, dtype)) }
  }
  const text = inFile(file, () => decodeText(bytes))
  if (format === '.csv') return { kind: 'array', read: of((dtype) => parseCsv(text, dtype)) }
  const json = inFile(file, () => parseJson(text))
  // Whatever it is: NdArray.from checks that it is nested arrays of numbers.
  const nested = (value: unknown) => of((dtype) => NdArray.from(value as Nested, dtype))
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { kind: 'array', read: nested(json) }
  return { kind: 'named', read: new Map(Object.entries(json).map(([name, value]) => [name, nested(value)])) }
}

/** The format of what has no name: NumPy's magic, a bracket of JSON, or lines of numbers. */
function sniff(bytes: Uint8Array): string {
  if (bytes[0] === 0x93) return '.npy'
  const first = bytes.find((byte) => byte > 0x20)
  return first === 0x5b || first === 0x7b ? '.json' : '.csv'
}

/**
 * Writes one array; JSON as nested arrays.
 * @throws LstmError
 */
export async function writeArrayFile(file: string, array: ArrayLike): Promise<void> {
  const format = formatOf(file)
  await write(file, format === '.npy' ? writeNpy(array) : format === '.csv' ? formatCsv(array) : `${toJson(file, array)}\n`)
}

/**
 * Writes arrays by name as one JSON object.
 * @throws LstmError
 */
export async function writeNamedArrays(file: string, arrays: Readonly<Record<string, ArrayLike>>): Promise<void> {
  const lines = Object.entries(arrays).map(([name, array]) => `${JSON.stringify(name)}: ${toJson(file, array)}`)
  await write(file, `{\n${lines.join(',\n')}\n}\n`)
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(file, content).catch((cause: unknown) => {
    throw new LstmError('ENVIRONMENT', `cannot write ${JSON.stringify(file)}: ${reasonOf(cause, 'no such folder')}`, { cause })
  })
}

/** Puts the file in front of the message of an error. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof LstmError)) throw cause
    throw new LstmError(cause.code, `${file}: ${cause.message.replace(/^(npy|nested array): /, '')}`, { cause })
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new LstmError('FORMAT', 'expected text in UTF-8', { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LstmError('FORMAT', `not JSON: ${String(cause).replace(/^SyntaxError: /, '')}`, { cause })
  }
}

function toJson(file: string, { dtype, shape, data }: ArrayLike): string {
  const wrong = data.findIndex((value) => !Number.isFinite(value))
  if (wrong >= 0) {
    throw new LstmError('VALUE', `cannot write ${JSON.stringify(file)}: element ${wrong} is ${data[wrong]}, which JSON has no word for; .npy and .csv have`)
  }
  const build = (axis: number, begin: number): string => {
    if (axis === shape.length) return String(dtype === 'float32' ? shortest(data[begin] as number) : data[begin])
    const size = shape[axis] as number
    const stride = lengthOf(shape.slice(axis + 1))
    return `[${Array.from({ length: size }, (_, n) => build(axis + 1, begin + n * stride)).join(',')}]`
  }
  return build(0, 0)
}
