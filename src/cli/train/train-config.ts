// The file that `lstm-wasm train` reads: layers, data, loss, optimiser.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LstmError, type DType, type NdArray } from '../../index.ts'
import {
  activation, batchNorm, conv1d, dense, dropout, embedding, gru, input, lastStep, layerNorm, lstm, sequential, simpleRnn, type Layer, type Sequential,
} from '../../layers/index.ts'
import { nearest } from '../../options.ts'
import {
  earlyStopping, reduceOnPlateau, type Callback, type CreateTrainerOptions, type EarlyStoppingOptions, type Initializers, type ReduceOnPlateauOptions,
} from '../../training/index.ts'
import { readArrayFile } from '../array-files.ts'
import { lengthOf } from '../conversion.ts'
import { cannotRead } from '../file-errors.ts'

/** The file as JSON. */
export interface TrainConfig {
  readonly input?: readonly (number | string)[]
  readonly layers: readonly Readonly<Record<string, unknown>>[]
  readonly data: { readonly x: string, readonly y: string, readonly validation?: { readonly x: string, readonly y: string }, readonly validationSplit?: number }
  readonly loss: CreateTrainerOptions['loss']
  readonly optimizer?: CreateTrainerOptions['optimizer']
  readonly metrics?: CreateTrainerOptions['metrics']
  readonly initializers?: Initializers
  readonly epochs?: number
  readonly batchSize?: number
  readonly shuffle?: boolean
  readonly seed?: number
  readonly classWeight?: Readonly<Record<number, number>>
  readonly earlyStopping?: EarlyStoppingOptions
  readonly reduceOnPlateau?: ReduceOnPlateauOptions
  readonly model: string
  readonly checkpoint?: string
}

const KEYS = [
  'input', 'layers', 'data', 'loss', 'optimizer', 'metrics', 'initializers', 'epochs', 'batchSize', 'shuffle', 'seed', 'classWeight', 'earlyStopping',
  'reduceOnPlateau', 'model', 'checkpoint',
]
const DATA_KEYS = ['x', 'y', 'validation', 'validationSplit']

type Settings = Readonly<Record<string, unknown>>

/** How a layer is made of its settings: those that the function takes by place come first. */
const LAYERS: Readonly<Record<string, (settings: Settings) => Layer>> = {
  lstm: (settings) => lstm(settings),
  gru: (settings) => gru(settings),
  simpleRnn: (settings) => simpleRnn(settings),
  dense: (settings) => dense(settings),
  embedding: ({ vocabulary, width, ...options }) => embedding(vocabulary as number, width as number, options),
  conv1d: ({ filters, kernelSize, ...options }) => conv1d(filters as number, kernelSize as number, options),
  activation: ({ function: name, ...options }) => activation(name as never, options),
  dropout: ({ rate, ...options }) => dropout(rate as number, options),
  batchNorm: (settings) => batchNorm(settings),
  layerNorm: (settings) => layerNorm(settings),
  lastStep: (settings) => lastStep(settings),
}

const isObject = (value: unknown): value is Settings => typeof value === 'object' && value !== null && !Array.isArray(value)

function refuseOthers(given: Settings, known: readonly string[], what: string): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    throw new LstmError('VALUE', `${what}: no setting '${key}'${near === undefined ? '' : ` (did you mean '${near}'?)`}; settings are ${known.join(', ')}`)
  }
}

/**
 * Reads the file.
 * @throws LstmError `ENVIRONMENT` where there is none, `FORMAT` for what is no JSON, `VALUE` for settings that there are not, or that are missing
 */
export async function readConfig(file: string): Promise<TrainConfig> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw cannotRead(`'${file}'`, cause)
  })
  let config: unknown
  try {
    config = JSON.parse(text)
  } catch (cause) {
    throw new LstmError('FORMAT', `${file}: not JSON: ${String(cause).replace(/^SyntaxError: /, '')}`, { cause })
  }
  if (!isObject(config)) throw new LstmError('VALUE', `${file}: expected an object with layers, data, loss and model`)
  refuseOthers(config, KEYS, file)
  const { layers, data, loss, model, checkpoint } = config
  if (!Array.isArray(layers) || layers.length === 0 || !layers.every(isObject)) throw new LstmError('VALUE', `${file}: layers: expected a list of objects: [{ "layer": "lstm", "units": 64 }]`)
  if (!isObject(data) || typeof data.x !== 'string' || typeof data.y !== 'string') throw new LstmError('VALUE', `${file}: data: expected { "x": FILE, "y": FILE }`)
  refuseOthers(data, DATA_KEYS, `${file}: data`)
  if (loss === undefined) throw new LstmError('VALUE', `${file}: expected a loss: "loss": "sparseCategoricalCrossentropy"`)
  for (const [name, value] of Object.entries({ model, ...checkpoint !== undefined && { checkpoint } })) {
    if (typeof value !== 'string' || !value.endsWith('.safetensors')) throw new LstmError('VALUE', `${file}: ${name}: expected the name of a file to write that ends in .safetensors`)
  }
  return config as unknown as TrainConfig
}

/** The layers of the file. @throws LstmError `VALUE` for layers that there are not, or settings that they do not have */
export function layersOf({ layers, input: shape }: TrainConfig, file: string): Sequential {
  const made = layers.map(({ layer, ...settings }, n) => {
    const make = typeof layer === 'string' && Object.hasOwn(LAYERS, layer) ? LAYERS[layer] : undefined
    if (make === undefined) throw new LstmError('VALUE', `${file}: layers[${n}]: expected a "layer" of ${Object.keys(LAYERS).join(', ')}, got ${JSON.stringify(layer)}`)
    return make(settings)
  })
  return sequential(shape === undefined ? made : [input(shape), ...made])
}

/** What is called between epochs. */
export function callbacksOf({ earlyStopping: early, reduceOnPlateau: plateau }: TrainConfig): Callback[] {
  return [...early === undefined ? [] : [earlyStopping(early)], ...plateau === undefined ? [] : [reduceOnPlateau(plateau)]]
}

/** A file beside the configuration. */
export function beside(config: string, file: string): string {
  return resolve(dirname(config), file)
}

/**
 * An array of a file. Rows of a table become what an input is: [240, 24] for an input of [24, 1] is [240, 24, 1].
 * @param row the shape of a row, where it is known in numbers
 */
export async function readData(config: string, file: string, dtype: DType, row: readonly (number | string)[] | undefined): Promise<NdArray> {
  const content = await readArrayFile(beside(config, file))
  if (content.kind !== 'array') throw new LstmError('VALUE', `${file}: expected one array, got several by name`)
  const array = content.read(dtype)
  const [rows = 0] = array.shape
  const width = rows === 0 ? 0 : array.data.length / rows
  if (row?.every((size) => typeof size === 'number') === true && lengthOf(row) === width) return array.reshape([rows, ...row])
  return array
}
