// Reader of Neural Amp Modeler's .nam format: https://github.com/sdatkinson/NeuralAmpModelerCore
//   { version, metadata, architecture: "LSTM", config: { input_size, hidden_size, num_layers }, weights: [...], sample_rate }
// weights is one flat list: for each layer [4 hidden (i, f, g, o), input + hidden] weights over [x; h], [4 hidden] biases,
// [hidden] the first h, [hidden] the first c; then [hidden] weights and 1 bias of the head.
import { LstmError } from '../../errors.ts'
import { GraphBuilder } from '../../graph/builder.ts'
import type { Graph, GraphNode } from '../../graph/graph.ts'
import { lstmRole, type LstmWeight } from '../../ops/recurrent/settings.ts'
import { addCommonOperators } from '../../ops/common-operators.ts'
import { describeValue } from '../../values/dtype.ts'
import { NdArray } from '../../values/ndarray.ts'
import { isObject, type JsonObject } from '../json.ts'
import { arrayOf, parseJsonObject } from '../json-weights.ts'
import { malformedFile } from '../malformed.ts'
import type { FormatReader } from '../reader.ts'
import { takingOptions } from '../taking-options.ts'
import { batchedOrNot } from '../unbatched.ts'

const malformed = malformedFile('NAM')

interface NamConfig {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly numLayers: number
}

interface NamFile {
  readonly config: NamConfig
  readonly weights: Float32Array
  readonly sampleRate: number | undefined
}

/**
 * The graph of a .nam file with an LSTM. Input `input` [batch, timesteps, 1], output `output` [batch, timesteps, 1].
 *
 * The model begins in a state that was trained. To continue a stream, pass the output `state` of one run as the input `state`
 * of the next; left out, the model begins anew. It is [1 + 2 layers, batch, units]: ones (zeros: begin anew), then
 * h and then c of every layer.
 *
 * @throws LstmError `FORMAT` for a broken file, `UNSUPPORTED` for other architectures (WaveNet, ConvNet, Linear)
 */
export function readNam(bytes: Uint8Array): Graph {
  const { config, weights } = parse(bytes)
  addCommonOperators()
  return graphOf(config, weights)
}

/**
 * Samples a second that a .nam file was trained for; 48000 where it does not say, as its player has it.
 * @throws LstmError as `readNam`
 */
export function namSampleRate(bytes: Uint8Array): number {
  return parse(bytes).sampleRate ?? 48000
}

/** Neural Amp Modeler files (`.nam`) whose architecture is an LSTM, as a part of `readers` for `load`. */
export const nam: FormatReader = takingOptions({
  name: 'NAM',
  options: ['unbatched'],
  detect(bytes) {
    const text = new TextDecoder('latin1').decode(bytes)
    return /^\s*\{/.test(text) && /"architecture"\s*:\s*"/.test(text) && /"weights"\s*:/.test(text)
  },
  read: async ({ bytes }, { unbatched }) => batchedOrNot(readNam(bytes), unbatched),
})

function parse(bytes: Uint8Array): NamFile {
  const json = parseJsonObject(bytes, 'NAM')
  const { architecture, config, weights, sample_rate: sampleRate } = json
  if (typeof architecture !== 'string') throw malformed(`expected an architecture, got ${describeValue(architecture)}`)
  if (architecture !== 'LSTM') throw new LstmError('UNSUPPORTED', `NAM: the architecture is ${describeValue(architecture)}; supported is "LSTM"`)
  if (!isObject(config)) throw malformed(`expected 'config' to be an object, got ${describeValue(config)}`)
  const sizes = readConfig(config)
  if (sampleRate !== undefined && sampleRate !== null && !(typeof sampleRate === 'number' && sampleRate > 0)) {
    throw malformed(`expected a number for 'sample_rate', got ${describeValue(sampleRate)}`)
  }
  const expected = weightCount(sizes)
  const got: unknown = Array.isArray(weights) ? weights.length : describeValue(weights)
  if (got !== expected) {
    const { inputSize, hiddenSize, numLayers } = sizes
    throw malformed(`expected ${expected} weights for ${numLayers} layers of ${hiddenSize} units over ${inputSize} inputs, got ${String(got)}`)
  }
  return { config: sizes, weights: arrayOf(weights, "NAM: 'weights'", [expected]).data, sampleRate: sampleRate ?? undefined }
}

function readConfig(config: JsonObject): NamConfig {
  const known = ['input_size', 'hidden_size', 'num_layers']
  const foreign = Object.keys(config).filter((name) => !known.includes(name))
  if (foreign.length > 0) throw new LstmError('UNSUPPORTED', `NAM: unknown settings of an LSTM: ${foreign.slice(0, 20).map(describeValue).join(', ')}; it has ${known.join(', ')}`)
  const [inputSize, hiddenSize, numLayers] = known.map((name) => {
    const value = config[name]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) throw malformed(`expected a whole number >= 1 for '${name}', got ${describeValue(value)}`)
    return value
  }) as [number, number, number]
  return { inputSize, hiddenSize, numLayers }
}

