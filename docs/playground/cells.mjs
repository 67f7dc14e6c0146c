// What happens inside recurrent layers, step by step, in plain JavaScript: the model itself shows its outputs only.
import { functionsOf } from './activations.mjs'

/** Rows of signals that each kind of cell has, in the order in which they are made; `from`: the range of a signal, for its colours. */
export const SIGNALS = {
  lstm: [
    { name: 'i', title: 'input gate', about: 'what to let in', from: 0 },
    { name: 'f', title: 'forget gate', about: 'what to keep', from: 0 },
    { name: 'g', title: 'candidate', about: 'the new content', from: -1 },
    { name: 'o', title: 'output gate', about: 'what to show', from: 0 },
    { name: 'c', title: 'cell state', about: 'f · c before + i · g', from: -1 },
    { name: 'h', title: 'hidden state', about: 'o · tanh(c): what it puts out', from: -1 },
  ],
  gru: [
    { name: 'r', title: 'reset gate', about: 'how much of the old to look at', from: 0 },
    { name: 'z', title: 'update gate', about: 'how much of the old to keep', from: 0 },
    { name: 'n', title: 'candidate', about: 'the new content', from: -1 },
    { name: 'h', title: 'hidden state', about: '(1 - z) · n + z · h before', from: -1 },
  ],
  rnn: [{ name: 'h', title: 'hidden state', about: 'what it remembers and puts out', from: -1 }],
}

const GATES = { lstm: 4, gru: 3, rnn: 1 }

/** Why the inside of a node cannot be drawn; undefined where it can. */
export function whyNot({ op, attributes, inputs }) {
  if (attributes.layerNorm === true) return 'its gates are layer-normalised'
  if ((attributes.delaySamples ?? 1) !== 1) return 'its states come from several samples ago'
  const states = op === 'lstm' ? 2 : 1
  if (inputs.slice(1 + states).some(Boolean)) return 'it takes a mask or lengths'
  if (attributes.reversedOutput === true) return 'its outputs stay in reversed order'
  return undefined
}

/**
 * Runs a recurrent node over one sequence.
 * @param node a node of a graph with the operator lstm, gru or rnn
 * @param weights from a parameter's role ('0.forward.inputWeights') to its array `{ shape, data }`, or undefined
 * @param x `[timesteps * features]`, the rows one after the other
 * @param timesteps how many rows there are
 * @param initial for each layer and direction `{ h, c }`, or nothing for zeros
 * @returns for each layer and direction `{ layer, direction, units, signals }`: signals are `[timesteps * units]` by name, in the order of
 *   the timesteps; and `y`, what the last layer puts out at every step
 * @throws Error for what `whyNot` tells, and for activations that are not known
 */
export function watchCells(node, weights, x, timesteps, initial = []) {
  const why = whyNot(node)
  if (why !== undefined) throw new Error(why)
  const { attributes } = node
  const directions = attributes.direction === 'bidirectional' ? ['forward', 'reverse'] : [attributes.direction ?? 'forward']
  const cells = []
  let below = x
  for (let layer = 0; layer < (attributes.numLayers ?? 1); layer++) {
    const made = directions.map((direction, index) => {
      const get = (name) => weights(`${layer}.${direction}.${name}`)?.data
      return { layer, direction, ...runDirection(node, index, get, below, timesteps, initial[layer * directions.length + index]) }
    })
    cells.push(...made)
    const width = made.reduce((sum, { size }) => sum + size, 0)
    below = new Float32Array(timesteps * width)
    let column = 0
    for (const { size, signals } of made) {
      for (let t = 0; t < timesteps; t++) below.set(signals.h.subarray(t * size, (t + 1) * size), t * width + column)
      column += size
    }
  }
  return { cells, y: below }
}

function runDirection(node, index, get, x, timesteps, initial = {}) {
  const { op, attributes } = node
  const units = attributes.hiddenSize
  const inputWeights = get('inputWeights')
  const recurrentWeights = get('recurrentWeights')
  const features = inputWeights.length / (GATES[op] * units)
  const size = recurrentWeights.length / (GATES[op] * units) // of h: the units, or the projection
  const signals = Object.fromEntries(SIGNALS[op].map(({ name }) => [name, new Float32Array(timesteps * (name === 'h' ? size : units))]))
  const cell = {
    ...attributes, units, size, features, inputWeights, recurrentWeights, inputBias: get('inputBias'), recurrentBias: get('recurrentBias'),
    peepholes: get('peepholes'), projection: get('projection'),
    functions: functionsOf(attributes, index, op === 'lstm' ? ['sigmoid', 'tanh', 'tanh'] : op === 'gru' ? ['sigmoid', 'tanh'] : ['tanh']),
  }
  const step = STEPS[op](cell)
  let state = { h: initial.h ?? new Float32Array(size), c: initial.c ?? new Float32Array(units) }
  for (let n = 0; n < timesteps; n++) {
    const t = node.attributes.direction === 'reverse' || index === 1 ? timesteps - 1 - n : n
    const next = step(x.subarray(t * features, (t + 1) * features), state)
    for (const [name, row] of Object.entries(next)) signals[name].set(row, t * row.length)
    state = next
  }
  return { units, size, signals }
}

