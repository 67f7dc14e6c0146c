// Attention layers of Keras: query [batch, Tq, features], value [batch, Tv, features], key as value.
import type { NdArray } from '../../../values/ndarray.ts'
import { isTrue, past } from './attention-heads.ts'
import type { KerasTensor, LayerCall, LayerKind } from '../layer-call.ts'
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
      const raw = scores(call, { query: query.value, key: key.value, value: value.value })
      const visible = [
        ...(value.mask === undefined ? [] : [emit.node(`${path}/validSteps`, 'unsqueeze', [value.mask, emit.integers(1)])]),
        ...(isTrue(kwargs.get('use_causal_mask')) ? [past(call, raw)] : []),
      ]
      const seen = visible.length === 0 ? raw : hideOthers(call, raw, visible.reduce((a, b) => emit.node(`${path}/visible`, 'and', [a, b])))
      const weights = emit.node(`${path}/weights`, 'softmax', [seen], { axis: -1 })
      const result = emit.node(path, 'matMul', [weights, value.value])
      const mask = dialect.mergedMask === 'none' ? undefined : query.mask
      const output: KerasTensor = { value: query.mask === undefined ? result : zeroMasked(call, result, query.mask), mask }
      return isTrue(kwargs.get('return_attention_scores')) ? [output, { value: weights, mask: undefined }] : [output]
    },
  }
}

/** Scores [batch, Tq, Tv] less 1e9 where they are not of what is visible. */
function hideOthers({ emit, path }: LayerCall, scores: string, visible: string): string {
  const valid = emit.node(`${path}/valid`, 'cast', [visible], { to: 'float32' })
  const hidden = emit.node(`${path}/hidden`, 'mul', [emit.node(`${path}/less`, 'sub', [valid, emit.number(1)]), emit.number(MASKED_SCORE)])
  return emit.node(`${path}/maskedScores`, 'add', [scores, hidden])
}

function zeroMasked({ emit, path }: LayerCall, result: string, mask: string): string {
  const valid = emit.node(`${path}/validQuery`, 'cast', [mask], { to: 'float32' })
  return emit.node(`${path}/masked`, 'mul', [result, emit.node(`${path}/validQuerySteps`, 'unsqueeze', [valid, emit.integers(2)])])
}

/** Sums of tanh(scale (query + key)) over the features; without `before`, of scale tanh(query + key). */
function sumOfPairs({ emit, path }: LayerCall, { query, key }: Parts, scale: string | undefined, before: boolean): string {
  const scaled = (name: string, value: string): string => (scale === undefined ? value : emit.node(`${path}/${name}`, 'mul', [value, scale]))
  const pairs = emit.node(`${path}/pairs`, 'add', [
    emit.node(`${path}/query`, 'unsqueeze', [query, emit.integers(2)]), emit.node(`${path}/key`, 'unsqueeze', [key, emit.integers(1)]),
  ])
  const bent = emit.node(`${path}/tanh`, 'tanh', [before ? scaled('scaled', pairs) : pairs])
  return emit.node(`${path}/scores`, 'reduceSum', [before ? bent : scaled('scaled', bent), emit.integers(-1)], { keepdims: false })
}

const MODES = ['dot', 'concat']

/** Dot-product attention (Luong); with `score_mode` concat, weight times sum of tanh(scale (query + key)). */
export const attention: LayerKind = attending((call, parts) => {
  const { emit, path, layer, weights } = call
  const { query, key } = parts
  const hasScale = layer.settings.flag('use_scale', false)
  if (layer.settings.text('score_mode', 'dot') === 'concat') {
    const own = weights.take([...(hasScale ? ['scale'] : []), 'concat_score_weight'], layer.settings.what)
    const sums = sumOfPairs(call, parts, hasScale ? emit.constant(`${path}/scale`, own[0] as NdArray) : undefined, true)
    return emit.node(`${path}/weighted`, 'mul', [sums, emit.constant(`${path}/weight`, own.at(-1) as NdArray)])
  }
  const scores = emit.node(`${path}/scores`, 'matMul', [query, emit.node(`${path}/key`, 'transpose', [key], { perm: [0, 2, 1] })])
  if (!hasScale) return scores
  const [scale] = weights.take(['scale'], layer.settings.what) as [NdArray]
  return emit.node(`${path}/scaled`, 'mul', [scores, emit.constant(`${path}/scale`, scale)])
}, ({ settings }) => (MODES.includes(settings.text('score_mode', 'dot')) ? [] : [`score_mode ${JSON.stringify(settings.json('score_mode'))}`]))

/** Additive attention (Bahdanau): sum of scale tanh(query + key). */
export const additiveAttention: LayerKind = attending((call, parts) => {
  const { emit, path, layer, weights } = call
  if (!layer.settings.flag('use_scale', true)) return sumOfPairs(call, parts, undefined, false)
  const [scale] = weights.take(['scale'], layer.settings.what) as [NdArray]
  return sumOfPairs(call, parts, emit.constant(`${path}/scale`, scale), false)
}, undefined)
