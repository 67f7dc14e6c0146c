// Tesseract's own computation of a network of 8 bits, as its program of version 5.3 does it: activations are integers of -127 to 127 for
// -1 to 1, products are exact, gates come from tables, and what lies outside of the picture is noise. Not how this package computes: a
// reference, which gives the probabilities that the program prints.
// The order of all sums of float32 is the program's: https://github.com/tesseract-ocr/tesseract, src/lstm (Apache 2.0), read, not copied.
import type { Layer, Weights } from '../../src/formats/tesseract/layers.ts'

/** Integers of -127 to 127, or floats after the last layer: [height][width][channels], flat. */
export interface Activations {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly data: Float32Array
}

const MOST = 127
const TABLE_SIZE = 4096
const TABLE_SCALE = 256
const LARGEST_STATE = 100
const MOST_BELOW_LARGEST_LOGIT = 86

const { fround } = Math
const rounded = (x: number): number => (x >= 0 ? Math.trunc(fround(x + 0.5)) : -Math.trunc(fround(0.5 - x)))
const clipped = (x: number): number => Math.max(-MOST, Math.min(MOST, x))
const quantized = (x: number): number => clipped(rounded(fround(x * MOST)))

/** A function from 0 on, by linear interpolation; 1 beyond the table. */
function tabled(value: (x: number) => number): (x: number) => number {
  const table = Float32Array.from({ length: TABLE_SIZE }, (_, n) => value(n / TABLE_SCALE))
  return (x) => {
    const scaled = fround(x * TABLE_SCALE)
    const index = Math.trunc(scaled)
    if (index >= TABLE_SIZE - 1) return 1
    const [low, high] = [table[index] as number, table[index + 1] as number]
    return fround(low + fround(fround(high - low) * fround(scaled - index)))
  }
}
const positiveTanh = tabled(Math.tanh)
const positiveSigmoid = tabled((x) => 1 / (1 + Math.exp(-x)))
const tanh = (x: number): number => (x < 0 ? -positiveTanh(-x) : positiveTanh(x))
const sigmoid = (x: number): number => (x < 0 ? fround(1 - positiveSigmoid(-x)) : positiveSigmoid(x))

/** C++'s std::minstd_rand. */
export class Noise {
  #state: number

  constructor(seed: bigint) {
    this.#state = Number(BigInt.asUintN(64, seed) % 2147483647n) || 1
  }

