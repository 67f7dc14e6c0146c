// What is measured. A case says what one call does; `prepare` makes its weights, inputs and expected outputs.
import { DTLN_BINS, DTLN_FLOPS, DTLN_SAMPLES, readDtln } from './dtln.ts'
import { chancesOf, draw, generated } from './generation.ts'
import { flopsOf, gruLayer, lstmLayer, randomTensors, streamedBytes, type Layer, type OnnxNetwork, type TensorData } from './network.ts'
import { pseudoRandom } from './random.ts'
import { ReferenceStates, referenceRun } from './reference.ts'
import { readSilero, SILERO_FLOPS, SILERO_SAMPLES, sileroReference } from './silero.ts'

/**
 * step: one timestep a call, the state carried from call to call; sequence: a whole sequence a call, from zeros;
 * generate: a text a call, a character a step.
 */
export type Mode = 'step' | 'sequence' | 'generate'

export interface Case {
  readonly name: string
  /** One line for people. */
  readonly about: string
  readonly mode: Mode
  readonly batch: number
  /** Of one call; for `generate`, characters. */
  readonly timesteps: number
  /** Of one timestep of the input. */
  readonly features: number
  /** None where the model is a file. */
  readonly layers: readonly Layer[]
  /** A model that is a file instead. */
  readonly file?: 'silero' | 'dtln'
  /** Whether `--quick` has it. */
  readonly quick: boolean
  /** Multiplications and additions of one call. */
  readonly flops: number
  /** Bytes of weights that every step reads. */
  readonly streamedBytes: number
  /** As `INT8_TOLERANCE`, where it is another one. */
  readonly int8Tolerance?: number
}

/** A case with all that its engines are given. */
export interface PreparedCase extends Case {
  readonly tensors: ReadonlyMap<string, TensorData>
  /** One for each of the first calls, then again from the first. */
  readonly inputs: readonly Float32Array[]
  /** For `generate`: a random number a character. */
  readonly chances: Float64Array
  /** The models, where they are files. */
  readonly files: readonly Uint8Array[]
  /** The outputs of the calls that are checked. */
  readonly expected: readonly Float64Array[]
  /** The ONNX file, where it was written beforehand. */
  readonly network?: OnnxNetwork
}

/** Largest distance from the float64 reference that an engine may have, relative to the largest expected value if that is above 1. */
export const TOLERANCE = 2e-5
/** What is left of 8 bits: the same of an engine whose weights have them. */
export const INT8_TOLERANCE = 2e-2

/** Different inputs of a step, used in turn; and the steps that are checked, so that the state must have been carried. */
const STEP_INPUTS = 8
const STEP_CHECKS = 12

const GENERATED_CHARACTERS = 1000
const SEED = 4000

/**
 * One recurrent layer; LSTMs are called by their sizes alone.
 * @param sizes batch, timesteps, features, units
 */
export function layerCase([batch, timesteps, features, hiddenSize]: readonly number[], cell: 'LSTM' | 'GRU' = 'LSTM'): Case {
  const makeLayer = cell === 'GRU' ? gruLayer : lstmLayer
  const what = timesteps === 1 ? 'a step, the state carried on' : `${timesteps} steps`
  return networkCase({
    name: `${cell === 'LSTM' ? '' : `${cell} `}B${batch} T${timesteps} F${features} H${hiddenSize}`,
    about: `one ${cell} of ${hiddenSize} units, ${features} feature${features === 1 ? '' : 's'}, ${what}${batch > 1 ? `, a batch of ${batch}` : ''}`,
    mode: timesteps === 1 ? 'step' : 'sequence', batch, timesteps, features, layers: [makeLayer(features, hiddenSize)],
  })
}

export function networkCase(described: Omit<Case, 'flops' | 'streamedBytes' | 'quick'>): Case {
  const { layers, batch, timesteps, mode } = described
  const perStep = mode === 'generate' ? 1 : timesteps
  return {
    ...described,
    quick: QUICK.includes(described.name),
    flops: flopsOf(layers, batch, timesteps),
    streamedBytes: streamedBytes(layers, perStep),
  }
}

