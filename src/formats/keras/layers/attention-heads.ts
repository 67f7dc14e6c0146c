// MultiHeadAttention: query [batch, Tq, features], value [batch, Tv, features], key as value.
//   Q, K, V = projections to [batch, heads, T, size]; softmax(Q K^T / sqrt(size)) V, heads side by side, projected.
import type { NdArray } from '../../../values/ndarray.ts'
import type { LayerSpec } from '../config.ts'
import { permuted, transposed } from '../emitter.ts'
import { notSupported, tensorsOf, type BoundArgument, type KerasTensor, type LayerCall, type LayerKind } from '../layer-call.ts'
import { int8Matrix } from '../quantized.ts'
import { malformed, type Settings } from '../settings.ts'

/** Scores of what is hidden: Keras adds it to them. */
const HIDDEN = -1e9

/** Whether an option is on. */
export const isTrue = (argument: BoundArgument | undefined): boolean => argument !== undefined && 'json' in argument && argument.json === true

/** A dense layer from the last axis, or the last two, to others: the kernel is [from..., to...], `rows` the product of the first. */
function projection(call: LayerCall, name: string, x: string, rows: number): { readonly value: string, readonly sizes: readonly number[] } {
  const { emit, path, weights, layer: { settings } } = call
  const hasBias = settings.flag('use_bias', true)
  const own = weights.child(`${name}_dense`)
  const names = hasBias ? ['kernel', 'bias'] : ['kernel']
  const [kernel, bias] = own.take(names, settings.what) as [NdArray, NdArray | undefined]
  // Of a model that was quantised, the policy of the whole layer does not say it.
  const scale = kernel.dtype === 'float32' ? undefined : own.takeNamed(['kernel_scale'])?.[0] ?? own.take([...names, 'kernel_scale'], settings.what).at(-1)
  // Two in a byte: until Keras 3.13 with three axes still, the first of them halved.
  const isHalved = scale !== undefined && (kernel.shape.length === 2 || rows * scale.data.length === 2 * kernel.data.length)
  if (isHalved) throw notSupported(`${settings.what}: weights of 4 bits (model.quantize('int8') writes some of 8, which load)`)
  const columns = kernel.data.length / rows
  if (!Number.isInteger(columns) || kernel.shape.length !== 3) throw malformed(`${settings.what}: expected a kernel of ${rows} rows with three axes, got [${kernel.shape.join(', ')}]`)
  const value = emit.node(`${path}/${name}`, 'linear', [x], {}, {
    weight: emit.constant(`${path}/${name}/weight`, kernel, (array) => (
      scale === undefined ? transposed(array.reshape([rows, columns])) : int8Matrix(settings.what, permuted(array.reshape([rows, columns]), [1, 0]), scale)
    )),
    ...(bias !== undefined && { bias: emit.constant(`${path}/${name}/bias`, bias, (array) => array.reshape([columns])) }),
  })
  return { value, sizes: kernel.shape.slice(1) }
}

/** [batch, T, features] -> [batch, heads, T, size]. */
function heads(call: LayerCall, name: string, x: string): { readonly value: string, readonly size: number } {
  const { emit, path, layer: { settings } } = call
  const features = emit.shapeOf(x)[2]
  if (emit.rankOf(x) !== 3 || typeof features !== 'number') throw notSupported(`${settings.what}: inputs that are not [batch, timesteps, features]`)
  const { value, sizes: [count, size] } = projection(call, name, x, features) as { value: string, sizes: [number, number] }
  const apart = emit.node(`${path}/${name}/apart`, 'reshape', [value, emit.integers(0, 0, count, size)])
  return { value: emit.node(`${path}/${name}/heads`, 'transpose', [apart], { perm: [0, 2, 1, 3] }), size }
}

/** The values that a step of the query may see, where it sees none of those to come: uint8 [Tq, Tv]. */
export function past({ emit, path }: LayerCall, scores: string): string {
  const rank = emit.rankOf(scores)
  const sizes = emit.node(`${path}/sizes`, 'shape', [scores], { start: rank - 2, end: rank })
  const all = emit.node(`${path}/ones`, 'constantOfShape', [sizes], { value: 1, dtype: 'float32' })
  return emit.node(`${path}/past`, 'cast', [emit.node(`${path}/lower`, 'trilu', [all], { upper: 0 })], { to: 'bool' })
}

