// What `lstm-wasm train` learns from: arrays in files.
import { dirname, resolve } from 'node:path'
import { LstmError, type DType, type GraphInput, type NdArray } from '../../index.ts'
import { readArrayFile } from '../array-files.ts'
import { lengthOf } from '../conversion.ts'

/** A file, or one for each input or output, by name. */
export type DataFiles = string | Readonly<Record<string, string>>

/** What is learned from: inputs and targets. */
export interface DataPair {
  readonly x: DataFiles
  readonly y: DataFiles
}

/** A file beside the configuration. */
export function beside(config: string, file: string): string {
  return resolve(dirname(config), file)
}

type Arrays = NdArray | Record<string, NdArray>

/**
 * Inputs of files: one array, or arrays by the names of inputs. Rows of a table become what an input is: [240, 24] for an input of [24, 1] is [240, 24, 1].
 * @param inputs of the model: what type each has, and the shape of a row
 */
export async function readInputs(config: string, files: DataFiles, inputs: readonly GraphInput[]): Promise<Arrays> {
  return readEach(files, async (file, wanted) => {
    const input = wanted === undefined ? inputs[0] : inputs.find(({ name }) => name === wanted)
    return readData(config, file, input?.dtype ?? 'float32', input?.shape.slice(1))
  })
}

/** Targets of files: one array, or arrays by the names of outputs. A column of numbers is a list of them: one target a row. */
export async function readTargets(config: string, files: DataFiles): Promise<Arrays> {
  return readEach(files, async (file) => {
    const y = await readData(config, file, 'float32', undefined)
    return y.shape.length === 2 && y.shape[1] === 1 ? y.reshape([y.shape[0] as number]) : y
  })
}

async function readEach(files: DataFiles, read: (file: string, name?: string) => Promise<NdArray>): Promise<Arrays> {
  if (typeof files === 'string') return read(files)
  return Object.fromEntries(await Promise.all(Object.entries(files).map(async ([name, file]) => [name, await read(file, name)] as const)))
}

/** An array of a file. @param row the shape of a row, where it is known in numbers */
async function readData(config: string, file: string, dtype: DType, row: readonly (number | string)[] | undefined): Promise<NdArray> {
  const content = await readArrayFile(beside(config, file))
  if (content.kind !== 'array') throw new LstmError('VALUE', `${file}: expected one array, got several by name`)
  const array = content.read(dtype)
  const [rows = 0] = array.shape
  const width = rows === 0 ? 0 : array.data.length / rows
  if (row?.every((size) => typeof size === 'number') === true && lengthOf(row) === width) return array.reshape([rows, ...row])
  return array
}
