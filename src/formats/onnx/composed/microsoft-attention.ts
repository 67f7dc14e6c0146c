// Attention as onnxruntime's optimiser writes it: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
import type { Conversion } from '../conversion.ts'
import { malformed } from '../../protobuf/wire.ts'
import { appended, attend, biasWhere, joinHeads, numbersBelow, scaleOf, splitHeads, stepsApart, type Heads } from './attention-core.ts'
import { sizeAt } from './sizes.ts'

/** What is added to the score of a masked key. */
const MASKED = -10000
/** The least float32: of keys that come later. */
const LEAST = -3.4028234663852886e38

/** How many heads there are. */
export function headCount(c: Conversion): number {
  const heads = c.int('num_heads', 0)
  if (heads < 1) throw malformed(`${c.label}: expected a number of heads, got ${heads}`)
  return heads
}

/** Where a mask of whole numbers is 0, a large negative number. [batch, keys] and [batch, queries, keys] are masks; [batch] is how many keys count. */
function biasOfMask(c: Conversion, position: number, k: string): string | undefined {
  if (!c.has(position)) return undefined
  const mask = c.input(position)
  const { dtype, shape } = c.type(mask)
  const [batch] = c.type(k).shape
  if (dtype !== 'int32' || shape.length > 3 || (shape.length === 1 && shape[0] !== batch)) throw c.unsupported(`a mask ${dtype} [${shape.join(', ')}]`)
  const axes = shape.length === 1 ? [1, 2, 3] : shape.length === 2 ? [1, 2] : [1]
  const spread = c.emit('unsqueeze', [mask, c.integers('axes', axes)])
  const allowed = shape.length === 1 ? c.emit('less', [numbersBelow(c, sizeAt(c, { of: k, axis: 2 })), spread]) : c.emit('greater', [spread, c.integers('zero', [0])])
  return biasWhere(c, allowed, c.float('mask_filter_value', MASKED))
}

/** All that is added to the scores. */
function biasOf(c: Conversion, { q, k }: Heads, mask: number, added: number, past: string): string | undefined {
  const parts = [biasOfMask(c, mask, k), c.has(added) ? c.input(added) : undefined]
  if (c.int('unidirectional', 0) !== 0) {
    const before = past === '' ? c.integers('before', [0]) : sizeAt(c, { of: past, axis: 2 })
    parts.push(biasWhere(c, c.emit('lessOrEqual', [stepsApart(c, { of: q, axis: 2 }, { of: k, axis: 2 }), before]), LEAST))
  }
  return parts.filter((part) => part !== undefined).reduce((sum: string | undefined, part) => (sum === undefined ? part : c.emit('add', [sum, part])), undefined)
}

/** The result [batch, steps, heads * size], under the name of the first output. */
function attended(c: Conversion, heads: Heads, bias: string | undefined): ReturnType<typeof attend> {
  const scale = c.hasAttribute('scale') ? c.float('scale', 0) : 0
  const made = attend(c, heads, { scale: scale === 0 ? scaleOf(c, heads.q) : scale, bias })
  joinHeads(c, made.output, [c.output(0)])
  return made
}

/** Inputs: query, key, value, bias, mask of keys, what is added to scores, past keys and values. Outputs: the result, all keys, all values. */
export function multiHeadAttention(c: Conversion): void {
  c.onlyAttributes(['mask_filter_value', 'num_heads', 'scale', 'unidirectional'])
  c.onlyOutputs(3)
  if (c.inputs.slice(8).some((name) => name !== '')) throw c.unsupported('a shared buffer of keys and values')
  const heads = headCount(c)
  if (!c.has(1) || !c.has(2)) throw c.unsupported('queries, keys and values in one input')
  const sizes = [0, 1, 2].map((position) => {
    const { shape } = c.type(c.input(position))
    return shape.length === 4 ? undefined : shape.at(-1)
  })
  const biases = c.has(3) ? parts(c, c.input(3), sizes, 0) : []
  const [q = '', newKeys = '', newValues = ''] = [0, 1, 2].map((position) => {
    const value = c.input(position)
    const shifted = biases[position] === undefined ? value : c.emit('add', [value, biases[position]])
    // Keys and values of a cross-attention may be split already.
    return c.type(value).shape.length === 4 ? value : splitHeads(c, shifted, heads)
  })
  const k = c.has(6) ? appended(c, c.input(6), newKeys) : newKeys
  const v = c.has(7) ? appended(c, c.input(7), newValues) : newValues
  attended(c, { q, k, v }, biasOf(c, { q, k, v }, 4, 5, c.inputs[6] ?? ''))
  c.alias(1, k)
  c.alias(2, v)
}

/** Parts of these sizes along an axis. */
export function parts(c: Conversion, value: string, sizes: readonly (number | string | undefined)[], axis: number): string[] {
  if (!sizes.every((size) => typeof size === 'number')) throw c.unsupported('queries, keys or values of unknown sizes beside their bias')
  const outputs = sizes.map((_, n) => c.unused(`part${n}`))
  c.emit('split', [value, c.integers('sizes', sizes)], { axis }, outputs)
  return outputs
}

/** Inputs: x, weights and bias of queries, keys and values beside each other, mask, past, what is added to scores. Outputs: the result, all keys and values. */
export function microsoftAttention(c: Conversion): void {
  c.onlyAttributes(['mask_filter_value', 'num_heads', 'qkv_hidden_sizes', 'scale', 'unidirectional'])
  c.onlyOutputs(2)
  if (c.has(6)) throw c.unsupported('a shared buffer of keys and values')
  const heads = headCount(c)
  const product = c.emit('matMul', [c.input(0), c.input(1)])
  const joined = c.has(2) ? c.emit('add', [product, c.input(2)]) : product
  const width = c.type(c.input(1)).shape[1]
  const sizes = c.ints('qkv_hidden_sizes') ?? Array.from({ length: 3 }, () => (typeof width === 'number' ? width / 3 : width))
  attentionOf(c, heads, joined, sizes, { mask: 3, past: 4, added: 5 })
}

/** Positions of inputs that attention may have. */
interface Around {
  readonly mask: number
  readonly past: number
  /** Of what is added to scores. */
  readonly added?: number
}

/** Attention of queries, keys and values of these sizes beside each other. Outputs: the result, all keys and values. */
export function attentionOf(
  c: Conversion, heads: number, joined: string, sizes: readonly (number | string | undefined)[], { mask, past, added = c.inputs.length }: Around,
): void {
  const [q, newKeys, newValues] = parts(c, joined, sizes, -1).map((part) => splitHeads(c, part, heads)) as [string, string, string]
  const [pastKeys = '', pastValues = ''] = c.has(past) ? halves(c, c.input(past)) : []
  const k = pastKeys === '' ? newKeys : appended(c, pastKeys, newKeys)
  const v = pastValues === '' ? newValues : appended(c, pastValues, newValues)
  attended(c, { q, k, v }, biasOf(c, { q, k, v }, mask, added, pastKeys))
  if (!c.isNeeded(1)) return
  const first = c.integers('axes', [0])
  c.emit('concat', [k, v].map((value) => c.emit('unsqueeze', [value, first])), { axis: 0 }, [c.output(1)])
}

/** Past keys and values [2, batch, heads, steps, size]. */
function halves(c: Conversion, past: string): string[] {
  return [0, 1].map((index) => c.emit('squeeze', [c.emit('slice', [past, c.integers('start', [index]), c.integers('end', [index + 1]), c.integers('axes', [0])]), c.integers('axes', [0])]))
}
