// GroupQueryAttention of com.microsoft, of whole sequences: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
import { malformed } from '../../protobuf/wire.ts'
import type { Conversion } from '../conversion.ts'
import { attend, biasWhere, joinHeads, scaleOf, splitHeads, stepsApart } from './attention-core.ts'
import { headCount, parts } from './microsoft-attention.ts'
import { sizeAt } from './sizes.ts'

/** Positions of the inputs. Between them are how many keys of each row count, and how many there are: no valid query sees further ones. */
const PAST = 3
const COSINES = 7
const POSITIONS = 9
const BIAS = 10
const SINK = 11

/**
 * Each query sees its own step and those before; heads of keys and values are for several of queries in a row each. Inputs: q, k, v
 * [batch, steps, heads * size], or all of them beside each other in the first; cosines and sines of each position [positions, size / 2]; positions of
 * the steps; what is added to scores. Outputs: the result, keys and values [batch, heads, steps, size].
 */
export function groupQueryAttention(c: Conversion): void {
  c.onlyAttributes(['do_rotary', 'kv_num_heads', 'local_window_size', 'num_heads', 'rotary_interleaved', 'scale', 'smooth_softmax', 'softcap'])
  c.onlyOutputs(3)
  if (c.has(PAST) || c.has(PAST + 1)) {
    throw c.unsupported('past keys and values, of which elements say how many count (export without a cache of keys and values: use_cache=False; or as Attention of version 23)')
  }
  if (c.has(SINK) || c.int('smooth_softmax', 0) > 0) throw c.unsupported('a sink of attention')
  if (c.int('rotary_interleaved', 0) !== 0) throw c.unsupported('rotary_interleaved')
  const [heads, fewer] = [headCount(c), c.int('kv_num_heads', 0)]
  if (fewer < 1) throw malformed(`${c.label}: expected a number of heads of keys, got ${fewer}`)
  const [q = '', k = '', v = ''] = valuesOf(c, heads, fewer).map((value, n) => splitHeads(c, value, n === 0 ? heads : fewer))
  const isTurned = c.int('do_rotary', 0) !== 0
  const [turnedQ, turnedK] = isTurned ? rotated(c, [q, k]) : [q, k]
  const scale = c.float('scale', 0)
  const { output } = attend(c, { q: turnedQ, k: turnedK, v }, { scale: scale === 0 ? scaleOf(c, q) : scale, softcap: c.float('softcap', 0), bias: biasOf(c, turnedQ) })
  joinHeads(c, output, [c.output(0)])
  c.alias(1, turnedK)
  c.alias(2, v)
}

/** q, k and v [batch, steps, heads * size]. */
function valuesOf(c: Conversion, heads: number, fewer: number): string[] {
  if (c.has(1) !== c.has(2)) throw malformed(`${c.label}: expected keys and values, or neither, got one of them`)
  if (c.has(1)) return [0, 1, 2].map((position) => c.input(position))
  const width = c.type(c.input(0)).shape[2]
  const size = typeof width === 'number' ? width / (heads + 2 * fewer) : width
  return parts(c, c.input(0), [heads, fewer, fewer].map((count) => (typeof size === 'number' ? count * size : size)), -1)
}

/** 0 where a query may see a key. */
function biasOf(c: Conversion, q: string): string {
  const steps = { of: q, axis: 2 }
  const apart = stepsApart(c, steps, steps)
  const seen = c.emit('lessOrEqual', [apart, c.integers('now', [0])])
  const window = c.int('local_window_size', -1)
  const near = window < 0 ? seen : c.emit('and', [seen, c.emit('greater', [apart, c.integers('window', [-window])])])
  const bias = biasWhere(c, near, -Infinity)
  return c.has(BIAS) ? c.emit('add', [bias, c.input(BIAS)]) : bias
}

/** Halves a and b of each head become a cos - b sin and b cos + a sin, by the positions of the steps. */
function rotated(c: Conversion, values: readonly [string, string]): [string, string] {
  const [first, last] = [values[0], c.input(COSINES)].map((value) => c.type(value).shape.at(-1))
  if (typeof first !== 'number' || typeof last !== 'number' || first !== 2 * last) throw c.unsupported(`a rotation of ${typeof last === 'number' ? 2 * last : last} of ${first} elements`)
  const steps = sizeAt(c, { of: values[0], axis: 2 })
  const [cosines, sines] = [COSINES, COSINES + 1].map((position) => {
    const table = c.input(position)
    const rows = c.has(POSITIONS)
      ? c.emit('gather', [table, c.input(POSITIONS)], { axis: 0 })
      : c.emit('slice', [table, c.integers('start', [0]), steps, c.integers('axes', [0])])
    // [steps, size / 2], or [batch, steps, size / 2]: beside heads.
    return c.emit('unsqueeze', [rows, c.integers('axes', [c.has(POSITIONS) ? 1 : 0])])
  }) as [string, string]
  const product = (a: string, b: string): string => c.emit('mul', [a, b])
  return values.map((value) => {
    const [a = '', b = ''] = parts(c, value, [last, last], -1)
    const turned = [c.emit('sub', [product(a, cosines), product(b, sines)]), c.emit('add', [product(b, cosines), product(a, sines)])]
    return c.emit('concat', turned, { axis: -1 })
  }) as [string, string]
}
