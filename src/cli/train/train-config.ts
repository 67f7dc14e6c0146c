// The file that `lstm-wasm train` reads: layers, data, loss, optimiser.
import { readFile } from 'node:fs/promises'
import { LstmError } from '../../index.ts'
import {
  activation, batchNorm, conv1d, dense, dropout, embedding, gru, input, lastStep, layerNorm, lstm, sequential, simpleRnn, type Layer, type Sequential,
} from '../../layers/index.ts'
import { nearest } from '../../options.ts'
import {
  earlyStopping, reduceOnPlateau, type Callback, type CreateTrainerOptions, type EarlyStoppingOptions, type Initializers, type ReduceOnPlateauOptions,
} from '../../training/index.ts'
import { cannotRead } from '../file-errors.ts'
import type { DataPair } from './train-data.ts'

/** The file as JSON. */
export interface TrainConfig {
  readonly input?: readonly (number | string)[]
  readonly layers?: readonly Readonly<Record<string, unknown>>[]
  /** A model file instead of layers. */
  readonly from?: string
  readonly freeze?: readonly string[]
  readonly trainable?: readonly string[]
  readonly data: DataPair & { readonly validation?: DataPair, readonly validationSplit?: number }
  readonly lossWeights?: CreateTrainerOptions['lossWeights']
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
  'input', 'layers', 'from', 'freeze', 'trainable', 'data', 'loss', 'lossWeights', 'optimizer', 'metrics', 'initializers', 'epochs', 'batchSize', 'shuffle',
  'seed', 'classWeight', 'earlyStopping', 'reduceOnPlateau', 'model', 'checkpoint',
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
    throw new LstmError('FORMAT', `${file}: not JSON: ${String(cause).replace(/^SyntaxError: /, '').replace(/\s+/g, ' ')}`, { cause })
  }
  if (!isObject(config)) throw new LstmError('VALUE', `${file}: expected an object with layers, data, loss and model`)
  refuseOthers(config, KEYS, file)
  const { data, loss, model, checkpoint } = config
  checkNet(config, file)
  checkPair(data, `${file}: data`)
  refuseOthers(data, DATA_KEYS, `${file}: data`)
  if (data.validation !== undefined) checkPair(data.validation, `${file}: data.validation`)
  if (loss === undefined) throw new LstmError('VALUE', `${file}: expected a loss: "loss": "sparseCategoricalCrossentropy"`)
  for (const [name, value] of Object.entries({ model, ...checkpoint !== undefined && { checkpoint } })) {
    if (typeof value !== 'string' || !value.endsWith('.safetensors')) throw new LstmError('VALUE', `${file}: ${name}: expected the name of a file to write that ends in .safetensors`)
  }
  return config as unknown as TrainConfig
}

/** Layers, or a model file: one of both, and only with what goes with it. */
function checkNet({ layers, from, input: shape, initializers }: Settings, file: string): void {
  if (from === undefined) {
    if (!Array.isArray(layers) || layers.length === 0 || !layers.every(isObject)) {
      throw new LstmError('VALUE', `${file}: layers: expected a list of objects: [{ "layer": "lstm", "units": 64 }], or a model to go on from: "from": "model.onnx"`)
    }
    return
  }
  if (typeof from !== 'string') throw new LstmError('VALUE', `${file}: from: expected the name of a model file`)
  const other = Object.entries({ layers, input: shape, initializers }).find(([, value]) => value !== undefined)
  if (other !== undefined) throw new LstmError('VALUE', `${file}: '${other[0]}' goes with layers, and a model is given by "from"`)
}

const isFiles = (value: unknown): boolean => typeof value === 'string' || (isObject(value) && Object.values(value).every((file) => typeof file === 'string'))

function checkPair(pair: unknown, what: string): asserts pair is Settings {
  if (!isObject(pair) || !isFiles(pair.x) || !isFiles(pair.y)) throw new LstmError('VALUE', `${what}: expected { "x": FILE, "y": FILE }, or files by the names of inputs and outputs`)
}

/** The layers of the file. @throws LstmError `VALUE` for layers that there are not, or settings that they do not have */
export function layersOf({ layers = [], input: shape }: TrainConfig, file: string): Sequential {
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
