// A multi-layer, bidirectional LSTM in float64, written to be read: what the kernels are compared with.

type Numbers = Float32Array | Float64Array
/** All of one kind: engines make one fast loop of it. */
const wide = (numbers: Numbers): Float64Array => (numbers instanceof Float64Array ? numbers : Float64Array.from(numbers))

/** Weights of one layer and direction, gates stacked in the order i, f, g, o. */
export interface ReferenceCell {
  readonly inputWeights: Numbers // (4 hiddenSize, features)
  readonly recurrentWeights: Numbers // (4 hiddenSize, hiddenSize)
  readonly inputBias?: Numbers | undefined // (4 hiddenSize)
  readonly recurrentBias?: Numbers | undefined // (4 hiddenSize)
}

export interface ReferenceInput {
  readonly batch: number
  readonly timesteps: number
  /** x and the output are [timesteps, batch, ...] instead of [batch, timesteps, ...]. */
  readonly timeMajor?: boolean
  readonly x: Numbers
  readonly h0?: Numbers | undefined // (layers * directions, batch, hiddenSize), default zeros
  readonly c0?: Numbers | undefined
}

export interface ReferenceResult {
  readonly output: Float64Array // (batch, timesteps, directions * hiddenSize)
  readonly h_n: Float64Array // (layers * directions, batch, hiddenSize)
  readonly c_n: Float64Array
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** sum of row `row` of a matrix (rows, length) times vector `index` of `vectors` (any, length) */
function dot(matrix: Float64Array, row: number, vectors: Float64Array, index: number, length: number): number {
  let sum = 0
  for (let k = 0; k < length; k++) sum += (matrix[row * length + k] as number) * (vectors[index * length + k] as number)
  return sum
}

/** @param layers cells by layer, then direction: forward, and reverse where the LSTM is bidirectional */
export function referenceLstm(layers: readonly (readonly ReferenceCell[])[], hiddenSize: number, input: ReferenceInput): ReferenceResult {
  const { batch, timesteps, timeMajor = false, x, h0, c0 } = input
  const directions = (layers[0] as readonly ReferenceCell[]).length
  const zeros = new Float64Array(layers.length * directions * batch * hiddenSize)
  const h_n = Float64Array.from(h0 ?? zeros)
  const c_n = Float64Array.from(c0 ?? zeros)
  const rowOf = (t: number, b: number): number => (timeMajor ? t * batch + b : b * timesteps + t)
  const gates = new Float64Array(4 * hiddenSize)

  let sequence = wide(x)
  layers.forEach((cells, layer) => {
    const features = sequence.length / (batch * timesteps)
    const output = new Float64Array(batch * timesteps * directions * hiddenSize)
    cells.forEach((cell, direction) => {
      const [inputWeights, recurrentWeights] = [wide(cell.inputWeights), wide(cell.recurrentWeights)]
      for (let n = 0; n < timesteps; n++) {
        const t = direction === 0 ? n : timesteps - 1 - n
        for (let b = 0; b < batch; b++) {
          const state = (layer * directions + direction) * batch + b // which row of h_n and c_n
          for (let j = 0; j < 4 * hiddenSize; j++) {
            gates[j] = (cell.inputBias?.[j] ?? 0) + (cell.recurrentBias?.[j] ?? 0)
              + dot(inputWeights, j, sequence, rowOf(t, b), features)
              + dot(recurrentWeights, j, h_n, state, hiddenSize)
          }
          for (let unit = 0; unit < hiddenSize; unit++) {
            const gate = (n: number): number => gates[n * hiddenSize + unit] as number
            const at = state * hiddenSize + unit
            const c = sigmoid(gate(1)) * (c_n[at] as number) + sigmoid(gate(0)) * Math.tanh(gate(2))
            const h = sigmoid(gate(3)) * Math.tanh(c)
            c_n[at] = c
            h_n[at] = h
            output[(rowOf(t, b) * directions + direction) * hiddenSize + unit] = h
          }
        }
      }
    })
    sequence = output
  })
  return { output: sequence, h_n, c_n }
}