/** W x + b, rows `from` up to `to` of W. Four rows at a time, so that each x is loaded once for four sums that do not wait for each other. */
function product(weights, x, bias, from, to) {
  const { length } = x
  const sums = new Float32Array(to - from)
  let row = from
  for (; row + 4 <= to; row += 4) {
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let n = 0, at = row * length; n < length; n++, at++) {
      const value = x[n]
      a += weights[at] * value
      b += weights[at + length] * value
      c += weights[at + 2 * length] * value
      d += weights[at + 3 * length] * value
    }
    sums[row - from] = a
    sums[row - from + 1] = b
    sums[row - from + 2] = c
    sums[row - from + 3] = d
  }
  for (; row < to; row++) {
    let sum = 0
    for (let n = 0, at = row * length; n < length; n++, at++) sum += weights[at] * x[n]
    sums[row - from] = sum
  }
  if (bias !== undefined) for (let n = 0; n < sums.length; n++) sums[n] += bias[from + n]
  return sums
}

const clamped = (limit) => (limit > 0 ? (value) => Math.max(-limit, Math.min(limit, value)) : (value) => value)

/** Each makes the step of a cell: from the features of a timestep and the states before to all signals of it. */
const STEPS = {
  lstm(cell) {
    const { units, inputWeights, recurrentWeights, inputBias, recurrentBias, peepholes, projection, size, forgetBias = 0, coupling = 'none' } = cell
    const [gate, candidate, output] = cell.functions
    const [clip, clipCell, clipProjection] = [cell.clip, cell.cellClip, cell.projClip].map((limit) => clamped(limit ?? 0))
    return (x, before) => {
      const fromInput = product(inputWeights, x, inputBias, 0, 4 * units)
      const fromState = product(recurrentWeights, before.h, recurrentBias, 0, 4 * units)
      const [i, f, g, o, c, m] = Array.from({ length: 6 }, () => new Float32Array(units))
      for (let n = 0; n < units; n++) {
        const sum = (row) => fromInput[row * units + n] + fromState[row * units + n]
        const peep = (row, value) => (peepholes?.[row * units + n] ?? 0) * value
        const [rawI, rawF] = [clip(sum(0) + peep(0, before.c[n])), clip(sum(1) + forgetBias + peep(1, before.c[n]))]
        i[n] = coupling === 'inputIsOneMinusForget' ? 1 - gate(rawF) : gate(rawI)
        f[n] = coupling === 'forgetIsOneMinusInput' ? 1 - i[n] : gate(rawF)
        g[n] = candidate(clip(sum(2)))
        c[n] = clipCell(f[n] * before.c[n] + i[n] * g[n])
        o[n] = gate(clip(sum(3) + peep(2, c[n])))
        m[n] = o[n] * output(c[n])
      }
      const h = projection === undefined ? m : product(projection, m, undefined, 0, size).map(clipProjection)
      return { i, f, g, o, c, h }
    }
  },
  gru(cell) {
    const { units, inputWeights, recurrentWeights, inputBias, recurrentBias, resetAfter = true } = cell
    const [gate, candidate] = cell.functions
    const clip = clamped(cell.clip ?? 0)
    return (x, before) => {
      const fromInput = product(inputWeights, x, inputBias, 0, 3 * units)
      const fromState = product(recurrentWeights, before.h, recurrentBias, 0, (resetAfter ? 3 : 2) * units)
      const [r, z] = [0, 1].map((row) => fromInput.slice(row * units, (row + 1) * units).map((sum, n) => gate(clip(sum + fromState[row * units + n]))))
      const old = resetAfter
        ? fromState.subarray(2 * units).map((sum, n) => r[n] * sum)
        : product(recurrentWeights, before.h.map((value, n) => r[n] * value), recurrentBias, 2 * units, 3 * units)
      const n = fromInput.slice(2 * units).map((sum, unit) => candidate(clip(sum + old[unit])))
      return { r, z, n, h: n.map((value, unit) => (1 - z[unit]) * value + z[unit] * before.h[unit]) }
    }
  },
  rnn(cell) {
    const { units, inputWeights, recurrentWeights, inputBias, recurrentBias } = cell
    const [candidate] = cell.functions
    const clip = clamped(cell.clip ?? 0)
    return (x, before) => {
      const fromState = product(recurrentWeights, before.h, recurrentBias, 0, units)
      return { h: product(inputWeights, x, inputBias, 0, units).map((sum, n) => candidate(clip(sum + fromState[n]))) }
    }
  },
}

/** Multiply-adds of a step of a node, all layers and directions together: what watching it takes. */
export function workOf(node, weights) {
  const matrices = Object.keys(node.parameters).filter((role) => /\.(inputWeights|recurrentWeights|projection)$/.test(role))
  return matrices.reduce((sum, role) => sum + weights(role).data.length, 0)
}
