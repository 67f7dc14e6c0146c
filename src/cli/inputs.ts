// Which file goes to which input of a model, and how its array is made to fit.
import { LstmError, type DType, type ModelPort, type NdArray } from '../index.ts'
import { readArrayFile } from './array-files.ts'

/** `NAME=FILE` or `FILE`. A name is only one that the model has: file names may have '=' in them, too. */
export function splitName(argument: string, names: readonly string[], what: string): { name: string | undefined, file: string } {
  const name = names.find((candidate) => argument.startsWith(`${candidate}=`))
  if (name !== undefined) return { name, file: argument.slice(name.length + 1) }
  const before = /^([^=/\\]+)=/.exec(argument)?.[1]
  if (before === undefined) return { name: undefined, file: argument }
  throw new LstmError('VALUE', `no ${what} '${before}'; the model's are ${listed(names)}`)
}

/**
 * The arrays for a model's inputs.
 * @param specs the values of --input
 * @throws LstmError
 */
export async function readInputs(specs: readonly string[], ports: readonly ModelPort[]): Promise<Record<string, NdArray>> {
  const names = ports.map(({ name }) => name)
  const inputs = Object.create(null) as Record<string, NdArray>
  const set = (name: string, file: string, read: (dtype: DType) => NdArray): void => {
    const port = ports.find((candidate) => candidate.name === name)
    if (port === undefined) throw new LstmError('VALUE', `${file}: no input '${name}'; the model's are ${listed(names)}`)
    if (Object.hasOwn(inputs, name)) throw new LstmError('VALUE', `${file}: the input '${name}' is given twice`)
    inputs[name] = withBatch(read(port.dtype), port)
  }
  for (const spec of specs) {
    const { name, file } = splitName(spec, names, 'input')
    const content = await readArrayFile(file)
    if (content.kind === 'array') set(name ?? onlyRequired(ports, file), file, content.read)
    else if (name !== undefined) throw new LstmError('VALUE', `${file}: expected one array for the input '${name}', got an object: leave '${name}=' out to take its inputs by name`)
    else for (const [key, read] of content.read) set(key, file, read)
  }
  const missing = ports.filter(({ name, optional }) => !optional && !Object.hasOwn(inputs, name))
  if (missing.length > 0) throw new LstmError('VALUE', `missing: ${missing.map(({ name }) => `--input ${name}=FILE`).join(', ')}`)
  return inputs
}

/** The input that is meant when none is named. */
function onlyRequired(ports: readonly ModelPort[], file: string): string {
  const required = ports.filter(({ optional }) => !optional)
  const [port, ...more] = required.length === 0 ? ports : required
  if (port === undefined || more.length > 0) {
    throw new LstmError('VALUE', `${file}: the model has several inputs, say which: --input NAME=FILE with ${listed(ports.map(({ name }) => name))}`)
  }
  return port.name
}

/**
 * An array with one axis less than the input is one sequence: it gets a batch axis of 1, where the input
 * has the axis called batch, else in front where the first size is free.
 */
export function withBatch(array: NdArray, { shape }: ModelPort): NdArray {
  if (array.shape.length !== shape.length - 1) return array
  const named = shape.findIndex((size) => typeof size === 'string' && /batch/i.test(size))
  const axis = named >= 0 ? named : typeof shape[0] === 'string' || shape[0] === 1 ? 0 : -1
  return axis < 0 ? array : array.reshape([...array.shape.slice(0, axis), 1, ...array.shape.slice(axis)])
}

/** Files call the batch and the timesteps by other names, too: `N`, `batch_size`, `seq_len`, `time`. */
export function meaningOf(size: string): string {
  return /time|seq|step|length|frame/i.test(size) ? 'timesteps' : /^n$|batch/i.test(size) ? 'batch' : size
}

/** Names in quotes; of many the first ones. */
export function listed(names: readonly string[], most: number = Infinity): string {
  return names.slice(0, most).map((name) => `'${name}'`).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '')
}
