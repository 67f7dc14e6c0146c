import { lstmRole, type Direction, type LstmWeight } from '../../ops/recurrent/settings.ts'
import { NdArray, type ArrayLike } from '../../values/ndarray.ts'
import { formatShape } from '../../values/shape.ts'
import type { Conversion } from './conversion.ts'
import { malformed } from '../protobuf/wire.ts'

/** How the weights of an operator lie. */
export interface RecurrentLayout {
  /** Where our gates stand in ONNX's: LSTM i, f, g, o in i, o, f, c; GRU r, z, n in z, r, h. */
  readonly gates: readonly number[]
  /** Where our peepholes i, f, o stand in ONNX's i, o, f; undefined for operators without any. */
  readonly peepholes?: readonly number[]
}

/** W or R: [directions, gates units, columns]. */
export interface GateMatrix {
  readonly shape: readonly number[]
  /** Adds the matrix of a direction with its gates in this order, as a constant. */
  add(index: number, order: readonly number[], what: string): string
}

/** The matrix at a position, undefined where there is none. */
export type ReadMatrix = (c: Conversion, position: number, name: string) => GateMatrix | undefined

/** The matrices of ONNX's own operators. */
export const plainMatrix: ReadMatrix = (c, position, name) => {
  const source = weight(c, position, name)
  const [, rows = 0, columns = 0] = source?.shape ?? []
  return source && { shape: source.shape, add: (index, order, what) => reordered(c, what, source, index * rows * columns, order, [rows, columns]) }
}

/** The weights of a recurrent node as parameters of ours, and its units, which they tell. */
export function recurrentWeights(
  c: Conversion, directions: readonly Direction[], { gates: order, peepholes }: RecurrentLayout, matrix: ReadMatrix,
): { hiddenSize: number, parameters: Record<string, string> } {
  const [w, r, b] = [matrix(c, 1, 'W'), matrix(c, 2, 'R'), weight(c, 3, 'B')]
  const p = peepholes === undefined ? undefined : weight(c, 7, 'P')
  if (w === undefined || r === undefined) throw malformed(`${c.label}: expected the weights W and R, got ${w === undefined ? 'no W' : 'no R'}`)
  const count = directions.length
  const features = w.shape[2] ?? 0
  const hiddenSize = r.shape[2] ?? 0
  if (features < 1 || hiddenSize < 1) throw malformed(`${c.label}: expected W and R with 3 axes, got ${formatShape(w.shape)} and ${formatShape(r.shape)}`)
  const gates = order.length * hiddenSize
  expectShape(c, 'W', w, [count, gates, features])
  expectShape(c, 'R', r, [count, gates, hiddenSize])
  if (b !== undefined) expectShape(c, 'B', b, [count, 2 * gates])
  if (p !== undefined) expectShape(c, 'P', p, [count, 3 * hiddenSize])
  const parameters: Record<string, string> = {}
  directions.forEach((direction, index) => {
    const add = (role: LstmWeight, source: ArrayLike, begin: number, rows: number[], blocks: readonly number[] = order): void => {
      parameters[lstmRole(0, direction, role)] = reordered(c, `${direction}.${role}`, source, begin, blocks, rows)
    }
    parameters[lstmRole(0, direction, 'inputWeights')] = w.add(index, order, `${direction}.inputWeights`)
    parameters[lstmRole(0, direction, 'recurrentWeights')] = r.add(index, order, `${direction}.recurrentWeights`)
    if (b !== undefined) add('inputBias', b, index * 2 * gates, [gates])
    if (b !== undefined) add('recurrentBias', b, (index * 2 + 1) * gates, [gates])
    if (p !== undefined && peepholes !== undefined) add('peepholes', p, index * 3 * hiddenSize, [3 * hiddenSize], peepholes)
  })
  return { hiddenSize, parameters }
}

function weight(c: Conversion, position: number, name: string): ArrayLike | undefined {
  if (!c.has(position)) return undefined
  const value = c.value(position)
  if (value === undefined) {
    const inputs = c.importer.dependencies(c.input(position)).map((input) => JSON.stringify(input)).join(', ')
    const hint = inputs === '' ? '' : ` (it depends on the inputs ${inputs}; the option 'constants' fixes them)`
    throw c.unsupported(`${c.op === 'GRU' ? 'a' : 'an'} ${c.op} whose ${name} does not follow from constants${hint}`)
  }
  if (value.dtype !== 'float32') throw malformed(`${c.label}: expected floating-point numbers for ${name}, got ${value.dtype}`)
  return value
}

function expectShape(c: Conversion, name: string, { shape }: Pick<ArrayLike, 'shape'>, expected: readonly number[]): void {
  if (formatShape(shape) !== formatShape(expected)) throw malformed(`${c.label}: expected ${name} ${formatShape(expected)}, got ${formatShape(shape)}`)
}

/** A part of a weight with its blocks in our order, as a constant; nodes that share the weight share it. */
function reordered(c: Conversion, what: string, source: ArrayLike, begin: number, order: readonly number[], shape: readonly number[]): string {
  const { made } = c.importer
  const names = made.get(source.data) ?? new Map<string, string>()
  made.set(source.data, names)
  const key = `${what} ${begin} ${formatShape(shape)}`
  const existing = names.get(key)
  if (existing !== undefined) return existing
  const length = shape.reduce((product, size) => product * size, 1)
  c.importer.spend(0, length)
  const data = new Float32Array(length)
  const block = length / order.length
  order.forEach((from, to) => data.set(source.data.subarray(begin + from * block, begin + (from + 1) * block), to * block))
  const name = c.constant(what, new NdArray(data, shape))
  names.set(key, name)
  return name
}
