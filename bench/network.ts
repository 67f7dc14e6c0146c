// Networks as plain data, which every adapter builds in its own engine: layers, and tensors under PyTorch's names.
import { pseudoRandom } from './random.ts'

export interface EmbeddingLayer { kind: 'embedding', name: string, vocabulary: number, width: number }

export interface RecurrentLayer {
  /** A GRU is PyTorch's: its reset gate multiplies the recurrent product. */
  readonly kind: 'lstm' | 'gru'
  readonly name: string
  readonly inputSize: number
  readonly hiddenSize: number
  readonly numLayers: number
  readonly bidirectional: boolean
  readonly returnSequences: boolean
}

export interface DenseLayer { kind: 'dense', name: string, inputSize: number, units: number, activation: 'linear' | 'softmax' }

export type Layer = EmbeddingLayer | RecurrentLayer | DenseLayer

export interface TensorData { dtype: 'float32', shape: number[], data: Float32Array }

/** Gates of a cell: i, f, g, o; r, z, n. */
export const GATES = { lstm: 4, gru: 3 } as const

const recurrentLayer = (kind: 'lstm' | 'gru', inputSize: number, hiddenSize: number, more: Partial<RecurrentLayer>): RecurrentLayer => (
  { kind, name: kind, inputSize, hiddenSize, numLayers: 1, bidirectional: false, returnSequences: true, ...more }
)

export function lstmLayer(inputSize: number, hiddenSize: number, more: Partial<RecurrentLayer> = {}): RecurrentLayer {
  return recurrentLayer('lstm', inputSize, hiddenSize, more)
}

export function gruLayer(inputSize: number, hiddenSize: number, more: Partial<RecurrentLayer> = {}): RecurrentLayer {
  return recurrentLayer('gru', inputSize, hiddenSize, more)
}

export const isRecurrent = (layer: Layer): layer is RecurrentLayer => layer.kind === 'lstm' || layer.kind === 'gru'

/** One cell a layer and direction of a recurrent layer: what it reads, and the suffix of its tensors. */
export function cellsOf(layer: RecurrentLayer) {
  const directions = layer.bidirectional ? ['', '_reverse'] : ['']
  return Array.from({ length: layer.numLayers }, (_, level) => directions.map((direction) => ({
    inputSize: level === 0 ? layer.inputSize : layer.hiddenSize * directions.length,
    suffix: `l${level}${direction}`,
  })))
}

/** Names and shapes of a layer's tensors. */
function shapesOf(layer: Layer): [string, number[]][] {
  const { name } = layer
  if (layer.kind === 'embedding') return [[`${name}.weight`, [layer.vocabulary, layer.width]]]
  if (layer.kind === 'dense') return [[`${name}.weight`, [layer.units, layer.inputSize]], [`${name}.bias`, [layer.units]]]
  const rows = GATES[layer.kind] * layer.hiddenSize
  return cellsOf(layer).flat().flatMap(({ inputSize, suffix }) => ([
    [`${name}.weight_ih_${suffix}`, [rows, inputSize]], [`${name}.weight_hh_${suffix}`, [rows, layer.hiddenSize]],
    [`${name}.bias_ih_${suffix}`, [rows]], [`${name}.bias_hh_${suffix}`, [rows]],
  ] as [string, number[]][]))
}

/** Seeded weights in PyTorch's own range, [-1 / sqrt(n), 1 / sqrt(n)). */
export function randomTensors(layers: readonly Layer[], seed: number): Map<string, TensorData> {
  const tensors = new Map()
  for (const layer of layers) {
    const size = layer.kind === 'embedding' ? 1 : layer.kind === 'dense' ? layer.inputSize : layer.hiddenSize
    // A dense softmax of trained size, not of an untrained one: some classes are likelier than others.
    const scale = (layer.kind === 'dense' && layer.activation === 'softmax' ? 8 : 1) / Math.sqrt(size)
    for (const [name, shape] of shapesOf(layer)) {
      tensors.set(name, { dtype: 'float32', shape, data: pseudoRandom(seed + tensors.size, shape.reduce((a, b) => a * b), scale) })
    }
  }
  return tensors
}

/** Multiplications and additions of the matrix products of one call: 2 G H (F + H) a cell of G gates, row and step; 2 F N a dense row. */
export function flopsOf(layers: readonly Layer[], batch: number, timesteps: number) {
  let rows = batch * timesteps
  let flops = 0
  for (const layer of layers) {
    if (layer.kind === 'dense') flops += 2 * layer.inputSize * layer.units * rows
    if (!isRecurrent(layer)) continue
    for (const { inputSize } of cellsOf(layer).flat()) flops += 2 * GATES[layer.kind] * layer.hiddenSize * (inputSize + layer.hiddenSize) * rows
    if (!layer.returnSequences) rows = batch
  }
  return flops
}

/** Bytes of float32 weights that each step must read: all of them for a single step, of a sequence those of the recurrence. */
export function streamedBytes(layers: readonly Layer[], timesteps: number) {
  let bytes = 0
  for (const layer of layers) {
    if (layer.kind === 'dense' && timesteps === 1) bytes += 4 * layer.inputSize * layer.units
    if (!isRecurrent(layer)) continue
    for (const { inputSize } of cellsOf(layer).flat()) {
      bytes += 4 * GATES[layer.kind] * layer.hiddenSize * (layer.hiddenSize + (timesteps === 1 ? inputSize : 0))
    }
  }
  return bytes
}

/** What comes out of the last layer, a row. */
export function outputSizeOf(layers: readonly Layer[]) {
  const last = layers.at(-1) as Layer
  if (last.kind === 'embedding') return last.width
  return last.kind === 'dense' ? last.units : last.hiddenSize * (last.bidirectional ? 2 : 1)
}

/** A state: the input that it begins with, and the output that it ends with. */
export interface StatePorts { readonly before: string, readonly after: string, readonly dims: number[] }

/** A file with the inputs `x` and the initial states, and the outputs `y` and the final states. */
export interface OnnxNetwork {
  readonly bytes: Uint8Array
  readonly states: readonly StatePorts[]
  readonly inputDims: readonly number[]
  /** Of y: 4 where the sequence is [timesteps, 1, batch, units]. */
  readonly rank: number
}
