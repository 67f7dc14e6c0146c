// Writes small .traineddata files: what src/formats/tesseract/ reads.
import { pseudoRandom } from '../random.ts'

/** A matrix [rows, columns] of a file: integers with scales, or floats. */
export interface WrittenMatrix {
  readonly rows: number
  readonly columns: number
  readonly q?: Int8Array
  readonly scales?: Float64Array
  readonly floats?: Float64Array
}

/** A layer of a file. `inputs` and `outputs` are what it says of itself. */
export interface WrittenLayer {
  readonly type: string
  readonly name?: string
  readonly inputs?: number
  readonly training?: number
  /** Numbers in front of matrices: sizes. */
  readonly numbers?: readonly number[]
  readonly matrices?: readonly WrittenMatrix[]
  readonly stack?: readonly WrittenLayer[]
  /** What is written in the place of a name of its type. */
  readonly code?: number
  readonly mode?: number
}

type Part = Uint8Array

const i8 = (value: number): Part => Uint8Array.of(value & 0xff)
const i32 = (...values: readonly number[]): Part => new Uint8Array(Int32Array.from(values).buffer)
const f64 = (values: Float64Array): Part => new Uint8Array(Float64Array.from(values).buffer)
const text = (value: string): Part => joined([i32(new TextEncoder().encode(value).length), new TextEncoder().encode(value)])

export function joined(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

/** Random weights; with scales for more rows than there are, as some files have. */
export function matrix(seed: number, rows: number, columns: number, kind: 'int8' | 'float64' = 'int8'): WrittenMatrix {
  const values = pseudoRandom(seed, rows * columns, 1)
  if (kind === 'float64') return { rows, columns, floats: Float64Array.from(values, (value) => value * 0.7 + value ** 3 * 1e-9) }
  const q = Int8Array.from(values, (value) => Math.round(127 * value))
  return { rows, columns, q, scales: Float64Array.from(pseudoRandom(seed + 1, rows + 3, 0.003), (value) => 0.005 + value) }
}

/** Larger weights: outputs that differ along the line. */
export const sharp = (weights: WrittenMatrix, factor = 8): WrittenMatrix => (
  { ...weights, ...(weights.scales !== undefined && { scales: weights.scales.map((scale) => factor * scale) }) }
)

function matrixBytes({ rows, columns, q, scales, floats }: WrittenMatrix, mode = q === undefined ? 132 : 133): Part {
  const empty = q === undefined ? f64(Float64Array.of(0)) : i8(0)
  const elements = q === undefined ? f64(floats as Float64Array) : new Uint8Array(q.buffer)
  return joined([i8(mode), i32(rows, columns), empty, elements, ...(scales === undefined ? [] : [i32(scales.length), f64(scales)])])
}

/** Bytes of a layer, and of those inside it. */
function layerBytes({ type, name = type, inputs = 0, training = 0, numbers = [], matrices = [], stack, code, mode }: WrittenLayer): Part {
  return joined([
    ...(code === undefined ? [i8(0), text(type)] : [i8(code)]),
    // Back-propagation, flags (rates of its own, and adam), inputs, outputs, weights.
    i8(training), i8(1), i32(192, inputs, 0, 0), text(name), i32(...numbers),
    ...(stack === undefined ? [] : [i32(stack.length), ...stack.map(layerBytes), i32(1), i32(0)]),
    ...matrices.map((one) => matrixBytes(one, mode)),
  ])
}

export const input = (height: number, depth = 1): WrittenLayer => ({ type: 'Input', numbers: [1, height, 0, depth, 0] })
export const series = (...stack: readonly WrittenLayer[]): WrittenLayer => ({ type: 'Series', stack })
export const turned = (type: 'XYTranspose' | 'RTLReversed', ...stack: readonly WrittenLayer[]): WrittenLayer => ({ type, stack })
export const convolve = (halfWidth: number, halfHeight: number): WrittenLayer => ({ type: 'Convolve', numbers: [halfWidth, halfHeight] })
export const maxpool = (width: number, height: number): WrittenLayer => ({ type: 'Maxpool', numbers: [width, height] })
export const dense = (type: string, weights: WrittenMatrix): WrittenLayer => ({ type, matrices: [weights] })

/** An LSTM with gates CI, GI, GF1, GO. */
export function lstm(type: 'LSTM' | 'SummLSTM', seed: number, inputs: number, units: number, kind: 'int8' | 'float64' = 'int8'): WrittenLayer {
  const gates = [0, 10, 20, 30].map((more) => matrix(seed + more, units, inputs + units + 1, kind))
  return { type, name: `${type}${seed}`, inputs, numbers: [inputs + units], matrices: gates }
}

export interface WrittenFile {
  readonly network: WrittenLayer
  readonly spec?: string
  readonly nullCode?: number
  /** A line for each character: its first word. */
  readonly characters: readonly string[]
  /** A code for each; those that begin with -1 do not stand for themselves. */
  readonly codes: readonly (readonly number[])[]
}

/** The components of a file, by number. */
export function componentsOf({ network, spec = '[1,8,0,1 a test]', nullCode = 0, characters, codes }: WrittenFile): Map<number, Part> {
  const recoder = codes.map((code) => {
    const parts = code.filter((part) => part !== -1)
    return joined([i8(Number(code[0] !== -1)), i32(parts.length, ...parts)])
  })
  return new Map([
    [0, new TextEncoder().encode('preserve_interword_spaces 1\n')],
    [17, joined([layerBytes(network), text(spec), i32(65, 100, 101, nullCode), i32(0, 0, 0)])],
    [21, new TextEncoder().encode(`${characters.length}\n${characters.map((character) => `${character} 0 Common 0\n`).join('')}`)],
    [22, joined([i32(codes.length), ...recoder])],
  ])
}

/** A file of components: their offsets, and what they are. */
export function fileOf(components: ReadonlyMap<number, Part>, count = 24): Uint8Array<ArrayBuffer> {
  let at = 4 + 8 * count
  const offsets = Array.from({ length: count }, (_, n): readonly [number, number] => {
    const part = components.get(n)
    if (part === undefined) return [-1, -1]
    at += part.length
    return [at - part.length, 0]
  })
  return joined([i32(count), i32(...offsets.flat()), ...Array.from({ length: count }, (_, n) => components.get(n) ?? new Uint8Array(0))])
}

export const written = (file: WrittenFile): Uint8Array<ArrayBuffer> => fileOf(componentsOf(file))

/** A network that reads x and y. */
export function smallFile(): Uint8Array {
  const network = series(
    input(8), dense('Tanh', matrix(1, 2, 2)), maxpool(2, 2), turned('XYTranspose', lstm('SummLSTM', 2, 2, 4)), dense('Softmax', matrix(3, 4, 5)),
  )
  return written({ network, characters: ['NULL', 'x', 'y'], codes: [[1], [2], [3]] })
}

/** A line in which it sees something: grey, dark on light. */
export function smallPicture(): { width: number, height: number, data: Uint8Array } {
  const isInk = (x: number, y: number): boolean => x > 9 && x < 50 && x % 7 < 3 && y > 3 && y < 15
  return { width: 60, height: 20, data: Uint8Array.from({ length: 1200 }, (_, n) => (isInk(n % 60, Math.floor(n / 60)) ? 10 : 250)) }
}
