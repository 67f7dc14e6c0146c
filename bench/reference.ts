// The network in float64, written to be read: what every engine's output is compared with.
import { cellsOf, isRecurrent, type DenseLayer, type Layer, type RecurrentLayer } from './network.ts'

export type Numbers = Float32Array | Float64Array

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** What recurrent layers remember between calls, by layer, direction and row of the batch. */
export class ReferenceStates {
  #cells: Map<string, { h: Float64Array, c: Float64Array }> = new Map()

  cell(name: string, length: number) {
    const known = this.#cells.get(name)
    if (known !== undefined) return known
    const made = { h: new Float64Array(length), c: new Float64Array(length) }
    this.#cells.set(name, made)
    return made
  }
}

/**
 * Row `unit` of each of the four gates, times a vector: W x.
 * @param weights [4 hiddenSize, length], gates i, f, g, o
 * @param begin where the vector begins
 * @param sums [4], added to
 */
function addProducts(weights: Numbers, hiddenSize: number, unit: number, vector: Numbers, begin: number, length: number, sums: Float64Array) {
  const [rowI, rowF, rowG, rowO] = [0, 1, 2, 3].map((gate) => (gate * hiddenSize + unit) * length)
  let [i, f, g, o] = sums
  for (let k = 0; k < length; k++) {
    const x = vector[begin + k]
    i += weights[rowI + k] * x
    f += weights[rowF + k] * x
    g += weights[rowG + k] * x
    o += weights[rowO + k] * x
  }
  sums[0] = i
  sums[1] = f
  sums[2] = g
  sums[3] = o
}

/** Weights of an LSTM, gates i, f, g, o; of a GRU, gates r, z, n. */
interface ReferenceCell {
  readonly inputWeights: Numbers
  readonly recurrentWeights: Numbers
  readonly inputBias: Numbers
  readonly recurrentBias: Numbers
}

/** A step's input, from `begin` on, and its states, from `state` on. */
interface StepAt {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly x: Numbers
  readonly begin: number
  readonly h: Float64Array
  readonly c: Float64Array
  readonly state: number
}

/** @returns the new h; c is written in place */
export function referenceStep(cell: ReferenceCell, { inputSize, hiddenSize, x, begin, h, c, state }: StepAt): Float64Array {
  const next = new Float64Array(hiddenSize)
  const sums = new Float64Array(4)
  for (let unit = 0; unit < hiddenSize; unit++) {
    for (let gate = 0; gate < 4; gate++) sums[gate] = cell.inputBias[gate * hiddenSize + unit] + cell.recurrentBias[gate * hiddenSize + unit]
    addProducts(cell.inputWeights, hiddenSize, unit, x, begin, inputSize, sums)
    addProducts(cell.recurrentWeights, hiddenSize, unit, h, state, hiddenSize, sums)
    const [i, f, g, o] = sums
    c[state + unit] = sigmoid(f) * c[state + unit] + sigmoid(i) * Math.tanh(g)
    next[unit] = sigmoid(o) * Math.tanh(c[state + unit])
  }
  return next
}

/** @param x [batch, timesteps, features] */

/**
 * r, z = sigmoid(W x + b + R h + b'); n = tanh(W x + b + r (R h + b')); h' = (1 - z) n + z h.
 * @returns the new h
 */
function gruStep(cell: ReferenceCell, { inputSize, hiddenSize, x, begin, h, state }: StepAt): Float64Array {
  const affine = (weights: Numbers, bias: Numbers, row: number, vector: Numbers, from: number, length: number): number => {
    let sum = bias[row]
    for (let k = 0; k < length; k++) sum += weights[row * length + k] * vector[from + k]
    return sum
  }
  return Float64Array.from({ length: hiddenSize }, (_, unit) => {
    const [rx, zx, nx] = [0, 1, 2].map((gate) => affine(cell.inputWeights, cell.inputBias, gate * hiddenSize + unit, x, begin, inputSize))
    const [rh, zh, nh] = [0, 1, 2].map((gate) => affine(cell.recurrentWeights, cell.recurrentBias, gate * hiddenSize + unit, h, state, hiddenSize))
    const z = sigmoid(zx + zh)
    return (1 - z) * Math.tanh(nx + sigmoid(rx + rh) * nh) + z * h[state + unit]
  })
}

