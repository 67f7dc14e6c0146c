// An LSTM in plain JavaScript on typed arrays, as a careful programmer writes one: no allocation in the loop, the four gates of a
// unit in one pass, so that each input is loaded once.
import { cellsOf, isRecurrent, type Layer, type TensorData, type DenseLayer, type RecurrentLayer } from '../network.ts'

export interface Stage { run(x: Float32Array | Int32Array): Float32Array, reset(): void }

export function stageOf(layer: Layer, tensors: ReadonlyMap<string, TensorData>, batch: number, timesteps: number): Stage {
  const data = (name: string) => (tensors.get(`${layer.name}.${name}`) as TensorData).data
  if (isRecurrent(layer)) return lstmStage(layer, data, batch, timesteps)
  if (layer.kind === 'dense') return denseStage(layer, data('weight'), data('bias'))
  const weight = data('weight')
  return {
    run: (x) => {
      const rows = new Float32Array(x.length * layer.width)
      x.forEach((token, n) => rows.set(weight.subarray(token * layer.width, (token + 1) * layer.width), n * layer.width))
      return rows
    },
    reset: () => undefined,
  }
}

/**
 * @param weight [units, inputSize]
 * @param bias [units]
 */
function denseStage({ inputSize, units, activation }: DenseLayer, weight: Float32Array, bias: Float32Array): Stage {
  let output = new Float32Array(0)
  return {
    run(x) {
      const rows = x.length / inputSize
      if (output.length !== rows * units) output = new Float32Array(rows * units)
      for (let row = 0; row < rows; row++) {
        let largest = -Infinity
        for (let unit = 0; unit < units; unit++) {
          let sum = bias[unit]
          for (let k = 0; k < inputSize; k++) sum += weight[unit * inputSize + k] * x[row * inputSize + k]
          output[row * units + unit] = sum
          largest = Math.max(largest, sum)
        }
        if (activation !== 'softmax') continue
        let total = 0
        for (let at = row * units; at < (row + 1) * units; at++) total += output[at] = Math.exp(output[at] - largest)
        for (let at = row * units; at < (row + 1) * units; at++) output[at] /= total
      }
      return output
    },
    reset: () => undefined,
  }
}

/**
 * Gates of one unit side by side: weights [units, length, 4].
 * @param weights [4 units, length]
 */
function interleave(weights: Float32Array, units: number) {
  const length = weights.length / 4 / units
  const packed = new Float32Array(weights.length)
  for (let gate = 0; gate < 4; gate++) {
    for (let unit = 0; unit < units; unit++) {
      for (let k = 0; k < length; k++) packed[(unit * length + k) * 4 + gate] = weights[(gate * units + unit) * length + k]
    }
  }
  return packed
}

function lstmStage(layer: RecurrentLayer, data: (name: string) => Float32Array, batch: number, timesteps: number): Stage {
  const { hiddenSize, returnSequences } = layer
  const levels = cellsOf(layer)
  const width = hiddenSize * (layer.bidirectional ? 2 : 1)
  const cells = levels.map((level) => level.map(({ inputSize, suffix }) => {
    const inputBias = data(`bias_ih_${suffix}`)
    const recurrentBias = data(`bias_hh_${suffix}`)
    return {
      inputSize,
      inputWeights: interleave(data(`weight_ih_${suffix}`), hiddenSize),
      recurrentWeights: interleave(data(`weight_hh_${suffix}`), hiddenSize),
      bias: interleave(inputBias.map((value, n) => value + recurrentBias[n]), hiddenSize),
      h: new Float32Array(batch * hiddenSize), c: new Float32Array(batch * hiddenSize), next: new Float32Array(hiddenSize),
    }
  }))
  const sequences = levels.map(() => new Float32Array(batch * timesteps * width))
  const last = new Float32Array(batch * width)
  return {
    run(x) {
      let from = x as Float32Array
      cells.forEach((directions, level) => {
        const to = sequences[level]
        directions.forEach((cell, direction) => {
          for (let b = 0; b < batch; b++) {
            for (let n = 0; n < timesteps; n++) {
              const t = direction === 0 ? n : timesteps - 1 - n
              step(cell, hiddenSize, from, (b * timesteps + t) * cell.inputSize, b * hiddenSize, to, (b * timesteps + t) * width + direction * hiddenSize)
            }
          }
        })
        from = to
      })
      if (returnSequences) return from
      const top = cells.at(-1) as typeof cells[number]
      top.forEach(({ h }, direction) => {
        for (let b = 0; b < batch; b++) last.set(h.subarray(b * hiddenSize, (b + 1) * hiddenSize), b * width + direction * hiddenSize)
      })
      return last
    },
    reset: () => cells.flat().forEach(({ h, c }) => {
      h.fill(0)
      c.fill(0)
    }),
  }
}

/** Weights as `interleave` packs them, and what the cell remembers. */
interface Cell {
  readonly inputSize: number
  readonly inputWeights: Float32Array
  readonly recurrentWeights: Float32Array
  readonly bias: Float32Array
  readonly h: Float32Array
  readonly c: Float32Array
  /** h of the step that is computed. */
  readonly next: Float32Array
}

function step(
  { inputSize, inputWeights, recurrentWeights, bias, h, c, next }: Cell,
  units: number, x: Float32Array, xAt: number, stateAt: number, output: Float32Array, outputAt: number,
) {
  for (let unit = 0; unit < units; unit++) {
    let [i, f, g, o] = [bias[unit * 4], bias[unit * 4 + 1], bias[unit * 4 + 2], bias[unit * 4 + 3]]
    for (let k = 0, at = unit * inputSize * 4; k < inputSize; k++, at += 4) {
      const value = x[xAt + k]
      i += inputWeights[at] * value
      f += inputWeights[at + 1] * value
      g += inputWeights[at + 2] * value
      o += inputWeights[at + 3] * value
    }
    for (let k = 0, at = unit * units * 4; k < units; k++, at += 4) {
      const value = h[stateAt + k]
      i += recurrentWeights[at] * value
      f += recurrentWeights[at + 1] * value
      g += recurrentWeights[at + 2] * value
      o += recurrentWeights[at + 3] * value
    }
    const cell = sigmoid(f) * c[stateAt + unit] + sigmoid(i) * Math.tanh(g)
    c[stateAt + unit] = cell
    next[unit] = sigmoid(o) * Math.tanh(cell)
  }
  h.set(next, stateAt)
  output.set(next, outputAt)
}

function sigmoid(x: number) {
  return 1 / (1 + Math.exp(-x))
}
