// The Attention of the standard operators, since version 23.
import type { Conversion } from '../conversion.ts'
import { malformed } from '../../protobuf/wire.ts'
import { appended, attend, biasWhere, joinHeads, LAST_AXIS, numbersBelow, scaleOf, splitHeads, stepsApart } from './attention-core.ts'
import { sizeAt } from './sizes.ts'

/** Positions of the inputs and outputs. */
const MASK = 3
const PAST = 4
const LENGTHS = 6
const SCORES = 3

/**
 * Inputs: q, k, v [batch, heads, steps, size], or [batch, steps, heads * size] with the attributes `q_num_heads` and `kv_num_heads`; a mask, bool or
 * added; past keys and values; how many keys of each row count. Outputs: the result, all keys, all values, and scores.
 */
export function attention(c: Conversion): void {
  c.onlyAttributes(['is_causal', 'kv_num_heads', 'left_window_size', 'q_num_heads', 'qk_matmul_output_mode', 'right_window_size', 'scale', 'softcap', 'softmax_precision'])
  const [q = '', newKeys = '', newValues = ''] = [0, 1, 2].map((position) => headsOf(c, position))
  const hasPast = c.has(PAST)
  if (hasPast !== c.has(PAST + 1)) throw malformed(`${c.label}: expected past keys and values, or neither, got one of them`)
  const k = hasPast ? appended(c, c.input(PAST), newKeys) : newKeys
  const v = hasPast ? appended(c, c.input(PAST + 1), newValues) : newValues
  const bias = biasOf(c, q, k)
  const scale = c.hasAttribute('scale') ? c.float('scale', 1) : scaleOf(c, q)
  const { output, ...scores } = attend(c, { q, k, v }, { scale, softcap: c.float('softcap', 0), bias, guarded: c.has(MASK) || c.has(LENGTHS) })
  c.alias(0, c.type(c.input(0)).shape.length === 3 ? joinHeads(c, output) : output)
  c.alias(1, k)
  c.alias(2, v)
  const modes = [scores.scores, scores.capped, scores.biased, scores.weights]
  const mode = modes[c.int('qk_matmul_output_mode', 0)]
  if (mode === undefined) throw malformed(`${c.label}: expected a qk_matmul_output_mode from 0 to 3, got ${c.int('qk_matmul_output_mode', 0)}`)
  c.alias(SCORES, mode)
}

/** q, k or v as [batch, heads, steps, size]. */
function headsOf(c: Conversion, position: number): string {
  const value = c.input(position)
  const rank = c.type(value).shape.length
  if (rank === 4) return value
  const heads = c.int(position === 0 ? 'q_num_heads' : 'kv_num_heads', 0)
  if (rank !== 3 || heads < 1) throw malformed(`${c.label}: expected 4 axes, or 3 and a number of heads, got ${rank} axes and ${heads} heads`)
  return splitHeads(c, value, heads)
}

/** What is added to the scores: of the mask, of what comes later, of windows, of padding. */
function biasOf(c: Conversion, q: string, k: string): string | undefined {
  const allowed: string[] = []
  let added: string | undefined
  if (c.has(MASK)) {
    const mask = paddedMask(c, k)
    if (c.type(mask).dtype === 'float32') added = mask
    else allowed.push(mask)
  }
  const lengths = c.has(LENGTHS) ? c.emit('unsqueeze', [c.input(LENGTHS), c.integers('axes', [1, 2, 3])]) : undefined
  if (lengths !== undefined) allowed.push(c.emit('less', [numbersBelow(c, sizeAt(c, { of: k, axis: 2 })), lengths]))
  allowed.push(...windows(c, q, k, lengths))
  if (allowed.length === 0) return added
  return biasWhere(c, allowed.reduce((a, b) => c.emit('and', [a, b])), -Infinity, added)
}

/** Which keys each query may see: none that come later, and none outside of its window. */
function windows(c: Conversion, q: string, k: string, lengths: string | undefined): string[] {
  const [left, right] = [c.int('left_window_size', -1), c.int('right_window_size', -1)]
  const after = c.int('is_causal', 0) !== 0 ? 0 : right
  if (left < 0 && after < 0) return []
  const queries = { of: q, axis: 2 }
  const apart = stepsApart(c, queries, { of: k, axis: 2 })
  // How many keys stand before the first query.
  const before = c.has(PAST) ? sizeAt(c, { of: c.input(PAST), axis: 2 }) : lengths === undefined ? c.integers('before', [0]) : c.emit('sub', [lengths, sizeAt(c, queries)])
  return [
    ...(after < 0 ? [] : [c.emit('lessOrEqual', [apart, c.emit('add', [before, c.integers('after', [after])])])]),
    ...(left < 0 ? [] : [c.emit('greaterOrEqual', [apart, c.emit('sub', [before, c.integers('left', [left])])])]),
  ]
}

/** The mask; keys that it does not reach are forbidden. */
function paddedMask(c: Conversion, k: string): string {
  const mask = c.input(MASK)
  const { dtype, shape } = c.type(mask)
  const [own, keys] = [shape.at(LAST_AXIS), c.type(k).shape[2]]
  if (dtype === 'int32') throw c.unsupported('an integer mask')
  if (own === keys || (typeof own === 'string' && typeof keys === 'string')) return mask
  if (typeof own !== 'number' || typeof keys !== 'number') {
    if (own === 1) throw c.unsupported('a mask of one key beside an unknown number of keys')
    return mask
  }
  const pads = [...shape.map(() => 0), ...shape.map((_, axis) => (axis === shape.length - 1 ? keys - own : 0))]
  return c.emit('pad', [mask, c.integers('pads', pads), ...(dtype === 'float32' ? [c.scalar('forbidden', -Infinity)] : [])])
}
