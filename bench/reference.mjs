// The network in float64, written to be read: what every engine's output is compared with.
import { cellsOf } from './network.mjs'

/** @typedef {Float32Array | Float64Array} Numbers */

const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x))

/** What an LSTM remembers between calls, by layer, direction and row of the batch. */
export class ReferenceStates {
  /** @type {Map<string, { h: Float64Array, c: Float64Array }>} */
  #cells = new Map()

  /**
   * @param {string} name
   * @param {number} length
   */
  cell(name, length) {
    const known = this.#cells.get(name)
    if (known !== undefined) return known
    const made = { h: new Float64Array(length), c: new Float64Array(length) }
    this.#cells.set(name, made)
    return made
  }
}

/**
 * Row `unit` of each of the four gates, times a vector: W x.
 * @param {Numbers} weights [4 hiddenSize, length], gates i, f, g, o
 * @param {number} hiddenSize
 * @param {number} unit
 * @param {Numbers} vector
 * @param {number} begin where the vector begins
 * @param {number} length
 * @param {Float64Array} sums [4], added to
 */
function addProducts(weights, hiddenSize, unit, vector, begin, length, sums) {
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

/**
 * @param {{ inputWeights: Numbers, recurrentWeights: Numbers, inputBias: Numbers, recurrentBias: Numbers }} cell
 * @param {{ inputSize: number, hiddenSize: number, x: Numbers, begin: number, h: Float64Array, c: Float64Array, state: number }} at
 * @returns {Float64Array} the new h; c is written in place
 */
export function referenceStep(cell, { inputSize, hiddenSize, x, begin, h, c, state }) {
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

/**
 * @param {import('./network.mjs').LstmLayer} layer
 * @param {ReadonlyMap<string, { data: Numbers }>} tensors
 * @param {Numbers} x [batch, timesteps, features]
 * @param {number} batch
 * @param {number} timesteps
 * @param {ReferenceStates} states
 */
function runLstm(layer, tensors, x, batch, timesteps, states) {
  const { hiddenSize } = layer
  const width = hiddenSize * (layer.bidirectional ? 2 : 1)
  /** @type {Numbers} */
  let sequence = x
  let last = new Float64Array(0)
  for (const cells of cellsOf(layer)) {
    const output = new Float64Array(batch * timesteps * width)
    last = new Float64Array(batch * width)
    cells.forEach(({ inputSize, suffix }, direction) => {
      const data = (/** @type {string} */ name) => /** @type {{ data: Numbers }} */ (tensors.get(`${layer.name}.${name}_${suffix}`)).data
      const cell = { inputWeights: data('weight_ih'), recurrentWeights: data('weight_hh'), inputBias: data('bias_ih'), recurrentBias: data('bias_hh') }
      const { h, c } = states.cell(`${layer.name}.${suffix}`, batch * hiddenSize)
      for (let n = 0; n < timesteps; n++) {
        const t = direction === 0 ? n : timesteps - 1 - n
        for (let b = 0; b < batch; b++) {
          const state = b * hiddenSize
          h.set(referenceStep(cell, { inputSize, hiddenSize, x: sequence, begin: (b * timesteps + t) * inputSize, h, c, state }), state)
          output.set(h.subarray(state, state + hiddenSize), (b * timesteps + t) * width + direction * hiddenSize)
        }
      }
      for (let b = 0; b < batch; b++) last.set(h.subarray(b * hiddenSize, (b + 1) * hiddenSize), b * width + direction * hiddenSize)
    })
    sequence = output
  }
  return layer.returnSequences ? sequence : last
}

/**
 * @param {import('./network.mjs').DenseLayer} layer
 * @param {ReadonlyMap<string, { data: Numbers }>} tensors
 * @param {Numbers} x [rows, inputSize]
 */
function runDense(layer, tensors, x) {
  const { inputSize, units } = layer
  const weight = /** @type {{ data: Numbers }} */ (tensors.get(`${layer.name}.weight`)).data
  const bias = /** @type {{ data: Numbers }} */ (tensors.get(`${layer.name}.bias`)).data
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

/** @param {Float64Array} row replaced by e^x / sum of e^x */
function softmax(row) {
  const largest = row.reduce((a, b) => Math.max(a, b))
  let sum = 0
  for (let n = 0; n < row.length; n++) sum += row[n] = Math.exp(row[n] - largest)
  for (let n = 0; n < row.length; n++) row[n] /= sum
}

/**
 * @param {readonly import('./network.mjs').Layer[]} layers
 * @param {ReadonlyMap<string, { data: Numbers }>} tensors
 * @param {{ x: Numbers | Int32Array, batch: number, timesteps: number, states?: ReferenceStates }} input x is [batch, timesteps, features],
 *   or [batch, timesteps] of tokens; states default to zeros and are carried on
 * @returns {Float64Array}
 */
export function referenceRun(layers, tensors, { x, batch, timesteps, states = new ReferenceStates() }) {
  let values = Float64Array.from(x)
  for (const layer of layers) {
    if (layer.kind === 'embedding') {
      const weight = /** @type {{ data: Numbers }} */ (tensors.get(`${layer.name}.weight`)).data
      values = Float64Array.from({ length: values.length * layer.width }, (_, n) => (
        weight[values[Math.floor(n / layer.width)] * layer.width + n % layer.width]
      ))
    } else if (layer.kind === 'lstm') values = Float64Array.from(runLstm(layer, tensors, values, batch, timesteps, states))
    else values = runDense(layer, tensors, values)
  }
  return values
}