/** Sizes [batch, timesteps, features, units] of single LSTMs. */
const SIZES = [
  [1, 1, 1, 32], [1, 1, 64, 64], [1, 1, 64, 128], [1, 1, 256, 256], [1, 1, 512, 512], [1, 1, 1024, 1024],
  [1, 100, 64, 64], [1, 100, 128, 128], [1, 100, 256, 256], [1, 100, 512, 512], [1, 100, 1, 512], [1, 100, 1024, 1024],
  [32, 50, 64, 128], [32, 50, 256, 256], [128, 28, 28, 128], [32, 20, 512, 512],
]

/** The cases of `--quick`: every row of targets.ts. */
const QUICK = [
  'B1 T1 F1 H32', 'B1 T1 F64 H64', 'B1 T1 F64 H128', 'B1 T1 F256 H256', 'B1 T1 F512 H512',
  'B1 T100 F64 H64', 'B1 T100 F128 H128', 'B1 T100 F256 H256', 'B1 T100 F512 H512', 'B1 T100 F1 H512',
  'B32 T50 F64 H128', 'B32 T50 F256 H256', 'B32 T20 F512 H512',
  'GRU B1 T1 F64 H64', 'GRU B1 T100 F128 H128', 'GRU B32 T50 F256 H256',
]

const SILERO: Case = {
  name: 'Silero VAD',
  about: 'voice activity of a frame of 512 samples (32 ms): convolutions and an LSTM of 128 units, the state carried on',
  mode: 'step', batch: 1, timesteps: 1, features: SILERO_SAMPLES, layers: [], file: 'silero', quick: false, flops: SILERO_FLOPS, streamedBytes: 0,
}

const DTLN: Case = {
  name: 'DTLN',
  about: 'noise suppression of 128 samples (8 ms): two networks of two LSTMs of 128 units, the states carried on, without the Fourier transforms around them',
  mode: 'step', batch: 1, timesteps: 1, features: DTLN_BINS + DTLN_SAMPLES, layers: [], file: 'dtln', quick: false, flops: DTLN_FLOPS, streamedBytes: 0,
  // One of 257 shares is 0.024 away in these blocks; of the sound it is 38.8 dB: docs/quantization.md.
  int8Tolerance: 3e-2,
}

/** The same of single GRUs. */
const GRU_SIZES = [[1, 1, 64, 64], [1, 100, 128, 128], [32, 50, 256, 256]]

const MODELS: Case[] = [
  SILERO,
  DTLN,
  networkCase({
    name: 'digits',
    about: '100 images of 28 rows of 28 pixels, an LSTM of 128 units, 10 classes',
    mode: 'sequence', batch: 100, timesteps: 28, features: 28,
    layers: [
      lstmLayer(28, 128, { returnSequences: false }), { kind: 'dense', name: 'fc', inputSize: 128, units: 10, activation: 'softmax' },
    ],
  }),
  networkCase({
    name: 'char-RNN',
    about: `writes ${GENERATED_CHARACTERS} characters of 65: an embedding, 2 LSTMs of 128 units, a softmax; a call a character`,
    mode: 'generate', batch: 1, timesteps: GENERATED_CHARACTERS, features: 1,
    layers: [
      { kind: 'embedding', name: 'embed', vocabulary: 65, width: 128 },
      lstmLayer(128, 128, { numLayers: 2, returnSequences: false }),
      { kind: 'dense', name: 'fc', inputSize: 128, units: 65, activation: 'softmax' },
    ],
  }),
  networkCase({
    name: 'guitar amp',
    about: '1 second of audio at 48 kHz, sample by sample through an LSTM of 40 units',
    mode: 'sequence', batch: 1, timesteps: 48000, features: 1,
    layers: [lstmLayer(1, 40), { kind: 'dense', name: 'fc', inputSize: 40, units: 1, activation: 'linear' }],
  }),
  networkCase({
    name: '3-layer bidirectional',
    about: '100 steps of 64 features through 3 bidirectional layers of 128 units',
    mode: 'sequence', batch: 1, timesteps: 100, features: 64,
    layers: [lstmLayer(64, 128, { numLayers: 3, bidirectional: true })],
  }),
]