function weightCount({ inputSize, hiddenSize, numLayers }: NamConfig): number {
  const rest = 4 * hiddenSize + 2 * hiddenSize
  return 4 * hiddenSize * (inputSize + hiddenSize) + rest + (numLayers - 1) * (8 * hiddenSize * hiddenSize + rest) + hiddenSize + 1
}

function graphOf({ inputSize, hiddenSize, numLayers }: NamConfig, weights: Float32Array): Graph {
  const graph = new GraphBuilder()
  const parameters: Record<string, string> = {}
  let position = 0
  const take = (length: number): Float32Array => weights.subarray(position, position += length)
  const constant = (name: string, data: Float32Array | Int32Array, shape: readonly number[]): string => {
    graph.constant(name, new NdArray(data, shape))
    return name
  }
  const first = { h: new Float32Array(numLayers * hiddenSize), c: new Float32Array(numLayers * hiddenSize) }
  for (let layer = 0; layer < numLayers; layer++) {
    const features = layer === 0 ? inputSize : hiddenSize
    const rows = take(4 * hiddenSize * (features + hiddenSize))
    const weight = (role: LstmWeight, data: Float32Array, shape: readonly number[]): void => {
      parameters[lstmRole(layer, 'forward', role)] = constant(`lstm.${layer}.${role}`, data, shape)
    }
    weight('inputWeights', columns(rows, features + hiddenSize, 0, features), [4 * hiddenSize, features])
    weight('recurrentWeights', columns(rows, features + hiddenSize, features, hiddenSize), [4 * hiddenSize, hiddenSize])
    weight('inputBias', take(4 * hiddenSize), [4 * hiddenSize])
    first.h.set(take(hiddenSize), layer * hiddenSize)
    first.c.set(take(hiddenSize), layer * hiddenSize)
  }
  const add = (op: string, inputs: readonly string[], outputs: readonly string[], more: Partial<GraphNode> = {}): string => {
    graph.add({ name: outputs[0] as string, op, inputs, outputs, parameters: {}, attributes: {}, ...more })
    return outputs[0] as string
  }
  graph.input({ name: 'input', dtype: 'float32', shape: ['batch', 'timesteps', inputSize] })
  graph.input({ name: 'state', dtype: 'float32', shape: [1 + 2 * numLayers, 'batch', hiddenSize], optional: true })
  const parts = ['state/is set', 'state/h', 'state/c']
  add('split', ['state', constant('state/parts', Int32Array.of(1, numLayers, numLayers), [3])], parts, { attributes: { axis: 0 } })
  add('cast', ['state/is set'], ['state/chosen'], { attributes: { to: 'bool' } })
  const [h0, c0] = (['h', 'c'] as const).map((part) => (
    add('where', ['state/chosen', `state/${part}`, constant(`lstm/first ${part}`, first[part], [numLayers, 1, hiddenSize])], [`state/initial ${part}`])
  )) as [string, string]
  add('lstm', ['input', h0, c0], ['lstm', 'lstm/h', 'lstm/c'], {
    parameters, attributes: { hiddenSize, numLayers, direction: 'forward', returnSequences: true },
  })
  const head = { weight: constant('head.weight', take(hiddenSize), [1, hiddenSize]), bias: constant('head.bias', take(1), [1]) }
  add('linear', ['lstm'], ['output'], { name: 'head', parameters: head })
  add('shape', ['state/is set'], ['state/sizes'])
  add('expand', [constant('state/one', Float32Array.of(1), [1, 1, 1]), 'state/sizes'], ['state/ones'])
  add('concat', ['state/ones', 'lstm/h', 'lstm/c'], ['state/last'], { attributes: { axis: 0 } })
  return graph.finish([{ name: 'output', value: 'output' }, { name: 'state', value: 'state/last' }])
}

/** Some columns of a row-major matrix. */
function columns(matrix: Float32Array, width: number, begin: number, length: number): Float32Array {
  const rows = matrix.length / width
  const result = new Float32Array(rows * length)
  for (let row = 0; row < rows; row++) result.set(matrix.subarray(row * width + begin, row * width + begin + length), row * length)
  return result
}
