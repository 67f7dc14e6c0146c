// Scaled dot-product attention of heads, as products of matrices and a softmax: what all attention operators come down to.
import type { Conversion } from '../conversion.ts'
import { dimensions, sizeAt, type AxisSize } from './sizes.ts'

/** Queries, keys and values [batch, heads, steps, size]; each head of keys and values may be for several of queries in a row. */
export interface Heads {
  readonly q: string
  readonly k: string
  readonly v: string
}

export interface AttentionSettings {
  readonly scale: number
  /** Scores are softcap tanh(score / softcap); 0: as they are. */
  readonly softcap?: number
  /** Added to the scores; broadcasts to [batch, heads, query steps, key steps]. */
  readonly bias?: string | undefined
  /** Rows of which no key is allowed give zeros, not NaN. */
  readonly guarded?: boolean
}

/** The result [batch, heads, steps, size], and the scores on their way. */
export interface Attended {
  readonly output: string
  readonly scores: string
  readonly capped: string
  readonly biased: string
  readonly weights: string
}

export const LAST_AXIS = -1

/** softmax(scale q k^T + bias) v */
export function attend(c: Conversion, { q, k: fewKeys, v: fewValues }: Heads, { scale, softcap = 0, bias, guarded = false }: AttentionSettings): Attended {
  const k = repeatedHeads(c, fewKeys, q)
  const v = repeatedHeads(c, fewValues, q)
  const scaled = scale === 1 ? q : c.emit('mul', [q, c.scalar('scale', scale)])
  const scores = c.emit('matMul', [scaled, c.emit('transpose', [k], { perm: [0, 1, 3, 2] })])
  const cap = c.scalar('softcap', softcap)
  const capped = softcap > 0 ? c.emit('mul', [c.emit('tanh', [c.emit('div', [scores, cap])]), cap]) : scores
  const biased = bias === undefined ? capped : c.emit('add', [capped, bias])
  const softmax = c.emit('softmax', [biased], { axis: LAST_AXIS })
  const weights = bias !== undefined && guarded ? withoutEmptyRows(c, softmax, bias) : softmax
  return { output: c.emit('matMul', [weights, v]), scores, capped, biased, weights }
}

/** Zeros where the bias forbids every key. */
function withoutEmptyRows(c: Conversion, weights: string, bias: string): string {
  const largest = c.emit('reduceMax', [bias, c.integers('axes', [LAST_AXIS])], { keepdims: 1 })
  return c.emit('where', [c.emit('equal', [largest, c.scalar('forbidden', -Infinity)]), c.scalar('nothing', 0), weights])
}

/** Each head so often, one after the other, that there are as many as of queries. */
function repeatedHeads(c: Conversion, value: string, queries: string): string {
  const [own, wanted] = [c.type(value).shape[1], c.type(queries).shape[1]]
  if (own === wanted) return value
  if (typeof own !== 'number' || typeof wanted !== 'number' || wanted % own !== 0) throw c.unsupported(`attention of ${wanted} heads to ${own}`)
  const apart = c.emit('unsqueeze', [value, c.integers('axes', [2])])
  const repeated = c.emit('expand', [apart, c.integers('times', [1, 1, wanted / own, 1, 1])])
  return c.emit('reshape', [repeated, dimensions(c, [0, wanted, { of: value, axis: 2 }, { of: value, axis: 3 }])])
}

/** [batch, steps, heads * size] -> [batch, heads, steps, size]. */
export function splitHeads(c: Conversion, value: string, heads: number): string {
  return c.emit('transpose', [c.emit('reshape', [value, c.integers('heads', [0, 0, heads, -1])])], { perm: [0, 2, 1, 3] })
}

/** The way back. */
export function joinHeads(c: Conversion, value: string, outputs?: readonly string[]): string {
  return c.emit('reshape', [c.emit('transpose', [value], { perm: [0, 2, 1, 3] }), c.integers('joined', [0, 0, -1])], {}, outputs)
}

/** The size of heads, by which scores are scaled unless the file says by what. */
export function scaleOf(c: Conversion, q: string): number {
  const size = c.type(q).shape[3]
  if (typeof size !== 'number') throw c.unsupported('an unknown size of heads without a scale')
  return 1 / Math.sqrt(size)
}

/** How far each key [.., key steps] stands behind each query, or before it where that is negative: int32 [query steps, key steps]. */
export function stepsApart(c: Conversion, queries: AxisSize, keys: AxisSize): string {
  const [i, j] = [queries, keys].map((steps) => numbersBelow(c, sizeAt(c, steps))) as [string, string]
  return c.emit('sub', [j, c.emit('unsqueeze', [i, c.integers('axes', [1])])])
}

/** 0, 1, ... below an int32. */
export function numbersBelow(c: Conversion, count: string): string {
  return c.emit('range', [c.integers('start', [0]), count, c.integers('step', [1])])
}

/** 0 where keys are allowed, or what is given instead, and `otherwise` elsewhere. */
export function biasWhere(c: Conversion, allowed: string, otherwise: number, bias: string = c.scalar('allowed', 0)): string {
  return c.emit('where', [allowed, bias, c.scalar('forbidden', otherwise)])
}

/** Past and new steps one after the other. */
export function appended(c: Conversion, past: string, value: string, outputs?: readonly string[]): string {
  return c.emit('concat', [past, value], { axis: 2 }, outputs)
}