export const CASES: readonly Case[] = [...SIZES.map((sizes) => layerCase(sizes)), ...GRU_SIZES.map((sizes) => layerCase(sizes, 'GRU')), ...MODELS]

/**
 * The cases that a comma-separated list of names means: names, parts of names, or sizes of a layer of one's own (`B2 T7 F3 H5`, `GRU B2 T7 F3 H5`).
 * @throws RangeError for a name that means none
 */
export function findCases(list: string) {
  const found = list.split(',').flatMap((name) => {
    const wanted = name.trim().replaceAll(/\s+/g, ' ').toLowerCase()
    const exact = CASES.filter((entry) => entry.name.toLowerCase() === wanted)
    if (exact.length > 0) return exact
    const sizes = /^(?:gru )?b(\d+) t(\d+) f(\d+) h(\d+)$/.exec(wanted)?.slice(1).map(Number)
    if (sizes?.every((size) => size >= 1)) return [layerCase(sizes, wanted.startsWith('gru') ? 'GRU' : 'LSTM')]
    const partly = CASES.filter((entry) => wanted !== '' && ` ${entry.name.toLowerCase()} `.includes(` ${wanted} `))
    if (partly.length === 0) {
      throw new RangeError(`no case '${name.trim()}'; cases are ${CASES.map((entry) => `'${entry.name}'`).join(', ')}, parts of these names ('H128'), or any sizes of a layer ('B2 T7 F3 H5')`)
    }
    return partly
  })
  return found.filter(({ name }, position) => found.findIndex((other) => other.name === name) === position)
}

/**
 * Weights, inputs and expected outputs of a case: the same on every machine.
 * @throws Error where the models of a case are not there
 */
export async function prepare(entry: Case): Promise<PreparedCase> {
  const { layers, mode, batch, timesteps, features } = entry
  const count = mode === 'step' ? STEP_INPUTS : 1
  const inputs = Array.from({ length: count }, (_, n) => pseudoRandom(SEED - 1 - n, batch * timesteps * features, 1))
  const chances = mode === 'generate' ? chancesOf(timesteps) : new Float64Array(0)
  if (entry.file === 'silero') {
    const file = await readSilero()
    const frames = Array.from({ length: STEP_CHECKS }, (_, n) => (inputs[n % count] as Float32Array))
    return { ...entry, tensors: new Map(), inputs, chances, files: [file], expected: await sileroReference(file, frames) }
  }
  if (entry.file === 'dtln') return { ...entry, tensors: new Map(), chances, ...await readDtln() }
  const tensors = randomTensors(layers, SEED)
  const expected = mode === 'generate' ? [referenceText(layers, tensors, chances)] : referenceCalls(entry, tensors, inputs)
  return { ...entry, tensors, inputs, chances, files: [], expected }
}

function referenceCalls({ layers, mode, batch, timesteps }: Case, tensors: ReadonlyMap<string, TensorData>, inputs: readonly Float32Array[]) {
  const states = new ReferenceStates()
  return Array.from({ length: mode === 'step' ? STEP_CHECKS : 1 }, (_, n) => (
    referenceRun(layers, tensors, { x: (inputs[n % inputs.length]), batch, timesteps, states })
  ))
}

function referenceText(layers: readonly Layer[], tensors: ReadonlyMap<string, TensorData>, chances: Float64Array) {
  const states = new ReferenceStates()
  const tokens = new Float64Array(chances.length)
  let probabilities: ArrayLike<number> = []
  let token = 0
  chances.forEach((chance, n) => {
    probabilities = referenceRun(layers, tensors, { x: Int32Array.of(token), batch: 1, timesteps: 1, states })
    token = draw(probabilities, chance)
    tokens[n] = token
  })
  return generated(tokens, probabilities)
}