/** What may be seen, uint8 that broadcasts to [batch, heads, Tq, Tv]; undefined for everything. */
function visible(call: LayerCall, scores: string, { query, value, key }: Record<'query' | 'value' | 'key', KerasTensor>): string | undefined {
  const { emit, path, kwargs } = call
  const parts: string[] = []
  const axes = (name: string, mask: string, ...at: number[]): number => parts.push(emit.node(`${path}/${name}`, 'unsqueeze', [mask, emit.integers(...at)]))
  if (query.mask !== undefined) axes('queryMask', query.mask, 1, 3)
  if (value.mask !== undefined) axes('valueMask', value.mask, 1, 2)
  if (key.mask !== undefined && key.mask !== value.mask) axes('keyMask', key.mask, 1, 2)
  const [given] = tensorsOf(kwargs.get('attention_mask'))
  if (given !== undefined) {
    const truth = emit.truth(`${path}/attentionMask`, given.value)
    if (emit.rankOf(truth) === 3) axes('attentionMasks', truth, 1)
    else parts.push(truth)
  }
  if (isTrue(kwargs.get('use_causal_mask'))) {
    parts.push(past(call, scores))
  }
  return parts.length === 0 ? undefined : parts.reduce((a, b) => emit.node(`${path}/visible`, 'and', [a, b]))
}

function problems({ settings }: { readonly settings: Settings }): string[] {
  const axes = settings.json('attention_axes')
  const own = axes === undefined || JSON.stringify(axes) === '[1]' || axes === 1 ? [] : [`attention_axes ${JSON.stringify(axes)}`]
  return [...own, ...['use_gate', 'sliding_window'].filter((key) => (settings.json(key) ?? false) !== false)]
}

/** Whether a layer does something to the masks of its inputs: see `TakenMasks`. */
export function takesMasks({ className }: LayerSpec): boolean {
  return className === 'MultiHeadAttention'
}

export const multiHeadAttention: LayerKind = {
  unsupported: problems,
  build(call) {
    const { emit, path, layer, inputs, kwargs, dialect } = call
    const named = (name: string): KerasTensor | undefined => tensorsOf(kwargs.get(name))[0]
    const masked = (name: string, tensor: KerasTensor | undefined): KerasTensor | undefined => {
      const mask = named(`${name}_mask`)
      return tensor === undefined || mask === undefined ? tensor : { value: tensor.value, mask: mask.value }
    }
    const given = ['query', 'value', 'key'].map((name, n) => inputs[n] ?? named(name))
    const query = dialect.headsTakeMasks ? given[0] : masked('query', given[0])
    const value = masked('value', given[1])
    const key = given[2] === undefined ? value : masked('key', given[2])
    if (query === undefined || value === undefined || key === undefined || inputs.length > 3) {
      throw malformed(`${layer.settings.what}: expected query, value and perhaps key, got ${inputs.length} inputs`)
    }
    if (dialect.headsTakeMasks) for (const tensor of [query, value, key]) emit.takenMasks.take(tensor.value)
    const q = heads(call, 'query', query.value)
    const k = heads(call, 'key', key.value)
    const v = heads(call, 'value', value.value)
    const scaled = emit.node(`${path}/scaled`, 'mul', [q.value, emit.number(1 / Math.sqrt(q.size))])
    const raw = emit.node(`${path}/scores`, 'matMul', [scaled, emit.node(`${path}/keys`, 'transpose', [k.value], { perm: [0, 1, 3, 2] })])
    const seen = visible(call, raw, { query, value, key })
    const scores = seen === undefined ? raw : emit.node(`${path}/seen`, 'where', [seen, raw, emit.number(HIDDEN)])
    const weights = emit.node(`${path}/weights`, 'softmax', [scores], { axis: -1 })
    const mixed = emit.node(`${path}/mixed`, 'transpose', [emit.node(`${path}/sums`, 'matMul', [weights, v.value])], { perm: [0, 2, 1, 3] })
    const columns = layer.settings.count('num_heads') * v.size
    const joined = emit.node(`${path}/joined`, 'reshape', [mixed, emit.integers(0, 0, columns)])
    const result: KerasTensor = { value: projection(call, 'output', joined, columns).value, mask: query.mask }
    return isTrue(kwargs.get('return_attention_scores')) ? [result, { value: weights, mask: undefined }] : [result]
  },
}