  next(): number {
    return (this.#state = this.#state * 48271 % 2147483647)
  }

  /** An integer of -127 to 127. */
  activation(): number {
    const x = MOST * 2 * this.next() / 2147483647 - MOST
    return x >= 0 ? Math.trunc(x + 0.5) : -Math.trunc(0.5 - x)
  }
}

/** W [x, 1], with the integer one being 127. */
function product({ rows, columns, data: q, scales }: Weights, x: ArrayLike<number>, out: Float32Array): void {
  if (scales === undefined) throw new Error('expected weights of 8 bits')
  for (let row = 0; row < rows; row++) {
    const begin = row * columns
    let sum = (q[begin + columns - 1] as number) * MOST
    for (let column = 0; column < columns - 1; column++) sum += (q[begin + column] as number) * (x[column] as number)
    out[row] = fround(sum) * fround((scales[row] as number) / MOST)
  }
}

function windows(x: Activations, [halfWidth = 0, halfHeight = 0]: readonly number[], noise: Noise): Activations {
  const [across, down] = [2 * halfWidth + 1, 2 * halfHeight + 1]
  const channels = across * down * x.channels
  const data = new Float32Array(x.height * x.width * channels)
  let at = 0
  for (let y = 0; y < x.height; y++) {
    for (let column = 0; column < x.width; column++) {
      for (let dx = -halfWidth; dx <= halfWidth; dx++) {
        for (let dy = -halfHeight; dy <= halfHeight; dy++) {
          const [row, from] = [y + dy, column + dx]
          const isInside = row >= 0 && row < x.height && from >= 0 && from < x.width
          for (let channel = 0; channel < x.channels; channel++) {
            data[at++] = isInside ? x.data[(row * x.width + from) * x.channels + channel] as number : noise.activation()
          }
        }
      }
    }
  }
  return { ...x, channels, data }
}

function pooled(x: Activations, [across = 0, down = 0]: readonly number[]): Activations {
  const [height, width] = [Math.floor(x.height / down), Math.floor(x.width / across)]
  const data = new Float32Array(height * width * x.channels).fill(-Infinity)
  for (let y = 0; y < height * down; y++) {
    for (let column = 0; column < width * across; column++) {
      for (let channel = 0; channel < x.channels; channel++) {
        const to = (Math.floor(y / down) * width + Math.floor(column / across)) * x.channels + channel
        data[to] = Math.max(data[to] as number, x.data[(y * x.width + column) * x.channels + channel] as number)
      }
    }
  }
  return { height, width, channels: x.channels, data }
}

/** Each row is a sequence; `sums` keeps the last step alone. */
function cells(gates: readonly Weights[], x: Activations, sums: boolean): Activations {
  const units = (gates[0] as Weights).rows
  const data = new Float32Array(x.height * x.width * units)
  const values = gates.map(() => new Float32Array(units))
  const [i, f, g, o] = values as [Float32Array, Float32Array, Float32Array, Float32Array]
  const input = new Int8Array(x.channels + units)
  for (let y = 0; y < x.height; y++) {
    const c = new Float32Array(units)
    input.fill(0)
    for (let column = 0; column < x.width; column++) {
      const step = y * x.width + column
      input.set(x.data.subarray(step * x.channels, (step + 1) * x.channels))
      gates.forEach((gate, n) => product(gate, input, values[n] as Float32Array))
      for (let unit = 0; unit < units; unit++) {
        const kept = fround((c[unit] as number) * sigmoid(f[unit] as number))
        const state = fround(kept + fround(tanh(g[unit] as number) * sigmoid(i[unit] as number)))
        c[unit] = Math.max(-LARGEST_STATE, Math.min(LARGEST_STATE, state))
        const h = quantized(fround(tanh(c[unit] as number) * sigmoid(o[unit] as number)))
        input[x.channels + unit] = h
        data[step * units + unit] = h
      }
    }
  }
  if (!sums) return { ...x, channels: units, data }
  const last = new Float32Array(x.height * units)
  for (let y = 0; y < x.height; y++) last.set(data.subarray(((y + 1) * x.width - 1) * units, (y + 1) * x.width * units), y * units)
  return { height: x.height, width: 1, channels: units, data: last }
}

function softmax(values: Float32Array): void {
  const largest = values.reduce((most, value) => Math.max(most, value))
  let sum = 0
  for (let n = 0; n < values.length; n++) {
    values[n] = Math.exp(Math.max(-MOST_BELOW_LARGEST_LOGIT, fround((values[n] as number) - largest)))
    sum = fround(sum + (values[n] as number))
  }
  for (let n = 0; n < values.length; n++) (values[n] as number) /= sum
}

function dense(type: string, weights: Weights, x: Activations): Activations {
  const data = new Float32Array(x.height * x.width * weights.rows)
  for (let step = 0; step < x.height * x.width; step++) {
    const out = data.subarray(step * weights.rows, (step + 1) * weights.rows)
    product(weights, x.data.subarray(step * x.channels, (step + 1) * x.channels), out)
    if (type === 'Softmax') softmax(out)
    else if (type === 'Tanh') out.forEach((value, n) => (out[n] = quantized(tanh(value))))
    else throw new Error(`expected Tanh or Softmax, got ${type}`)
  }
  return { ...x, channels: weights.rows, data }
}

/** The same in another order: [row][column] of the result is what `from` says. */
function moved(x: Activations, height: number, width: number, from: (y: number, column: number) => number): Activations {
  const data = new Float32Array(x.data.length)
  for (let y = 0; y < height; y++) {
    for (let column = 0; column < width; column++) {
      const at = from(y, column) * x.channels
      data.set(x.data.subarray(at, at + x.channels), (y * width + column) * x.channels)
    }
  }
  return { height, width, channels: x.channels, data }
}
const transposed = (x: Activations): Activations => moved(x, x.width, x.height, (y, column) => column * x.width + y)
const reversed = (x: Activations): Activations => moved(x, x.height, x.width, (y, column) => y * x.width + x.width - 1 - column)

function layer({ type, sizes, weights }: Layer, x: Activations, noise: Noise): Activations {
  const [g, i, f, o] = weights as [Weights, Weights, Weights, Weights]
  switch (type) {
    case 'Input': return x
    case 'Convolve': return windows(x, sizes, noise)
    case 'Maxpool': return pooled(x, sizes)
    case 'LSTM': case 'SummLSTM': return cells([i, f, g, o], x, type === 'SummLSTM')
  }
  return dense(type, g, x)
}

/** What layers make of their input; probabilities at the end. */
export function asTesseract(layers: readonly Layer[], input: Activations, noise: Noise): Activations {
  return layers.reduce((x, one) => {
    const turns = [...(one.isTall ? [transposed] : []), ...(one.isReverse ? [reversed] : [])]
    const turn = (value: Activations): Activations => turns.reduce((turned, by) => by(turned), value)
    const back = (value: Activations): Activations => turns.reduceRight((turned, by) => by(turned), value)
    return back(layer(one, turn(x), noise))
  }, input)
}

interface Levels {
  readonly black: number
  readonly contrast: number
}

/** A grey picture as integers: from black, half the way to white is the contrast. */
export function quantizedPicture(data: ArrayLike<number>, width: number, height: number, { black, contrast }: Levels): Activations {
  const level = (grey: number): number => fround(fround(fround(grey - fround(black)) / fround(contrast)) - 1)
  return { height, width, channels: 1, data: Float32Array.from(data, (grey) => clipped(rounded(fround(level(grey) * (MOST + 1))))) }
}
