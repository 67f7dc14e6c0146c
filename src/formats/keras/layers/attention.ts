// Attention layers of Keras: query [batch, Tq, features], value [batch, Tv, features], key as value.
import type { NdArray } from '../../../values/ndarray.ts'
import { notSupported, type LayerCall, type LayerKind } from '../layer-call.ts'
import { malformed } from '../settings.ts'

interface Parts {
  readonly query: string
  readonly key: string
  readonly value: string
}

/** Scores of masked steps: what Keras adds to them. */
const MASKED_SCORE = 1e9

function attending(scores: (call: LayerCall, parts: Parts) => string, unsupported: LayerKind['unsupported']): LayerKind {
  return {
    ...(unsupported !== undefined && { unsupported }),
    build(call) {
      const { inputs, layer, emit, path, kwargs, dialect } = call
      const [query, value, key = value] = inputs
      if (query === undefined || value === undefined || key === undefined || inputs.length > 3) {
        throw malformed(`${layer.settings.what}: expected query, value and perhaps key, got ${inputs.length} inputs`)
      }
      for (const option of ['return_attention_scores', 'use_causal_mask']) {
        const given = kwargs.get(option)
        const isOff = given === undefined || ('json' in given && (given.json === null || given.json === false))
        if (!isOff) throw notSupported(`${layer.settings.what}: ${option}`)
      }
      const raw = scores(call, { query: query.value, key: key.value, value: value.value })
      const weights = emit.node(`${path}/weights`, 'softmax', [value.mask === undefined ? raw : hideMasked(call, raw, value.mask)], { axis: -1 })
      const result = emit.node(path, 'matMul', [weights, value.value])
      const mask = dialect.mergedMask === 'none' ? undefined : query.mask
      return [{ value: query.mask === undefined ? result : zeroMasked(call, result, query.mask), mask }]
    },
  }
}

/** Scores [batch, Tq, Tv] less 1e9 where the value is masked. */
function hideMasked({ emit, path }: LayerCall, scores: string, mask: string): string {
  const valid = emit.node(`${path}/valid`, 'cast', [mask], { to: 'float32' })
  const hidden = emit.node(`${path}/hidden`, 'mul', [emit.node(`${path}/less`, 'sub', [valid, emit.number(1)]), emit.number(MASKED_SCORE)])
  return emit.node(`${path}/maskedScores`, 'add', [scores, emit.node(`${path}/hiddenSteps`, 'unsqueeze', [hidden, emit.integers(1)])])
}

function zeroMasked({ emit, path }: LayerCall, result: string, mask: string): string {
  const valid = emit.node(`${path}/validQuery`, 'cast', [mask], { to: 'float32' })
  return emit.node(`${path}/masked`, 'mul', [result, emit.node(`${path}/validSteps`, 'unsqueeze', [valid, emit.integers(2)])])
}

/** Dot-product attention (Luong). */
export const attention: LayerKind = attending((call, { query, key }) => {
  const { emit, path, layer, weights } = call
  const scores = emit.node(`${path}/scores`, 'matMul', [query, emit.node(`${path}/key`, 'transpose', [key], { perm: [0, 2, 1] })])
  if (!layer.settings.flag('use_scale', false)) return scores
  const [scale] = weights.take(['scale'], layer.settings.what) as [NdArray]
  return emit.node(`${path}/scaled`, 'mul', [scores, emit.constant(`${path}/scale`, scale)])
}, ({ settings }) => (settings.text('score_mode', 'dot') === 'dot' ? [] : [`score_mode ${JSON.stringify(settings.json('score_mode'))}`]))

/** Additive attention (Bahdanau): sum of scale tanh(query + key). */
export const additiveAttention: LayerKind = attending((call, { query, key }) => {
  const { emit, path, layer, weights } = call
  const sum = emit.node(`${path}/pairs`, 'add', [
    emit.node(`${path}/query`, 'unsqueeze', [query, emit.integers(2)]), emit.node(`${path}/key`, 'unsqueeze', [key, emit.integers(1)]),
  ])
  let bent = emit.node(`${path}/tanh`, 'tanh', [sum])
  if (layer.settings.flag('use_scale', true)) {
    const [scale] = weights.take(['scale'], layer.settings.what) as [NdArray]
    bent = emit.node(`${path}/scaled`, 'mul', [bent, emit.constant(`${path}/scale`, scale)])
  }
  return emit.node(`${path}/scores`, 'reduceSum', [bent, emit.integers(-1)], { keepdims: false })
}, undefined)