function runRecurrent(
  layer: RecurrentLayer, tensors: ReadonlyMap<string, { data: Numbers }>, x: Numbers, batch: number, timesteps: number, states: ReferenceStates,
) {
  const { hiddenSize } = layer
  const width = hiddenSize * (layer.bidirectional ? 2 : 1)
  let sequence: Numbers = x
  let last = new Float64Array(0)
  for (const cells of cellsOf(layer)) {
    const output = new Float64Array(batch * timesteps * width)
    last = new Float64Array(batch * width)
    cells.forEach(({ inputSize, suffix }, direction) => {
      const data = (name: string) => (tensors.get(`${layer.name}.${name}_${suffix}`) as { data: Numbers }).data
      const cell = { inputWeights: data('weight_ih'), recurrentWeights: data('weight_hh'), inputBias: data('bias_ih'), recurrentBias: data('bias_hh') }
      const { h, c } = states.cell(`${layer.name}.${suffix}`, batch * hiddenSize)
      for (let n = 0; n < timesteps; n++) {
        const t = direction === 0 ? n : timesteps - 1 - n
        for (let b = 0; b < batch; b++) {
          const state = b * hiddenSize
          h.set((layer.kind === 'gru' ? gruStep : referenceStep)(cell, { inputSize, hiddenSize, x: sequence, begin: (b * timesteps + t) * inputSize, h, c, state }), state)
          output.set(h.subarray(state, state + hiddenSize), (b * timesteps + t) * width + direction * hiddenSize)
        }
      }
      for (let b = 0; b < batch; b++) last.set(h.subarray(b * hiddenSize, (b + 1) * hiddenSize), b * width + direction * hiddenSize)
    })
    sequence = output
  }
  return layer.returnSequences ? sequence : last
}

/** @param x [rows, inputSize] */
function runDense(layer: DenseLayer, tensors: ReadonlyMap<string, { data: Numbers }>, x: Numbers) {
  const { inputSize, units } = layer
  const weight = (tensors.get(`${layer.name}.weight`) as { data: Numbers }).data
  const bias = (tensors.get(`${layer.name}.bias`) as { data: Numbers }).data
  const output = new Float64Array(x.length / inputSize * units)
  for (let at = 0; at < output.length; at++) {
    const unit = at % units
    const begin = (at - unit) / units * inputSize
    let sum = bias[unit]
    for (let k = 0; k < inputSize; k++) sum += weight[unit * inputSize + k] * x[begin + k]
    output[at] = sum
  }
  if (layer.activation === 'softmax') for (let at = 0; at < output.length; at += units) softmax(output.subarray(at, at + units))
  return output
}

/** @param row replaced by e^x / sum of e^x */
function softmax(row: Float64Array) {
  const largest = row.reduce((a, b) => Math.max(a, b))
  let sum = 0
  for (let n = 0; n < row.length; n++) sum += row[n] = Math.exp(row[n] - largest)
  for (let n = 0; n < row.length; n++) row[n] /= sum
}

/**
 * @param input x is [batch, timesteps, features],
 *   or [batch, timesteps] of tokens; states default to zeros and are carried on
 */
export function referenceRun(
  layers: readonly Layer[],
  tensors: ReadonlyMap<string, { data: Numbers }>,
  { x, batch, timesteps, states = new ReferenceStates() }: { x: Numbers | Int32Array, batch: number, timesteps: number, states?: ReferenceStates },
): Float64Array {
  let values = Float64Array.from(x)
  for (const layer of layers) {
    if (layer.kind === 'embedding') {
      const weight = (tensors.get(`${layer.name}.weight`) as { data: Numbers }).data
      values = Float64Array.from({ length: values.length * layer.width }, (_, n) => (
        weight[values[Math.floor(n / layer.width)] * layer.width + n % layer.width]
      ))
    } else if (isRecurrent(layer)) values = Float64Array.from(runRecurrent(layer, tensors, values, batch, timesteps, states))
    else values = runDense(layer, tensors, values)
  }
  return values
}
